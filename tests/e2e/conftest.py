"""Private servers for the whole run, and a fresh production stack on them for each test."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import databases
from tests.servers import Postgres, Redis
from tests.stack import Stack

_numbers = itertools.count(1)


def _open_to_others(folder: Path) -> None:
    """Let servers and steps, which run as other users, pass through pytest's own folders."""
    for part in (folder, *folder.parents):
        if not any("pytest-" in name for name in part.parts):
            return
        part.chmod(0o755)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Postgres, Redis, Path]]:
    """PostgreSQL and Redis of our own, and a data folder that new stacks begin with.

    Their database is a copy of `first`, which has a place, or of `empty`, which has but its tables.
    """
    home = tmp_path_factory.mktemp("servers")
    _open_to_others(home)
    postgres, redis = Postgres(home), Redis(home)
    databases.migrate(str(home), DATABASE_URL=postgres.create("empty"))
    first = Stack(home / "first", postgres.create("first", "empty"), redis.url)
    try:
        first.prepare()
        first.close()
        yield postgres, redis, home / "first" / "data"
    finally:
        first.close()
        redis.stop()
        postgres.stop()


def make(servers: tuple[Postgres, Redis, Path], folder: Path, **env: str) -> Stack:
    """A stack on a database of its own, with nothing running but its driver; it is the caller's to close."""
    postgres, redis, data = servers
    if redis.process is None:
        redis.start()
    number = next(_numbers)
    home = folder / f"stack{number}"
    _open_to_others(folder)
    shutil.copytree(data, home / "data")
    # A broker of its own for each: what is rung in one is not heard in another.
    broker = redis.url.removesuffix("/0") + f"/{number}"
    return Stack(home, postgres.create(f"stack{number}", "first"), broker, **env)


@pytest.fixture
def new_stack(servers: tuple[Postgres, Redis, Path], tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """Makes stacks on a database of their own; all of their processes end with the test."""
    made: list[Stack] = []

    def another(**env: str) -> Stack:
        made.append(make(servers, tmp_path, **env))
        return made[-1]

    yield another
    for stack in made:
        stack.close()


@pytest.fixture
def stack(new_stack: Callable[..., Stack]) -> Stack:
    """One stack with a worker of two slots and the control worker."""
    made = new_stack()
    made.control()
    made.worker()
    return made


@pytest.fixture(scope="module")
def calm(servers: tuple[Postgres, Redis, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for all tests of a module whose faults are within an execution, not around it."""
    made = make(servers, tmp_path_factory.mktemp("calm"))
    made.control()
    made.worker()
    yield made
    made.close()
