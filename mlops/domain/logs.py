"""The log of an execution: written in chunks by one worker, read from any place in it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from launchpad.access import Scope, system_scope
from launchpad.commands import command
from launchpad.errors import Invalid
from mlops.domain import run_tokens
from mlops.domain.log_lines import Line, unpack
from mlops.domain.log_position import Place, Position
from mlops.lifecycle import LEASED
from mlops.models import Execution, LogChunk, StepRun

CHUNK_BYTES = 64 * 1024
# Who looks for a time reads the chunks that begin so much earlier, and no others.
CHUNK_SECONDS = 60
MAX_LINES = 2000
_BATCH = 64


@dataclass(frozen=True, slots=True)
class LogPage:
    """Consecutive lines, oldest first.

    cursor: where following goes on. before: where older lines are, "" when these are the first.
    more: whether there are newer lines than these.
    """

    lines: list[Line]
    cursor: str
    before: str = ""
    more: bool = False


@dataclass(frozen=True, slots=True)
class StepLog:
    """How many lines one step wrote in one attempt."""

    attempt: int
    step: int
    name: str
    lines: int


@command(audit=False)
def append(scope: Scope, chunk: LogChunk) -> bool:
    """Insert a chunk if its attempt may still write; a repeat of an inserted one changes nothing.

    Returns False, and inserts nothing, when the attempt is not the newest or is over. Commits once.
    """
    # The lock makes a claim of the next attempt wait, so that this chunk is in before its first one.
    row = (
        scope.of(Execution)
        .select_for_update(no_key=True)
        .filter(pk=chunk.execution_id, attempt=chunk.attempt, status__in=LEASED)
    )
    if not row.values_list("pk", flat=True).first():
        return False
    scope.of(LogChunk).bulk_create([chunk], ignore_conflicts=True)
    return True


class Said(Protocol):
    """A line as the engine hands it over: aware UTC time, text without line end, stdout or stderr."""

    @property
    def at(self) -> datetime:
        """When it was read."""

    @property
    def text(self) -> str:
        """What it says."""

    @property
    def stream(self) -> str:
        """Where it was written."""


@dataclass(frozen=True, slots=True)
class _Said:
    at: datetime
    text: str
    stream: str = "stdout"


class LogWriter:
    """Buffers the lines of one step and inserts them as numbered chunks.

    The only writer of its (execution, attempt, step); a later one for the same goes on numbering.
    Not for several threads. step: the step's index. Making one, `write` and `say` need no database.
    """

    def __init__(self, execution_id: str, attempt: int, step: int) -> None:
        self._execution_id, self._attempt, self._step = execution_id, attempt, step
        # Clients log the addresses they call, and who may only read the log may not report for the run.
        self._token = run_tokens.issue(execution_id, attempt)
        self._scope: Scope | None = None
        self._lines: deque[tuple[datetime, str, int, bool]] = deque()
        self._since = 0.0
        self._following: tuple[int, int] | None = None
        self._sending: LogChunk | None = None
        self.pending_bytes = 0

    def write(self, lines: Iterable[Said]) -> None:
        """Buffer lines, the attempt's token blotted out; no database.

        Watch `pending_bytes` while the database is away.
        """
        for line in lines:
            shown = line.text.replace(self._token, "[run token]").replace("\x00", "\ufffd")
            for text in shown.split("\n"):
                if not self._lines:
                    self._since = time.monotonic()
                # Lone surrogates are no UTF-8; no database takes them.
                encoded = text.encode(errors="replace")
                self._lines.append((line.at, encoded.decode(), len(encoded) + 1, line.stream == "stderr"))
                self.pending_bytes += len(encoded) + 1

    def say(self, text: str) -> None:
        """Buffer a line of Launchpad's own, timed now."""
        self.write([_Said(timezone.now(), text)])

    def resume(self) -> Scope:
        """Look up the place and how far an earlier writer of this step came; return the place."""
        if self._scope is None or self._following is None:
            # The worker claimed the row; there is no user whose scope it could be.
            rows = Execution.unscoped.select_related("resource_group__workspace")
            execution = rows.get(pk=self._execution_id)
            self._scope = system_scope(execution, actor=f"run {execution.pk}")
            written = chunks(self._scope, execution, attempt=self._attempt, step=self._step)
            last = written.order_by("-seq").values_list("seq", "first_line", "line_count").first()
            self._following = (last[0] + 1, last[1] + last[2]) if last else (0, 1)
        return self._scope

    def flush(self, force: bool = False) -> bool:
        """Insert what is due: lines older than LOG_FLUSH_SECONDS, 64 KiB of them, or all if forced.

        False when the attempt may write no more; its lines are then dropped. Database errors pass
        through with the buffer kept: calling again loses nothing and doubles nothing.
        """
        while self._sending or self._due(force):
            scope = self.resume()
            if self._sending is None:
                self._sending = self._take()
            # After an error it is unknown whether the chunk is in; it is sent again as it was.
            if not append(scope, self._sending):
                self._lines.clear()
                self._sending, self.pending_bytes = None, 0
                return False
            self.pending_bytes -= len(self._sending.text.encode()) + 1
            self._following = (self._sending.seq + 1, self._sending.first_line + self._sending.line_count)
            self._sending = None
        return True

    def _due(self, force: bool) -> bool:
        if not self._lines:
            return False
        waited = time.monotonic() - self._since
        return force or self.pending_bytes >= CHUNK_BYTES or waited >= settings.LOG_FLUSH_SECONDS

    def _take(self) -> LogChunk:
        """The next chunk: at most 64 KiB and 60 s, at least one line."""
        seq, first_line = self._following or (0, 1)
        taken: list[tuple[datetime, str, bool]] = []
        size = 0
        start = self._lines[0][0]
        end = start + timedelta(seconds=CHUNK_SECONDS)
        while self._lines and (
            not taken or (size + self._lines[0][2] <= CHUNK_BYTES and self._lines[0][0] <= end)
        ):
            at, text, length, is_error = self._lines.popleft()
            taken.append((at, text, is_error))
            size += length
        return LogChunk(
            execution_id=self._execution_id,
            attempt=self._attempt,
            step=self._step,
            seq=seq,
            first_line=first_line,
            line_count=len(taken),
            at=start,
            text="\n".join(text for _at, text, _is_error in taken),
            offsets=[round((at - start).total_seconds() * 1000) for at, _text, _is_error in taken],
            stderr=[index for index, (_at, _text, is_error) in enumerate(taken) if is_error],
        )


def step_names(scope: Scope, execution: Execution) -> dict[int, str]:
    """Step index to name; every attempt has the same steps."""
    return dict(scope.of(StepRun).filter(execution=execution).values_list("index", "name"))


def position(chunks: QuerySet[LogChunk]) -> Position:
    """Behind the last of these chunks of one execution.

    One short descent of the index a step: aggregating would read an entry for every chunk.
    """
    newest = chunks.order_by("-attempt", "-step", "-seq")
    row = newest.values_list("attempt", "step", "seq").first()
    if row is None:
        return Position()
    place = Position(row[0])
    while row is not None and row[0] == place.attempt:
        place = place.after(*row)
        row = (
            newest.filter(attempt=place.attempt, step__lt=row[1])
            .values_list("attempt", "step", "seq")
            .first()
        )
    return place


def chunks(
    scope: Scope, execution: Execution, *, attempt: int | None = None, step: int | None = None
) -> QuerySet[LogChunk]:
    """Chunks of an execution, of one attempt and one step if given, in the order of the log."""
    rows = scope.of(LogChunk).filter(execution=execution).order_by("attempt", "step", "seq")
    if attempt is not None:
        rows = rows.filter(attempt=attempt)
    return rows if step is None else rows.filter(step=step)


def follow(scope: Scope, execution: Execution, place: Position, limit: int = _BATCH) -> list[LogChunk]:
    """The next chunks after a position, at most `limit`, in the order of the log."""
    return list(chunks(scope, execution).filter(place.unseen())[:limit])


def lines(
    scope: Scope,
    execution: Execution,
    *,
    step: int | None = None,
    attempt: int | None = None,
    after: str = "",
    before: str = "",
    limit: int = 500,
) -> LogPage:
    """A page of the log: the newest `limit` lines, those after a cursor, or those before a place.

    limit: 1 to 2000; with `after` chunks are not torn apart, so that a page may be somewhat longer.
    The order is attempt, step, line. Raises Invalid for a cursor that Launchpad did not give out.
    """
    limit = max(1, min(limit, MAX_LINES))
    rows = chunks(scope, execution, attempt=attempt, step=step)
    names = step_names(scope, execution)
    if after:
        return _newer(rows, names, Position.parse(after), limit)
    # Read first, so that a chunk which comes meanwhile is left to those who follow from here.
    place = position(chunks(scope, execution))
    return _older(rows, names, place, before, limit)


def _newer(rows: QuerySet[LogChunk], names: dict[int, str], place: Position, limit: int) -> LogPage:
    found: list[Line] = []
    more = False
    for chunk in _batches(rows.filter(place.unseen())):
        if len(found) >= limit:
            more = True
            break
        found += unpack(chunk, names)
        place = place.after(chunk.attempt, chunk.step, chunk.seq)
    return LogPage(found, str(place), more=more)


def _older(
    rows: QuerySet[LogChunk], names: dict[int, str], place: Position, before: str, limit: int
) -> LogPage:
    end: tuple[int, int, int] | None = None
    if before:
        if (edge := Place.parse(before)) is None:
            raise Invalid("This place in the log is not one that Launchpad gave out. Reload the page.")
        end = (edge.attempt, edge.step, edge.number)
        rows = rows.filter(
            Q(attempt__lt=end[0])
            | Q(attempt=end[0], step__lt=end[1])
            | Q(attempt=end[0], step=end[1], first_line__lt=end[2])
        )
    # The sizes first: chunks hold from one line to thousands, their text is fetched only where needed.
    wanted: list[int] = []
    count = 0
    sizes = rows.order_by("-attempt", "-step", "-seq").values_list(
        "pk", "attempt", "step", "seq", "line_count", "first_line"
    )
    for key, attempt, step, seq, size, first in sizes[: limit + 1]:
        following = place.next_of(attempt, step)
        if following is not None and seq >= following:
            continue
        wanted.append(key)
        count += min(size, end[2] - first) if end and (attempt, step) == end[:2] else size
        if count >= limit:
            break
    found = [line for chunk in rows.filter(pk__in=wanted) for line in unpack(chunk, names)]
    if end:
        found = [line for line in found if (line.attempt, line.step, line.number) < end]
    kept = found[-limit:]
    first_line = f"{kept[0].attempt}.{kept[0].step}.{kept[0].number}" if kept else ""
    older = len(found) > limit or (bool(kept) and (kept[0].number > 1 or _is_preceded(rows, kept[0])))
    return LogPage(kept, str(place), first_line if older else "")


def _is_preceded(rows: QuerySet[LogChunk], line: Line) -> bool:
    """Whether another step or attempt wrote before the one that a line is of."""
    before = Q(attempt__lt=line.attempt) | Q(attempt=line.attempt, step__lt=line.step)
    return rows.filter(before).exists()


def _batches(rows: QuerySet[LogChunk]) -> Iterator[LogChunk]:
    """Rows in the order of the log, a batch at a time; holds neither memory nor a cursor."""
    last: LogChunk | None = None
    while True:
        # The rest of its step first: a range of the index, where the order as a whole would be an OR.
        batch: list[LogChunk] = []
        following = rows
        if last is not None:
            batch = list(rows.filter(attempt=last.attempt, step=last.step, seq__gt=last.seq)[:_BATCH])
            following = rows.filter(Q(attempt__gt=last.attempt) | Q(attempt=last.attempt, step__gt=last.step))
        if not (batch := batch or list(following[:_BATCH])):
            return
        yield from batch
        last = batch[-1]


def text(
    scope: Scope, execution: Execution, *, attempt: int | None = None, step: int | None = None
) -> Iterator[str]:
    """The whole log as text, some lines at a time: time, attempt from the second on, step, text.

    attempt, step: of these alone.
    """
    names = step_names(scope, execution)
    for chunk in _batches(chunks(scope, execution, attempt=attempt, step=step)):
        found = unpack(chunk, names)
        again = f" attempt {chunk.attempt}" if chunk.attempt > 1 else ""
        yield "".join(f"{_stamp(line.at)}{again} [{line.name}] {line.text}\n" for line in found)


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def counts(scope: Scope, execution: Execution) -> list[StepLog]:
    """Lines of each step of each attempt that wrote any, in the order of the log."""
    names = step_names(scope, execution)
    newest = chunks(scope, execution).order_by("-attempt", "-step", "-seq")
    rows = newest.values_list("attempt", "step", "first_line", "line_count")
    found: list[StepLog] = []
    row = rows.first()
    while row is not None:
        attempt, step, first_line, size = row
        name = names.get(step, f"step {step + 1}")
        found.append(StepLog(attempt, step, name, first_line + size - 1))
        row = rows.filter(Q(attempt__lt=attempt) | Q(attempt=attempt, step__lt=step)).first()
    return found[::-1]
