"""Reads metric points for charts, thinned to the extremes of equal stretches of the axis."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, FloatField, Func, IntegerField, Max, Min, QuerySet, Value
from django.db.models.functions import Cast, Floor, Least

from mlops.models import MetricPoint

Pair = tuple[float, float | None]


class Epoch(Func):
    """Seconds since 1970 of a time, as a float."""

    function = "EXTRACT"
    template = "EXTRACT(EPOCH FROM %(expressions)s)::double precision"
    output_field = FloatField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Julian days count from noon in 4714 BC."""
        template = "((julianday(%(expressions)s) - 2440587.5) * 86400.0)"
        return self.as_sql(compiler, connection, template=template, **context)


@dataclass(frozen=True, slots=True)
class Axis:
    """The horizontal axis of a chart: the column points are ordered by and how it becomes a number."""

    column: str
    number: Any

    def of(self, value: Any) -> float:
        """A column's value as it is drawn: a step, or milliseconds since 1970 for a time."""
        return value.timestamp() * 1000 if isinstance(value, datetime) else value


STEP = Axis("step", Cast("step", FloatField()))
TIME = Axis("recorded_at", Epoch("recorded_at"))


def read(points: QuerySet[MetricPoint], axis: Axis, buckets: int) -> tuple[list[Pair], int]:
    """(x, y) pairs of one series in ascending x, y None for NaN and infinities, and the count of all points.

    With at most 2 × buckets points all of them; else the lowest and highest value of each of `buckets`
    equal stretches of x at their true places, so that no spike vanishes, and one gap for each stretch
    that holds a value that is not finite.
    """
    span = points.aggregate(total=Count("pk"), low=Min(axis.column), high=Max(axis.column))
    total = span["total"]
    if total <= 2 * buckets:
        rows = points.order_by(axis.column, "recorded_at", "pk").values_list(axis.column, "value", "kind")
        return [(axis.of(x), None if kind else value) for x, value, kind in rows], total
    low, high = _number(span["low"]), _number(span["high"])
    place = Floor((axis.number - Value(low)) * Value(buckets / ((high - low) or 1.0)))
    placed: QuerySet[Any] = points.annotate(
        bucket=Cast(Least(place, Value(float(buckets - 1))), IntegerField())
    )
    finite, broken = placed.filter(kind=""), placed.exclude(kind="")
    pairs: list[Pair] = [(axis.of(x), value) for x, value in _extremes(finite, axis.column)]
    gaps = broken.values("bucket").annotate(x=Min(axis.column)).order_by().values_list("x", flat=True)
    pairs += [(axis.of(x), None) for x in gaps]
    return sorted(pairs, key=lambda pair: pair[0]), total


def _number(value: Any) -> float:
    return value.timestamp() if isinstance(value, datetime) else float(value)


def _extremes(points: QuerySet[Any], column: str) -> set[tuple[Any, float]]:
    """Place and value of each bucket's extremes; the first place where a value occurs often."""
    bounds = {
        bucket: (low, high)
        for bucket, low, high in points.values("bucket")
        .annotate(low=Min("value"), high=Max("value"))
        .order_by()
        .values_list("bucket", "low", "high")
    }
    # A second pass instead of a window function, which would sort every point of the series.
    values = {value for bound in bounds.values() for value in bound}
    candidates = (
        points.filter(value__in=values)
        .values("bucket", "value")
        .annotate(x=Min(F(column)))
        .order_by()
        .values_list("bucket", "x", "value")
    )
    return {(x, value) for bucket, x, value in candidates if value in bounds[bucket]}
