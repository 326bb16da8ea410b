"""Which schedules a list shows, and which rows of a ledger."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db.models import DateTimeField, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from launchpad.access import Scope
from mlops.domain import json_rows, schedules, source_filters
from mlops.domain.configuration_search import bounds
from mlops.domain.json_rows import JsonRows
from mlops.lifecycle import ScheduleStatus
from mlops.models import Backfill, Configuration, ExecutableVersion, Schedule, Tick

# So many rows of its ledger a list tells of each schedule.
STRIP = 30
# With a filter, so many of the newest rows of a ledger are looked at.
LEDGER_WINDOW = 100_000
_REFERRED = {
    "configuration_name": "configuration__name",
    "executable_slug": "executable__slug",
    "author": "created_by__username",
}


class Mark(NamedTuple):
    """What a list tells of a row of a ledger. execution_id, run_status: of its execution, None for none.

    Of retry_at, is_open and timed_out only the truth counts.
    """

    outcome: str
    result: str
    tries: int
    is_open: bool
    timed_out: bool
    retry_at: str | None
    execution_id: str | None
    run_status: str | None


@dataclass(frozen=True)
class Filters:
    """What all of the schedules shown have in common; what is empty filters nothing.

    status: of `ScheduleStatus`. failing: only those whose last run failed. q: the beginning of the key, or a
    part of the name, whatever the case. scenario, executable: slugs; version: its label.
    """

    status: str = ""
    failing: bool = False
    q: str = ""
    scenario: str = ""
    executable: str = ""
    version: str = ""
    configuration: uuid.UUID | None = None

    @property
    def is_indexed(self) -> bool:
        """Whether an index leads to the rows, or they are met soon in the list's order."""
        return not (self.q or self.failing or self.scenario or self.executable or self.version)


def everything(scope: Scope) -> QuerySet[Schedule]:
    """The schedules of the group, newest first."""
    return schedules.every(scope)


def active(rows: QuerySet[Schedule]) -> QuerySet[Schedule]:
    """Those that will be due."""
    return rows.filter(status=ScheduleStatus.ACTIVE)


def inactive(rows: QuerySet[Schedule]) -> QuerySet[Schedule]:
    """Those that are paused or over."""
    return rows.filter(status=ScheduleStatus.INACTIVE)


def failing(rows: QuerySet[Schedule]) -> QuerySet[Schedule]:
    """Those whose last run failed, and none went well since."""
    return rows.filter(failures__gt=0)


def find(scope: Scope, filters: Filters) -> QuerySet[Schedule]:
    """The schedules that the filters leave, newest first."""
    rows = everything(scope)
    if filters.status:
        rows = rows.filter(status=filters.status)
    if filters.failing:
        rows = failing(rows)
    if filters.q:
        found = Q(name__icontains=filters.q)
        if ends := bounds(filters.q):
            found |= Q(pk__range=ends)
        rows = rows.filter(found)
    if filters.configuration is not None:
        rows = rows.filter(configuration=filters.configuration)
    if filters.version:
        # A schedule has the version that its configuration binds.
        versions = scope.of(ExecutableVersion).filter(label=filters.version).order_by().values("pk")
        bound = scope.of(Configuration).filter(executable_version__in=versions).order_by().values("pk")
        rows = rows.filter(configuration__in=bound)
    return source_filters.narrow(scope, rows, scenario=filters.scenario, executable=filters.executable)


def for_list(scope: Scope, rows: QuerySet[Schedule]) -> QuerySet[Schedule]:
    """The rows with what a list shows of each, each one object.

    configuration_name, executable_slug, author: from the rows they refer to, author a user's name or None.
    strip_json: the newest rows of its ledger, for `strip`.
    """
    ticks = scope.of(Tick).filter(schedule=OuterRef("pk")).annotate(run_status=F("execution__status"))
    newest = ticks.order_by("-fire_at").values(*Mark._fields)[:STRIP]
    shown: dict[str, Any] = {name: F(path) for name, path in _REFERRED.items()}
    return rows.annotate(**shown, strip_json=JsonRows(newest, *Mark._fields))


def strip(row: Any) -> list[Mark]:
    """The newest STRIP rows of the ledger of a schedule of `for_list`, oldest first."""
    return [Mark(*mark) for mark in reversed(json_rows.read(row.strip_json))]


def ledger(scope: Scope, schedule: Schedule, outcome: str = "") -> QuerySet[Tick]:
    """The rows of a schedule's ledger, newest first, each with its execution.

    outcome: of `Outcome`, "" for any; then only the newest LEDGER_WINDOW rows are looked at.
    """
    rows = schedules.ledger(scope, schedule)
    if not outcome:
        return rows
    field = DateTimeField()
    edge = scope.of(Tick).filter(schedule=schedule).order_by("-fire_at").values("fire_at")
    oldest = Subquery(edge[LEDGER_WINDOW - 1 : LEDGER_WINDOW])
    first = Value(datetime(1970, 1, 1, tzinfo=UTC), field)
    return rows.filter(outcome=outcome, fire_at__gte=Coalesce(oldest, first, output_field=field))


def is_moving(scope: Scope, schedule: Schedule) -> bool:
    """Whether the end of a run of it is still to be seen, or a backfill goes on; at most two queries."""
    if scope.of(Tick).filter(schedule=schedule, is_open=True).exists():
        return True
    return scope.of(Backfill).filter(schedule=schedule, ended_at=None).exists()
