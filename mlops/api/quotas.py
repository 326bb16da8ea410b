"""Quotas: how much of everything there is. Launchpad sets no limits on it, which -1 says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from launchpad.access import Right, Scope
from mlops.api import queries
from mlops.api.documents import Answer
from mlops.api.operations import Call, Operations, Place, in_workspace
from mlops.api.queries import Parameters
from mlops.api.secrets import SecretPlace
from mlops.domain import usage
from mlops.manifests.plans import PLANS

operation = Operations("Resources")
QUERY = Parameters(queries.flag("quotaOnly", "bare", "Leave out how much is used."))
UNLIMITED = -1


class Usage(Answer):
    """How many there are."""

    count: int


class Quota(Answer):
    """How many there may be; -1 for any number."""

    maxCount: int


class CommonQuota(Answer):
    """BckndCommonResourceQuotaResponse."""

    usage: Usage | None = None
    quota: Quota


class ExecutableUsage(Answer):
    """Executables by kind."""

    servingTemplateCount: int
    workflowTemplateCount: int


class ExecutableLimits(Answer):
    """How many there may be; -1 for any number."""

    servingTemplateMaxCount: int
    workflowTemplateMaxCount: int


class ExecutableQuota(Answer):
    """BckndExecutableResourceQuotaResponse."""

    usage: ExecutableUsage | None = None
    quota: ExecutableLimits


class DeploymentUse(Answer):
    """A deployment that runs or is about to. configuredMaxReplicas: how many servers it may come to."""

    id: str
    resourcePlanType: str
    configuredMaxReplicas: int


class DeploymentUsage(Answer):
    """Deployments that run or are about to."""

    count: int
    items: list[DeploymentUse]


class DeploymentLimits(Answer):
    """How many deployments, and servers of each, there may be; -1 for any number."""

    maxCount: int
    maxReplicaPerDeployment: int


class PlanQuota(Answer):
    """The quota of one resource plan."""

    resourcePlanType: str
    deploymentQuota: DeploymentLimits


class DeploymentQuota(Answer):
    """BckndDeploymentResourceQuotaResponse."""

    usage: DeploymentUsage | None = None
    quotas: list[PlanQuota]


def _told(request: Call, used: Callable[[], dict[str, Any]], quota: dict[str, Any]) -> dict[str, Any]:
    return quota if QUERY.read(request)["bare"] else {"usage": used(), **quota}


def _count(noun: str, about: str, count: Callable[[Scope], int], place: Place) -> None:
    """Mount the quota of something that is simply counted. about: what it is, in words."""

    def quota(request: Call) -> dict[str, Any]:
        limits = {"quota": {"maxCount": UNLIMITED}}
        return _told(request, lambda: {"count": count(request.auth)}, limits)

    quota.__doc__ = f"How many {about} there are."
    operation(
        "GET",
        f"/admin/resourceQuota/{noun}",
        place,
        name=f"quotas.{count.__name__}",
        answers={200: CommonQuota},
        query=QUERY,
        summary=f"Quota of {about}",
    )(quota)


for _noun, _about, _counter, _place in (
    ("resourceGroups", "resource groups", usage.resource_groups, in_workspace(Right.VIEW)),
    ("applications", "applications", usage.applications, in_workspace(Right.VIEW)),
    ("repositories", "repositories", usage.repositories, in_workspace(Right.VIEW)),
    ("secrets", "generic secrets", usage.generic_secrets, SecretPlace(Right.VIEW)),
    ("dockerRegistrySecrets", "Docker registry secrets", usage.registry_secrets, in_workspace(Right.VIEW)),
):
    _count(_noun, _about, _counter, _place)


@operation(
    "GET",
    "/admin/resourceQuota/executables",
    in_workspace(Right.VIEW),
    name="quotas.executables",
    answers={200: ExecutableQuota},
    query=QUERY,
)
def executables(request: Call) -> dict[str, Any]:
    """How many executables there are by kind."""

    def used() -> dict[str, int]:
        found = usage.executables(request.auth)
        return {"servingTemplateCount": found["serving"], "workflowTemplateCount": found["workflow"]}

    limits = {"servingTemplateMaxCount": UNLIMITED, "workflowTemplateMaxCount": UNLIMITED}
    return _told(request, used, {"quota": limits})


@operation(
    "GET",
    "/admin/resourceQuota/deployments",
    in_workspace(Right.VIEW),
    name="quotas.deployments",
    answers={200: DeploymentQuota},
    query=QUERY,
)
def deployments(request: Call) -> dict[str, Any]:
    """Deployments that run or are about to, in the resource groups that the caller may view."""

    def used() -> dict[str, Any]:
        items = [
            {"id": one.id, "resourcePlanType": one.resource_plan, "configuredMaxReplicas": one.most}
            for one in usage.deployments(request.auth)
        ]
        return {"count": len(items), "items": items}

    limits = {"maxCount": UNLIMITED, "maxReplicaPerDeployment": UNLIMITED}
    quotas = [{"resourcePlanType": name, "deploymentQuota": limits} for name in PLANS]
    return _told(request, used, {"quotas": quotas})
