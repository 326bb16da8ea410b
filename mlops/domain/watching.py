"""What changed about executions that somebody watches, asked for all of them at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max

from launchpad.access import Scope
from mlops.domain import logs
from mlops.domain.log_lines import Line, unpack
from mlops.domain.log_position import Position
from mlops.lifecycle import FINAL, Status
from mlops.models import CustomInfo, Execution, LogChunk, MetricSeries, ReplicaLogChunk, StepRun, Tag

# At most 16 MiB of text a poll; the rest comes with the next.
_CHUNKS = 256
# An OR of conditions nests; SQLite allows a depth of 1,000.
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class State:
    """What a page shows of an execution besides its log, as a status and a mark that changes with it.

    is_over: nothing will change any more, the log included.
    """

    status: str
    version: str
    is_over: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """The lines of one chunk and where it belongs."""

    attempt: int
    step: int
    seq: int
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one poll saw of an execution: its state, new pieces of its log, and the position after them.

    state: None when there is more of the log to come first.
    """

    state: State | None
    pieces: list[Piece]
    position: Position


GONE = State("", "", True)


def poll(watched: Mapping[str, Position | None]) -> dict[str, Seen]:
    """State and new log of executions by key; None as a position means from now on.

    For the hub that serves many readers with one query. It looks past scopes: whoever hands its answer
    on has opened a scope on that execution and opens it again from time to time.
    """
    seen: dict[str, Seen] = {}
    keys = list(watched)
    for start in range(0, len(keys), _AT_ONCE):
        seen |= _poll({key: watched[key] for key in keys[start : start + _AT_ONCE]})
    return seen


def _poll(watched: Mapping[str, Position | None]) -> dict[str, Seen]:
    # The states first: what is over by now has all of its log in the table.
    states = _states(lambda model: model.unscoped.all(), list(watched))
    positions = {
        key: position or logs.position(LogChunk.unscoped.filter(execution=key))
        for key, position in watched.items()
    }
    chunks = _unseen({key: position for key, position in watched.items() if position is not None})
    names = _names(chunks)
    pieces: dict[str, list[Piece]] = {key: [] for key in watched}
    for chunk in chunks:
        key = chunk.execution_id
        pieces[key].append(piece(chunk, names.get(key, {})))
        positions[key] = positions[key].after(chunk.attempt, chunk.step, chunk.seq)
    is_all = len(chunks) < _CHUNKS
    return {
        key: Seen(states.get(key, GONE) if is_all else None, pieces[key], positions[key]) for key in watched
    }


def _unseen(positions: Mapping[str, Position]) -> list[LogChunk]:
    """The next chunks of each execution after a position, by its key."""
    if not positions:
        return []
    wanted = " OR ".join(f"(execution_id = %s AND {one.unseen_sql()})" for one in positions.values())
    columns = ", ".join(str(field.column) for field in LogChunk._meta.concrete_fields)
    order = f"ORDER BY execution_id, attempt, step, seq LIMIT {_CHUNKS}"
    sql = f"SELECT {columns} FROM {LogChunk._meta.db_table} WHERE {wanted} {order}"
    return list(LogChunk.unscoped.raw(sql, list(positions)))


def piece(chunk: LogChunk | ReplicaLogChunk, names: dict[int, str]) -> Piece:
    """A chunk as it is handed to readers. names: step index to name."""
    return Piece(chunk.attempt, chunk.step, chunk.seq, unpack(chunk, names))


def follow(scope: Scope, execution: Execution, place: Position) -> list[Piece]:
    """The next pieces of a log after a position, at most 4 MiB; none when all are seen."""
    names = logs.step_names(scope, execution)
    return [piece(chunk, names) for chunk in logs.follow(scope, execution, place)]


def _names(chunks: Collection[LogChunk]) -> dict[str, dict[int, str]]:
    names: dict[str, dict[int, str]] = {}
    rows = StepRun.unscoped.filter(execution__in={chunk.execution_id for chunk in chunks})
    for key, index, name in rows.values_list("execution", "index", "name") if chunks else ():
        names.setdefault(key, {})[index] = name
    return names


def state(scope: Scope, execution: Execution) -> State:
    """The state of an execution now, for a page that will follow it from here."""
    return _states(scope.of, [execution.pk]).get(execution.pk, GONE)


def _states(of: Callable[[Any], Any], keys: Collection[str]) -> dict[str, State]:
    """States by key; executions that are gone or being deleted are left out."""
    facts: dict[str, list[object]] = {key: [] for key in keys}
    statuses: dict[str, str] = {}
    rows = of(Execution).filter(pk__in=keys).exclude(status=Status.DELETING)
    for key, status, *rest in rows.values_list(
        "pk", "status", "target_status", "attempt", "status_message", "user_code_started", "notices"
    ):
        statuses[key] = status
        facts[key].append(rest)
    steps = of(StepRun).filter(execution__in=keys).order_by("execution", "attempt", "index")
    for key, *rest in steps.values_list(
        "execution", "attempt", "index", "status", "tries", "started_at", "ended_at"
    ):
        facts[key].append(rest)
    for model in (MetricSeries, Tag, CustomInfo):
        told = of(model).filter(execution__in=keys).order_by().values("execution")
        told = told.annotate(rows=Count("pk"), newest=Max("modified_at"))
        for key, *rest in told.values_list("execution", "rows", "newest"):
            facts[key].append((model.__name__, rest))
    return {
        key: State(status, _digest((status, facts[key])), status in FINAL) for key, status in statuses.items()
    }


def _digest(facts: object) -> str:
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
