"""Folders on a worker's host: one private place an attempt, and the caches that attempts share."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

from django.conf import settings


def _root() -> Path:
    return Path(settings.LAUNCHPAD_DATA) / "work"


def environments() -> Path:
    """The host's cache of virtual environments."""
    return Path(settings.LAUNCHPAD_DATA) / "cache" / "environments"


def sources() -> Path:
    """The host's cache of unpacked source trees."""
    return Path(settings.LAUNCHPAD_DATA) / "cache" / "sources"


def _mine() -> Path:
    # The name tells which process holds the folder, so that the next one can clear after a dead one.
    return _root() / f"{socket.gethostname()}-{os.getpid()}"


def make(execution_id: str, attempt: int) -> Path:
    """A fresh, empty folder for one attempt; whatever an earlier try left there is removed."""
    place = _mine() / f"{execution_id}-{attempt}"
    remove(place)
    place.mkdir(parents=True)
    # Steps may run under another user: they may pass through, but not look around.
    for folder in (_root(), _mine(), place):
        folder.chmod(0o711)
    return place


def remove(place: Path) -> None:
    """Remove an attempt's folder; what cannot be removed waits for `clear_abandoned`."""
    if not os.path.lexists(place):
        return
    # Not Python's own way, which fails on a tree some hundred folders deep: a step could leave one, and no
    # worker of the host would start again. The step may also have closed its folders, even to ourselves.
    for command in (["rm", "-rf"], ["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
        done = subprocess.run(
            [*command, "--", place], stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        if command[0] == "rm" and done.returncode == 0:
            return


def clear_abandoned() -> None:
    """Remove the folders of this host's processes that live no more; call it before the first attempt.

    A folder under our own number is a dead one's too: in a container every worker has the same.
    """
    prefix = f"{socket.gethostname()}-"
    if not _root().is_dir():
        return
    for folder in _root().iterdir():
        pid = folder.name.removeprefix(prefix)
        if not folder.name.startswith(prefix) or not pid.isdigit():
            continue
        if int(pid) == os.getpid() or not Path(f"/proc/{pid}").exists():
            remove(folder)
