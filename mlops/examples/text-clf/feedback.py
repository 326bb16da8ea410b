"""Reads feedback from CSV files and says exactly what is wrong with bad ones."""

import csv
from pathlib import Path


class BadData(Exception):
    """The input cannot be used; the text says which file, where and why."""


def read(source: Path, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The named columns of one CSV file, or of every *.csv file directly in a folder, in name order.

    Files are UTF-8 (a byte order mark is allowed) with a header; further columns are ignored. Values are
    stripped of blanks at both ends. Raises BadData for anything else: missing or empty files, missing
    columns, empty values, other encodings.
    """
    if not source.exists():
        raise BadData(f"{source}: no such file or folder")
    files = sorted(source.glob("*.csv")) if source.is_dir() else [source]
    if not files:
        raise BadData(f"{source}: the folder holds no *.csv file")
    return [row for file in files for row in _read_file(file, columns)]


def _read_file(file: Path, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            header = reader.fieldnames or []
            missing = [name for name in columns if name not in header]
            if not header:
                raise BadData(f"{file}: the file is empty; a header with {_listed(columns)} is needed")
            if missing:
                raise BadData(
                    f"{file}: missing columns: {_listed(missing)}; the header has {_listed(header)}"
                )
            rows = [_values(file, reader.line_num, row, columns) for row in reader]
    except UnicodeDecodeError as error:
        raise BadData(
            f"{file}: not UTF-8 text (byte {error.object[error.start]:#04x}); save it as UTF-8"
        ) from error
    except csv.Error as error:
        raise BadData(f"{file}: not a valid CSV file: {error}") from error
    except OSError as error:
        raise BadData(f"{file}: cannot be read: {error.strerror}") from error
    if not rows:
        raise BadData(f"{file}: there is a header but no row below it")
    return rows


def _values(file: Path, line: int, row: dict, columns: tuple[str, ...]) -> tuple[str, ...]:
    for name in columns:
        if not (row[name] or "").strip():
            raise BadData(f"{file}: line {line}: column {name!r} is empty")
    return tuple(row[name].strip() for name in columns)


def _listed(names) -> str:
    return ", ".join(repr(name) for name in names)
