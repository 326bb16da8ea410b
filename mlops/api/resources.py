"""Nodes, instance types, services and the tenant: what a runtime of one's own machines can tell of them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from launchpad.access import NOTHING_HERE, Right
from launchpad.errors import Invalid, NotFound
from mlops.api.admin_documents import Said
from mlops.api.answers import listed
from mlops.api.documents import Answer
from mlops.api.operations import Call, Operations, in_workspace
from mlops.manifests.plans import PLANS

operation = Operations("Resources")
NODES = "/admin/resources/nodes"
_UNRESERVED = "Nothing was reserved: workers take whatever comes next, whatever its resource plan."


class NodeRequest(BaseModel):
    """How many nodes of a resource plan are wished for."""

    name: str
    request: int = Field(ge=0, le=2**31 - 1, strict=True)


class NodeRequests(BaseModel):
    """BckndResourcePatchBody."""

    resourcePlans: list[NodeRequest] = Field(max_length=100)


class NodeCount(Answer):
    """Nodes of one resource plan."""

    provisioned: int
    requested: int


class Nodes(Answer):
    """Nodes by resource plan."""

    resourcePlans: dict[str, NodeCount]


class InstanceType(Answer):
    """What a resource plan gives a step. cpu: cores; gpu: how many."""

    memory: str
    cpu: float
    gpu: float
    billableUnitsPerHour: float


class InstanceTypes(Answer):
    """Resource plans by name."""

    instanceTypes: dict[str, InstanceType]


class Services(Answer):
    """Further services: there are none."""

    count: int
    resources: list[dict[str, Any]] = Field(max_length=0)


class TenantInfo(Answer):
    """The workspace of the service key."""

    tenantId: str
    servicePlan: str
    status: str


@operation("GET", NODES, in_workspace(Right.VIEW), name="nodes.search", answers={200: Nodes})
def nodes(request: Call) -> dict[str, Any]:
    """No nodes are reserved for a resource plan: workers take what comes next."""
    return {"resourcePlans": {name: {"provisioned": 0, "requested": 0} for name in PLANS}}


@operation("PATCH", NODES, in_workspace(Right.CHANGE), name="nodes.request", answers={200: Said})
def request_nodes(request: Call, body: NodeRequests) -> dict[str, Any]:
    """Reserves nothing, and says so."""
    if unknown := {one.name for one in body.resourcePlans} - PLANS.keys():
        raise Invalid(f"There is no resource plan {min(unknown)[:64]}; there are {', '.join(PLANS)}.")
    return {"message": _UNRESERVED}


@operation(
    "GET",
    "/admin/resources/instanceTypes",
    in_workspace(Right.VIEW),
    name="instance_types.search",
    answers={200: InstanceTypes},
)
def instance_types(request: Call) -> dict[str, Any]:
    """The resource plans that templates may name. Nothing is billed."""
    return {
        "instanceTypes": {
            name: {
                "memory": f"{plan.memory_gb}Gi",
                "cpu": plan.cpu,
                "gpu": int(plan.gpu.split(" ")[0]) if plan.gpu else 0,
                "billableUnitsPerHour": 0,
            }
            for name, plan in PLANS.items()
        }
    }


@operation(
    "GET", "/admin/services", in_workspace(Right.VIEW), name="services.search", answers={200: Services}
)
def services(request: Call) -> dict[str, Any]:
    """Further services that could be added: none."""
    return listed([])


@operation(
    "GET",
    "/admin/services/{service_name}",
    in_workspace(Right.VIEW),
    name="services.get",
    answers={200: dict[str, Any]},
)
def service(request: Call, service_name: str) -> None:
    """One of them: there is none."""
    raise NotFound(NOTHING_HERE)


@operation(
    "GET", "/admin/tenantInfo", in_workspace(Right.VIEW), name="tenants.get", answers={200: TenantInfo}
)
def tenant(request: Call) -> dict[str, Any]:
    """The workspace of the service key."""
    return {"tenantId": request.auth.workspace.slug, "servicePlan": "self-hosted", "status": "PROVISIONED"}
