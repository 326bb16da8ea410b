"""`python -m tests [--slow] …`: runs every leg this machine can run and says by name which it cannot.

With --slow the tests marked slow run too; everything else goes to pytest. The embedded legs (SQLite, no
broker) always run. The legs on PostgreSQL and Redis run beside them when DATABASE_URL and REDIS_URL name them
or both answer on their default local ports. With CI set, a missing server, browser or sandbox is a failure.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

DATABASE_URL = os.environ.get("DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
REDIS_URL = os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/15"
CI = bool(os.environ.get("CI"))
AXE = Path(sys.prefix) / "npm" / "node_modules" / "axe-core"


def answers(url: str, port: int) -> bool:
    """Whether a server accepts connections at the URL's host and port."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or port), 2):
            return True
    except OSError:
        return False


@dataclass(frozen=True)
class Leg:
    """One run of pytest. variables: what its environment has besides our own."""

    name: str
    arguments: list[str]
    variables: dict[str, str]

    def start(self, output: IO[bytes] | None) -> subprocess.Popen[bytes]:
        """Begin it; what it prints goes to `output`, to our own where there is none."""
        command = [sys.executable, "-m", "pytest", "-q", *self.arguments]
        return subprocess.Popen(
            command,
            env=os.environ | self.variables,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
        )


def run(legs: list[Leg]) -> bool:
    """Run the legs side by side; the first is heard at once, the others when they have ended. True when all
    passed.

    They share nothing: each has a data folder and a database of its own. Each keeps one core busy.
    """
    first, *others = legs
    with contextlib.ExitStack() as stack:
        outputs = [stack.enter_context(tempfile.TemporaryFile()) for _ in others]
        print(f"\n=== {first.name} ===", flush=True)
        processes = [first.start(None), *(one.start(file) for one, file in zip(others, outputs, strict=True))]
        passed = processes[0].wait() == 0
        for one, file, process in zip(others, outputs, processes[1:], strict=True):
            passed &= process.wait() == 0
            print(f"\n=== {one.name} ===", flush=True)
            file.seek(0)
            shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.flush()
    return passed


def main(extra: list[str]) -> int:
    """Run the legs; 0 when all that ran passed and, in CI, none was missing."""
    quick = "" if "--slow" in extra else " and not slow"
    extra = [one for one in extra if one != "--slow"]
    servers = answers(DATABASE_URL, 5432) and answers(REDIS_URL, 6379)
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    sandbox = shutil.which("bwrap")
    missing = [
        name
        for name, found in (
            ("PostgreSQL and Redis", servers),
            ("a browser (Chromium)", browser),
            ("bubblewrap", sandbox),
            ("axe-core, which npm installs", quick or AXE.exists()),
        )
        if not found
    ]
    legs = [
        Leg("embedded: SQLite", ["-m", f"not server{quick}", *extra], {"TEST_DATABASE": "sqlite"}),
    ]
    if servers:
        legs.append(
            Leg(
                "PostgreSQL and Redis",
                ["-m", f"(database or server){quick}", *extra],
                {"TEST_DATABASE": "postgres", "DATABASE_URL": DATABASE_URL, "REDIS_URL": REDIS_URL},
            )
        )
    passed = run(legs)
    for name in missing:
        print(f"SKIPPED, not on this machine: {name}")
    if missing and CI:
        print("In CI everything has to be there.")
        return 1
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
