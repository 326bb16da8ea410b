"""Unpacks tar files that came from elsewhere: nothing lands, or points, outside."""

import tarfile
from pathlib import Path, PurePosixPath

# Python's own guard, from 3.11.4 on, stands behind ours.
_GUARD = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


def extract(archive: Path, to: Path) -> None:
    """Unpack files, folders and links into the folder `to`, which is made where missing.

    Owners and special permission bits are dropped. Raises ValueError, before anything is written, for an
    entry or a link that leads out, for one below a link, and for devices and pipes; OSError and
    tarfile.TarError for what cannot be read or written.
    """
    with tarfile.open(archive) as tree:
        members = tree.getmembers()
        links = {PurePosixPath(member.name) for member in members if member.issym()}
        files = {member.name for member in members if member.isreg()}
        for member in members:
            _check(member, links, files)
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mode = (member.mode | 0o600) & 0o755
        to.mkdir(parents=True, exist_ok=True)
        tree.extractall(to, members, **_GUARD)  # type: ignore[arg-type]


def _check(member: tarfile.TarInfo, links: set[PurePosixPath], files: set[str]) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"The archive holds {member.name!r}, which leads out of it.")
    if links.intersection(path.parents):
        raise ValueError(f"The archive holds {member.name!r}, which lies behind a link.")
    if member.issym():
        check_link(member)
    elif not (member.isreg() or member.isdir() or (member.islnk() and member.linkname in files)):
        raise ValueError(f"The archive holds {member.name!r}, which is neither a file, a folder nor a link.")


def check_link(entry: tarfile.TarInfo) -> None:
    """ValueError unless the link stays inside the tree, judged by names alone."""
    depth = 0
    for part in (*PurePosixPath(entry.name).parent.parts, *PurePosixPath(entry.linkname).parts):
        depth += -1 if part == ".." else 1
        if depth < 0 or part == "/":
            raise ValueError(f"The link {entry.name} leads out of the folder, to {entry.linkname}.")
