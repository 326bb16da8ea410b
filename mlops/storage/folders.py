"""Local folders on their way into a store: every file once, no link that leaves."""

import stat
from collections.abc import Iterator
from pathlib import Path

from launchpad.errors import Invalid
from mlops.storage.addresses import check_path, printable

CHUNK = 1024 * 1024


def read(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            yield chunk


def local_files(local: Path, path: str) -> Iterator[tuple[str, Path]]:
    """(relative name, real file) of a local file (its name is empty) or of all files of a folder."""
    if local.is_symlink() or not local.exists():
        reason = "is a symbolic link" if local.is_symlink() else "does not exist"
        raise Invalid(f"{local.name} cannot be stored: it {reason}.")
    if stat.S_ISREG(local.stat().st_mode):
        yield "", local
        return
    found = False
    for name, real in _walk(local, local.resolve(), "", frozenset()):
        check_path(f"{path}/{name}")
        found = True
        yield name, real
    if not found:
        raise Invalid(f"{local.name} holds no files; an object store keeps files only.")


def _walk(folder: Path, top: Path, prefix: str, above: frozenset[Path]) -> Iterator[tuple[str, Path]]:
    real_folder = folder.resolve()
    if real_folder in above:
        raise Invalid(f"{printable(prefix)} cannot be stored: it is a link that leads in a circle.")
    for entry in sorted(folder.iterdir()):
        name = prefix + entry.name
        try:
            real = entry.resolve(strict=True)
        except (FileNotFoundError, RuntimeError, OSError) as error:
            raise Invalid(f"{printable(name)} cannot be stored: it is a link that leads nowhere.") from error
        if not real.is_relative_to(top):
            raise Invalid(f"{printable(name)} cannot be stored: it is a link that leaves the folder.")
        mode = real.stat().st_mode
        if stat.S_ISDIR(mode):
            yield from _walk(entry, top, f"{name}/", above | {real_folder})
        elif stat.S_ISREG(mode):
            yield name, real
        else:
            raise Invalid(f"{printable(name)} cannot be stored: it is neither a file nor a folder.")
