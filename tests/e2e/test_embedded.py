"""The embedded stack as a newcomer meets it: the whole path, a kill, a restart, and polite refusals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from tests import databases
from tests.e2e import main_job
from tests.servers import free_port
from tests.waiting import until

pytestmark = pytest.mark.embedded
ROOT = Path(__file__).resolve().parents[2]


class Up:
    """`manage.py up` on a port and data folder of its own, whose database has its tables already."""

    def __init__(self, data: Path, port: int | None = None, **env: str) -> None:
        self.data = data
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data.parent / "up.log"
        if not data.exists():
            data.mkdir(mode=0o700)
            databases.bring(data / "launchpad.sqlite3")
        kept = {
            key: value
            for key, value in os.environ.items()
            if key not in ("LAUNCHPAD_EMBEDDED", "SECRET_KEY", "FIELD_KEYS", "DATABASE_URL", "REDIS_URL")
            and key != "TEST_DATABASE"
        }
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=ROOT,
                env=kept
                | {"PORT": str(self.port), "LAUNCHPAD_DATA": str(data), "DJANGO_SETTINGS_MODULE": ""}
                | env,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def manage(self, *arguments: str) -> str:
        """Run a management command on its data; what it prints."""
        foreign = ("LAUNCHPAD_EMBEDDED", "SECRET_KEY", "FIELD_KEYS", "DATABASE_URL", "REDIS_URL")
        env = {key: value for key, value in os.environ.items() if key not in foreign}
        env |= {"LAUNCHPAD_DATA": str(self.data), "PORT": str(self.port)}
        env |= {"DJANGO_SETTINGS_MODULE": "launchpad.settings"}
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=env,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def ready(self) -> Up:
        """Wait until it says that it is."""
        until(lambda: "Launchpad is ready" in self.log.read_text() or self.process.poll(), seconds=240)
        assert "Launchpad is ready" in self.log.read_text(), self.log.read_text()
        return self

    def family(self) -> list[psutil.Process]:
        """The supervisor's descendants."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> int:
        """TERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)


def alive(family: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run."""
    found = []
    for process in family:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


def test_the_main_job_from_make_run_to_a_model_that_answers(capsys: pytest.CaptureFixture[str]) -> None:
    code = main_job.main()
    said = capsys.readouterr().out
    assert code == 0, said
    assert "is COMPLETED" in said
    assert "answers: compliment" in said


def test_a_killed_supervisor_leaves_nothing_and_loses_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    up = Up(data).ready()
    family = up.family()
    assert len(family) >= 3
    passwords = json.loads((data / "passwords.json").read_text())
    up.process.kill()
    up.process.wait(120)
    until(lambda: not alive(family))
    again = Up(data).ready()
    try:
        with main_job.Person(again.url) as person:
            person.sign_in("viewer", passwords["viewer"])
            assert "tutorial" in person.get("/workspaces/")
            assert person.http.get("/w/local/g/default/executions/").status_code == 404
    finally:
        family = again.family()
        assert again.end() == 0
    assert alive(family) == []
    assert (data / "secret_key").stat().st_mode & 0o777 == 0o600
    assert (data / "passwords.json").stat().st_mode & 0o777 == 0o600


def test_a_second_stack_on_the_same_folder_or_port_is_refused(tmp_path: Path) -> None:
    # A proxy that is not there: the supervisor asks its own web server directly.
    first = Up(tmp_path / "data", http_proxy="http://127.0.0.1:9", no_proxy="").ready()
    try:
        assert first.process.poll() is None
        second = Up(tmp_path / "data")
        assert second.process.wait(120) == 1
        assert "already runs" in second.log.read_text()
        third = Up(tmp_path / "other", port=first.port)
        assert third.process.wait(120) == 1
        assert f"PORT={first.port + 1}" in third.log.read_text()
        assert httpx.get(f"{first.url}/healthz").status_code == 200
    finally:
        first.end()
