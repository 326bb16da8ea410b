"""Object stores over obstore: streaming reads and writes that appear whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError

from launchpad.errors import Conflict, Invalid, Taken
from mlops.storage.addresses import INCOMING, Location, check_path, check_relative, printable, url
from mlops.storage.folders import CHUNK, local_files, read

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore


@dataclass(frozen=True)
class Inspection:
    """What lies at a path. digest: SHA-256 in hex, of the file or of the folder's sorted listing.

    files: (path relative to it, bytes, SHA-256) of each file by path; a single file's own name.
    """

    size_bytes: int
    file_count: int
    digest: str
    is_folder: bool
    files: tuple[tuple[str, int, str], ...] = ()


class StoredFile(NamedTuple):
    """A file below a path. path: relative to it; a single file's own name. modified_at: aware UTC."""

    path: str
    size_bytes: int
    modified_at: datetime


@dataclass(frozen=True)
class Content:
    """A file's bytes as an iterator of chunks of about 1 MiB, to be read once."""

    size_bytes: int
    chunks: Iterator[bytes]

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks


@dataclass(frozen=True)
class StoredRanges:
    """A stored file that is read by ranges. size: in bytes."""

    store: Store
    path: str
    size: int

    def read(self, start: int, length: int) -> bytes:
        """Bytes from `start` on, fewer than `length` only at the end. Raises Conflict."""
        return self.store.read_range(self.path, start, min(length, self.size - start))


class Backend(Protocol):
    """Where the objects of a store are, as far as the kinds of stores differ."""

    client: ObjectStore

    def may_hold(self, path: str) -> bool:
        """Whether the path may be looked at."""

    def holds(self, meta: ObjectMeta) -> bool:
        """Whether a listed object is one that may be read."""

    def put(self, path: str, chunks: Iterator[bytes], *, overwrite: bool) -> None:
        """Write an object whole or not at all; AlreadyExistsError when the path is taken meanwhile."""

    def delete(self, paths: Iterable[str]) -> None:
        """Remove objects; those that are gone already are fine."""

    def reason(self, error: Exception) -> str:
        """Why the library failed, as the end of a sentence that tells nothing secret."""


class Store:
    """One object store; reads and writes stream, so that size never matters for memory.

    Safe to use from several threads. Symbolic links in a local folder that lead out of it are
    treated as absent. Any failure of the store itself is a Conflict that tells the reason.
    """

    def __init__(self, backend: Backend, name: str) -> None:
        self.name = name
        self._backend = backend
        self._client = backend.client

    def exists(self, path: str) -> bool:
        """Whether a file, or a folder with at least one file, lies at the path."""
        return self._size(check_path(path)) is not None or next(self._listed(path), None) is not None

    def is_file(self, path: str) -> bool:
        """Whether a single file lies at the path."""
        return self._size(check_path(path)) is not None

    def inspect(self, path: str) -> Inspection:
        """Size, file count and digest of what lies at the path; reads all of it.

        Raises Invalid when nothing lies there.
        """
        if (size := self._size(check_path(path))) is not None:
            return _file(path, size, self._digest(path))
        listing = [
            (file.path, file.size_bytes, self._digest(f"{path}/{file.path}")) for file in self.files(path)
        ]
        return _folder(listing)

    def size(self, path: str) -> tuple[int, int]:
        """Bytes and number of files at the path, without reading them; (0, 0) when nothing lies there."""
        if (size := self._size(check_path(path))) is not None:
            return size, 1
        sizes = [file.size_bytes for file in self._listed(path)]
        return sum(sizes), len(sizes)

    def top(self) -> list[str]:
        """Names of the files and folders at the root, sorted; unfinished uploads left out."""
        with self._failures(""):
            listed = obstore.list_with_delimiter(self._client)
        names = {*listed["common_prefixes"], *(meta["path"] for meta in listed["objects"])}
        return sorted(name for name in names if name != INCOMING and self._backend.may_hold(name))

    def files(self, path: str) -> list[StoredFile]:
        """The single file at the path, or all files of the folder, by path.

        Raises Invalid when nothing lies there.
        """
        if self._size(check_path(path)) is not None:
            with self._failures(path):
                meta = obstore.head(self._client, path)
            return [StoredFile(path.rsplit("/", 1)[-1], meta["size"], meta["last_modified"])]
        if not (found := sorted(self._listed(path))):
            raise Invalid(
                f"Nothing is stored at {self._url(path)}. Check the address, or upload the files first."
            )
        return found

    def open(self, path: str) -> Content:
        """A single file's size and bytes. Raises Invalid when no file lies at the path."""
        if self._size(check_path(path)) is None:
            raise Invalid(f"No file is stored at {self._url(path)}.")
        with self._failures(path):
            result = obstore.get(self._client, path)
        return Content(result.meta["size"], self._chunks(path, result))

    def beginning(self, path: str, limit: int) -> bytes:
        """At most `limit` first bytes of a single file. Raises Invalid when no file lies at the path."""
        if (size := self._size(check_path(path))) is None:
            raise Invalid(f"No file is stored at {self._url(path)}.")
        if not (length := min(size, limit)):
            return b""
        with self._failures(path):
            return bytes(obstore.get_range(self._client, path, start=0, length=length))

    def ranges(self, path: str) -> StoredRanges:
        """A single file to be read by ranges. Raises Invalid when no file lies at the path."""
        if (size := self._size(check_path(path))) is None:
            raise Invalid(f"No file is stored at {self._url(path)}.")
        return StoredRanges(self, path, size)

    def read_range(self, path: str, start: int, length: int) -> bytes:
        """Bytes of a single file that is there, from `start` on; fewer than `length` only at its end."""
        if length <= 0:
            return b""
        with self._failures(path):
            return bytes(obstore.get_range(self._client, path, start=start, length=length))

    def write(self, path: str, chunks: Iterable[bytes], *, overwrite: bool = False) -> Inspection:
        """Store a file from its chunks; it appears whole or not at all, also when `chunks` raises.

        chunks: from anywhere but a store. Raises Taken when something lies at the path (with
        `overwrite`: a folder), Conflict when a part of the path is a file. What `chunks` raises is passed on.
        """
        self._check_free(check_path(path), overwrite=overwrite)
        digest, size = hashlib.sha256(), 0
        broken: list[BaseException] = []

        def counted() -> Iterator[bytes]:
            nonlocal size
            try:
                for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    yield chunk
            except BaseException as error:
                broken.append(error)
                raise

        with self._failures(path, passed=broken):
            self._backend.put(path, counted(), overwrite=overwrite)
        return _file(path, size, digest.hexdigest())

    def upload_tree(self, local: Path, path: str, *, within: Path | None = None) -> Inspection:
        """Store a local file or folder at a free path; half an upload is removed again.

        Symbolic links are followed as far as they stay within `within`, by default the folder
        itself. Raises Invalid for links that leave it, that lead nowhere or in a circle, for devices
        and sockets, for names that cannot be stored and for a folder without files; Conflict when
        something lies at the path.
        """
        if within is None and local.is_symlink():
            raise Invalid(f"{printable(local.name)} cannot be stored: it is a link.")
        found = list(local_files(local, check_path(path), (within or local).resolve()))
        if len(found) == 1 and not found[0][0]:
            return self.write(path, read(found[0][1]))
        return self.write_tree(path, ((name, read(real)) for name, real in sorted(found)))

    def write_tree(self, path: str, files: Iterable[tuple[str, Iterable[bytes]]]) -> Inspection:
        """Store files below a free path, one after the other; half a tree is removed again.

        files: (path relative to the tree, chunks). Raises Conflict when something lies at the path,
        Invalid for a name that cannot be stored; what reading the chunks raises is passed on.
        """
        self._check_free(check_path(path), overwrite=False)
        listing: list[tuple[str, int, str]] = []
        try:
            for name, chunks in files:
                written = self.write(f"{path}/{name}", chunks)
                listing.append((name, written.size_bytes, written.digest))
        except BaseException:
            # Only what this call wrote: another writer may have come to the same folder.
            self._delete([f"{path}/{name}" for name, _, _ in listing])
            raise
        return _folder(listing)

    def fetch(self, path: str, to: Path, sub_path: str = "") -> None:
        """Copy the file at the path to the file `to`, or the folder's files below the folder `to`.

        sub_path: take only this part of it. Raises Invalid when nothing lies there, Conflict when a
        local file is in the way; nothing is written outside `to`.
        """
        whole = check_path(f"{path}/{sub_path}" if sub_path else path)
        if self._size(whole) is not None:
            self._copy(whole, to)
            return
        for file in self.files(whole):
            # The listing came from the store: check it before it becomes a local path.
            self._copy(f"{whole}/{file.path}", to / check_relative(file.path))

    def delete(self, path: str) -> None:
        """Remove the single file at the path; nothing there is fine."""
        self._delete([check_path(path)])

    def delete_prefix(self, path: str) -> None:
        """Remove the file at the path and everything below it; nothing there is fine."""
        found = [f"{path}/{file.path}" for file in self._listed(check_path(path))]
        self._delete([path, *found] if self._size(path) is not None else found)

    def _delete(self, paths: list[str]) -> None:
        with self._failures(paths[0] if paths else ""):
            self._backend.delete(paths)

    def _copy(self, path: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            number = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        except FileExistsError as error:
            raise Conflict(f"{self._url(path)} cannot be fetched: {target.name} exists already.") from error
        with os.fdopen(number, "wb") as file:
            file.writelines(self.open(path))

    def _check_free(self, path: str, *, overwrite: bool) -> None:
        *above, _ = accumulate(path.split("/"), "{}/{}".format)
        for folder in above:
            if self._size(folder) is not None:
                raise Conflict(f"{self._url(folder)} is a file, so that nothing can be stored below it.")
        taken = next(self._listed(path), None) is not None if overwrite else self.exists(path)
        if taken:
            raise Taken(f"Something is stored at {self._url(path)} already. Choose another path.")

    def _size(self, path: str) -> int | None:
        """The size of the file at the path; None when there is none, or a link leads out of the store."""
        if not self._backend.may_hold(path):
            return None
        with self._failures(path):
            try:
                return obstore.head(self._client, path)["size"]
            except FileNotFoundError:
                return None

    def _listed(self, path: str) -> Iterator[StoredFile]:
        if not self._backend.may_hold(path):
            return
        with self._failures(path):
            for page in obstore.list(self._client, path, chunk_size=1000):
                for meta in page:
                    name = meta["path"].removeprefix(f"{path}/")
                    if name != meta["path"] and self._backend.holds(meta):
                        yield StoredFile(name, meta["size"], meta["last_modified"])

    def _digest(self, path: str) -> str:
        digest = hashlib.sha256()
        for chunk in self.open(path):
            digest.update(chunk)
        return digest.hexdigest()

    def _chunks(self, path: str, result: obstore.GetResult) -> Iterator[bytes]:
        with self._failures(path):
            for chunk in result.stream(min_chunk_size=CHUNK):
                yield bytes(chunk)

    def _url(self, path: str) -> str:
        return url(Location(self.name, path))

    @contextmanager
    def _failures(self, path: str, *, passed: Sequence[BaseException] = ()) -> Iterator[None]:
        """Turn the library's errors into a Conflict with a sentence, all but those that are passed on.

        The library's own text goes no further: it has debug dumps, and servers repeat what they were sent.
        """
        try:
            yield
        except AlreadyExistsError:
            raise Taken(f"Something is stored at {self._url(path)} already. Choose another path.") from None
        except (BaseError, FileNotFoundError) as error:
            if error in passed:
                raise
            raise Conflict(
                f"The object store could not handle {self._url(path)}: {self._backend.reason(error)}."
            ) from None


def _folder(listing: list[tuple[str, int, str]]) -> Inspection:
    """The inspection of a folder from (path, bytes, digest) of its files."""
    digest = hashlib.sha256()
    for name, _, file_digest in sorted(listing):
        digest.update(f"{name}\0{file_digest}\n".encode())
    size_bytes = sum(size for _, size, _ in listing)
    return Inspection(size_bytes, len(listing), digest.hexdigest(), True, tuple(sorted(listing)))


def _file(path: str, size: int, digest: str) -> Inspection:
    return Inspection(size, 1, digest, False, ((path.rsplit("/", 1)[-1], size, digest),))
