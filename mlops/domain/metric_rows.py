"""Stores metric points once each and keeps the summary of every series true."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from launchpad.access import Scope
from mlops.domain.metric_limits import Point, kind
from mlops.models import Execution, MetricPoint, MetricSeries

_COLUMNS = ("series_id", "step", "has_step", "recorded_at", "value", "kind")
_SUMMARY = ("last", "last_step", "last_at", "minimum", "maximum", "count", "nan_count", "modified_at")
_BATCH = 500

Labels = tuple[tuple[str, str], ...]
Identity = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """A point as it is stored."""

    series: MetricSeries
    step: int
    has_step: bool
    recorded_at: datetime
    value: float
    kind: str

    def identity(self) -> Identity:
        """What makes it the same point: its columns, in the order of _COLUMNS."""
        return (self.series.pk, self.step, self.has_step, self.recorded_at, self.value, self.kind)


def insert(scope: Scope, execution: Execution, points: Sequence[Point]) -> int:
    """Store what is new of `points`, update the summaries, return how many were new.

    Runs in the caller's transaction, which holds the lock on the execution's row: summaries are read,
    counted up and written, so two writers of one execution must not overlap.
    """
    series = _series(scope, execution, {(point.name, tuple(sorted(point.labels))) for point in points})
    now = timezone.now()
    rows: dict[Identity, _Row] = {}
    for point in points:
        shape = kind(point.value)
        row = _Row(
            series[point.name, tuple(sorted(point.labels))],
            point.step or 0,
            point.step is not None,
            point.recorded_at or now,
            0.0 if shape else float(point.value),
            shape,
        )
        rows[row.identity()] = row
    new = [rows[identity] for identity in _store(list(rows))]
    _summarise(scope, new, now)
    return len(new)


def _digest(labels: Labels) -> str:
    return hashlib.sha256(json.dumps(labels, ensure_ascii=False).encode()).hexdigest()


def _series(
    scope: Scope, execution: Execution, keys: set[tuple[str, Labels]]
) -> dict[tuple[str, Labels], MetricSeries]:
    """The series of each name and label set, made where missing."""
    digests = {(name, _digest(labels)): (name, labels) for name, labels in keys}
    known = scope.of(MetricSeries).filter(execution=execution, name__in={name for name, _ in keys})
    found = {
        digests[row.name, row.labels_digest]: row for row in known if (row.name, row.labels_digest) in digests
    }
    missing = [
        MetricSeries(
            execution=execution,
            name=name,
            labels=[{"name": label, "value": value} for label, value in labels],
            labels_digest=digest,
        )
        for (name, digest), (_, labels) in sorted(digests.items())
        if (name, labels) not in found
    ]
    for row in scope.of(MetricSeries).bulk_create(missing):
        found[digests[row.name, row.labels_digest]] = row
    return found


def _store(identities: Sequence[Identity]) -> Iterable[Identity]:
    """Insert points, skipping those that are there; yield the identities of the inserted ones."""
    table, columns = MetricPoint._meta.db_table, ", ".join(_COLUMNS)
    marks = f"({', '.join(['%s'] * len(_COLUMNS))})"
    for start in range(0, len(identities), _BATCH):
        batch = identities[start : start + _BATCH]
        with connection.cursor() as cursor:
            # Not bulk_create(ignore_conflicts=True): it does not tell which rows were new.
            cursor.execute(
                f"INSERT INTO {table} ({columns}) VALUES {', '.join([marks] * len(batch))}"
                f" ON CONFLICT DO NOTHING RETURNING {columns}",
                [value for identity in batch for value in _adapted(identity)],
            )
            yield from map(_read, cursor.fetchall())


def _adapted(identity: Identity) -> Identity:
    series, step, has_step, at, value, kind = identity
    return series, step, has_step, connection.ops.adapt_datetimefield_value(at), value, kind


def _read(row: Identity) -> Identity:
    series, step, has_step, at, value, kind = row
    # SQLite keeps times without their zone, which is always UTC.
    return series, step, has_step, at.replace(tzinfo=UTC) if at.tzinfo is None else at, value, kind


def _summarise(scope: Scope, rows: Iterable[_Row], now: datetime) -> None:
    """Count new points into the summaries of their series."""
    touched: dict[int, MetricSeries] = {}
    for row in rows:
        series = touched.setdefault(row.series.pk, row.series)
        series.count += 1
        if row.kind:
            series.nan_count += 1
            continue
        series.minimum = row.value if series.minimum is None else min(series.minimum, row.value)
        series.maximum = row.value if series.maximum is None else max(series.maximum, row.value)
        if series.last_at is None or (row.step, row.recorded_at) >= (series.last_step or 0, series.last_at):
            series.last, series.last_at = row.value, row.recorded_at
            series.last_step = row.step if row.has_step else None
    for series in touched.values():
        series.modified_at = now
    scope.of(MetricSeries).bulk_update(touched.values(), _SUMMARY, batch_size=100)
