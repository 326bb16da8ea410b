"""Curves of several executions at once, thinned on one common axis; the same few queries for 2 or 50."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db.models import Count, F, FloatField, IntegerField, Max, Min, Q, QuerySet, Value
from django.db.models.functions import Cast, Floor, Greatest, Least

from launchpad.access import Scope
from mlops.domain.metric_buckets import Epoch, Pair
from mlops.domain.metrics import SeriesSummary
from mlops.models import MetricPoint

AxisName = Literal["step", "time"]
# What one answer reads at most; the rest is told as left out.
POINT_LIMIT = 2_000_000
_FINITE = Q(kind="")


@dataclass
class Curve:
    """Points of one series: (x, y) in ascending x, y None for a gap; total of all, broken: not finite."""

    pairs: list[Pair] = field(default_factory=list)
    total: int = 0
    broken: int = 0


def read(
    scope: Scope, series: Sequence[SeriesSummary], *, x: AxisName, buckets: int
) -> tuple[dict[int, Curve], int]:
    """Curves by series, and how many were left out because all together have too many points.

    x: "step", which leaves out points without one, or "time": seconds since its execution started. A series
    of at most 2 × buckets points is read whole; of others the lowest and highest value of each of `buckets`
    stretches of the common axis. At most three queries.
    """
    budget, read_ones = POINT_LIMIT, []
    for one in sorted(series, key=lambda one: one.count):
        budget -= one.count
        if budget >= 0:
            read_ones.append(one)
    curves = {one.id: Curve(total=one.count, broken=one.nan_count) for one in read_ones}
    small = [one.id for one in read_ones if one.count <= 2 * buckets]
    for key, place, value, kind in (
        _placed(scope, small, x)
        .order_by("series_id", "x", "recorded_at")
        .values_list("series_id", "x", "value", "kind")
    ):
        curves[key].pairs.append((place, None if kind else value))
    if large := [one.id for one in read_ones if one.count > 2 * buckets]:
        _thinned(curves, _placed(scope, large, x), buckets)
    return curves, len(series) - len(read_ones)


def _placed(scope: Scope, ids: Sequence[int], x: AxisName) -> QuerySet[Any]:
    """The points of some series with their place on the axis as `x`."""
    rows = scope.of(MetricPoint).filter(series__in=ids)
    if x == "step":
        return rows.filter(has_step=True).annotate(x=Cast("step", FloatField()))
    begun = Epoch(F("series__execution__started_at"))
    return rows.annotate(x=Greatest(Epoch("recorded_at") - begun, Value(0.0), output_field=FloatField()))


def _thinned(curves: dict[int, Curve], points: QuerySet[Any], buckets: int) -> None:
    span = points.aggregate(low=Min("x"), high=Max("x"))
    if span["low"] is None:
        return
    low, width = span["low"], (span["high"] - span["low"]) or 1.0
    place = Floor((F("x") - Value(low)) * Value(buckets / width))
    stretches = (
        points.annotate(bucket=Cast(Least(place, Value(float(buckets - 1))), IntegerField()))
        .values("series_id", "bucket")
        .annotate(
            first=Min("x"),
            last=Max("x"),
            low=Min("value", filter=_FINITE),
            high=Max("value", filter=_FINITE),
            broken=Count("pk", filter=~_FINITE),
        )
        .order_by("series_id", "bucket")
    )
    for key, first, last, lowest, highest, broken in stretches.values_list(
        "series_id", "first", "last", "low", "high", "broken"
    ):
        middle = (first + last) / 2
        found: list[Pair] = [] if lowest is None else [(middle, lowest)]
        if highest is not None and highest != lowest:
            found.append((middle, highest))
        if broken:
            found.append((last, None))
        curves[key].pairs += found


def kinds(scope: Scope, series: Iterable[int]) -> dict[int, list[str]]:
    """Of series whose values are not finite, which there are: "nan", "inf" and "-inf"; one query."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = scope.of(MetricPoint).filter(series__in=list(series)).exclude(_FINITE)
    for key, kind in rows.order_by("series_id", "kind").values_list("series_id", "kind").distinct():
        found[key].append(kind)
    return dict(found)
