"""`python -m tests [--slow] …`: runs every leg this machine can run and says by name which it cannot.

With --slow the tests marked slow run too; everything else goes to pytest. The embedded legs (SQLite, no
broker) always run. The leg on PostgreSQL and Redis runs beside them, on servers of its own where both are
installed, on those that DATABASE_URL and REDIS_URL name where they are set. With CI set, a missing server,
browser or sandbox is a failure.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from tests.servers import Postgres, Redis

CI = bool(os.environ.get("CI"))
# Folders whose tests run in a process of their own; each takes minutes.
STACKS = ("tests/e2e",)
SPLIT = (("tests/mlops/domain", "tests/mlops/engine"), ("tests/mlops/api", "tests/mlops/views"))
# What pytest ends with when no test is chosen, as -k may leave a part.
NOTHING_CHOSEN = 5
AXE = Path(sys.prefix) / "npm" / "node_modules" / "axe-core"


def answers(url: str, port: int) -> bool:
    """Whether a server accepts connections at the URL's host and port."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or port), 2):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def servers() -> Iterator[dict[str, str]]:
    """The addresses of a PostgreSQL and a Redis, as variables; empty where there are none.

    Our own need not wait for any disk, and nobody else is on them.
    """
    named = {name: os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")}
    if all(named.values()):
        there = answers(named["DATABASE_URL"], 5432) and answers(named["REDIS_URL"], 6379)
        yield named if there else {}
        return
    if not (shutil.which("redis-server") and list(Path("/usr/lib/postgresql").glob("*/bin/postgres"))):
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="launchpad-servers-", ignore_cleanup_errors=True) as root:
        os.chmod(root, 0o755)
        with contextlib.ExitStack() as running:
            postgres = Postgres(Path(root))
            running.callback(postgres.stop)
            redis = Redis(Path(root))
            running.callback(redis.stop)
            yield {"DATABASE_URL": postgres.url("postgres"), "REDIS_URL": redis.url}


@dataclass(frozen=True)
class Leg:
    """One run of pytest. variables: what its environment has besides our own."""

    name: str
    arguments: list[str]
    variables: dict[str, str]

    def run(self, output: IO[bytes] | None) -> int:
        """pytest's exit code; what it prints goes to `output`, to our own where there is none."""
        command = [sys.executable, "-m", "pytest", "-q", *self.arguments]
        # Of its own: whoever starts closes the common one to other users, such as that of a PostgreSQL which
        # another leg is about to start.
        with tempfile.TemporaryDirectory(prefix="launchpad-leg-", ignore_cleanup_errors=True) as root:
            os.chmod(root, 0o755)
            done = subprocess.run(
                command,
                env=os.environ | self.variables | {"PYTEST_DEBUG_TEMPROOT": root},
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                check=False,
            )
        return done.returncode


def run(legs: list[Leg]) -> bool:
    """Run the legs, some at a time; the first is heard at once, the others after it. True when all passed and
    there was something to run.

    They share nothing: each has a data folder and a database of its own. One often waits for processes of its
    own, so there is one more than cores.
    """
    with contextlib.ExitStack() as stack:
        files = [None, *(stack.enter_context(tempfile.TemporaryFile()) for _ in legs[1:])]
        pool = stack.enter_context(ThreadPoolExecutor((os.cpu_count() or 1) + 1))
        print(f"\n=== {legs[0].name} ===", flush=True)
        running = [pool.submit(one.run, file) for one, file in zip(legs, files, strict=True)]
        codes = []
        for one, file, its in zip(legs, files, running, strict=True):
            codes.append(its.result())
            if file is not None:
                print(f"\n=== {one.name} ===", flush=True)
                file.seek(0)
                shutil.copyfileobj(file, sys.stdout.buffer)
                sys.stdout.flush()
    return set(codes) <= {0, NOTHING_CHOSEN} and 0 in codes


def parts(
    name: str, arguments: list[str], variables: dict[str, str], split: Sequence[Sequence[str]]
) -> list[Leg]:
    """A leg in parts: each of `split`, and after them all the rest. In one part where files are named."""
    if any(Path(one.partition("::")[0]).exists() for one in arguments if not one.startswith("-")):
        return [Leg(name, arguments, variables)]
    others = [f"--ignore={folder}" for part in split for folder in part]
    return [
        *(Leg(f"{name}, {' and '.join(part)}", [*arguments, *part], variables) for part in split),
        Leg(f"{name}, all other tests", [*arguments, *others], variables),
    ]


def main(extra: list[str]) -> int:
    """Run the legs; 0 when all that ran passed and, in CI, none was missing."""
    # Where it is set, each of the thousand processes that tests start would compile what it imports again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    quick = "" if "--slow" in extra else " and not slow"
    extra = [one for one in extra if one != "--slow"]
    embedded = ["-m", f"not server{quick}", *extra]
    legs = parts("embedded: SQLite", embedded, {"TEST_DATABASE": "sqlite"}, [STACKS, *SPLIT])
    with servers() as variables:
        if variables:
            served = ["-m", f"(database or server){quick}", *extra]
            of_servers = parts(
                "PostgreSQL and Redis", served, {"TEST_DATABASE": "postgres"} | variables, [STACKS]
            )
            # What takes longest starts first.
            legs = [*legs[:1], *of_servers, *legs[1:]]
        passed = run(legs)
    missing = [
        name
        for name, found in (
            ("PostgreSQL and Redis", variables),
            ("a browser (Chromium)", shutil.which("chromium") or shutil.which("google-chrome")),
            ("bubblewrap", shutil.which("bwrap")),
            ("axe-core, which npm installs", quick or AXE.exists()),
        )
        if not found
    ]
    for name in missing:
        print(f"SKIPPED, not on this machine: {name}")
    if missing and CI:
        print("In CI everything has to be there.")
        return 1
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
