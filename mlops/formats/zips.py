"""Zip files of others, unpacked as streams: plain files only, within limits, nothing written on the way."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

_CHUNK = 1024 * 1024
# What Python holds of the list of entries; an honest list of 100,000 has less.
_LIST_BYTES = 16 * 1024 * 1024
_IGNORED = "__MACOSX/"


class _Bounded(io.RawIOBase):
    """A file from which no single read takes more than a list of entries may have."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file

    def read(self, count: int | None = -1) -> bytes:
        """At most so many bytes. Raises BadZipFile for too many."""
        if count is None or count < 0:
            count = _LIST_BYTES + 1
        found = self._file.read(min(count, _LIST_BYTES + 1))
        if len(found) > _LIST_BYTES:
            raise zipfile.BadZipFile("too long a list")
        return found

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go there."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where it is."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Always."""
        return True

    def readable(self) -> bool:
        """Always."""
        return True


class Refused(ValueError):
    """A zip file that is broken or holds what is not taken; a sentence about it."""


def entries(file: IO[bytes], *, files_limit: int, bytes_limit: int) -> list[tuple[str, Iterator[bytes]]]:
    """(path, chunks) of the files in a zip, in its order; chunks are to be read one file after the other.

    Paths are as the zip tells them: whoever stores them checks them. Raises Refused, now or while chunks are
    read: for what is no zip, encrypted entries, links and devices, more than `files_limit` files, and more
    than `bytes_limit` unpacked bytes, whatever sizes the zip claims.
    """
    try:
        # Closed with the uploaded file.
        archive = zipfile.ZipFile(_Bounded(file))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, OverflowError) as error:
        raise Refused("It is no zip file, or a broken one.") from error
    wanted = [one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith(_IGNORED)]
    if len(wanted) > files_limit:
        raise Refused(f"It holds {len(wanted):,} files; at most {files_limit:,} are taken.")
    for one in wanted:
        _check(one)
    if sum(one.file_size for one in wanted) > bytes_limit:
        raise _too_large(bytes_limit)
    budget = [bytes_limit]
    return [(one.filename, _chunks(archive, one, budget, bytes_limit)) for one in wanted]


def _check(entry: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise Refused("It holds a link or a device; only files and folders are taken.")
    if entry.flag_bits & 1:
        raise Refused("It is encrypted. Zip the files without a password.")


def _chunks(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: list[int], bytes_limit: int
) -> Iterator[bytes]:
    try:
        with archive.open(entry) as opened:
            while chunk := opened.read(_CHUNK):
                budget[0] -= len(chunk)
                if budget[0] < 0:
                    raise _too_large(bytes_limit)
                yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise Refused("It is broken: one of its files cannot be unpacked.") from error


def _too_large(limit: int) -> Refused:
    return Refused(f"It unpacks to more than {limit // 1024**2:,} MiB, which is the most that is taken.")
