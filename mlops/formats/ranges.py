"""Files that are read by ranges, wherever they lie, with a bound on how much one reader may ask for."""

from __future__ import annotations

import time
from typing import Protocol


class Ranges(Protocol):
    """A file that is read by ranges."""

    @property
    def size(self) -> int:
        """Its bytes."""

    def read(self, start: int, length: int) -> bytes:
        """Bytes from `start` on, fewer than `length` only at the end."""


class Exhausted(ValueError):
    """A reader asked for more than it may."""


class Window:
    """A file through a window of one block: small reads side by side ask the store once.

    Raises Exhausted beyond `bytes_limit` bytes, `reads_limit` blocks or `seconds`, ValueError for what lies
    outside of the file.
    """

    def __init__(
        self,
        source: Ranges,
        *,
        block: int = 64 * 1024,
        bytes_limit: int = 64 * 1024 * 1024,
        reads_limit: int = 5_000,
        seconds: float = 10.0,
    ) -> None:
        self._source = source
        self.size = source.size
        self._block = block
        self._bytes_left = bytes_limit
        self._reads_left = reads_limit
        self._until = time.monotonic() + seconds
        self._start = 0
        self._held = b""

    def read(self, start: int, length: int) -> bytes:
        """Exactly so many bytes."""
        end = start + length
        if start < 0 or length < 0 or end > self.size:
            raise ValueError("it ends before it should")
        if not (self._start <= start and end <= self._start + len(self._held)):
            self._fill(start, max(length, min(self._block, self.size - start)))
        at = start - self._start
        return self._held[at : at + length]

    def _fill(self, start: int, length: int) -> None:
        self._bytes_left -= length
        self._reads_left -= 1
        if self._bytes_left < 0 or self._reads_left < 0 or time.monotonic() > self._until:
            raise Exhausted("it takes more time to look through than a page has")
        self._held = self._source.read(start, length)
        self._start = start
        if len(self._held) < length:
            raise ValueError("it ends before it should")
