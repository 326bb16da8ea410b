"""Private PostgreSQL and Redis servers for one test run, which faults may hit without hurting anyone."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import psycopg

from tests.waiting import until

# Names of ports that this process has given out; they are free again when it ends.
_taken: list[socket.socket] = []


def free_port() -> int:
    """A port nobody listens on at this moment and no other process of tests has been given.

    It is below those the system gives to outgoing connections: one of those could be taken, while the server
    is stopped, by a client that tries to reach it.
    """
    while True:
        port = random.randrange(15_000, 32_000)
        # What listens takes seconds to start, and other runs choose meanwhile.
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0launchpad-tests-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            name.close()
            continue
        _taken.append(name)
        return port


def answers(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Postgres:
    """A PostgreSQL cluster in a folder, on its own port, that can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        self.bin = max(Path("/usr/lib/postgresql").glob("*/bin"))
        self.port = free_port()
        self.data = folder / "postgres"
        self.data.mkdir()
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            for path in (folder, self.data):
                shutil.chown(path, "postgres")
        self._run("initdb", "-D", str(self.data), "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def _as(self) -> dict[str, object]:
        return {"user": "postgres"} if os.geteuid() == 0 else {}

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.bin / program, *arguments], check=True, capture_output=True, cwd=self.data, **self._as()
        )

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        self.process = subprocess.Popen(
            [self.bin / "postgres", "-D", self.data, "-p", str(self.port), "-k", self.data]
            + ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=200"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **self._as(),
        )
        until(self._ready)

    def _ready(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Stop at once, dropping every connection."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            # It writes down first what it holds, which takes a busy disk long.
            self.process.wait(120)
            self.process = None

    def url(self, name: str) -> str:
        """The address of one of its databases."""
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"

    def create(self, name: str, template: str = "template1") -> str:
        """Make a database as a copy of another one nobody uses; its address."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)


class Redis:
    """A Redis server on its own port that keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        self.process = subprocess.Popen(
            [
                "redis-server",
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--databases",
                "256",
            ]
            + ["--appendonly", "no", "--dir", str(self.folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until(lambda: answers(self.port))

    def stop(self) -> None:
        """Kill it; everything in it is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(120)
            self.process = None
