"""What an overview tells of schedules: what is due in the next hours, and which of them do not run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Any
from uuid import UUID

from django.db.models import F, OuterRef, QuerySet

from launchpad.resource_groups.models import ResourceGroup
from mlops.domain import ticks
from mlops.domain.timings import CronError
from mlops.lifecycle import ScheduleStatus
from mlops.models import Schedule

DAY, AHEAD = timedelta(days=1), timedelta(hours=6)
PAUSED_SHOWN = 5
# Schedules looked at that are due within a day; of those due soon, how many are drawn; how many due times in
# all and of one.
_READ, _DRAWN, _TIMES, _TIMES_OF_ONE = 200, 50, 150, 24


@dataclass(frozen=True)
class Due:
    """A schedule that is due soon. times: the next ones, in UTC; goes_on: further ones follow these."""

    id: UUID
    resource_group_id: UUID
    name: str
    slug: str
    times: tuple[datetime, ...]
    goes_on: bool


@dataclass(frozen=True)
class Soon:
    """What is due. upcoming: within AHEAD, the next one first; refused: due within a day, but not started.

    Those refused are schedules with configuration_name, that of the archived one. is_cut: whether there is
    more than was looked at.
    """

    upcoming: tuple[Due, ...]
    refused: tuple[Any, ...]
    is_cut: bool


def counted() -> dict[str, QuerySet[Any]]:
    """What is counted of a group beside its executions: `paused_schedules`, which paused themselves."""
    own = Schedule.unscoped.filter(resource_group=OuterRef("pk"))
    return {"paused_schedules": _paused(own).order_by("-created_at")}


def _paused(rows: QuerySet[Schedule]) -> QuerySet[Schedule]:
    """Those that failed so often that they paused themselves, and were not resumed."""
    return rows.filter(
        status=ScheduleStatus.INACTIVE,
        deleted_at=None,
        failures__gt=0,
        failures__gte=F("pause_after"),
        missed_from__isnull=False,
    )


def paused(groups: Sequence[ResourceGroup]) -> list[Any]:
    """Schedules of the groups that paused themselves, those that were due longest ago last; one query.

    Named tuples of id, resource_group_id, name, status_message and missed_from; at most PAUSED_SHOWN.
    """
    rows = _paused(Schedule.unscoped.filter(resource_group__in=list(groups)))
    fields = ("id", "resource_group_id", "name", "status_message", "missed_from")
    return list(rows.order_by("-missed_from", "-pk").values_list(*fields, named=True)[:PAUSED_SHOWN])


def soon(groups: Sequence[ResourceGroup], now: datetime) -> Soon:
    """What is due in the groups from now on; one query."""
    rows = Schedule.unscoped.filter(
        resource_group__in=list(groups), status=ScheduleStatus.ACTIVE, next_run_at__lte=now + DAY
    )
    named = rows.annotate(slug=F("executable__slug"), archived_at=F("configuration__archived_at"))
    named = named.annotate(configuration_name=F("configuration__name"))
    found: list[Any] = list(named.order_by("next_run_at", "pk")[:_READ])
    near = [row for row in found if row.archived_at is None and row.next_run_at <= now + AHEAD]
    drawn = near[:_DRAWN]
    each = min(_TIMES // max(len(drawn), 1), _TIMES_OF_ONE)
    return Soon(
        tuple(_due(row, now, each) for row in drawn),
        tuple(row for row in found if row.archived_at is not None),
        len(found) == _READ or len(near) > _DRAWN,
    )


def _due(row: Any, now: datetime, most: int) -> Due:
    times = ticks.timing(row).after(row.next_run_at - timedelta(microseconds=1))
    try:
        within = list(islice(takewhile(lambda moment: moment <= now + AHEAD, times), most + 1))
    except CronError:
        # What this machine cannot read any more pauses itself when it is due; until then its row knows it.
        within = [row.next_run_at]
    return Due(row.id, row.resource_group_id, row.name, row.slug, tuple(within[:most]), len(within) > most)
