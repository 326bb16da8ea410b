"""Previews: the beginning of one file of an artifact as a table, text, picture or model, read by ranges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, Literal

from launchpad.access import Scope
from launchpad.errors import NotFound
from mlops import storage
from mlops.domain import artifact_facts, artifact_files
from mlops.formats import images, parquet, tables
from mlops.models import Artifact

TEXT_BYTES = 64 * 1024
ROWS = 50
COUNTED_BYTES = 8 * 1024 * 1024
_SEPARATED = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = (".jsonl", ".ndjson")
_READABLE = (
    *(".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".onnx"),
    *(".txt", ".md", ".json", ".yaml", ".yml", ".log", ".png", ".jpg", ".jpeg", ".gif", ".webp"),
)
Kind = Literal["table", "text", "image", "onnx", "none"]


@dataclass(frozen=True)
class Preview:
    """The beginning of one file. Of `text`, `table` and `model` the one that the kind names is filled.

    path: relative to the artifact. is_cut: the file goes on. problem: why a file of a known format cannot be
    shown, in a sentence. model: as `ArtifactFacts` keeps it.
    """

    path: str
    kind: Kind
    text: str = ""
    table: tables.Table | None = None
    model: dict[str, Any] | None = None
    is_cut: bool = False
    problem: str = ""


def of(scope: Scope, artifact: Artifact, path: str = "") -> Preview:
    """The preview of one file. path: by default the first readable one.

    Tables have at most 50 rows, of text the first 64 KiB are read. Raises Invalid when the files are gone,
    NotFound for another path, Conflict when the store fails.
    """
    if not path:
        names = [file.path for file in artifact_files.files(scope, artifact)]
        path = next((name for name in names if name.lower().endswith(_READABLE)), names[0])
    store, full = artifact_files.locate(scope, artifact, path)
    source = store.ranges(full)
    head = source.read(0, TEXT_BYTES + 1)
    suffix = PurePosixPath(path).suffix.lower()
    if suffix == ".parquet" or (head[:4] == b"PAR1" and not suffix):
        return _parquet(path, source)
    if suffix == ".onnx":
        model = artifact_facts.model(store, full, path)
        return Preview(path, "onnx", model=model, problem=model.get("error", ""))
    if images.content_type(head):
        is_small = source.size <= images.SIZE_LIMIT
        problem = (
            "" if is_small else f"Pictures of more than {images.SIZE_LIMIT // 1024**2} MiB are not shown."
        )
        return Preview(path, "image" if is_small else "none", problem=problem)
    return _text(path, suffix, head)


def picture(scope: Scope, artifact: Artifact, path: str) -> tuple[str, storage.Content]:
    """Content type and bytes of a picture of at most 25 MiB. Raises NotFound for any other file."""
    store, full = artifact_files.locate(scope, artifact, path)
    found = images.content_type(store.beginning(full, images.HEAD_BYTES))
    content = store.open(full)
    if not found or content.size_bytes > images.SIZE_LIMIT:
        raise NotFound(f"{artifact} has no such picture.")
    return found, content


def table(scope: Scope, artifact: Artifact, path: str) -> tables.Table | None:
    """Columns, their types and the number of rows of a table, without rows; None for any other file.

    Rows of text are counted in files of at most 8 MiB; else the number is None. Raises NotFound, Conflict.
    """
    suffix = PurePosixPath(path).suffix.lower()
    if suffix != ".parquet" and suffix not in _SEPARATED and suffix not in _JSON_LINES:
        return None
    store, full = artifact_files.locate(scope, artifact, path)
    source = store.ranges(full)
    if suffix == ".parquet":
        try:
            return parquet.read(source, limit=0)
        except ValueError:
            return None
    body = source.read(0, COUNTED_BYTES)
    found = _text(path, suffix, body[: TEXT_BYTES + 1]).table
    if found is None or source.size > len(body):
        return found
    text = body.decode("utf-8-sig", errors="replace")
    return replace(found, rows=(), row_count=tables.row_count(text, delimiter=_SEPARATED.get(suffix, "")))


def _parquet(path: str, source: storage.StoredRanges) -> Preview:
    try:
        found = parquet.read(source, limit=ROWS)
    except ValueError as error:
        return Preview(path, "none", problem=f"{path} is not shown: {error}.")
    return Preview(path, "table", table=found, is_cut=(found.row_count or 0) > len(found.rows))


def _text(path: str, suffix: str, head: bytes) -> Preview:
    is_cut = len(head) > TEXT_BYTES
    text = _decoded(head[:TEXT_BYTES], is_cut=is_cut)
    if text is None:
        return Preview(path, "none", is_cut=is_cut)
    lines = text.splitlines(keepends=True)
    whole = "".join(lines[:-1] if is_cut and len(lines) > 1 else lines)
    try:
        if suffix in _SEPARATED:
            found = tables.separated(whole, delimiter=_SEPARATED[suffix], limit=ROWS)
        elif suffix in _JSON_LINES and whole:
            found = tables.json_lines(whole, limit=ROWS)
        else:
            return Preview(path, "text", text, is_cut=is_cut)
    except ValueError:
        return Preview(path, "text", text, is_cut=is_cut)
    return Preview(path, "table", table=found, is_cut=is_cut or found.is_cut)


def _decoded(head: bytes, *, is_cut: bool) -> str | None:
    """The bytes as text, a letter cut in two left out; None when they are not UTF-8 text."""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not is_cut or error.start < len(head) - 3:
            return None
        text = head[: error.start].decode("utf-8-sig")
    return None if "\0" in text else text
