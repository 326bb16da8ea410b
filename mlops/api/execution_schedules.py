"""Execution schedules: created, listed, counted, read, changed, paused, resumed and deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from launchpad.access import Right
from launchpad.errors import Conflict, Invalid
from mlops.api import queries
from mlops.api.answers import counted, created, page, present, second, time
from mlops.api.documents import Acknowledgement, AiExecutionSchedule, AiExecutionSchedules, CreationResponse
from mlops.api.operations import Call, Count, Operations, in_group
from mlops.api.queries import Parameters
from mlops.api.schedule_orders import AiExecutionScheduleCreationData, AiExecutionScheduleModificationRequest
from mlops.domain import moments, schedule_search, schedules, timings
from mlops.domain.timings import Change, Timing
from mlops.lifecycle import ScheduleStatus

operation = Operations("Execution schedules")
FILTERS = (
    queries.identifier("configurationId", "configuration", "Of this configuration."),
    queries.choice("status", "status", tuple(ScheduleStatus), "In this status."),
)
LIST = Parameters(*FILTERS, queries.top(), queries.skip())
COUNT = Parameters(*FILTERS)
UTC = "UTC"


@operation(
    "GET",
    "/lm/executionSchedules",
    in_group(Right.VIEW),
    name="schedules.search",
    answers={200: AiExecutionSchedules},
    query=LIST,
)
def search(request: Call) -> HttpResponseBase:
    """Execution schedules of the resource group, newest first."""
    asked = LIST.read(request)
    top, skip = asked.pop("top"), asked.pop("skip")
    found = schedule_search.find(request.auth, **asked)
    return page(request, found, schedule_search.brief, bodies, top=top, skip=skip)


@operation(
    "POST",
    "/lm/executionSchedules",
    in_group(Right.CHANGE),
    name="schedules.create",
    answers={202: CreationResponse},
)
def create(request: Call, body: AiExecutionScheduleCreationData) -> HttpResponse:
    """Run a configuration whenever a cron expression says, in UTC.

    Runs do not overlap, and of those missed the last one is caught up; the pages offer other policies.
    """
    start = body.start or moments.now().replace(microsecond=0)
    made = schedules.create(
        request.auth,
        name=body.name,
        configuration=body.configurationId,
        timing=Timing(body.cron, None, UTC, start, body.end),
    )
    told = {"id": str(made.pk), "message": "Execution Schedule created"}
    return created(told, f"/lm/executionSchedules/{made.pk}", status=202)


@operation(
    "GET",
    "/lm/executionSchedules/$count",
    in_group(Right.VIEW),
    name="schedules.count",
    answers={200: Count},
    query=COUNT,
)
def count(request: Call) -> HttpResponse:
    """How many execution schedules a list with the same filters has."""
    return counted(schedule_search.find(request.auth, **COUNT.read(request)).count())


@operation(
    "GET",
    "/lm/executionSchedules/{schedule_id}",
    in_group(Right.VIEW),
    name="schedules.get",
    answers={200: AiExecutionSchedule},
    quick=True,
)
def get(request: Call, schedule_id: str) -> dict[str, Any]:
    """One execution schedule."""
    return bodies([schedule_search.get(request.auth, schedule_id)])[0]


@operation(
    "PATCH",
    "/lm/executionSchedules/{schedule_id}",
    in_group(Right.CHANGE),
    name="schedules.edit",
    answers={202: Acknowledgement},
)
def edit(request: Call, schedule_id: str, body: AiExecutionScheduleModificationRequest) -> dict[str, Any]:
    """Change an execution schedule, pause it or resume it, all or nothing.

    What was missed while it was INACTIVE is not caught up. A new cron expression is read in UTC.
    """
    there = schedule_search.get(request.auth, schedule_id)
    if body.name is not None and body.name.strip() != there.name:
        raise Invalid("The name of a schedule cannot be changed. Leave it out.", fields={"name": "Is fixed."})
    try:
        schedules.edit(
            request.auth,
            there.id,
            configuration=body.configurationId,
            timing=Change(body.cron, body.start, body.end),
            status=ScheduleStatus(body.status) if body.status else None,
        )
    except Conflict as error:
        # The contract has no 412 for schedules.
        raise Invalid(error.message) from error
    return {"id": str(there.id), "message": "Execution Schedule modified"}


@operation(
    "DELETE",
    "/lm/executionSchedules/{schedule_id}",
    in_group(Right.CHANGE),
    name="schedules.delete",
    answers={202: Acknowledgement},
)
def delete(request: Call, schedule_id: str) -> dict[str, Any]:
    """Delete an execution schedule in either status; its executions stay, and what runs goes on."""
    gone = schedules.delete(request.auth, schedule_id)
    return {"id": str(gone.pk), "message": "Execution Schedule deleted"}


def bodies(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """AiExecutionSchedule of schedules in brief."""
    return [
        present(
            {
                "id": str(row.id),
                "name": row.name,
                "configurationId": str(row.configuration_id),
                "status": row.status,
                **_timing(row),
                "createdAt": time(row.created_at),
                "modifiedAt": time(row.modified_at),
            }
        )
        for row in rows
    ]


def _timing(row: Any) -> dict[str, Any]:
    """When it is due; the contract knows no single moment, and no time zone."""
    told = timings.recurring(Timing(row.cron, row.once_at, row.zone, row.start, row.end))
    return {
        "cron": told.cron,
        "timeZone": None if told.zone == UTC else told.zone,
        "start": second(told.start),
        "end": second(told.end),
    }
