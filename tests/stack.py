"""A production stack of real processes for tests: web, workers and control on PostgreSQL and Redis."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import httpx
import psutil
import psycopg

from tests.servers import free_port
from tests.waiting import until

ROOT = Path(__file__).resolve().parent.parent
SHELL = ROOT / "tests" / "fixtures" / "shell"
# The engine's clockwork in tenths, so that a lease runs out in 3 s instead of 30.
FAST = {
    "HEARTBEAT_SECONDS": "0.5",
    "LEASE_SECONDS": "3",
    "SWEEP_SECONDS": "0.5",
    "WATCH_SECONDS": "0.2",
    "GRACE_SECONDS": "1",
}


class Stack:
    """Processes by name, each in its own session; `close` ends what is left."""

    def __init__(self, home: Path, database: str, redis: str, **env: str) -> None:
        self.home = home
        self.database = database
        self.port = free_port()
        self.env = (
            {
                key: value
                for key, value in os.environ.items()
                if key not in ("LAUNCHPAD_EMBEDDED", "TEST_DATABASE")
            }
            | FAST
            | {
                "SECRET_KEY": "a key for tests that is long enough to pass every check 0123456789",
                "FIELD_KEYS": "A" * 43 + "=",
                "ALLOWED_HOSTS": "127.0.0.1",
                "DATABASE_URL": database,
                "REDIS_URL": redis,
                "LAUNCHPAD_DATA": str(home / "data"),
                "PORT": str(self.port),
                "DJANGO_SETTINGS_MODULE": "launchpad.settings",
                "ALLOW_PLAIN_MODE": "1",
                "PYTHONPATH": str(ROOT),
            }
            | env
        )
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self._logs: list[IO[str]] = []
        (home / "data").mkdir(parents=True, exist_ok=True)
        self.driver = self._spawn("driver", [sys.executable, "-m", "tests.driver"], stdin=subprocess.PIPE)

    def prepare(self) -> None:
        """Make the tables, the place, its editor and the shell templates."""
        self.manage("migrate", "--verbosity", "0")
        assert self.do("prepare", folder=str(SHELL)) == ""

    def manage(self, *arguments: str) -> str:
        """Run a management command to its end; its output."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def _spawn(self, name: str, argv: list[str], **options: Any) -> subprocess.Popen[str]:
        log = (self.home / f"{name}.log").open("a")
        self._logs.append(log)
        stdout = subprocess.PIPE if name == "driver" else log
        process = subprocess.Popen(
            argv,
            cwd=ROOT,
            env=self.env,
            stdout=stdout,
            stderr=log,
            text=True,
            start_new_session=True,
            **options,
        )
        self.processes[name] = process
        return process

    def web(self, port: int = 0) -> httpx.Client:
        """Start a web server, on the stack's own port or another one; a client for it."""
        self._spawn(
            f"web{port or ''}",
            [sys.executable, "-m", "uvicorn", "launchpad.asgi:application", "--port", str(port or self.port)]
            + ["--ws", "none", "--no-access-log"],
        )
        url = f"http://127.0.0.1:{port or self.port}"
        client = httpx.Client(base_url=url, timeout=30, follow_redirects=True)
        until(lambda: _ok(client))
        return client

    def worker(self, name: str = "executions", slots: int = 2) -> subprocess.Popen[str]:
        """Start an executions worker and wait until it has registered."""
        process = self._celery(name, "executions", slots)
        until(lambda: self.rows("SELECT 1 FROM mlops_worker WHERE pid = %s", process.pid))
        return process

    def server(self, name: str = "deployments") -> subprocess.Popen[str]:
        """Start a deployments worker and wait until it has registered."""
        process = self._celery(name, "deployments", 1)
        until(lambda: self.rows("SELECT 1 FROM mlops_worker WHERE pid = %s", process.pid))
        return process

    def control(self, name: str = "control") -> subprocess.Popen[str]:
        """Start a control worker with the beat."""
        self.env["LAUNCHPAD_BEAT"] = str(self.home / f"{name}-beat")
        try:
            return self._celery(name, "control", 4)
        finally:
            del self.env["LAUNCHPAD_BEAT"]

    def _celery(self, name: str, queue: str, slots: int) -> subprocess.Popen[str]:
        return self._spawn(
            name,
            [sys.executable, "-m", "celery", "-A", "launchpad.celery", "worker", "-P", "threads"]
            + ["-c", str(slots), "-Q", queue, "-n", f"{name}@%h", "-l", "INFO"]
            + ["--without-gossip", "--without-mingle"],
        )

    def do(self, deed: str, **arguments: Any) -> Any:
        """Have the driver call the domain; raises RuntimeError when it is refused."""
        assert self.driver.stdin is not None
        assert self.driver.stdout is not None
        self.driver.stdin.write(json.dumps({"do": deed, **arguments}) + "\n")
        self.driver.stdin.flush()
        line = self.driver.stdout.readline()
        if not line:
            raise RuntimeError((self.home / "driver.log").read_text()[-3000:])
        answer = json.loads(line)
        if "ok" not in answer:
            raise RuntimeError(f"{answer['refused']}: {answer['message']}")
        return answer["ok"]

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query finds, on a connection of its own."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            return connection.execute(query, values).fetchall()

    def status(self, execution: str) -> str:
        """The execution's status; "" when it is gone."""
        found = self.rows("SELECT status FROM mlops_execution WHERE id = %s", execution)
        return found[0][0] if found else ""

    def wait_for(self, execution: str, *statuses: str, seconds: float = 120) -> str:
        """Wait until the execution has one of the statuses; which."""
        try:
            return until(
                lambda: found if (found := self.status(execution)) in statuses else None, seconds=seconds
            )
        except AssertionError as error:
            raise AssertionError(f"{execution} is {self.status(execution)}\n{self.tell()}") from error

    def log_text(self, execution: str) -> str:
        """The execution's log as one text, over all attempts and steps in order."""
        chunks = self.rows(
            "SELECT text FROM mlops_logchunk WHERE execution_id = %s ORDER BY attempt, step, seq", execution
        )
        return "\n".join(text for (text,) in chunks)

    def marked(self, mark: str) -> list[psutil.Process]:
        """Living processes whose command line holds the mark."""
        found = []
        for process in psutil.process_iter():
            try:
                if mark in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to one process by its name."""
        self.processes[name].send_signal(number)

    def tell(self) -> str:
        """The last lines of every process's output, for a failure's message."""
        logs = sorted(self.home.glob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text()[-2500:]}" for log in logs)

    def close(self) -> None:
        """End every process that is left."""
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        for log in self._logs:
            log.close()


def _ok(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False
