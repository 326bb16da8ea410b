"""Which executions a list shows, and in which order, at a cost that does not grow with their number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Exists, F, FilteredRelation, OuterRef, Q, QuerySet, Subquery

from launchpad.access import Scope
from mlops.domain import json_rows, source_filters
from mlops.domain.json_rows import JsonRows
from mlops.domain.label_selection import Selector, with_labels
from mlops.domain.metric_thresholds import Threshold
from mlops.domain.text_search import folded
from mlops.models import Artifact, Configuration, Execution, MetricSeries

_OUTPUT = ("id", "kind", "name", "version")
_OUTPUTS = 20
_REFERRED = {
    "configuration_name": "configuration__name",
    "executable_slug": "executable__slug",
    "version_label": "executable_version__label",
    "author": "created_by__username",
}


class Output(NamedTuple):
    """An artifact as a list names it."""

    pk: UUID
    kind: str
    name: str
    version: int


# So many matches of a text are found by index, whatever their age.
HITS = 500
# A shorter text has no trigram.
SHORTEST = 3


@dataclass(frozen=True)
class Filters:
    """What all of the executions shown have in common; what is empty filters nothing.

    statuses: any of them. q: the beginning of the key, or a part of name, notes, labels or the
    configuration's name, whatever the case. since, until: of their creation, until excluded. scenario,
    executable: slugs; version: its label. by: a user's name. schedule: the one that started them. labels,
    metrics: all of them hold. archived: only those that are archived, else only those that are not.
    """

    statuses: tuple[str, ...] = ()
    q: str = ""
    since: datetime | None = None
    until: datetime | None = None
    scenario: str = ""
    version: str = ""
    executable: str = ""
    configuration: UUID | None = None
    schedule: UUID | None = None
    by: str = ""
    labels: tuple[Selector, ...] = ()
    metrics: tuple[Threshold, ...] = ()
    archived: bool = False

    @property
    def is_indexed(self) -> bool:
        """Whether an index leads to the rows, or they are met soon in the list's order; of q, see `hits`."""
        sources = bool(self.scenario or self.executable or self.version)
        origins = bool(self.by) + bool(self.configuration) + bool(self.schedule) + sources
        return origins <= 1 and not (origins and self.statuses) and not self.labels


def everything(scope: Scope, *, archived: bool = False) -> QuerySet[Execution]:
    """The executions that are in the list, or in the archive, newest first."""
    return scope.of(Execution).filter(archived_at__isnull=not archived).order_by("-created_at", "-pk")


def anything(scope: Scope) -> QuerySet[Execution]:
    """The executions of the group, archived or not."""
    return scope.of(Execution).order_by()


def hits(scope: Scope, q: str) -> list[str] | None:
    """Keys of all executions, archived or not, in which a text is found; one query.

    None when there are more than HITS, or when the text is shorter than SHORTEST: then only reading the rows
    tells.
    """
    if len(q) < SHORTEST:
        return None
    rows = scope.of(Execution).order_by()
    parts = [rows.filter(condition).values("pk") for condition in _conditions(scope, q)]
    found = list(parts[0].union(*parts[1:], all=True)[: HITS + 1])
    return list(dict.fromkeys(row["pk"] for row in found)) if len(found) <= HITS else None


def _conditions(scope: Scope, q: str) -> tuple[Q, Q, Q]:
    named = scope.of(Configuration).filter(name__icontains=q).order_by().values("pk")
    return (
        Q(pk__startswith=q.lower()),
        # The first part is the condition of the index.
        Q(search_text__gt="") & Q(search_text__contains=folded(q)),
        Q(configuration__in=named),
    )


def find(
    scope: Scope, filters: Filters, among: Collection[str] | None = None, *, apart_from: str = ""
) -> QuerySet[Execution]:
    """The executions that the filters leave, newest first.

    among: what `hits` found of the text. apart_from: a metric whose conditions `by_metric` looks after.
    """
    rows = everything(scope, archived=filters.archived)
    if filters.statuses:
        rows = rows.filter(status__in=filters.statuses)
    if filters.q:
        by_key, by_words, by_configuration = _conditions(scope, filters.q)
        rows = rows.filter(by_key | by_words | by_configuration if among is None else Q(pk__in=among))
    if filters.since is not None:
        rows = rows.filter(created_at__gte=filters.since)
    if filters.until is not None:
        rows = rows.filter(created_at__lt=filters.until)
    if filters.configuration is not None:
        rows = rows.filter(configuration=filters.configuration)
    if filters.schedule is not None:
        rows = rows.filter(schedule=filters.schedule)
    if filters.by:
        person = User.objects.filter(username=filters.by).values("pk")[:1]
        rows = rows.filter(created_by=Subquery(person))
    rows = source_filters.narrow(
        scope,
        rows,
        scenario=filters.scenario,
        executable=filters.executable,
        version=filters.version,
    )
    for threshold in filters.metrics:
        if threshold.name == apart_from:
            continue
        rows = rows.filter(pk__in=threshold.narrow(scope.of(MetricSeries)).order_by().values("execution"))
    for label in filters.labels:
        if not label.excluded:
            # What an index finds, or what is told at a glance; the labels themselves decide.
            rows = rows.filter(search_text__gt="", search_text__contains=folded(f"{label.key}={label.value}"))
    return with_labels(rows, filters.labels)


def by_metric(
    scope: Scope, rows: QuerySet[Execution], name: str, thresholds: Iterable[Threshold] = ()
) -> QuerySet[Execution]:
    """Those of the executions that have a last value of the metric, each once, as `metric_value`.

    Of several series of the name, which differ in their labels, it is the highest that meets the thresholds.
    """
    own = scope.of(MetricSeries).filter(name=name, last__isnull=False).order_by()
    for threshold in thresholds:
        own = threshold.narrow(own) if threshold.name == name else own
    # By the names of what is annotated: a path into the relation would join it once more.
    mine = Q(metric_series__name=name, metric_series__resource_group=scope.resource_group)
    rows = rows.annotate(metric=FilteredRelation("metric_series", condition=mine))
    rows = rows.annotate(metric_value=F("metric__last"), metric_key=F("metric__pk"))
    rows = rows.filter(metric_value__isnull=False)
    for threshold in thresholds:
        if threshold.name == name:
            rows = rows.filter(threshold.condition("metric_value"))
    above = own.filter(execution=OuterRef("pk")).filter(
        Q(last__gt=OuterRef("metric_value")) | Q(last=OuterRef("metric_value"), pk__gt=OuterRef("metric_key"))
    )
    return rows.filter(~Exists(above))


def newest_matches(scope: Scope, rows: QuerySet[Execution], limit: int) -> QuerySet[Execution]:
    """The newest of filtered rows, at most `limit`, to be sorted by something else at a bounded cost."""
    keys = rows.order_by("-created_at", "-pk").values("pk")[:limit]
    return scope.of(Execution).filter(pk__in=keys)


def for_list(
    scope: Scope, rows: QuerySet[Execution], *, metrics: Sequence[str] = (), with_outputs: bool = True
) -> QuerySet[Execution]:
    """The rows with what a list shows of each, without what is large, each one object.

    configuration_name, executable_slug, version_label, author: from the rows they refer to, author a user's
    name or None. outputs_json: what it registered, for `outputs`. measured_<n>: the highest last value of the
    n-th metric.
    """
    made = scope.of(Artifact).filter(execution=OuterRef("pk")).order_by("kind", "name", "version")
    series = scope.of(MetricSeries).filter(execution=OuterRef("pk"), last__isnull=False).order_by("-last")
    shown: dict[str, Any] = {name: F(path) for name, path in _REFERRED.items()}
    shown |= {
        f"measured_{place}": Subquery(series.filter(name=name).values("last")[:1])
        for place, name in enumerate(metrics)
    }
    if with_outputs:
        shown["outputs_json"] = JsonRows(made.values(*_OUTPUT)[:_OUTPUTS], *_OUTPUT)
    return rows.defer("notes", "search_text", "notices").annotate(**shown)


def outputs(row: Any) -> list[Output]:
    """What an execution of `for_list` registered, by kind and name, at most 20."""
    return [Output(UUID(key), *rest) for key, *rest in json_rows.read(row.outputs_json)]
