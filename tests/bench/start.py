"""`make run` in a fresh clone with an empty home folder, its second start, and what Ctrl-C leaves."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import httpx
import psutil

from tests.bench import stacks
from tests.bench.rows import Row
from tests.servers import free_port
from tests.waiting import until

HOW = """`git clone` of this checkout's HEAD into a throwaway folder and `make run` there, with an empty home
folder (so nothing is cached: packages come from the registry that pip's own settings name) and none of the
product's variables but PORT. The clock runs from before the clone until the sign-in page answers. Then
Ctrl-C (SIGINT to the process group) and `make run` again. After each Ctrl-C every process that `make` had
started, and every process that names the folder or works in it, is counted; the scenarios' environments are
not part of this."""
DEADLINE_SECONDS = 300
# Caches and environments of whoever runs the benchmark.
PERSONAL = ("XDG_", "UV_CACHE_DIR", "UV_PYTHON", "VIRTUAL_ENV", "PIP_CACHE_DIR", "PYTHONPATH")


def measure() -> list[Row]:
    """Rows in seconds, and the number of processes left."""
    with stacks.folder() as home:
        port = free_port()
        env = {key: value for key, value in stacks.clean().items() if not key.startswith(PERSONAL)}
        env |= {"HOME": str(home / "home"), "PORT": str(port)}
        own_settings = Path.home() / ".config" / "pip" / "pip.conf"
        if own_settings.exists():
            env.setdefault("PIP_CONFIG_FILE", str(own_settings))
        (home / "home").mkdir()
        clone = home / "launchpad"
        began = time.monotonic()
        subprocess.run(
            ["git", "clone", "--quiet", stacks.ROOT, clone], env=env, check=True, capture_output=True
        )
        cloned = time.monotonic() - began
        first, left, stopped = _run(clone, env, port)
        second, left_again, _ = _run(clone, env, port)
    return [
        Row("make run in a fresh clone", cloned + first, "s", 60.0, note=f"of it git clone {cloned:.1f} s"),
        Row("make run again", second, "s", 5.0, note=f"Ctrl-C before took {stopped:.1f} s"),
        Row(
            "processes left after Ctrl-C",
            float(len(left + left_again)),
            "",
            0.0,
            note="; ".join(left + left_again),
        ),
    ]


def _run(clone: Path, env: dict[str, str], port: int) -> tuple[float, list[str], float]:
    """`make run` once: seconds to the sign-in page, what Ctrl-C leaves, seconds until the end."""
    log = clone.parent / "make.log"
    began = time.monotonic()
    with log.open("w") as out:
        make = subprocess.Popen(
            ["make", "run"], cwd=clone, env=env, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    family: list[psutil.Process] = []
    try:
        until(lambda: make.poll() is not None or _answers(port), seconds=DEADLINE_SECONDS, pause=0.05)
        answered = time.monotonic() - began
        if make.poll() is not None:
            raise RuntimeError(f"make run ended with code {make.returncode}:\n{log.read_text()[-1500:]}")
        # The workers are up a moment later; Ctrl-C has to end them too.
        threading.Event().wait(4)
        family = [psutil.Process(make.pid), *psutil.Process(make.pid).children(recursive=True)]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(make.pid, signal.SIGINT)
        ended = time.monotonic()
        try:
            make.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(make.pid, signal.SIGKILL)
            make.wait(10)
    stopped = time.monotonic() - ended
    left = {process.pid: process for process in [*family, *_in(clone)] if _lives(process)}
    for process in left.values():
        process.kill()
    return answered, [" ".join(process.cmdline())[:80] for process in left.values()], stopped


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/sign-in", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _in(clone: Path) -> list[psutil.Process]:
    """Processes that name the folder in their command or work in it."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(clone) in " ".join([process.cwd(), *process.cmdline()]):
                found.append(process)
    return found


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
