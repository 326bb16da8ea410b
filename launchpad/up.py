"""Supervises the embedded stack (web, three workers) on the standard library alone; leaves nothing behind."""

from __future__ import annotations

import base64
import contextlib
import ctypes
import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 12.0
START_SECONDS = 60.0
QUICK_DEATHS = 5
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
# A proxy named in the environment knows nothing of our own port.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def say(text: str) -> None:
    """One line for the person at the terminal."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@dataclass
class Service:
    """A child process that is started again when it dies by itself."""

    name: str
    argv: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    not_before: float = 0.0
    env: dict[str, str] = field(default_factory=dict)

    def start(self, env: dict[str, str]) -> None:
        """Start it in its own session, tied to our life by the parent-death signal."""
        parent = os.getpid()

        def tie() -> None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        self.process = subprocess.Popen(
            self.argv,
            cwd=ROOT,
            env=env | self.env,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=tie,
        )
        self.started = time.monotonic()

    @property
    def alive(self) -> bool:
        """Whether the process runs now."""
        return self.process is not None and self.process.poll() is None

    def tell(self, number: signal.Signals) -> None:
        """Send a signal if it still runs."""
        if self.alive and self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)


def services(port: int, data: Path) -> list[Service]:
    """What makes up the embedded stack."""
    python = sys.executable
    slots = os.environ.get("EXECUTION_SLOTS", "").strip() or str(os.cpu_count() or 1)
    celery = [
        python,
        "-m",
        "celery",
        "-q",
        "-A",
        "launchpad.celery",
        "worker",
        "-P",
        "threads",
        "-l",
        "WARNING",
    ]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return [
        Service(
            "web",
            [python, "-m", "uvicorn", "launchpad.asgi:application", "--host", "127.0.0.1"]
            + ["--port", str(port), "--loop", "uvloop", "--http", "httptools", "--ws", "none"]
            + ["--no-access-log", "--no-server-header", "--no-proxy-headers", "--log-level", "warning"]
            + ["--timeout-graceful-shutdown", "3"],
        ),
        Service("executions", [*celery, "-c", slots, "-Q", "executions", "-n", "executions@%h", *quiet]),
        Service("deployments", [*celery, "-c", "1", "-Q", "deployments", "-n", "deployments@%h", *quiet]),
        Service(
            "control",
            [*celery, "-c", "4", "-Q", "control", "-n", "control@%h", *quiet],
            env={"LAUNCHPAD_BEAT": str(data / "beat")},
        ),
    ]


def up(arguments: list[str]) -> int:
    """Set up, start and supervise until Ctrl-C or a TERM; returns the exit code."""
    if arguments:
        say("Usage: manage.py up   (PORT and LAUNCHPAD_DATA choose the port and the data folder)")
        return 2
    try:
        port = int(os.environ.get("PORT", "").strip() or 8000)
    except ValueError:
        say(f"PORT is {os.environ['PORT']!r}; use a number.")
        return 2
    data = Path(os.environ.get("LAUNCHPAD_DATA", "").strip() or ROOT / "var").expanduser().resolve()
    # The database, keys and logs are the owner's alone; steps may pass through to their own folders.
    os.umask(0o077)
    data.mkdir(parents=True, exist_ok=True)
    data.chmod(0o711)
    lock = _lock(data)
    if lock is None or not _port_is_free(port):
        return 1
    env = os.environ | {
        "LAUNCHPAD_EMBEDDED": "1",
        "LAUNCHPAD_DATA": str(data),
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        # Celery warns of root; steps run as another user there.
        "PYTHONWARNINGS": os.environ.get("PYTHONWARNINGS", "ignore:You're running the worker"),
        "DJANGO_SETTINGS_MODULE": "launchpad.settings",
    }
    _secret(data / "secret_key", secrets.token_urlsafe(48))
    _secret(data / "field_key", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    signals = _Signals()
    if (code := _set_up(env, signals)) != 0:
        return code
    with lock:
        return _Supervisor(services(port, data), env, signals, f"http://127.0.0.1:{port}").run()


def _lock(data: Path):
    """Hold the data folder; None, with a word to the user, when another stack has it."""
    handle = (data / "up.lock").open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.seek(0)
        say(f"Launchpad already runs from {data} (process {handle.read().strip()}).")
        say("Stop it with Ctrl-C there, or choose another folder with LAUNCHPAD_DATA.")
        return None
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


def _port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            say(f"Port {port} cannot be used: {error}. Choose another: PORT={port % 60000 + 1} make run")
            return False
    return True


def _secret(path: Path, text: str) -> None:
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(text)


class _Signals:
    """Ctrl-C and TERM, counted; the second one hurries."""

    def __init__(self) -> None:
        self.count = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._heard)

    def _heard(self, *_args: object) -> None:
        self.count += 1


def _set_up(env: dict[str, str], signals: _Signals) -> int:
    setup = Service("setup", [sys.executable, "manage.py", "setup"])
    setup.start(env)
    assert setup.process is not None
    while setup.alive:
        if signals.count:
            setup.tell(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            setup.process.wait(0.1)
    if setup.process.returncode != 0 and not signals.count:
        say("Launchpad could not be set up; see the message above.")
    return 130 if signals.count else setup.process.returncode


class _Supervisor:
    """Starts the services, restarts what dies, and ends them all."""

    def __init__(self, parts: list[Service], env: dict[str, str], signals: _Signals, url: str) -> None:
        self.parts = parts
        self.env = env
        self.signals = signals
        self.url = url

    def run(self) -> int:
        """Supervise until told to end; 1 when a service cannot stay alive."""
        for part in self.parts:
            part.start(self.env)
        code = 0
        announced = False
        until = time.monotonic() + START_SECONDS
        try:
            while not self.signals.count:
                if not announced and self._answers():
                    announced = True
                    say(f"\nLaunchpad is ready: {self.url}   (Ctrl-C stops everything)")
                elif not announced and time.monotonic() > until:
                    say(
                        f"The web server did not answer within {START_SECONDS:.0f} s; see its messages above."
                    )
                    code = 1
                    break
                if not self._tend():
                    code = 1
                    break
                time.sleep(0.1 if not announced else 0.5)
        finally:
            self._end()
        return code

    def _answers(self) -> bool:
        try:
            with _direct.open(f"{self.url}/healthz", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def _tend(self) -> bool:
        for part in self.parts:
            if part.alive:
                if part.deaths and time.monotonic() - part.started > 60:
                    part.deaths = 0
                continue
            if part.not_before == 0.0:
                assert part.process is not None
                part.deaths += 1
                if part.deaths >= QUICK_DEATHS:
                    say(f"{part.name} died {part.deaths} times in a row; giving up.")
                    return False
                part.not_before = time.monotonic() + min(2.0**part.deaths, 30.0)
                say(f"{part.name} ended with code {part.process.returncode}; starting it again.")
            elif time.monotonic() >= part.not_before:
                part.not_before = 0.0
                part.start(self.env)
        return True

    def _end(self) -> None:
        """TERM, wait, KILL; a second Ctrl-C skips the wait."""
        say("\nStopping …")
        heard = self.signals.count
        for part in self.parts:
            part.tell(signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        while any(part.alive for part in self.parts):
            if time.monotonic() > until or self.signals.count > heard:
                break
            time.sleep(0.05)
        for part in self.parts:
            part.tell(signal.SIGKILL)
            if part.process is not None:
                part.process.wait()
        say("Stopped.")
