"""What executions reported, found by execution or tag and read as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from launchpad.access import Scope
from launchpad.errors import Invalid
from mlops.lifecycle import Status
from mlops.models import CustomInfo, Execution, MetricPoint, MetricSeries, Tag

METRICS, TAGS, CUSTOM_INFO = "metrics", "tags", "customInfo"
POINT_LIMIT = 1_000_000
AT_ONCE = 20


class Condition(NamedTuple):
    """One condition on tags. value: None means any. excluded: no tag is so."""

    name: str
    value: str | None = None
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """One metric value. value: 0 where kind is "nan", "inf" or "-inf". step: None where there is none."""

    name: str
    labels: Sequence[dict[str, str]]
    step: int | None
    recorded_at: datetime
    value: float
    kind: str


@dataclass(frozen=True)
class Found:
    """What one execution reported. Parts that were not asked for are empty; metrics can be read once."""

    execution: str
    metrics: Iterator[Value]
    tags: Sequence[tuple[str, str]]
    custom_info: Sequence[tuple[str, str]]


def search(
    scope: Scope, *, executions: Collection[str] | None = None, conditions: Sequence[Condition] = ()
) -> QuerySet[Execution, str]:
    """Keys of executions that have reported anything, newest first.

    executions: only of these. conditions: on their tags, all of which hold.
    """
    own = {"execution": OuterRef("pk")}
    reported = Q()
    for model in (MetricSeries, Tag, CustomInfo):
        reported |= Q(Exists(scope.of(model).filter(**own)))
    rows = scope.of(Execution).exclude(status=Status.DELETING)
    if executions is not None:
        rows = rows.filter(pk__in=executions)
    for condition in conditions:
        tagged = scope.of(Tag).filter(**own, name=condition.name)
        if condition.value is not None:
            tagged = tagged.filter(value=condition.value)
        rows = rows.filter(~Exists(tagged) if condition.excluded else Exists(tagged))
    return rows.filter(reported).order_by("-created_at", "-pk").values_list("pk", flat=True)


def count(scope: Scope, keys: Sequence[str]) -> int:
    """How many metric values the executions of these keys have. Raises Invalid for more than POINT_LIMIT."""
    found = scope.of(MetricSeries).filter(execution__in=keys).aggregate(count=Sum("count"))["count"] or 0
    if found > POINT_LIMIT:
        raise Invalid(
            f"These executions have {found} metric values; at most {POINT_LIMIT} are told at once. "
            "Name fewer executions, or select tags or customInfo."
        )
    return int(found)


def read(scope: Scope, keys: Sequence[str], parts: Collection[str]) -> Iterator[Found]:
    """What the executions of these keys reported, in their order; three queries for every AT_ONCE of them.

    parts: of METRICS, TAGS, CUSTOM_INFO. Metrics come by series, step and time, and take a query a series;
    each execution's must be read before the next is asked for.
    """
    for start in range(0, len(keys), AT_ONCE):
        batch = keys[start : start + AT_ONCE]
        series: dict[str, list[MetricSeries]] = defaultdict(list)
        for row in scope.of(MetricSeries).filter(execution__in=batch).order_by("name", "pk"):
            series[row.execution_id].append(row)
        tags = _pairs(scope, Tag, batch) if TAGS in parts else {}
        custom_info = _pairs(scope, CustomInfo, batch) if CUSTOM_INFO in parts else {}
        for key in batch:
            metrics = _values(scope, series[key]) if METRICS in parts else iter(())
            yield Found(key, metrics, tags.get(key, ()), custom_info.get(key, ()))


def _pairs(
    scope: Scope, model: type[Tag] | type[CustomInfo], keys: Sequence[str]
) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    rows = scope.of(model).filter(execution__in=keys).order_by("name")
    for key, name, value in rows.values_list("execution_id", "name", "value"):
        found[key].append((name, value))
    return found


def _values(scope: Scope, series: Sequence[MetricSeries]) -> Iterator[Value]:
    """Every point of some series; a query each, along the index that keeps points unique."""
    for row in series:
        points = scope.of(MetricPoint).filter(series=row.pk)
        points = points.order_by("step", "has_step", "recorded_at", "value", "kind")
        columns = points.values_list("step", "has_step", "recorded_at", "value", "kind")
        for step, has_step, recorded_at, value, shape in columns.iterator(chunk_size=5000):
            yield Value(row.name, row.labels, step if has_step else None, recorded_at, value, shape)
