"""`python -m tests [--slow] …`: runs every leg this machine can run and says by name which it cannot.

With --slow the tests marked slow run too; everything else goes to pytest. The embedded legs (SQLite, no
broker) always run. The legs on PostgreSQL and Redis run when DATABASE_URL and REDIS_URL name them or both
answer on their default local ports. With CI set, a missing server, browser or sandbox is a failure.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from urllib.parse import urlsplit

DATABASE_URL = os.environ.get("DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
REDIS_URL = os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/15"
CI = bool(os.environ.get("CI"))


def answers(url: str, port: int) -> bool:
    """Whether a server accepts connections at the URL's host and port."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or port), 2):
            return True
    except OSError:
        return False


def leg(name: str, *arguments: str, **variables: str) -> bool:
    """Run pytest once; True when it passed."""
    print(f"\n=== {name} ===", flush=True)
    return (
        subprocess.call([sys.executable, "-m", "pytest", "-q", *arguments], env=os.environ | variables) == 0
    )


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
        )
        if not found
    ]
    passed = leg("embedded: SQLite", "-m", f"not server{quick}", *extra, TEST_DATABASE="sqlite")
    if servers:
        passed &= leg(
            "PostgreSQL and Redis",
            "-m",
            f"(database or server){quick}",
            *extra,
            TEST_DATABASE="postgres",
            DATABASE_URL=DATABASE_URL,
            REDIS_URL=REDIS_URL,
        )
    for name in missing:
        print(f"SKIPPED, not on this machine: {name}")
    if missing and CI:
        print("In CI everything has to be there.")
        return 1
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
