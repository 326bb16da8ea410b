"""Stores metric points once each and keeps the summary of every series true."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from launchpad.access import Scope
from mlops.domain.metric_limits import Point, kind
from mlops.models import Execution, MetricPoint, MetricSeries

_RUNS = Execution._meta.db_table
_POINTS = MetricPoint._meta.db_table
_SERIES = MetricSeries._meta.db_table
_COLUMNS = ("series_id", "step", "has_step", "recorded_at", "value", "kind")
_SUMMARY = ("last", "last_step", "last_at", "minimum", "maximum", "count", "nan_count", "modified_at")
_BATCH = 500

Labels = tuple[tuple[str, str], ...]


class _Row(NamedTuple):
    """A point as it is stored, in the order of _COLUMNS; two equal ones are the same point."""

    series: int
    step: int
    has_step: bool
    recorded_at: datetime
    value: float
    kind: str


@dataclass(frozen=True)
class Held:
    """An execution whose row is locked until the transaction ends.

    found: its newest attempt and its status, None when there is no such execution. series: keys of those of
    its series that were asked for and are there, by name and digest of the labels.
    """

    execution: str
    found: tuple[int, str] | None
    series: dict[tuple[str, str], int]


def hold(scope: Scope, execution_id: str, names: Collection[str] = ()) -> Held:
    """Lock an execution's row and look for its series of these names; one query, within a transaction.

    Written out, because runs report often and making the query would take longer than answering it.
    """
    assert scope.resource_group is not None
    lock = "FOR NO KEY UPDATE OF run" if connection.vendor == "postgresql" else ""
    marks = ", ".join(["%s"] * max(len(names), 1))
    group = Execution._meta.get_field("resource_group").get_db_prep_value(scope.resource_group.pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT run.attempt, run.status, series.id, series.name, series.labels_digest"
            f" FROM {_RUNS} AS run LEFT JOIN {_SERIES} AS series"
            f" ON series.execution_id = run.id AND series.name IN ({marks})"
            f" WHERE run.id = %s AND run.resource_group_id = %s {lock}",
            [*(names or ("",)), execution_id, group],
        )
        rows = cursor.fetchall()
    series = {(name, digest): key for _attempt, _status, key, name, digest in rows if key is not None}
    return Held(execution_id, rows[0][:2] if rows else None, series)


def insert(scope: Scope, held: Held, points: Sequence[Point]) -> int:
    """Store what is new of `points`, update the summaries, return how many were new.

    Runs in the transaction that holds the execution: two writers of one execution must not overlap.
    """
    now = timezone.now()
    sorted_labels = {labels: tuple(sorted(labels)) for labels in {point.labels for point in points}}
    series = _series(scope, held, {(one.name, sorted_labels[one.labels]) for one in points})
    rows: dict[_Row, None] = {}
    for name, value, step, recorded_at, labels in points:
        shape = kind(value)
        key = series[name, sorted_labels[labels]]
        at = recorded_at or now
        rows[_Row(key, step or 0, step is not None, at, 0.0 if shape else float(value), shape)] = None
    if connection.vendor == "postgresql":
        return _store_at_once(list(rows), now)
    new = list(_store(list(rows)))
    _summarise(scope, new, now)
    return len(new)


@functools.lru_cache(4096)
def _digest(labels: Labels) -> str:
    return hashlib.sha256(json.dumps(labels, ensure_ascii=False).encode()).hexdigest()


def _series(scope: Scope, held: Held, keys: set[tuple[str, Labels]]) -> dict[tuple[str, Labels], int]:
    """The key of the series of each name and label set, made where missing."""
    named = {(name, labels): (name, _digest(labels)) for name, labels in keys}
    missing = [
        MetricSeries(
            resource_group=scope.resource_group,
            execution_id=held.execution,
            name=name,
            labels=[{"name": label, "value": value} for label, value in labels],
            labels_digest=digest,
        )
        for (name, labels), (_, digest) in sorted(named.items())
        if (name, digest) not in held.series
    ]
    if not missing:
        return {key: held.series[one] for key, one in named.items()}
    # A writer that waited for the lock may not have seen what the one before it made.
    scope.of(MetricSeries).bulk_create(missing, ignore_conflicts=True)
    known = scope.of(MetricSeries).filter(execution=held.execution, name__in={name for name, _ in keys})
    found = {
        (name, digest): key
        for key, name, digest in known.order_by().values_list("pk", "name", "labels_digest")
    }
    return {key: found[one] for key, one in named.items()}


# One statement: what was new, what it sums up to, and the summaries with it counted in. Of points that share
# step and time the one stored last is the last one.
_AT_ONCE = f"""
WITH fresh AS (
    INSERT INTO {_POINTS} ({", ".join(_COLUMNS)})
    SELECT * FROM unnest(
        %s::bigint[], %s::bigint[], %s::boolean[], %s::timestamptz[], %s::float8[], %s::text[]
    )
    ON CONFLICT DO NOTHING
    RETURNING id, {", ".join(_COLUMNS)}
), newest AS (
    SELECT DISTINCT ON (series_id) series_id, step, has_step, recorded_at, value FROM fresh WHERE kind = ''
    ORDER BY series_id, step DESC, recorded_at DESC, id DESC
), sums AS (
    SELECT series_id, count(*) AS total, count(*) FILTER (WHERE kind <> '') AS odd,
        min(value) FILTER (WHERE kind = '') AS low, max(value) FILTER (WHERE kind = '') AS high
    FROM fresh GROUP BY series_id
), counted AS (
    SELECT sums.*, step, has_step, recorded_at, value,
        value IS NOT NULL AND (
            old.last_at IS NULL OR (step, recorded_at) >= (COALESCE(old.last_step, 0), old.last_at)
        ) AS is_newer
    FROM sums LEFT JOIN newest USING (series_id) JOIN {_SERIES} AS old ON old.id = sums.series_id
), told AS (
    UPDATE {_SERIES} AS summary SET
        last = CASE WHEN is_newer THEN value ELSE last END,
        last_step = CASE WHEN NOT is_newer THEN last_step WHEN has_step THEN step END,
        last_at = CASE WHEN is_newer THEN recorded_at ELSE last_at END,
        minimum = LEAST(minimum, low),
        maximum = GREATEST(maximum, high),
        count = count + total,
        nan_count = nan_count + odd,
        modified_at = %s
    FROM counted WHERE summary.id = counted.series_id
    RETURNING total
)
SELECT COALESCE(sum(total), 0)::bigint FROM told
"""


def _store_at_once(rows: Sequence[_Row], now: datetime) -> int:
    """Insert points, skipping those that are there, and count them into their series; how many were new."""
    with connection.cursor() as cursor:
        cursor.execute(_AT_ONCE, [*_arrays(rows), now])
        (new,) = cursor.fetchone()
    return int(new)


def _arrays(rows: Sequence[_Row]) -> list[str]:
    """The columns as PostgreSQL writes arrays; the driver's own way takes longer than the insertion."""
    series, steps, has_step, times, values, kinds = zip(*rows, strict=True)
    columns: list[Iterable[str]] = [map(str, series), map(str, steps), map(str, has_step)]
    columns += [(at.isoformat() for at in times), map(repr, values), (f'"{kind}"' for kind in kinds)]
    return ["{" + ",".join(column) + "}" for column in columns]


def _store(rows: Sequence[_Row]) -> Iterable[_Row]:
    """Insert points, skipping those that are there; yield the inserted ones. For SQLite."""
    marks = f"({', '.join(['%s'] * len(_COLUMNS))})"
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        with connection.cursor() as cursor:
            # Not bulk_create(ignore_conflicts=True): it does not tell which rows were new.
            cursor.execute(
                f"INSERT INTO {_POINTS} ({', '.join(_COLUMNS)}) VALUES {', '.join([marks] * len(batch))}"
                f" ON CONFLICT DO NOTHING RETURNING {', '.join(_COLUMNS)}",
                [value for row in batch for value in _adapted(row)],
            )
            yield from map(_read, cursor.fetchall())


def _adapted(row: _Row) -> tuple[Any, ...]:
    at = connection.ops.adapt_datetimefield_value(row.recorded_at)
    return row.series, row.step, row.has_step, at, row.value, row.kind


def _read(columns: tuple[Any, ...]) -> _Row:
    # SQLite keeps times without their zone, which is always UTC.
    row = _Row(*columns)
    return row._replace(recorded_at=row.recorded_at.replace(tzinfo=UTC), has_step=bool(row.has_step))


def _summarise(scope: Scope, rows: Iterable[_Row], now: datetime) -> None:
    """Count new points into the summaries of their series. For SQLite."""
    found = scope.of(MetricSeries).in_bulk({row.series for row in rows})
    for row in rows:
        series = found[row.series]
        series.count += 1
        if row.kind:
            series.nan_count += 1
            continue
        series.minimum = row.value if series.minimum is None else min(series.minimum, row.value)
        series.maximum = row.value if series.maximum is None else max(series.maximum, row.value)
        if series.last_at is None or (row.step, row.recorded_at) >= (series.last_step or 0, series.last_at):
            series.last, series.last_at = row.value, row.recorded_at
            series.last_step = row.step if row.has_step else None
    for series in found.values():
        series.modified_at = now
    scope.of(MetricSeries).bulk_update(found.values(), _SUMMARY, batch_size=100)
