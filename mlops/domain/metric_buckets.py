"""Reads metric points for charts, thinned to the extremes of equal stretches of the axis."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import BigIntegerField, F, FloatField, Func, IntegerField, Max, Min, QuerySet, Value
from django.db.models.functions import Cast, Floor, Least

from mlops.models import MetricPoint

Pair = tuple[float, float | None]
Drawn = TypeVar("Drawn")
# Each stretch is read in so many parts, so that only those with an extreme are looked into for its place.
PARTS = 4
# Whole steps divide evenly enough where a part has as many, and add up where they are no larger.
_WIDE, _WIDEST = 10, 2**62


class Epoch(Func):
    """Seconds since 1970 of a time, as a float; PostgreSQL's EXTRACT makes decimals, at twice the cost."""

    template = "date_part('epoch', %(expressions)s)"
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
_POINTS = MetricPoint._meta.db_table
TIME = Axis("recorded_at", Epoch("recorded_at"))


class Kept(Generic[Drawn]):
    """The thinned points of long series that were drawn last, by what they were made from.

    most: how many, of some 100 KB each. Safe in any number of threads.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._found: OrderedDict[Hashable, Drawn] = OrderedDict()

    def get(self, key: Hashable, read: Callable[[], Drawn]) -> Drawn:
        """What is kept under the key; else what `read` says, which is kept from then on."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        drawn = read()
        with self._lock:
            self._found[key] = drawn
            while len(self._found) > self._most:
                self._found.popitem(last=False)
        return drawn


kept: Kept[list[Pair]] = Kept(64)


def read(
    points: QuerySet[MetricPoint], series: int, axis: Axis, buckets: int, *, total: int, is_broken: bool
) -> list[Pair]:
    """(x, y) pairs of one series in ascending x, y None for NaN and infinities.

    points: all of the series, whose key is `series`; total: how many there are; is_broken: whether some are
    not finite. With at most 2 × buckets points all of them; else the lowest and highest value of each of
    `buckets` equal stretches of x at their true places, so that no spike vanishes, and one gap for each
    stretch that holds a value that is not finite.
    """
    if total <= 2 * buckets:
        rows = points.order_by(axis.column, "recorded_at", "pk").values_list(axis.column, "value", "kind")
        return [(axis.of(x), None if kind else value) for x, value, kind in rows]
    span = _span(points, axis)
    if span is None:
        return []
    low, high = map(_number, span)
    place = Floor((axis.number - Value(low)) * Value(buckets / ((high - low) or 1.0)))
    placed: QuerySet[Any] = points.annotate(
        bucket=Cast(Least(place, Value(float(buckets - 1))), IntegerField())
    )
    finite, broken = placed.filter(kind=""), placed.exclude(kind="")
    is_wide = axis is STEP and -_WIDEST < low < high - _WIDE * buckets * PARTS and high < _WIDEST
    found = _extremes_by_step(points, series, *span, buckets) if is_wide else _extremes(finite, axis.column)
    pairs: list[Pair] = [(axis.of(x), value) for x, value in found]
    if not is_broken:
        return sorted(pairs, key=lambda pair: pair[0])
    gaps = broken.values("bucket").annotate(x=Min(axis.column)).order_by().values_list("x", flat=True)
    pairs += [(axis.of(x), None) for x in gaps]
    return sorted(pairs, key=lambda pair: pair[0])


def _span(points: QuerySet[MetricPoint], axis: Axis) -> tuple[Any, Any] | None:
    """The lowest and highest place. The ends of the index tell of steps; times have to be read."""
    if axis is STEP:
        steps = points.order_by("step").values_list("step", flat=True)
        low, high = steps.first(), steps.reverse().first()
    else:
        span = points.aggregate(low=Min(axis.column), high=Max(axis.column))
        low, high = span["low"], span["high"]
    return None if low is None or high is None else (low, high)


def _number(value: Any) -> float:
    return value.timestamp() if isinstance(value, datetime) else float(value)


def _extremes_by_step(
    points: QuerySet[MetricPoint], series: int, low: int, high: int, buckets: int
) -> set[tuple[int, float]]:
    """As `_extremes`, for `buckets` equal stretches from the step `low` to `high`; reads the points once."""
    width = -(-(high - low + 1) // (buckets * PARTS))
    parts = (
        points.filter(kind="")
        .annotate(part=(F("step") - Value(low, BigIntegerField())) / Value(width, BigIntegerField()))
        .values("part")
        .annotate(low=Min("value"), high=Max("value"))
        .order_by()
        .values_list("part", "low", "high")
    )
    # Of parts with the same extreme the first.
    lowest: dict[int, tuple[float, int]] = {}
    highest: dict[int, tuple[float, int]] = {}
    for part, least, most in sorted(parts):
        bucket = part // PARTS
        lowest[bucket] = min(lowest.get(bucket, (least, part)), (least, part))
        highest[bucket] = max(highest.get(bucket, (most, part)), (most, part), key=lambda one: one[0])
    wanted = {*lowest.values(), *highest.values()}
    return _first_steps(series, [(low + part * width, width, value) for value, part in wanted])


def _first_steps(series: int, wanted: list[tuple[int, int, float]]) -> set[tuple[int, float]]:
    """Of each (first step, how many steps, value) the first of these steps with the value; one query.

    Written out: each is looked for in its own range of the index, for which the ORM has no words.
    """
    if not wanted:
        return set()
    is_typed = connection.vendor == "postgresql"
    row = "(%s::bigint, %s::bigint, %s::float8)" if is_typed else "(%s, %s, %s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH wanted (at, width, value) AS (VALUES {', '.join([row] * len(wanted))})"
            f" SELECT (SELECT point.step FROM {_POINTS} point WHERE point.series_id = %s AND point.kind = ''"
            " AND point.step >= wanted.at AND point.step < wanted.at + wanted.width"
            " AND point.value = wanted.value ORDER BY point.step LIMIT 1), wanted.value FROM wanted",
            [*(value for one in wanted for value in one), series],
        )
        return {(step, value) for step, value in cursor.fetchall() if step is not None}


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
