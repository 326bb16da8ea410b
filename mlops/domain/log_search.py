"""Lines of a log that hold a text, are of a level or fall into a span of time, in bounded time.

The text is looked at here and not in the database: both of them would take longer, each in its own way, and
fold the case of other letters. What is read is read in the log's order, some chunks at a time, so that the
first hits are there at once and the rest can be left for later.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Min, Q, QuerySet

from launchpad.access import Scope
from launchpad.errors import Invalid
from mlops.domain import log_writers, logs
from mlops.domain.log_lines import NEEDLES, Level, Line, level
from mlops.domain.log_position import Place

MAX_QUERY = 200
# Of an answer that is made at once, and of one that reads on in the background.
AT_ONCE_SECONDS = 0.15
WHOLE_SECONDS = 4.0
# Pages hold a thread of sixteen; readers of whole logs must leave some for the others.
_long_searches = threading.BoundedSemaphore(4)
_WINDOW = 32
_SPAN = timedelta(seconds=log_writers.CHUNK_SECONDS)
_Part = tuple[int, int, int]
_Row = tuple[int, int, int, int, int, int, datetime, str, list[int] | None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines are looked for; everything that is left out matches all of them.

    q: a text, whatever the case, at most 200 characters. levels: any of these. start, end: aware UTC, both
    included. attempt, step: one step of one attempt. Raises Invalid when the text is longer.
    """

    q: str = ""
    levels: frozenset[Level] = frozenset()
    start: datetime | None = None
    end: datetime | None = None
    attempt: int | None = None
    step: int | None = None

    def __post_init__(self) -> None:
        if len(self.q) > MAX_QUERY:
            raise Invalid(f"Search for at most {MAX_QUERY} characters.")

    @property
    def is_everything(self) -> bool:
        """Whether every line of the log, or of the step, is meant."""
        return not (self.q or self.levels or self.start or self.end)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found. lines: the first of them. count: all hits among the `read` lines looked at.

    rest: the last line that was read when there are more to read, None when none is left.
    """

    lines: list[Line]
    count: int
    read: int
    rest: Place | None

    @property
    def is_whole(self) -> bool:
        """Whether the whole log was read, so that count is the number of all hits."""
        return self.rest is None


def search(
    scope: Scope,
    owner: logs.Owner,
    wanted: Wanted,
    *,
    after: Place | None = None,
    limit: int = 500,
    seconds: float = AT_ONCE_SECONDS,
    is_count: bool = False,
) -> Found:
    """Lines that are wanted, in the order of the log, from behind `after` on.

    Ends when it has `limit` of them (with is_count it goes on counting), at the end of the log, or after
    about so many seconds, whichever comes first. limit: 1 to 2,000. At most four searches that may last
    longer than half a second run at a time in a process; others are cut short.
    """
    is_long = seconds > 0.5
    if is_long and not _long_searches.acquire(blocking=False):
        is_long, seconds = False, AT_ONCE_SECONDS
    try:
        return _search(scope, owner, wanted, after, max(1, min(limit, logs.MAX_LINES)), seconds, is_count)
    finally:
        if is_long:
            _long_searches.release()


def _search(
    scope: Scope,
    owner: logs.Owner,
    wanted: Wanted,
    after: Place | None,
    limit: int,
    seconds: float,
    is_count: bool,
) -> Found:
    until = time.monotonic() + seconds
    matcher = _Matcher(wanted)
    kept: list[tuple[_Row, list[int]]] = []
    room, count, read = limit, 0, 0
    place: Place | None = None
    every = logs.chunks(scope, owner)
    start = _start(every, after) if after else None
    for row in _walk(_timed(every, wanted), start, matcher.fields):
        # The chunk that `after` lies in may be read already; each search gets on.
        if read and time.monotonic() > until:
            break
        _key, attempt, step, _seq, first, size, *_ = row
        place = Place(attempt, step, first + size - 1)
        if not room and matcher.counter is not None:
            count += matcher.counter(row[7])
            read += size
            continue
        hits = matcher.hits(row)
        if after is not None and (attempt, step) == (after.attempt, after.step):
            hits = [index for index in hits if first + index > after.number]
            read += max(0, first + size - 1 - max(first - 1, after.number))
        else:
            read += size
        count += len(hits)
        if hits and room:
            kept.append((row, hits[:room]))
            room -= len(kept[-1][1])
        if not room and not is_count:
            break
    else:
        place = None
    return Found(_lines(scope, owner, kept), count, read, place)


def step_to(
    scope: Scope,
    owner: logs.Owner,
    wanted: Wanted,
    *,
    after: Place | None = None,
    before: Place | None = None,
    seconds: float = WHOLE_SECONDS,
) -> Line | None:
    """The next wanted line behind `after`, the previous one before `before`, or the first.

    None when there is none, or none is found within the time.
    """
    if before is None:
        found = search(scope, owner, wanted, after=after, limit=1, seconds=seconds)
        return next(iter(found.lines), None)
    until = time.monotonic() + seconds
    matcher = _Matcher(wanted)
    every = logs.chunks(scope, owner)
    for row in _walk(_timed(every, wanted), _start(every, before), matcher.fields, backwards=True):
        hits = matcher.hits(row)
        if (row[1], row[2]) == (before.attempt, before.step):
            hits = [index for index in hits if row[4] + index < before.number]
        if hits:
            return _lines(scope, owner, [(row, hits[-1:])])[0]
        if time.monotonic() > until:
            return None
    return None


def around(
    scope: Scope,
    owner: logs.Owner,
    place: Place,
    *,
    attempt: int | None = None,
    step: int | None = None,
    limit: int = 500,
    older: int = 100,
) -> logs.LogPage:
    """About `limit` lines that hold the one at a place: `older` before it, the rest from it on.

    attempt, step: of that step alone. `more` tells whether there are newer ones. Costs the same anywhere in
    a log of any length.
    """
    part = Wanted(attempt=attempt, step=step)
    start = replace(place, number=place.number - 1)
    newer = search(scope, owner, part, after=start, limit=limit - older, seconds=2)
    is_more = newer.rest is not None or newer.count > len(newer.lines)
    if not older:
        return logs.LogPage(newer.lines, "", str(place), more=is_more)
    earlier = logs.lines(scope, owner, before=str(place), limit=older, attempt=attempt, step=step)
    return logs.LogPage([*earlier.lines, *newer.lines], "", earlier.before, more=is_more)


def resolve(scope: Scope, owner: logs.Owner, text: str) -> Place | None:
    """The line that an address names: `2.0.123`, or `123` of the newest attempt's first step with so many.

    None when the text is neither, or there is no such line.
    """
    if place := Place.parse(text):
        return place
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        return None
    number = int(text)
    counted = [one for one in logs.counts(scope, owner) if one.lines >= number > 0]
    if not counted:
        return None
    one = max(counted, key=lambda each: (each.attempt, -each.step))
    return Place(one.attempt, one.step, number)


def _timed(rows: QuerySet[logs.Chunk], wanted: Wanted) -> QuerySet[logs.Chunk]:
    """Of all chunks those that may hold what is wanted."""
    if wanted.attempt is not None:
        rows = rows.filter(attempt=wanted.attempt)
    if wanted.step is not None:
        rows = rows.filter(step=wanted.step)
    if wanted.start is not None:
        rows = rows.filter(at__gte=wanted.start - _SPAN)
    return rows if wanted.end is None else rows.filter(at__lte=wanted.end)


class _Matcher:
    """Tells which lines of a chunk are wanted; most chunks are passed over without looking at a line."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._q = wanted.q.replace("\x00", "")
        self._is_plain = self._q.isascii()
        self._bytes = self._q.lower().encode() if self._is_plain else b""
        self._folded = self._q.casefold()
        self._rest_of_line = re.compile(re.escape(self._bytes) + rb"[^\n]*")
        self._is_timed = bool(wanted.start or wanted.end)
        told = [NEEDLES[one] for one in wanted.levels]
        # What shows none of the other levels' signs is INFO.
        self._needles = () if not all(told) else tuple(word for words in told for word in words)
        columns = ["pk", "attempt", "step", "seq", "first_line", "line_count", "at", "text"]
        self.fields = (*columns, "offsets") if self._is_timed else tuple(columns)

    @property
    def counter(self) -> Callable[[str], int] | None:
        """Counts the wanted lines of a chunk's text faster, where a text is all that is looked for."""
        is_text = bool(self._q) and self._is_plain and not self._wanted.levels and not self._is_timed
        return self._count if is_text else None

    def _count(self, text: str) -> int:
        return len(self._rest_of_line.findall(text.encode().lower()))

    def hits(self, row: Any) -> list[int]:
        """Indices of the wanted lines of a chunk."""
        text = row[7]
        if self._needles and not any(word in text for word in self._needles):
            return []
        found = self._holding(text) if self._q else list(range(row[5]))
        if found and self._wanted.levels:
            lines = text.split("\n")
            found = [index for index in found if self._is_level(lines[index])]
        if found and self._is_timed:
            start, end = self._wanted.start, self._wanted.end
            times = {index: row[6] + timedelta(milliseconds=row[8][index]) for index in found}
            found = [
                index
                for index, at in times.items()
                if (start is None or at >= start) and (end is None or at <= end)
            ]
        return found

    def _holding(self, text: str) -> list[int]:
        if self._is_plain:
            # Bytes: letters outside ASCII would make the folding of a text ten times slower.
            folded = text.encode().lower()
            if self._bytes not in folded:
                return []
            return [index for index, line in enumerate(folded.split(b"\n")) if self._bytes in line]
        if text.isascii():
            return []
        return [index for index, line in enumerate(text.casefold().split("\n")) if self._folded in line]

    def _is_level(self, line: str) -> bool:
        if self._needles and not any(word in line for word in self._needles):
            return False
        return level(line) in self._wanted.levels


def _start(rows: QuerySet[logs.Chunk], place: Place) -> _Part:
    return place.attempt, place.step, seq_of(rows, place) or 0


def _walk(
    rows: QuerySet[logs.Chunk], start: _Part | None, fields: tuple[str, ...], *, backwards: bool = False
) -> Iterator[Any]:
    """Chunks in the order of the log, or against it, from attempt, step and number on; `fields` of each.

    A window of neighbouring numbers at a time: its cost does not depend on how far it is from the beginning.
    """
    sign, edge = ("-", "lt") if backwards else ("", "gt")
    order = (f"{sign}attempt", f"{sign}step", f"{sign}seq")
    places = rows.order_by(*order).values_list("attempt", "step", "seq")
    part = start or places.first()
    while part is not None:
        attempt, step, seq = part
        own = rows.filter(attempt=attempt, step=step)
        span = own.aggregate(first=Min("seq"), last=Max("seq"))
        first, last = (-1, -2) if span["last"] is None else (span["first"], span["last"])
        seq = min(seq, last) if backwards else max(seq, first)
        while first <= seq <= last:
            bounds = (seq - _WINDOW + 1, seq) if backwards else (seq, seq + _WINDOW - 1)
            yield from list(own.filter(seq__range=bounds).order_by(order[2]).values_list(*fields))
            seq += -_WINDOW if backwards else _WINDOW
        beyond = Q(**{f"attempt__{edge}": attempt}) | Q(attempt=attempt, **{f"step__{edge}": step})
        part = places.filter(beyond).first()


def seq_of(rows: QuerySet[logs.Chunk], place: Place) -> int | None:
    """The number of the chunk that holds a line, or would; None when its step wrote nothing.

    Halves the distance with each look: chunks are numbered without gaps and hold from one line to thousands.
    """
    own = rows.filter(attempt=place.attempt, step=place.step)
    last = own.order_by("-seq").values_list("seq", "first_line").first()
    if last is None:
        return None
    low, high = 0, int(last[0])
    if place.number >= last[1]:
        return high
    while low < high:
        middle = (low + high + 1) // 2
        first = own.filter(seq=middle).values_list("first_line", flat=True).first()
        if first is None or first > place.number:
            high = middle - 1
        else:
            low = middle
    return low


def _lines(scope: Scope, owner: logs.Owner, kept: list[tuple[_Row, list[int]]]) -> list[Line]:
    """The lines at these indices of these chunks; what was not read of the chunks is read now."""
    names = logs.step_names(scope, owner) if kept else {}
    told = logs.chunks(scope, owner).filter(pk__in=[row[0] for row, _hits in kept])
    rest = {key: other for key, *other in told.values_list("pk", "offsets", "stderr")} if kept else {}
    found = []
    for row, hits in kept:
        key, attempt, step, _seq, first, _size, at, text, *_ = row
        offsets, errors = rest.get(key, ([], []))
        lines = text.split("\n")
        found += [
            Line(
                attempt,
                step,
                names.get(step, f"step {step + 1}"),
                first + index,
                at + timedelta(milliseconds=offsets[index] if index < len(offsets) else 0),
                level(lines[index]),
                lines[index],
                "stderr" if index in errors else "stdout",
            )
            for index in hits
        ]
    return found
