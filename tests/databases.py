"""SQLite's empty test database, migrated once for every state of the migrations and copied ever after.

Migrating takes ten seconds, and every run of pytest would begin with it. The copy that a run gets is migrated
too, where nothing is left to do. Whenever one of the migrations changes, all of them run again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEPT = Path(sys.prefix) / "test-databases"
# States of the migrations kept side by side, for who goes from branch to branch.
STATES = 8


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


def _migrate(into: Path) -> None:
    """Make the migrated database as that file, at once or not at all."""
    with tempfile.TemporaryDirectory(dir=KEPT) as data:
        env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "launchpad.settings",
            "LAUNCHPAD_DATA": data,
            "LAUNCHPAD_EMBEDDED": "1",
        }
        for name in ("DATABASE_URL", "REDIS_URL"):
            env.pop(name, None)
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        (Path(data) / "launchpad.sqlite3").replace(into)


def bring(place: Path) -> None:
    """Put a migrated database there. Runs side by side wait for the one that makes it."""
    KEPT.mkdir(exist_ok=True)
    kept = KEPT / f"{_state()}.sqlite3"
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            older = sorted(KEPT.glob("*.sqlite3"), key=lambda file: file.stat().st_mtime)
            for file in older[: max(0, len(older) + 1 - STATES)]:
                file.unlink()
            _migrate(kept)
        shutil.copyfile(kept, place)
