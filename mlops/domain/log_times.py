"""The lines of a log between two times, across attempts and steps, in the order of time.

Chunks are found by when they begin, in an index. One that began up to CHUNK_SECONDS before a time may still
hold lines from after it, but of each step only the last such one: what a step writes follows in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from operator import attrgetter

from django.db.models import QuerySet

from launchpad.access import Scope
from launchpad.errors import Invalid
from mlops.domain import log_writers, logs
from mlops.domain.log_lines import Line, unpack

MAX_LINES = 5000
_SPAN = timedelta(seconds=log_writers.CHUNK_SECONDS)
_BATCH = 64
_order = attrgetter("at", "attempt", "step", "number")


def between(
    scope: Scope,
    owner: logs.Owner,
    *,
    start: datetime,
    end: datetime,
    limit: int = 1000,
    newest_first: bool = False,
) -> list[Line]:
    """Lines of a log from `start` to `end`, both included: the first ones, or the last ones, newest first.

    owner: whose log it is. limit: 1 to 5,000. Reads the chunks that hold these lines and few more, however
    long the log is. Raises Invalid when the end comes before the start.
    """
    if end < start:
        raise Invalid("The end lies before the start. Ask for a span of time that begins before it ends.")
    reader = _Reader(scope, owner, start, end, max(1, min(limit, MAX_LINES)), newest_first)
    return reader.newest() if newest_first else reader.oldest()


class _Reader:
    """Gathers lines of chunks; `_cut` puts them in order and drops those beyond the limit."""

    def __init__(
        self,
        scope: Scope,
        owner: logs.Owner,
        start: datetime,
        end: datetime,
        limit: int,
        newest_first: bool,
    ) -> None:
        self._chunks = logs.chunks(scope, owner)
        self._names = logs.step_names(scope, owner)
        self._start, self._end = start, end
        self._limit = limit
        self._newest_first = newest_first
        self._found: list[Line] = []

    def oldest(self) -> list[Line]:
        """The first lines: no chunk is read that begins after the last one wanted."""
        self._take(self._last_of_each_step(self._chunks.filter(at__lt=self._start), self._start))
        for chunk in self._within("at", "pk"):
            if self._is_full:
                self._cut()
                if chunk.at > self._found[-1].at:
                    break
            self._take([chunk])
        self._cut()
        return self._found

    def newest(self) -> list[Line]:
        """The last lines: of the chunks before those that are enough only what reaches into their time."""
        read: list[int] = []
        for chunk in self._within("-at", "-pk"):
            self._take([chunk])
            read.append(chunk.pk)
            if self._is_full:
                break
        edge = self._start
        if self._is_full:
            self._cut()
            edge = self._found[-1].at
        unread = self._chunks.filter(at__lte=edge).exclude(pk__in=read)
        self._take(self._last_of_each_step(unread, edge))
        self._cut()
        return self._found

    @property
    def _is_full(self) -> bool:
        return len(self._found) >= self._limit

    def _within(self, *order: str) -> Iterator[logs.Chunk]:
        rows = self._chunks.filter(at__gte=self._start, at__lte=self._end).order_by(*order)
        return rows.iterator(chunk_size=_BATCH)

    def _last_of_each_step(self, rows: QuerySet[logs.Chunk], time: datetime) -> QuerySet[logs.Chunk]:
        """Of each step of each attempt the last of these chunks that may reach up to a time."""
        near = rows.filter(at__gte=time - _SPAN).order_by("at", "seq")
        last = {(attempt, step): key for key, attempt, step in near.values_list("pk", "attempt", "step")}
        return self._chunks.filter(pk__in=last.values())

    def _take(self, chunks: Iterable[logs.Chunk]) -> None:
        for chunk in chunks:
            self._found += [
                line for line in unpack(chunk, self._names) if self._start <= line.at <= self._end
            ]

    def _cut(self) -> None:
        self._found.sort(key=_order, reverse=self._newest_first)
        del self._found[self._limit :]
