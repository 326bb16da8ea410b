"""The log of an execution or a deployment, read from any place in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Q, QuerySet

from launchpad.access import Scope
from launchpad.errors import Invalid
from mlops.domain.log_lines import Line, unpack
from mlops.domain.log_position import Place, Position
from mlops.models import Deployment, Execution, LogChunk, Replica, ReplicaLogChunk, StepRun

Owner = Execution | Deployment
Chunk = LogChunk | ReplicaLogChunk
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


def step_names(scope: Scope, execution: Owner) -> dict[int, str]:
    """Step index to name; every attempt has the same steps. Of a deployment: its servers, by index."""
    if isinstance(execution, Deployment):
        last = scope.of(Replica).filter(deployment=execution).aggregate(last=Max("index"))["last"]
        return {index: f"server {index + 1}" for index in range(0 if last is None else last + 1)}
    return dict(scope.of(StepRun).filter(execution=execution).values_list("index", "name"))


def position(chunks: QuerySet[Chunk]) -> Position:
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
    scope: Scope, execution: Owner, *, attempt: int | None = None, step: int | None = None
) -> QuerySet[Chunk]:
    """Chunks of an execution or deployment, of one attempt and one step if given, in the order of the log.

    A deployment's attempts are its revisions, its steps their servers.
    """
    rows: QuerySet[Chunk]
    if isinstance(execution, Deployment):
        rows = scope.of(ReplicaLogChunk).filter(deployment=execution).order_by("attempt", "step", "seq")
    else:
        rows = scope.of(LogChunk).filter(execution=execution).order_by("attempt", "step", "seq")
    if attempt is not None:
        rows = rows.filter(attempt=attempt)
    return rows if step is None else rows.filter(step=step)


def follow(scope: Scope, execution: Owner, place: Position, limit: int = _BATCH) -> list[Chunk]:
    """The next chunks after a position, at most `limit`, in the order of the log."""
    return list(chunks(scope, execution).filter(place.unseen())[:limit])


def lines(
    scope: Scope,
    execution: Owner,
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


def _newer(rows: QuerySet[Chunk], names: dict[int, str], place: Position, limit: int) -> LogPage:
    found: list[Line] = []
    more = False
    for chunk in _batches(rows.filter(place.unseen())):
        if len(found) >= limit:
            more = True
            break
        found += unpack(chunk, names)
        place = place.after(chunk.attempt, chunk.step, chunk.seq)
    return LogPage(found, str(place), more=more)


def _older(rows: QuerySet[Chunk], names: dict[int, str], place: Position, before: str, limit: int) -> LogPage:
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


def _is_preceded(rows: QuerySet[Chunk], line: Line) -> bool:
    """Whether another step or attempt wrote before the one that a line is of."""
    before = Q(attempt__lt=line.attempt) | Q(attempt=line.attempt, step__lt=line.step)
    return rows.filter(before).exists()


def _batches(rows: QuerySet[Chunk]) -> Iterator[Chunk]:
    """Rows in the order of the log, a batch at a time; holds neither memory nor a cursor."""
    last: Chunk | None = None
    while True:
        # The rest of its step first: a range of the index, where the order as a whole would be an OR.
        batch: list[Chunk] = []
        following = rows
        if last is not None:
            batch = list(rows.filter(attempt=last.attempt, step=last.step, seq__gt=last.seq)[:_BATCH])
            following = rows.filter(Q(attempt__gt=last.attempt) | Q(attempt=last.attempt, step__gt=last.step))
        if not (batch := batch or list(following[:_BATCH])):
            return
        yield from batch
        last = batch[-1]


def text(
    scope: Scope, execution: Owner, *, attempt: int | None = None, step: int | None = None
) -> Iterator[str]:
    """The whole log as text, some lines at a time: time, attempt from the second on, step, text.

    attempt, step: of these alone. A deployment's revisions are named as such.
    """
    names = step_names(scope, execution)
    word = "revision" if isinstance(execution, Deployment) else "attempt"
    for chunk in _batches(chunks(scope, execution, attempt=attempt, step=step)):
        found = unpack(chunk, names)
        again = f" {word} {chunk.attempt}" if chunk.attempt > 1 else ""
        yield "".join(f"{_stamp(line.at)}{again} [{line.name}] {line.text}\n" for line in found)


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def counts(scope: Scope, execution: Owner) -> list[StepLog]:
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
