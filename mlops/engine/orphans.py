"""Ends what a killed keeper left behind, found by the step's mark in the environment and by its session."""

import os
import signal
import threading
import time
from pathlib import Path

_SECONDS = 10.0


def end(step: str, session: int | None = None) -> int:
    """KILL every process of a step until none lives; return how many still do after 10 s.

    session: the keeper's pid, which finds processes that have emptied their environment. Blocks. A worker
    that finds attempts of a dead predecessor on its host may call this as well, without a session.
    """
    until = time.monotonic() + _SECONDS
    while found := marked(step, session):
        if time.monotonic() > until:
            return len(found)
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        threading.Event().wait(0.02)
    return 0


def marked(step: str, session: int | None = None) -> list[int]:
    """Living processes that bear the step's mark, as far as this user may see."""
    mark = f"LAUNCHPAD_STEP={step}".encode()
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _belongs(entry, mark, session)
    ]


def _belongs(process: Path, mark: bytes, session: int | None) -> bool:
    try:
        fields = (process / "stat").read_bytes().rpartition(b")")[2].split()
        if fields[0] in (b"Z", b"X"):
            return False
        if session is not None and int(fields[3]) == session:
            return True
        return mark in (process / "environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False


def tasks_of(uid: int) -> int:
    """Processes and threads that run as this user now; the kernel counts both against its limit."""
    count = 0
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and entry.stat().st_uid == uid:
                count += int((entry / "stat").read_bytes().rpartition(b")")[2].split()[17])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return count
