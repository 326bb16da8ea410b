"""A local folder as an object store: files appear by renaming, links never lead out of it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore

from mlops.storage.addresses import INCOMING

if TYPE_CHECKING:
    from obstore import ObjectMeta

# Few parts at once: an upload of any size holds some 10 MiB.
_PARTS_AT_ONCE = 2


class LocalFolder:
    """A folder of this host, made on first use."""

    def __init__(self, root: Path) -> None:
        self.client = LocalStore(root, automatic_cleanup=True, mkdir=True)
        self._root = os.path.realpath(root)

    def may_hold(self, path: str) -> bool:
        """Whether the path is there and no link on it leads out of the folder."""
        real = os.path.realpath(os.path.join(self._root, path))
        return real.startswith(self._root + os.sep) and os.path.exists(real)

    def holds(self, meta: ObjectMeta) -> bool:
        """Whether a listed object is one that may be read."""
        return self.may_hold(meta["path"])

    def put(self, path: str, chunks: Iterator[bytes], *, overwrite: bool) -> None:
        """Write a file beside its place, then rename it."""
        staged = f"{INCOMING}/{uuid.uuid4().hex}"
        obstore.put(self.client, staged, chunks, use_multipart=True, max_concurrency=_PARTS_AT_ONCE)
        try:
            obstore.rename(self.client, staged, path, overwrite=overwrite)
        except BaseError:
            obstore.delete(self.client, staged)
            raise

    def delete(self, paths: Iterable[str]) -> None:
        """Remove files; those that are gone already are fine."""
        for path in paths:
            with suppress(FileNotFoundError):
                obstore.delete(self.client, path)

    def reason(self, error: Exception) -> str:
        """Why it failed, without where the folder lies."""
        return str(error).split("\n", 1)[0].replace(self._root, "").strip()
