"""Parquet files by their footer and first rows, read by a child process that is allowed little."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from mlops.formats.ranges import Ranges
from mlops.formats.tables import COLUMNS_LIMIT, Column, Table

BYTES_LIMIT = 128 * 1024 * 1024
SECONDS = 15.0
_ANSWER_LIMIT = 64 * 1024 * 1024
_CHILD = Path(__file__).with_name("parquet_child.py")
_BROKEN = "it cannot be read as Parquet, or its first rows are too large to look at"


def read(source: Ranges, *, limit: int) -> Table:
    """The columns with their types, the number of rows and the first `limit` of these.

    Reads by ranges, at most 128 MiB in 15 s. Raises ValueError with the end of a sentence about the file.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", str(_CHILD), str(source.size), str(limit)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
    )
    alarm = threading.Timer(SECONDS, process.kill)
    alarm.start()
    try:
        answer = _serve(process, source)
    finally:
        alarm.cancel()
        process.kill()
        process.communicate()
    columns = tuple(Column(name, kind) for name, kind in answer["columns"][:COLUMNS_LIMIT])
    rows = tuple(tuple(row) for row in answer["head"])
    return Table(columns, rows, len(answer["columns"]), answer["rows"])


def _serve(process: subprocess.Popen[bytes], source: Ranges) -> dict[str, Any]:
    """Give the child the bytes it asks for until it answers."""
    assert process.stdin is not None
    assert process.stdout is not None
    left = BYTES_LIMIT
    while line := process.stdout.readline(_ANSWER_LIMIT):
        if line.startswith(b"A ") and line.endswith(b"\n"):
            answer: dict[str, Any] = json.loads(line[2:])
            return answer
        if not line.startswith(b"R "):
            break
        start, length = (int(part) for part in line[2:].split())
        left -= length
        if left < 0:
            break
        try:
            process.stdin.write(source.read(start, length))
            process.stdin.flush()
        except BrokenPipeError:
            break
    raise ValueError(_BROKEN)
