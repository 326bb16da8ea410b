"""The empty test database, migrated once for every state of the migrations and copied ever after.

Migrating takes ten seconds, and every run of pytest would begin with it. The copy that a run gets is migrated
too, where nothing is left to do. Whenever one of the migrations changes, all of them run again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import quote

import psycopg
from django.core.management.color import Style
from django.db.backends.postgresql.operations import DatabaseOperations
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
KEPT = Path(sys.prefix) / "test-databases"
# PostgreSQL keeps them as databases of that name and a state.
PREFIX = "launchpad_empty_"
# States of the migrations kept side by side, for who goes from branch to branch.
STATES = 8
# Of PostgreSQL's lock on them, which belongs to this use alone.
LOCK = 8_135_062


def _state() -> str:
    """A checksum of all that makes tables, or rows in them: migrations, models, installed packages."""
    told = hashlib.sha256(sys.version.encode())
    files = [ROOT / "requirements.txt", ROOT / "launchpad" / "settings.py"]
    for app in ("launchpad", "mlops"):
        for pattern in ("**/migrations/*.py", "**/models.py", "**/models/*.py", "**/apps.py"):
            files += (ROOT / app).glob(pattern)
    for file in sorted(files):
        told.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return told.hexdigest()[:20]


def migrate(data: str, **variables: str) -> None:
    """Migrate the database of these settings; the data folder is that one."""
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "launchpad.settings",
        "LAUNCHPAD_DATA": data,
        "LAUNCHPAD_EMBEDDED": "1",
    }
    for name in ("DATABASE_URL", "REDIS_URL"):
        env.pop(name, None)
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    done = subprocess.run(command, cwd=ROOT, env=env | variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def bring(place: Path) -> None:
    """Put a migrated SQLite database there. Runs side by side wait for the one that makes it."""
    KEPT.mkdir(exist_ok=True)
    kept = KEPT / f"{_state()}.sqlite3"
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            older = sorted(KEPT.glob("*.sqlite3"), key=lambda file: file.stat().st_mtime)
            for file in older[: max(0, len(older) + 1 - STATES)]:
                file.unlink()
            with tempfile.TemporaryDirectory(dir=KEPT) as data:
                migrate(data)
                # At once or not at all.
                (Path(data) / "launchpad.sqlite3").replace(kept)
        shutil.copyfile(kept, place)


@contextlib.contextmanager
def lent(server: dict[str, Any], name: str) -> Iterator[None]:
    """Within, a migrated PostgreSQL database of that name is there. Runs side by side wait as above.

    server: Django's settings of a database on the same server.
    """
    place = {key: server[key.upper()] or None for key in ("host", "port", "user", "password")}
    with psycopg.connect(**place, dbname=server["NAME"], autocommit=True) as connection:
        # Ends with the connection.
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        kept = f"{PREFIX}{_state()}"
        if kept not in _kept(connection):
            _make(connection, kept, server)
        _do(connection, "CREATE DATABASE {} TEMPLATE {}", name, kept)
        # Commits need not outlive the machine.
        _do(connection, "ALTER DATABASE {} SET synchronous_commit = off", name)
    try:
        yield
    finally:
        with psycopg.connect(**place, dbname=server["NAME"], autocommit=True) as connection:
            _do(connection, "DROP DATABASE {} WITH (FORCE)", name)


def _do(connection: psycopg.Connection[Any], statement: LiteralString, *names: str) -> None:
    connection.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))


def _kept(connection: psycopg.Connection[Any]) -> list[str]:
    """The kept databases, the oldest first."""
    found = connection.execute(
        "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY oid", [PREFIX]
    )
    return [name for (name,) in found.fetchall()]


def _make(connection: psycopg.Connection[Any], kept: str, server: dict[str, Any]) -> None:
    """Make the migrated database under that name, at once or not at all."""
    for older in (names := _kept(connection))[: max(0, len(names) + 1 - STATES)]:
        _do(connection, "DROP DATABASE {}", older)
    unfinished = f"unfinished_{kept}"
    _do(connection, "DROP DATABASE IF EXISTS {}", unfinished)
    _do(connection, "CREATE DATABASE {}", unfinished)
    user = quote(server["USER"]) + (f":{quote(server['PASSWORD'])}" if server["PASSWORD"] else "")
    host = f"{quote(server['HOST'], safe='') or '127.0.0.1'}:{server['PORT'] or 5432}"
    with tempfile.TemporaryDirectory() as data:
        migrate(data, DATABASE_URL=f"postgres://{user}@{host}/{unfinished}")
    _do(connection, "ALTER DATABASE {} RENAME TO {}", unfinished, kept)


class Emptying(DatabaseOperations):
    """PostgreSQL's part in Django's flush, for tests that commit: rows are deleted, tables stay.

    Their TRUNCATE makes new files of all tables and indexes and waits until the disk has them, which takes a
    second where these take a hundredth. The lock waits, as its own would, for whoever still writes.
    """

    def sql_flush(
        self,
        style: Style,
        tables: Sequence[str],
        *,
        reset_sequences: bool = False,
        allow_cascade: bool = False,
    ) -> list[str]:
        """What empties the tables; foreign keys are checked at the commit, so their order does not matter."""
        names = [self.quote_name(table) for table in tables]
        return [
            f"LOCK TABLE {', '.join(names)} IN EXCLUSIVE MODE",
            *(f"DELETE FROM {name}" for name in names),
        ]
