"""The two stacks a figure is measured on: real processes, their own data, the product's own intervals."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from tests.e2e.main_job import Person
from tests.servers import Postgres, Redis, free_port
from tests.stack import FAST, ROOT, SHELL, Stack
from tests.waiting import until

GROUP = "/w/local/g/tutorial"
# Widgets for notebooks; the server never sends them.
COLLECT = (
    "collectstatic",
    "--noinput",
    "--verbosity",
    "0",
    "-i",
    "widgetbundle.js",
    "-i",
    "datasets",
    "-i",
    "redoc*",
)
# What would lead a stack to somebody else's data or servers.
FOREIGN = ("LAUNCHPAD_", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_KEYS", "ALLOWED_HOSTS")
FOREIGN += ("PUBLIC_URL", "INTERNAL_URL", "TEST_DATABASE", "DJANGO_SETTINGS_MODULE", "PORT", "MAKE", "MFLAGS")


def clean() -> dict[str, str]:
    """This process's environment without anything that speaks to Launchpad."""
    return {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A throwaway folder that the users of servers and steps may pass through."""
    with tempfile.TemporaryDirectory(prefix="launchpad-bench-", ignore_cleanup_errors=True) as name:
        home = Path(name).resolve()
        home.chmod(0o755)
        yield home


@contextlib.contextmanager
def servers() -> Iterator[tuple[Postgres, Redis, Path]]:
    """A PostgreSQL and a Redis of our own, and the folder they live in."""
    with folder() as home, contextlib.ExitStack() as ending:
        redis = Redis(home)
        ending.callback(redis.stop)
        postgres = Postgres(home)
        ending.callback(postgres.stop)
        yield postgres, redis, home


@contextlib.contextmanager
def production(
    postgres: Postgres, redis: Redis, home: Path, name: str = "production", **env: str
) -> Iterator[Stack]:
    """A stack on them with a place, an editor and the shell templates; nothing of it is started yet."""
    # An empty variable counts as absent: the intervals are the product's own.
    stack = Stack(home / name, postgres.create(name), redis.url, **dict.fromkeys(FAST, "") | env)
    try:
        stack.prepare()
        stack.manage(*COLLECT)
        yield stack
    finally:
        stack.close()


class Embedded:
    """`manage.py up` in a process group of its own, with a data folder of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = clean() | {"LAUNCHPAD_DATA": str(data), "PORT": str(self.port)}
        self.log = data.parent / "up.log"
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=ROOT,
                env=self.env,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            until(lambda: "Launchpad is ready" in self.log.read_text(), seconds=240)
        except AssertionError as error:
            self.close()
            raise RuntimeError(f"The embedded stack is not ready.\n{self.log.read_text()[-2000:]}") from error

    def do(self, *deeds: dict[str, Any]) -> list[Any]:
        """Have a driver of its own do things in the domain, and end it."""
        said = subprocess.run(
            [sys.executable, "-m", "tests.driver"],
            cwd=ROOT,
            env=self.env | {"LAUNCHPAD_EMBEDDED": "1"},
            input="".join(json.dumps(deed) + "\n" for deed in deeds),
            check=True,
            capture_output=True,
            text=True,
        )
        return [json.loads(line)["ok"] for line in said.stdout.splitlines()]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query finds in its database."""
        with contextlib.closing(sqlite3.connect(self.data / "launchpad.sqlite3", timeout=20)) as connection:
            return connection.execute(query).fetchall()

    def family(self) -> list[psutil.Process]:
        """Every process of it that lives now."""
        head = psutil.Process(self.process.pid)
        return [head, *head.children(recursive=True)]

    def close(self) -> None:
        """Ctrl-C, and wait for its end."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)


@contextlib.contextmanager
def embedded() -> Iterator[Embedded]:
    """An embedded stack that answers."""
    with folder() as home:
        stack = Embedded(home / "data")
        try:
            yield stack
        finally:
            stack.close()


def editor(url: str, password: str = "editor") -> Person:
    """The editor, signed in."""
    person = Person(url)
    person.sign_in("editor", password)
    return person


def password(stack: Embedded) -> str:
    """What `make run` has printed for the editor."""
    return json.loads((stack.data / "passwords.json").read_text())["editor"]


def shell_configuration(stack: Stack | Embedded, script: str) -> str:
    """A configuration that runs a shell script, made by running it once to its end; its key."""
    order = {"executable": "shell-run", "SCRIPT": script}
    if isinstance(stack, Stack):
        execution = stack.do("submit", **order)
    else:
        execution = stack.do({"do": "prepare", "folder": str(SHELL)}, {"do": "submit", **order})[1]
    query = f"SELECT status, configuration_id FROM mlops_execution WHERE id = '{execution}'"
    until(lambda: stack.rows(query)[0][0] == "COMPLETED", seconds=60, pause=0.3)
    return str(uuid.UUID(str(stack.rows(query)[0][1])))
