"""What goes on in the resource groups that one may view: counts, what needs attention, the newest runs.

Everything reads bounded stretches of an index for each group, in a number of queries that does not depend on
how many groups or rows there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count as CountOf
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from launchpad import access
from launchpad.access import Scope
from launchpad.resource_groups.models import ResourceGroup
from mlops.domain import overview_deployments, overview_schedules
from mlops.domain.capped import CappedCount
from mlops.lifecycle import LEASED, Status
from mlops.models import Artifact, Executable, Execution, Scenario

DAY, WEEK = timedelta(days=1), timedelta(days=7)
LONG_WAIT = timedelta(minutes=10)
GROUPS_LIMIT = 50
FAILURES_SHOWN = 5
# Rows read of all groups together for durations and for the timeline, and rows counted before "or more".
_RUNS, _COUNTED, _COUNTED_AT_LEAST = 500, 50_000, 1_000
_RUN = ("id", "resource_group_id", "status", "created_at", "started_at", "completed_at")


@dataclass(frozen=True)
class Count:
    """How many there are; is_more: that many or more, the rest was not counted."""

    value: int = 0
    is_more: bool = False

    def __add__(self, other: Count) -> Count:
        return Count(self.value + other.value, self.is_more or other.is_more)

    def __bool__(self) -> bool:
        return self.value > 0

    def __str__(self) -> str:
        return f"{self.value:,}{'+' if self.is_more else ''}"


@dataclass(frozen=True)
class GroupFigures:
    """One group's counts by name.

    Of executions: `running`, `stopping` and `pending` now; `waiting` for more than LONG_WAIT, since
    waiting_since; `completed`, `dead` and `stopped` of those submitted in the last week, `completed_before`,
    `dead_before` and `stopped_before` of the week before; `failed` in the last day; `begun`: submitted in the
    last day. Of artifacts: `dataset`, `model`, `resultset` and `other`. Of deployments: those of
    `overview_deployments.counted`; of schedules: those of `overview_schedules.counted`. run_edge,
    failure_edge: where the newest ones begin that are read, None where fewer exist.
    """

    group: ResourceGroup
    counts: Mapping[str, Count]
    waiting_since: datetime | None
    run_edge: datetime | None
    failure_edge: datetime | None

    @property
    def running(self) -> Count:
        """How many a worker holds now."""
        return self.counts["running"] + self.counts["stopping"]


def groups(scope: Scope) -> list[ResourceGroup]:
    """The groups whose content the scope's user may view: that of the scope, else those of the workspace."""
    if scope.resource_group is not None:
        return [scope.resource_group]
    if scope.user is None:
        return []
    return [group for group, _role in access.resource_groups(scope.user, scope.workspace)]


def figures(chosen: Sequence[ResourceGroup], now: datetime) -> list[GroupFigures]:
    """Counts of each group, by slug; one query. chosen: of `groups`, at most GROUPS_LIMIT."""
    if not chosen:
        return []
    cap = max(_COUNTED_AT_LEAST, min(_COUNTED // len(chosen), 10_000))
    counted = {f"{name}_count": CappedCount(rows[: cap + 1]) for name, rows in _counted(now).items()}
    per_group = max(_RUNS // len(chosen), 10)
    waiting = _executions(Status.PENDING).filter(attempt=0).order_by("created_at")
    rows = (
        ResourceGroup.unscoped.filter(pk__in=[group.pk for group in chosen])
        .order_by("slug")
        .annotate(
            **counted,
            waiting_since=Subquery(waiting.values("created_at")[:1]),
            run_edge=_edge(_newest().filter(created_at__gte=now - WEEK), "created_at", per_group),
            failure_edge=_edge(_failures(now), "completed_at", FAILURES_SHOWN),
        )
    )
    return [
        GroupFigures(
            row,
            {name: _count(getattr(row, f"{name}_count"), cap) for name in _counted(now)},
            row.waiting_since,
            row.run_edge,
            row.failure_edge,
        )
        for row in rows
    ]


def _counted(now: datetime) -> dict[str, QuerySet[Any]]:
    """What is counted of a group: the keys of its rows, each in the order of an index."""
    week, before = now - WEEK, now - 2 * WEEK
    counted: dict[str, QuerySet[Any]] = {
        "running": _executions(Status.RUNNING),
        "stopping": _executions(Status.STOPPING),
        "pending": _executions(Status.PENDING),
        "waiting": _executions(Status.PENDING).filter(attempt=0, created_at__lt=now - LONG_WAIT),
        "failed": _failures(now),
        "begun": _newest().filter(created_at__gte=now - DAY),
    }
    for name, status in (
        ("completed", Status.COMPLETED),
        ("dead", Status.DEAD),
        ("stopped", Status.STOPPED),
    ):
        counted[name] = _executions(status).filter(created_at__gte=week)
        counted[f"{name}_before"] = _executions(status).filter(created_at__gte=before, created_at__lt=week)
    for kind in Artifact.Kind.values:
        made = Artifact.unscoped.filter(resource_group=OuterRef("pk"), kind=kind, binned_at=None)
        counted[kind] = made.order_by("-created_at", "-id")
    counted |= overview_deployments.counted() | overview_schedules.counted()
    return {name: rows.values("pk") for name, rows in counted.items()}


def _newest() -> QuerySet[Execution]:
    """A group's executions that are not in the archive, as its list shows them."""
    own = Execution.unscoped.filter(resource_group=OuterRef("pk"), archived_at=None)
    return own.order_by("-created_at", "-id")


def _executions(status: Status) -> QuerySet[Execution]:
    return _newest().filter(status=status)


def _failures(now: datetime) -> QuerySet[Execution]:
    """A group's executions that died in the last day, the last one first."""
    ended = _executions(Status.DEAD).filter(completed_at__gte=now - DAY)
    return ended.order_by("-completed_at", "-id")


def _edge(rows: QuerySet[Execution], moment: str, number: int) -> Subquery:
    """When the `number`-th of the rows was; NULL where there are fewer."""
    return Subquery(rows.values(moment)[number - 1 : number])


def _count(value: int, cap: int) -> Count:
    return Count(min(value, cap), value > cap)


def runs(told: Sequence[GroupFigures], now: datetime) -> list[Any]:
    """The newest executions of a week, and those that still run, newest first; one query.

    Named tuples of id, resource_group_id, status, created_at, started_at, completed_at and executable (its
    slug); at most some hundreds, of each group the same number.
    """
    wanted = Q(resource_group__in=[one.group for one in told], status__in=LEASED)
    for one in told:
        wanted |= Q(resource_group=one.group, created_at__gte=one.run_edge or now - WEEK)
    if not told:
        return []
    rows = Execution.unscoped.filter(wanted, archived_at=None).annotate(slug=F("executable__slug"))
    return list(rows.order_by("-created_at", "-id").values_list(*_RUN, "slug", named=True)[: 2 * _RUNS])


def failures(told: Sequence[GroupFigures], now: datetime) -> list[Any]:
    """The FAILURES_SHOWN executions that died last, within a day; no query where none did.

    Named tuples of id, resource_group_id, status_message, completed_at, slug (of the executable) and
    configuration_name.
    """
    wanted = Q()
    for one in told:
        if one.counts["failed"]:
            since = one.failure_edge or now - DAY
            wanted |= Q(resource_group=one.group, status=Status.DEAD, completed_at__gte=since)
    if not wanted:
        return []
    rows = Execution.unscoped.filter(wanted, archived_at=None).annotate(
        slug=F("executable__slug"), configuration_name=F("configuration__name")
    )
    fields = ("id", "resource_group_id", "status_message", "completed_at", "slug", "configuration_name")
    return list(rows.order_by("-completed_at", "-id").values_list(*fields, named=True)[:FAILURES_SHOWN])


def scenarios(scope: Scope) -> list[Any]:
    """The workspace's scenarios by slug, with the number of their workflow and serving executables."""
    kinds = {
        f"{kind}_count": CountOf("executables", filter=Q(executables__kind=kind))
        for kind in Executable.Kind.values
    }
    return list(scope.of(Scenario).annotate(**kinds).order_by("slug"))
