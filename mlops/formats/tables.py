"""Tables in text: comma- or tab-separated values and JSON lines, by their beginning."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

COLUMNS_LIMIT = 100
CELL_LIMIT = 200


class Column(NamedTuple):
    """A column. type: as the file says, or as its values look: integer, number, boolean, text, empty."""

    name: str
    type: str


@dataclass(frozen=True)
class Table:
    """The beginning of a table: at most 100 columns of the first rows, as texts of at most 200 characters.

    column_count: of all. row_count: of all, None when not counted. is_cut: there are more rows than shown.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    column_count: int
    row_count: int | None = None
    is_cut: bool = False


def separated(text: str, *, delimiter: str, limit: int) -> Table:
    """The table of separated values whose first line is its header. Raises ValueError when it is none."""
    try:
        lines = [line for line in csv.reader(text.splitlines(keepends=True), delimiter=delimiter) if line]
    except csv.Error as error:
        raise ValueError(str(error)) from error
    header, *rows = lines or [[]]
    names = [_cell(name) for name in header[:COLUMNS_LIMIT]]
    columns = [
        Column(name, value_type(row[at] for row in rows if at < len(row))) for at, name in enumerate(names)
    ]
    shown = tuple(tuple(map(_cell, row[:COLUMNS_LIMIT])) for row in rows[:limit])
    return Table(tuple(columns), shown, len(header), is_cut=len(rows) > limit)


def json_lines(text: str, *, limit: int) -> Table:
    """The table of a JSON object a line; its columns are all keys. Raises ValueError when it is none."""
    found = []
    for line in filter(str.strip, text.split("\n")):
        try:
            row = json.loads(line)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        if not isinstance(row, dict):
            raise ValueError("a line is no object")
        found.append(row)
    names = list(dict.fromkeys(key for row in found for key in row))
    shown = names[:COLUMNS_LIMIT]
    texts = [{key: _json_text(value) for key, value in row.items()} for row in found]
    columns = [Column(_cell(name), value_type(row[name] for row in texts if name in row)) for name in shown]
    rows = tuple(tuple(_cell(row.get(name, "")) for name in shown) for row in texts[:limit])
    return Table(tuple(columns), rows, len(names), is_cut=len(found) > limit)


def row_count(text: str, *, delimiter: str) -> int | None:
    """How many rows a whole table has below its header; delimiter "": JSON lines. None when unreadable."""
    if not delimiter:
        return sum(1 for line in text.split("\n") if line.strip())
    try:
        lines = sum(1 for line in csv.reader(text.splitlines(keepends=True), delimiter=delimiter) if line)
    except csv.Error:
        return None
    return max(lines - 1, 0)


def value_type(values: Iterable[str]) -> str:
    """What all of the values look like: integer, number, boolean, text, or empty."""
    kinds = {_kind(value) for value in values} - {"empty"}
    if not kinds:
        return "empty"
    if kinds <= {"integer", "number"}:
        return "number" if "number" in kinds else "integer"
    return kinds.pop() if len(kinds) == 1 else "text"


def _kind(value: str) -> str:
    value = value.strip()
    if not value:
        return "empty"
    if value.lower() in ("true", "false"):
        return "boolean"
    if len(value) <= 40:
        if value.lstrip("+-").isascii() and value.lstrip("+-").isdigit():
            return "integer"
        try:
            float(value)
        except ValueError:
            return "text"
        return "text" if "_" in value else "number"
    return "text"


def _json_text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cell(text: str) -> str:
    text = text if len(text) <= CELL_LIMIT else f"{text[: CELL_LIMIT - 1]}…"
    return text.encode(errors="replace").decode()
