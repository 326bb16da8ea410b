"""Metrics, tags and custom info: what runs report and what charts and tables read of it."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal

from django.db.models import QuerySet

from launchpad.access import Scope
from launchpad.commands import command
from launchpad.errors import Invalid, NotFound
from mlops.domain import metric_buckets, metric_limits, metric_rows, run_tokens
from mlops.domain.metric_limits import Pairs, Point
from mlops.models import CustomInfo, Execution, MetricPoint, MetricSeries, Tag

# Reserved by the AI API: its value names the output artifact that a metric tells of.
OUTPUT_LABEL = "metrics.ai.sap.com/Artifact.name"
MAX_SERIES = 50
MAX_BUCKETS = 2000
MATRIX_BYTES = 256 * 1024
_MATRIX_LABELS = 100


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """A series and its summary. last, minimum, maximum: of finite values, None while there is none."""

    id: int
    name: str
    labels: tuple[tuple[str, str], ...]
    last: float | None
    last_step: int | None
    last_at: datetime | None
    minimum: float | None
    maximum: float | None
    count: int
    nan_count: int

    @property
    def title(self) -> str:
        """The name, with the labels in brackets if there are any."""
        labels = ", ".join(f"{name}={value}" for name, value in self.labels)
        return f"{self.name} ({labels})" if labels else self.name


@dataclass(frozen=True, slots=True)
class SeriesPoints:
    """Points of one series for a chart: (x, y) pairs in ascending x, y None for a gap.

    axis: "step", or "time" with x in milliseconds since 1970. shown of total points are in `pairs`.
    """

    summary: SeriesSummary
    axis: Literal["step", "time"]
    pairs: list[tuple[float, float | None]]
    shown: int
    total: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """A confusion matrix: counts[i][j] of rows that are labels[i] and were predicted as labels[j]."""

    labels: tuple[str, ...]
    counts: tuple[tuple[float, ...], ...]

    @property
    def total(self) -> float:
        """How many rows were judged."""
        return sum(map(sum, self.counts))

    @property
    def hits(self) -> float:
        """How many of them rightly."""
        return sum(row[index] for index, row in enumerate(self.counts))


@command(audit=False)
def record(
    scope: Scope,
    execution_id: str,
    *,
    metrics: Sequence[Point] = (),
    tags: Pairs = (),
    custom_info: Pairs = (),
    attempt: int | None = None,
) -> int:
    """Add metric points, set tags and custom info by name; return how many points were new.

    metrics: at most 1000 of 20 labels each; NaN and infinities are kept as such; a point is known by
    series, step, time and value, repeats are ignored; any order. tags, custom_info: at most 100 (name,
    value) pairs each, the last of a name wins. attempt: that of the run that reports; None for people
    and clients, who may add to an execution that has ended. Commits once. Safe with parallel writers: the
    execution's row is locked. Raises Invalid (TooMuch beyond a count or size), NotFound; Ended when the
    attempt is not the newest or is over.
    """
    metric_limits.check(metrics, tags, custom_info)
    held = metric_rows.hold(scope, execution_id, {point.name for point in metrics})
    run_tokens.check(execution_id, attempt, held.found)
    new = metric_rows.insert(scope, held, metrics) if metrics else 0
    _set(scope, Tag, execution_id, tags)
    _set(scope, CustomInfo, execution_id, custom_info)
    return new


@command()
def delete(scope: Scope, execution_id: str, *, attempt: int | None = None) -> Execution:
    """Remove every metric, tag and custom info of an execution.

    attempt: as for `record`. Raises NotFound, also when there is nothing to remove; Ended.
    """
    run_tokens.check(execution_id, attempt, metric_rows.hold(scope, execution_id).found)
    series = scope.of(MetricSeries).filter(execution=execution_id)
    # Not the models' own deletion, which would read every row first; points go before their series.
    rows: list[Any] = [scope.of(MetricPoint).filter(series__in=series), series]
    rows += [scope.of(model).filter(execution=execution_id) for model in (Tag, CustomInfo)]
    if not sum(one._raw_delete(using=one.db) for one in rows):
        raise NotFound(f"Execution {execution_id} has no metrics, tags or custom info.")
    return scope.get(Execution, pk=execution_id)


def _set(scope: Scope, model: type[Tag | CustomInfo], execution_id: str, pairs: Pairs) -> None:
    rows = [model(execution_id=execution_id, name=name, value=value) for name, value in dict(pairs).items()]
    if rows:
        scope.of(model).bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["execution", "name"],
            update_fields=["value", "modified_at"],
        )


def series(scope: Scope, execution: Execution) -> list[SeriesSummary]:
    """Every series of an execution with its summary, by name."""
    rows = scope.of(MetricSeries).filter(execution=execution).order_by("name", "id")
    return [summary(row) for row in rows]


def of_execution(scope: Scope, execution_id: str) -> list[SeriesSummary]:
    """As `series`, by the execution's key."""
    return [
        summary(row) for row in scope.of(MetricSeries).filter(execution=execution_id).order_by("name", "id")
    ]


def summary(row: MetricSeries) -> SeriesSummary:
    """A series' row as charts and tables read it."""
    labels = tuple((label["name"], label["value"]) for label in row.labels)
    figures = (row.last, row.last_step, row.last_at, row.minimum, row.maximum, row.count, row.nan_count)
    return SeriesSummary(row.pk, row.name, labels, *figures)


def points(
    scope: Scope,
    execution: Execution,
    ids: Sequence[int],
    *,
    x: Literal["step", "time"] = "step",
    buckets: int = 600,
) -> list[SeriesPoints]:
    """Points of the named series for a chart, in the order of `ids`, which name at most 50.

    A series without steps is given by time whatever `x` says. Above 2 × buckets points each of
    `buckets` stretches gives its lowest and highest value. Raises NotFound for an id of another
    execution, Invalid for more than 50.
    """
    if len(ids) > MAX_SERIES:
        raise Invalid(f"One chart shows at most {MAX_SERIES} series. Choose fewer.")
    buckets = max(1, min(buckets, MAX_BUCKETS))
    rows = {row.pk: row for row in scope.of(MetricSeries).filter(execution=execution, pk__in=ids)}
    if missing := set(ids) - rows.keys():
        raise NotFound(f"Execution {execution.pk} has no metric series {min(missing)}.")
    drawn = []
    for key in ids:
        told = summary(rows[key])
        axis = metric_buckets.STEP if x == "step" and told.last_step else metric_buckets.TIME
        found = scope.of(MetricPoint).filter(series=key)
        read = partial(
            metric_buckets.read, found, key, axis, buckets, total=told.count, is_broken=told.nan_count > 0
        )
        # Points are never changed: the same summary is that of the same points.
        is_long = told.count > 2 * buckets
        pairs = metric_buckets.kept.get((told, axis.column, buckets), read) if is_long else read()
        name: Literal["step", "time"] = "step" if axis is metric_buckets.STEP else "time"
        drawn.append(SeriesPoints(told, name, pairs, len(pairs), told.count))
    return drawn


@dataclass(frozen=True, slots=True)
class Broken:
    """A point that is no finite number. series: its key; kind: "nan", "inf" or "-inf"."""

    series: int
    step: int | None
    recorded_at: datetime
    kind: str


def broken(scope: Scope, execution: Execution, ids: Sequence[int], *, limit: int = 100) -> list[Broken]:
    """Points of the named series that are NaN or infinite, in the order of their steps, at most `limit`."""
    rows = scope.of(MetricPoint).filter(series__execution=execution, series__in=ids).exclude(kind="")
    found = rows.order_by("series", "step", "recorded_at")[:limit]
    return [
        Broken(row.series_id, row.step if row.has_step else None, row.recorded_at, row.kind) for row in found
    ]


def every_point(scope: Scope, execution: Execution, series_id: int | None = None) -> QuerySet[MetricPoint]:
    """All points of an execution, or of one series of it, with their series, in the order of their steps."""
    rows = scope.of(MetricPoint).filter(series__execution=execution).select_related("series")
    if series_id is not None:
        rows = rows.filter(series=series_id)
    return rows.order_by("series", "step", "has_step", "recorded_at")


def tags(scope: Scope, execution: Execution) -> list[tuple[str, str]]:
    """Tags of an execution as (name, value), by name."""
    return list(scope.of(Tag).filter(execution=execution).order_by("name").values_list("name", "value"))


def custom_info(scope: Scope, execution: Execution) -> list[tuple[str, str]]:
    """Custom info of an execution as (name, text), by name."""
    rows = scope.of(CustomInfo).filter(execution=execution).order_by("name")
    return list(rows.values_list("name", "value"))


def confusion_matrix(text: str) -> Matrix | None:
    """The confusion matrix that a custom info text holds, or None if it holds none.

    text: a list of {"Predicted", "Actual", "value"} as JSON or as a Python literal, at most 256 KiB and
    100 labels. Labels keep the order of their first appearance; missing pairs count 0.
    """
    if len(text) > MATRIX_BYTES or not text.lstrip().startswith("["):
        return None
    cells = _cells(parsed(text.strip()))
    labels = tuple(dict.fromkeys(label for actual, predicted in cells for label in (actual, predicted)))
    if not 2 <= len(labels) <= _MATRIX_LABELS:
        return None
    counts = tuple(tuple(cells.get((actual, label), 0) for label in labels) for actual in labels)
    return Matrix(labels, counts)


def parsed(text: str) -> Any:
    """What a text says as JSON or as a Python literal; None when it is neither."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _cells(rows: Any) -> Mapping[tuple[str, str], float]:
    """(actual, predicted) to count; empty unless every row is one."""
    cells: dict[tuple[str, str], float] = {}
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict) or not {"Predicted", "Actual", "value"} <= row.keys():
            return {}
        value = row["value"]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
            return {}
        key = (str(row["Actual"]), str(row["Predicted"]))
        cells[key] = cells.get(key, 0) + value
    return cells
