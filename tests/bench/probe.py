"""Pages asked in this very process: `python -m tests.bench.probe` answers what each costs, line by line.

Reads one JSON object a line, {"path": address}, and answers {"ms": time of the whole request, "queries":
their number, "sql_ms": time in the database, "main_ms": time of the page's own query alone, asked again,
"bytes": size of the page}. "headers" are sent along. {"tick": true} is answered with the first three for one
tick of the clock. Uses the environment's settings; the person is the editor.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "launchpad.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from launchpad import collection  # noqa: E402
from mlops.domain import clock  # noqa: E402
from mlops.paging import SIZE  # noqa: E402


class Watch:
    """What a request asks of the database."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any, float]] = []

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Run one query and note it."""
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.asked.append((sql, params, time.perf_counter() - began))

    @property
    def main(self) -> tuple[str, Any]:
        """The query that finds the page's rows, one more than a page shows; of a page of none the slowest."""
        paged = [one for one in self.asked if one[0].endswith(f"LIMIT {SIZE + 1}")]
        sql, params, _ = paged[0] if paged else max(self.asked, key=lambda one: one[2])
        return sql, params


def tick() -> dict[str, float]:
    """Look at the clock once."""
    watch = Watch()
    began = time.perf_counter()
    with connection.execute_wrapper(watch):
        clock.tick()
    ended = time.perf_counter()
    return {
        "ms": (ended - began) * 1000,
        "queries": len(watch.asked),
        "sql_ms": sum(seconds for _, _, seconds in watch.asked) * 1000,
    }


def ask(client: Client, path: str, headers: dict[str, str]) -> dict[str, float]:
    """Ask for a page and for its main query alone."""
    watch = Watch()
    began = time.perf_counter()
    with connection.execute_wrapper(watch):
        answer = client.get(path, headers=headers)
    ended = time.perf_counter()
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}.")
    alone = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(*watch.main)
        cursor.fetchall()
    return {
        "ms": (ended - began) * 1000,
        "queries": len(watch.asked),
        "sql_ms": sum(seconds for _, _, seconds in watch.asked) * 1000,
        "main_ms": (time.perf_counter() - alone) * 1000,
        "bytes": len(answer.content),
    }


def main() -> None:
    """Answer until standard input ends."""
    client = Client(headers={"host": "127.0.0.1", "accept": "text/html"})
    client.force_login(User.objects.get(username="editor"))
    collection.settle()
    for line in sys.stdin:
        asked = json.loads(line)
        answer = tick() if "tick" in asked else ask(client, asked["path"], asked.get("headers", {}))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
