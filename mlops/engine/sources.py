"""Packs a source tree into one archive of a known digest, and unpacks it into a cache by that digest."""

import hashlib
import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mlops.engine import archives

LIMIT_BYTES = 512 * 1024 * 1024
_SKIPPED = {".git", "__pycache__", ".venv"}


def pack(folder: Path, to: Path) -> str:
    """Write the tree below folder as a tar file; return its SHA-256 in hex.

    The same files give the same bytes: sorted, without times and owners; only the executable bit is kept.
    `.git`, `__pycache__`, `*.pyc` and `.venv` are left out. Raises ValueError for links that leave the
    folder, for anything that is no file, folder or link, and for more than 512 MiB.
    """
    total = 0
    with tarfile.open(to, "w", format=tarfile.PAX_FORMAT) as archive:
        for path in _entries(folder):
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                entry.type, entry.linkname = tarfile.SYMTYPE, os.readlink(path)
                archives.check_link(entry)
                archive.addfile(entry)
            elif stat.S_ISDIR(mode):
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
            elif stat.S_ISREG(mode):
                entry.size, entry.mode = path.stat().st_size, 0o755 if mode & 0o100 else 0o644
                total += entry.size
                if total > LIMIT_BYTES:
                    raise ValueError(f"The source tree is larger than {LIMIT_BYTES >> 20} MiB.")
                with path.open("rb") as file:
                    archive.addfile(entry, file)
            else:
                raise ValueError(f"{entry.name} is neither a file nor a folder nor a link.")
    return _digest(to)


def _entries(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in _SKIPPED or path.suffix == ".pyc":
            continue
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _entries(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unpack(archive: Path, digest: str, cache: Path) -> Path:
    """Return the folder `cache/<digest>` with the archive's tree, unpacking it when it is not there yet.

    The folder appears whole or not at all, is readable for every user, and may be asked for by many
    processes at once. Raises ValueError when the archive is not what the digest says, or holds something
    that would land outside.
    """
    place = cache / digest
    if place.is_dir():
        return place
    if _digest(archive) != digest:
        raise ValueError(f"The stored source tree {digest[:12]} is damaged: its digest is another one.")
    cache.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=cache))
    try:
        archives.extract(archive, new)
        _open_to_all(new)
        try:
            new.rename(place)
        except OSError:
            # Another one was faster; what it put there has the same digest.
            if not place.is_dir():
                raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return place


def _open_to_all(top: Path) -> None:
    for folder, _, files in os.walk(top):
        os.chmod(folder, 0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
