"""Checks the paths of a spec before anything starts, and makes its private folder ready."""

import os
import posixpath
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from mlops.engine.spec import RunSpec

SYSTEM = ("/usr", "/etc", "/proc", "/sys", "/dev", "/boot", "/bin", "/sbin", "/lib", "/lib32", "/lib64",
          "/libx32", "/run")  # fmt: skip
_NAME = re.compile(r"[^=]+")
_UNUSABLE = re.compile("[\0\ud800-\udfff]")


def check(spec: RunSpec) -> None:
    """Raise ValueError, in a sentence for people, when the spec cannot be carried out as it is."""
    words = [spec.id, *spec.argv, *spec.env, *spec.env.values(), spec.working_dir or "", spec.script or ""]
    if not spec.argv or not spec.argv[0]:
        raise ValueError("The step has no command.")
    if any(_UNUSABLE.search(word) for word in words):
        raise ValueError("The command, its environment or its script holds NUL or half a character.")
    if wrong := [name for name in spec.env if not _NAME.fullmatch(name)]:
        raise ValueError(f"{wrong[0]!r} is not a name of an environment variable.")
    if not spec.folder.is_dir():
        raise ValueError(f"The step's folder {spec.folder} does not exist.")
    seen: set[str] = set()
    for mount in spec.mounts:
        path = normal(mount.path)
        if path in seen:
            raise ValueError(f"The path {path} is declared twice.")
        seen.add(path)
        if mount.real.is_symlink() or not mount.real.exists():
            # A link could have been left there by an earlier step, to be shown something it may not see.
            raise ValueError(f"What belongs at {path} is missing, or is a link instead of a file or folder.")
        for hidden in spec.hidden:
            if within(hidden.resolve(), mount.real.resolve()):
                raise ValueError(f"The path {path} would show a folder that steps must never see.")


def normal(path: str) -> str:
    """A declared path without a trailing slash; ValueError when it cannot be provided."""
    tidy = posixpath.normpath(path)
    if not path.startswith("/") or "\0" in path or ".." in path.split("/"):
        raise ValueError(f"The path {path!r} must be absolute and without '..', such as /app/data.")
    tidy = "/" + tidy.lstrip("/")
    for system in SYSTEM:
        if tidy == "/" or within(Path(tidy), Path(system)):
            belongs = "the root folder" if tidy == "/" else system
            raise ValueError(
                f"The path {path} cannot be provided: {belongs} belongs to the system. "
                "Choose a path such as /app/data."
            )
    if tidy == "/tmp":
        raise ValueError("The path /tmp cannot be provided: it is the step's own. Choose /tmp/data.")
    return tidy


def within(path: Path, folder: Path) -> bool:
    """Whether path is the folder or lies below it; both absolute, compared by name only."""
    return path == folder or folder in path.parents


def prepare(spec: RunSpec, owner: tuple[int, int] | None) -> Path | None:
    """Make `home/`, `tmp/` and the script file; return the script's path.

    owner: (uid, gid) that the command will have, when this process is root: the step's own, its writable
    files and its secrets become theirs, what else it reads becomes readable for all. None: nothing changes
    hands.
    """
    made = [spec.folder / "home", spec.folder / "tmp"]
    for folder in made:
        folder.mkdir(mode=0o700, exist_ok=True)
    script = None
    if spec.script is not None:
        script = spec.folder / "script"
        script.write_text(spec.script, encoding="utf-8")
        script.chmod(0o644)
    if owner is not None:
        spec.folder.chmod(stat.S_IMODE(spec.folder.stat().st_mode) | 0o011)
        for folder in made:
            os.chown(folder, *owner)
        for mount in spec.mounts:
            for path in [mount.real] if mount.files == "shared" else _everything(mount.real):
                if mount.read_only and mount.files == "own":
                    _open_up(path)
                else:
                    os.chown(path, *owner, follow_symlinks=False)
    return script


def _everything(top: Path) -> Iterator[Path]:
    yield top
    for folder, folders, files in os.walk(top):
        for name in (*folders, *files):
            yield Path(folder, name)


def _open_up(path: Path) -> None:
    mode = path.lstat().st_mode
    wanted = 0o555 if stat.S_ISDIR(mode) else 0o444
    if not stat.S_ISLNK(mode) and mode & wanted != wanted:
        path.chmod(stat.S_IMODE(mode) | wanted)


def closed_to(path: Path, owner: tuple[int, int]) -> Path | None:
    """The first folder on the way to path that this (uid, gid) may not pass, or None."""
    uid, gid = owner
    for folder in reversed(path.resolve().parents):
        found = folder.stat()
        bit = 0o100 if found.st_uid == uid else 0o010 if found.st_gid == gid else 0o001
        if not found.st_mode & bit:
            return folder
    return None
