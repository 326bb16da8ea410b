"""Deployments: created, listed, counted, read, updated, stopped and deleted, one by one or many at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from launchpad.access import NOTHING_HERE, Right, Scope
from launchpad.errors import LaunchpadError, NotFound
from mlops.api import queries
from mlops.api.answers import counted, page, present, time
from mlops.api.deployment_documents import (
    AiDeployment,
    AiDeploymentBulkModificationResponse,
    AiDeploymentCreationResponse,
    AiDeployments,
    AiDeploymentStatus,
)
from mlops.api.deployment_orders import (
    AiDeploymentBulkModificationRequest,
    AiDeploymentCreationRequest,
    AiDeploymentModificationRequest,
    Lifetime,
    deploy,
)
from mlops.api.documents import Acknowledgement
from mlops.api.errors import Refusal
from mlops.api.executions import STATUSES
from mlops.api.operations import Call, Count, Operations, in_group
from mlops.api.orders import deprecated
from mlops.api.queries import Parameters
from mlops.api.wishes import answers
from mlops.domain import deployment_plans, deployment_search, deployments
from mlops.lifecycle import TargetStatus

operation = Operations("Deployments")
FILTERS = (
    queries.identifiers("executableIds", "executables", "Of any of these executables."),
    queries.identifier("configurationId", "configuration", "Of this configuration, serving or about to."),
    queries.identifier("scenarioId", "scenario", "Of this scenario."),
    queries.choice("status", "status", STATUSES, "In this status; no stored one is COMPLETED or UNKNOWN."),
)
SELECT = queries.choices("$select", "select", ("status",), "Tell the state alone.")
LIST = Parameters(*FILTERS, queries.top(), queries.skip(), SELECT)
COUNT = Parameters(*FILTERS)
ONE = Parameters(SELECT)
MODIFIED, DELETED = "Deployment modification scheduled", "Deployment deletion scheduled"
MESSAGES = {TargetStatus.STOPPED: MODIFIED, TargetStatus.DELETED: DELETED}


@operation(
    "POST",
    "/lm/deployments",
    in_group(Right.CHANGE),
    name="deployments.create",
    answers={202: AiDeploymentCreationResponse, 412: Refusal},
)
def create(request: Call, body: AiDeploymentCreationRequest) -> HttpResponse:
    """Serve a configuration of an executable that serves."""
    return deploy(request.auth, body.configurationId, body.ttl)


@operation(
    "POST",
    "/lm/configurations/{configuration_id}/deployments",
    in_group(Right.CHANGE),
    name="deployments.create_of",
    answers={202: AiDeploymentCreationResponse, 412: Refusal},
    deprecated=True,
)
def create_of(request: Call, configuration_id: str, body: Lifetime | None = None) -> HttpResponse:
    """Serve a configuration, as older clients ask for it; `POST /v2/lm/deployments` is the call for it."""
    made = deploy(request.auth, configuration_id, body.ttl if body else None)
    return deprecated(made, "/lm/deployments")


def _found(scope: Scope, asked: dict[str, Any]) -> Any:
    status = asked.pop("status")
    return deployment_search.find(scope, **asked, statuses=[status] if status else ())


@operation(
    "GET",
    "/lm/deployments",
    in_group(Right.VIEW),
    name="deployments.search",
    answers={200: AiDeployments},
    query=LIST,
)
def search(request: Call) -> HttpResponseBase:
    """Deployments of the resource group, newest first."""
    asked = LIST.read(request)
    top, skip, select = (asked.pop(key) for key in ("top", "skip", "select"))
    brief, shape = (deployment_search.states, states) if select else (deployment_search.brief, bodies)
    found = _found(request.auth, asked)
    return page(request, found, brief, partial(shape, request.auth), top=top, skip=skip)


@operation(
    "PATCH",
    "/lm/deployments",
    in_group(Right.CHANGE),
    name="deployments.modify",
    answers={202: AiDeploymentBulkModificationResponse},
)
def modify(request: Call, body: AiDeploymentBulkModificationRequest) -> dict[str, Any]:
    """Stop and delete up to 100 deployments; each is answered on its own, refusals among them."""
    keys = [wish.id for wish in body.deployments]
    known = deployment_search.known(request.auth, keys)
    wishes = [(wish.id, wish.target) for wish in body.deployments if wish.id in known]
    outcomes: dict[str, LaunchpadError | None] = dict.fromkeys(keys, NotFound(NOTHING_HERE))
    outcomes.update(deployments.modify(request.auth, wishes))
    return {"deployments": answers(request, body.deployments, outcomes, MESSAGES)}


@operation(
    "GET",
    "/lm/deployments/$count",
    in_group(Right.VIEW),
    name="deployments.count",
    answers={200: Count},
    query=COUNT,
)
def count(request: Call) -> HttpResponse:
    """How many deployments a list with the same filters has."""
    return counted(_found(request.auth, COUNT.read(request)).count())


@operation(
    "GET",
    "/lm/deployments/{deployment_id}",
    in_group(Right.VIEW),
    name="deployments.get",
    answers={200: AiDeployment | AiDeploymentStatus},
    query=ONE,
    quick=True,
)
def get(request: Call, deployment_id: str) -> dict[str, Any]:
    """One deployment; with `$select=status` its state alone."""
    scope = request.auth
    if ONE.read(request)["select"]:
        return states(scope, [deployment_search.state(scope, deployment_id)])[0]
    row = deployment_search.get(scope, deployment_id)
    return bodies(scope, [row])[0] | {"statusDetails": _state_details(row)}


@operation(
    "PATCH",
    "/lm/deployments/{deployment_id}",
    in_group(Right.CHANGE),
    name="deployments.update",
    answers={202: Acknowledgement, 412: Refusal},
)
def update(request: Call, deployment_id: str, body: AiDeploymentModificationRequest) -> dict[str, Any]:
    """Stop a deployment, or serve another configuration of the same executable at its address."""
    there = deployment_search.state(request.auth, deployment_id)
    if body.configurationId is not None:
        deployments.update(request.auth, there.id, configuration=body.configurationId)
    else:
        deployments.stop(request.auth, there.id)
    return {"id": there.id, "message": MODIFIED}


@operation(
    "DELETE",
    "/lm/deployments/{deployment_id}",
    in_group(Right.CHANGE),
    name="deployments.delete",
    answers={202: Acknowledgement, 412: Refusal},
)
def delete(request: Call, deployment_id: str) -> dict[str, Any]:
    """Delete a deployment that is stopped or dead, with its log; its address goes with it."""
    there = deployment_search.state(request.auth, deployment_id)
    deleted = deployments.delete(request.auth, there.id)
    return {"id": deleted.pk, "message": DELETED, "targetStatus": deleted.target_status}


def states(scope: Scope, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """What `$select=status` tells of deployments; clients refuse any further key."""
    before = deployment_search.before_deletion(scope, rows)
    return [_state(row, before) | {"statusDetails": _state_details(row)} for row in rows]


def _state(row: Any, before: dict[str, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "configurationId": str(row.configuration_id),
        "status": before.get(row.id, row.status),
        "createdAt": time(row.created_at),
        "modifiedAt": time(row.modified_at),
    }


def _state_details(row: Any) -> dict[str, Any]:
    return present({"message": row.status_message, "revision": row.newest, "servingRevision": row.serving})


def bodies(scope: Scope, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """AiDeployment of deployments in brief; one that is being deleted has the status it had before."""
    before = deployment_search.before_deletion(scope, rows)
    plans = deployment_plans.told(scope, rows)
    return [_body(row, before, plans[row.id]) for row in rows]


def _body(row: Any, before: dict[str, str], resource_plan: str) -> dict[str, Any]:
    ran = row.latest_running_configuration_id
    return present(
        _state(row, before)
        | {
            "deploymentUrl": deployments.address(row.id),
            "configurationName": row.configuration_name,
            "executableId": row.executable_slug,
            "scenarioId": row.scenario_slug,
            "targetStatus": row.target_status,
            "statusMessage": row.status_message,
            "lastOperation": row.last_operation,
            "latestRunningConfigurationId": str(ran) if ran else None,
            "ttl": row.ttl or None,
            "details": _details(row, resource_plan),
            "submissionTime": time(row.submitted_at),
            "startTime": time(row.started_at),
            "completionTime": time(row.completed_at),
        }
    )


def _details(row: Any, resource_plan: str) -> dict[str, Any]:
    replicas = {"minReplicas": row.least, "maxReplicas": row.most, "runningReplicas": row.running}
    return {
        "scaling": {"backendDetails": {"predictor": replicas}},
        "resources": {"backendDetails": {"predictor": {"resourcePlan": resource_plan}}},
    }
