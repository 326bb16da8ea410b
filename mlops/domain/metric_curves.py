"""Curves of several executions at once, thinned on one common axis; the same few queries for 2 or 50."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from django.db.models import (
    BigIntegerField,
    Count,
    F,
    FloatField,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Floor, Greatest, Least

from launchpad.access import Scope
from mlops.domain.metric_buckets import Epoch, Kept, Pair
from mlops.domain.metrics import SeriesSummary
from mlops.models import MetricPoint, MetricSeries

AxisName = Literal["step", "time"]
# What one answer reads at most; the rest is told as left out.
POINT_LIMIT = 2_000_000
_FINITE = Q(kind="")
# Sums and differences of steps that are no larger are whole numbers of the database still.
_WIDEST = 2**62


@dataclass
class Curve:
    """Points of one series: (x, y) in ascending x, y None for a gap; total of all, broken: not finite."""

    pairs: list[Pair] = field(default_factory=list)
    total: int = 0
    broken: int = 0


# Of comparisons looked at again and again, with their points as they were.
kept: Kept[dict[int, list[Pair]]] = Kept(16)


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
    large = [one for one in read_ones if one.count > 2 * buckets]
    span = _span(scope, large, x) if large else None
    if span is not None:
        # Points are never changed: the same summaries are those of the same points.
        same = (tuple(large), x, span, buckets)
        found = kept.get(same, partial(_thinned, scope, large, x, span, buckets))
        for key, pairs in found.items():
            curves[key].pairs = pairs
    return curves, len(series) - len(read_ones)


def _placed(scope: Scope, ids: Sequence[int], x: AxisName) -> QuerySet[Any]:
    """The points of some series with their place on the axis as `x`: steps are whole numbers."""
    rows = scope.of(MetricPoint).filter(series__in=ids)
    if x == "step":
        return rows.filter(has_step=True).annotate(x=F("step"))
    begun = Epoch(F("series__execution__started_at"))
    return rows.annotate(x=Greatest(Epoch("recorded_at") - begun, Value(0.0), output_field=FloatField()))


def _span(scope: Scope, series: Sequence[SeriesSummary], x: AxisName) -> tuple[Any, Any] | None:
    """The lowest and highest place of all; one query, which reads no points.

    The ends of an index tell of steps. Times begin with the execution; the last report's is the highest, and
    what was reported before but happened after belongs to the last stretch.
    """
    rows = scope.of(MetricSeries).filter(pk__in=[one.id for one in series]).order_by()
    if x == "time":
        found = list(rows.values_list("last_at", "execution__started_at"))
        ends = [(last - begun).total_seconds() for last, begun in found if last and begun]
        return (0.0, max(0.0, *ends)) if ends else None
    steps = scope.of(MetricPoint).filter(series=OuterRef("pk"), has_step=True).values("step")
    rows = rows.annotate(low=Subquery(steps.order_by("step")[:1]), high=Subquery(steps.order_by("-step")[:1]))
    known = [(low, high) for low, high in rows.values_list("low", "high") if low is not None]
    return (min(low for low, _ in known), max(high for _, high in known)) if known else None


def _bucket(x: AxisName, low: Any, high: Any, buckets: int) -> Any:
    """Which stretch a point lies in."""
    if x == "step" and high < _WIDEST:
        width = -(-(high - low + 1) // buckets)
        return (F("x") - Value(low, BigIntegerField())) / Value(width, BigIntegerField())
    place = Floor((Cast("x", FloatField()) - Value(float(low))) * Value(buckets / (float(high - low) or 1.0)))
    return Cast(Least(place, Value(float(buckets - 1))), IntegerField())


def _thinned(
    scope: Scope, series: Sequence[SeriesSummary], x: AxisName, span: tuple[Any, Any], buckets: int
) -> dict[int, list[Pair]]:
    pairs: dict[int, list[Pair]] = {one.id: [] for one in series}
    # A condition on each point costs as much as its value does, and most have none that is not finite.
    is_broken = any(one.nan_count for one in series)
    finite: dict[str, Any] = {"filter": _FINITE} if is_broken else {}
    told: dict[str, Any] = {
        "first": Min("x"),
        "last": Max("x"),
        "low": Min("value", **finite),
        "high": Max("value", **finite),
        "broken": Count("pk", filter=~_FINITE) if is_broken else Value(0),
    }
    stretches = (
        _placed(scope, list(pairs), x)
        .annotate(bucket=_bucket(x, *span, buckets))
        .values("series_id", "bucket")
        .annotate(**told)
        .order_by("series_id", "bucket")
    )
    for key, first, last, lowest, highest, broken in stretches.values_list("series_id", *told):
        middle = (first + last) / 2
        found: list[Pair] = [] if lowest is None else [(middle, lowest)]
        if highest is not None and highest != lowest:
            found.append((middle, highest))
        if broken:
            found.append((last, None))
        pairs[key] += found
    return pairs


def kinds(scope: Scope, series: Iterable[int]) -> dict[int, list[str]]:
    """Of series whose values are not finite, which there are: "nan", "inf" and "-inf"; one query."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = scope.of(MetricPoint).filter(series__in=list(series)).exclude(_FINITE)
    for key, kind in rows.order_by("series_id", "kind").values_list("series_id", "kind").distinct():
        found[key].append(kind)
    return dict(found)
