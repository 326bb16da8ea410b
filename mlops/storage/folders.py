"""Local folders on their way into a store: every file once, no link that leaves."""

import stat
from collections.abc import Iterator
from pathlib import Path

from launchpad.errors import Invalid
from mlops.storage.addresses import check_path, printable

CHUNK = 1024 * 1024


def read(file: Path) -> Iterator[bytes]:
    """The file's bytes in chunks of 1 MiB."""
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            yield chunk


def local_files(local: Path, path: str, within: Path) -> Iterator[tuple[str, Path]]:
    """(relative name, real file) of a local file (its name is empty) or of all files of a folder.

    path: where they will be stored; within: the real folder that links may not leave. Raises Invalid.
    """
    mode = _real(local, printable(local.name), within).stat().st_mode
    if stat.S_ISREG(mode):
        yield "", local.resolve()
        return
    found = False
    for name, real in _walk(local, within, "", frozenset()):
        check_path(f"{path}/{name}")
        found = True
        yield name, real
    if not found:
        raise Invalid(f"{printable(local.name)} holds no files; an object store keeps files only.")


def _real(entry: Path, shown: str, within: Path) -> Path:
    """Where an entry really lies, be it itself or the end of a chain of links."""
    try:
        real = entry.resolve(strict=True)
    except FileNotFoundError as error:
        reason = "it is a link that leads nowhere" if entry.is_symlink() else "it does not exist"
        raise Invalid(f"{shown} cannot be stored: {reason}.") from error
    except (RuntimeError, OSError) as error:
        raise Invalid(f"{shown} cannot be stored: it is a link that leads in a circle.") from error
    if not real.is_relative_to(within):
        raise Invalid(f"{shown} cannot be stored: it is a link that leaves the folder.")
    return real


def _walk(folder: Path, within: Path, prefix: str, above: frozenset[Path]) -> Iterator[tuple[str, Path]]:
    real_folder = folder.resolve()
    if real_folder in above:
        raise Invalid(f"{printable(prefix)} cannot be stored: it is a link that leads in a circle.")
    for entry in sorted(folder.iterdir()):
        name = prefix + entry.name
        real = _real(entry, printable(name), within)
        mode = real.stat().st_mode
        if stat.S_ISDIR(mode):
            yield from _walk(entry, within, f"{name}/", above | {real_folder})
        elif stat.S_ISREG(mode):
            yield name, real
        else:
            raise Invalid(f"{printable(name)} cannot be stored: it is neither a file nor a folder.")
