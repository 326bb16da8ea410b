"""Executions that log: `python -m tests.bench.writers` inserts chunks of log for many of them until killed.

Reads one JSON object: {"database", "executions": keys, "lines": a second and execution, "flush": seconds}.
Each execution has its own rhythm: a chunk holds the lines of one flush, each with the wall clock of its
writing. A chunk is a transaction as the engine's: the execution's row is locked, then it is inserted.
Standard error is told of chunks that are a second late.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import psycopg

LOCK = "SELECT id FROM mlops_execution WHERE id = %s AND attempt = 1 AND status = 'RUNNING' FOR NO KEY UPDATE"
INSERT = """
INSERT INTO mlops_logchunk (
    execution_id, attempt, step, seq, first_line, line_count, at, text, offsets, stderr)
VALUES (%s, 1, 0, %s, %s, %s, %s, %s, %s, '[]') ON CONFLICT DO NOTHING
"""


def main() -> None:
    """Write until the process is ended."""
    told = json.loads(sys.stdin.readline())
    keys, flush = told["executions"], told["flush"]
    each = max(round(told["lines"] * flush), 1)
    gap = flush / each
    pause = threading.Event()
    with psycopg.connect(told["database"], autocommit=True) as connection:
        began = time.time()
        for turn in range(10**9):
            seq, number = divmod(turn, len(keys))
            # The chunk is due when its oldest line has waited for a flush.
            due = began + flush * (seq + number / len(keys))
            now = time.time()
            if now < due:
                pause.wait(due - now)
            elif now > due + 1 and number == 0:
                sys.stderr.write(f"writers are {now - due:.1f} s late\n")
            with connection.transaction():
                connection.execute(LOCK, [keys[number]], prepare=True)
                connection.execute(INSERT, _chunk(keys[number], seq, due - flush, each, gap), prepare=True)


def _chunk(key: str, seq: int, start: float, each: int, gap: float) -> list[object]:
    """The values of a chunk whose first line was written at `start`."""
    at = datetime.fromtimestamp(start, UTC)
    texts = [
        f"INFO step {seq * each + line} loss {1 / (1 + seq):.6f} written {start + line * gap:.4f}"
        for line in range(each)
    ]
    offsets = [round(timedelta(seconds=line * gap).total_seconds() * 1000) for line in range(each)]
    return [key, seq, 1 + seq * each, each, at, "\n".join(texts), json.dumps(offsets)]


if __name__ == "__main__":
    main()
