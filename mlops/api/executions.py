"""Executions: submitted, listed, counted, read, stopped and deleted, one by one or many at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from ninja import Body
from pydantic import BaseModel

from launchpad.access import Right, Scope
from mlops.api import queries
from mlops.api.answers import counted, page, present, time
from mlops.api.artifacts import artifact_body
from mlops.api.documents import (
    Acknowledgement,
    AiExecution,
    AiExecutionBulkModificationResponse,
    AiExecutionCreationResponse,
    AiExecutions,
    AiExecutionStatus,
    CreationResponse,
)
from mlops.api.errors import Refusal
from mlops.api.operations import Call, Count, Operations, in_group
from mlops.api.orders import (
    AiConfigurationBaseData,
    ExecutionOrder,
    configure,
    deprecated,
    execute,
)
from mlops.api.queries import Parameters
from mlops.api.wishes import Wishes, answers
from mlops.domain import artifact_search, execution_search, executions
from mlops.lifecycle import Status, TargetStatus

operation = Operations("Executions")
STATUSES = ("PENDING", "RUNNING", "COMPLETED", "DEAD", "STOPPING", "STOPPED", "UNKNOWN")
FILTERS = (
    queries.identifiers("executableIds", "executables", "Of any of these executables."),
    queries.identifier("configurationId", "configuration", "Of this configuration."),
    queries.identifier("scenarioId", "scenario", "Of this scenario."),
    queries.identifier("executionScheduleId", "schedule", "Started by this schedule."),
    queries.choice("status", "status", STATUSES, "In this status; no stored one is UNKNOWN."),
)
SELECT = queries.choices("$select", "select", ("status",), "Tell the state alone.")
LIST = Parameters(*FILTERS, queries.top(), queries.skip(), SELECT)
COUNT = Parameters(*FILTERS)
ONE = Parameters(SELECT)
MODIFIED, DELETED = "Execution modification scheduled", "Execution deletion scheduled"
MESSAGES = {TargetStatus.STOPPED: MODIFIED, TargetStatus.DELETED: DELETED}


class AiExecutionModificationRequest(BaseModel):
    """What the execution is to become."""

    targetStatus: Literal["STOPPED"]


class AiExecutionBulkModificationRequest(BaseModel):
    """What 1 to 100 executions are to become, each named once."""

    executions: Wishes


@operation(
    "POST",
    "/lm/executions",
    in_group(Right.CHANGE),
    name="executions.create",
    answers={202: AiExecutionCreationResponse, 201: CreationResponse},
)
def create(request: Call, body: Body[ExecutionOrder]) -> HttpResponse:
    """Run a configuration.

    A body that asks for a configuration makes one; that call is deprecated.
    """
    if isinstance(body, AiConfigurationBaseData):
        return deprecated(configure(request.auth, body), "/lm/configurations")
    return execute(request.auth, body.configurationId)


def _found(scope: Scope, asked: dict[str, Any]) -> Any:
    status = asked.pop("status")
    return execution_search.find(scope, **asked, statuses=[status] if status else ())


@operation(
    "GET",
    "/lm/executions",
    in_group(Right.VIEW),
    name="executions.search",
    answers={200: AiExecutions},
    query=LIST,
)
def search(request: Call) -> HttpResponseBase:
    """Executions of the resource group, newest first."""
    asked = LIST.read(request)
    top, skip, select = (asked.pop(key) for key in ("top", "skip", "select"))
    brief, shape = (execution_search.states, states) if select else (execution_search.brief, bodies)
    found = _found(request.auth, asked)
    return page(request, found, brief, partial(shape, request.auth), top=top, skip=skip)


@operation(
    "PATCH",
    "/lm/executions",
    in_group(Right.CHANGE),
    name="executions.modify",
    answers={202: AiExecutionBulkModificationResponse},
)
def modify(request: Call, body: AiExecutionBulkModificationRequest) -> dict[str, Any]:
    """Stop and delete up to 100 executions; each is answered on its own, refusals among them."""
    outcomes = executions.modify(request.auth, [(wish.id, wish.target) for wish in body.executions])
    return {"executions": answers(request, body.executions, dict(outcomes), MESSAGES)}


@operation(
    "GET",
    "/lm/executions/$count",
    in_group(Right.VIEW),
    name="executions.count",
    answers={200: Count},
    query=COUNT,
)
def count(request: Call) -> HttpResponse:
    """How many executions a list with the same filters has."""
    return counted(_found(request.auth, COUNT.read(request)).count())


@operation(
    "GET",
    "/lm/executions/{execution_id}",
    in_group(Right.VIEW),
    name="executions.get",
    answers={200: AiExecution | AiExecutionStatus},
    query=ONE,
    quick=True,
)
def get(request: Call, execution_id: str) -> dict[str, Any]:
    """One execution; with `$select=status` its state alone."""
    scope = request.auth
    if ONE.read(request)["select"]:
        return states(scope, [execution_search.state(scope, execution_id)])[0]
    row = execution_search.get(scope, execution_id)
    return bodies(scope, [row])[0] | {"statusDetails": _details(row)}


@operation(
    "PATCH",
    "/lm/executions/{execution_id}",
    in_group(Right.CHANGE),
    name="executions.stop",
    answers={202: Acknowledgement, 412: Refusal},
)
def stop(request: Call, execution_id: str, body: AiExecutionModificationRequest) -> dict[str, Any]:
    """Stop an execution that is PENDING or RUNNING."""
    return {"id": executions.stop(request.auth, execution_id).pk, "message": MODIFIED}


@operation(
    "DELETE",
    "/lm/executions/{execution_id}",
    in_group(Right.CHANGE),
    name="executions.delete",
    answers={202: Acknowledgement, 412: Refusal},
)
def delete(request: Call, execution_id: str) -> dict[str, Any]:
    """Delete an execution that has ended, with its log and metrics; its artifacts stay."""
    deleted = executions.delete(request.auth, execution_id)
    return {"id": deleted.pk, "message": DELETED, "targetStatus": deleted.target_status}


def states(scope: Scope, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """What `$select=status` tells of executions; clients refuse any further key."""
    before = execution_search.before_deletion(scope, rows)
    return [_state(row, before) | {"statusDetails": _details(row)} for row in rows]


def _state(row: Any, before: dict[str, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "configurationId": str(row.configuration_id),
        "status": before.get(row.id, row.status),
        "createdAt": time(row.created_at),
        "modifiedAt": time(row.modified_at),
    }


def _details(row: Any) -> dict[str, Any]:
    return {"message": row.status_message, "attempt": row.attempt, "notices": row.notices}


def bodies(scope: Scope, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """AiExecution of executions in brief; one that is being deleted has the status it had before."""
    before = execution_search.before_deletion(scope, rows)
    # Outputs are registered in the transaction that completes an execution, so others have none.
    ended = (Status.COMPLETED, Status.DELETING)
    outputs = artifact_search.outputs(scope, [row.id for row in rows if row.status in ended])
    return [
        present(
            _state(row, before)
            | {
                "configurationName": row.configuration_name,
                "executableId": row.executable_slug,
                "scenarioId": row.scenario_slug,
                "targetStatus": row.target_status,
                "statusMessage": row.status_message,
                "outputArtifacts": [artifact_body(one) for one in outputs.get(row.id, ())],
                "executionScheduleId": str(row.schedule_id) if row.schedule_id else None,
                "submissionTime": time(row.submitted_at),
                "startTime": time(row.started_at),
                "completionTime": time(row.completed_at),
            }
        )
        for row in rows
    ]
