"""Resource groups of the workspace, with their labels."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpResponse
from pydantic import AwareDatetime, BaseModel, Field

from launchpad.access import Right
from launchpad.resource_groups import resource_groups
from launchpad.resource_groups.models import ResourceGroup
from mlops.api import admin_lists, continuation, queries
from mlops.api.admin_documents import SaidById
from mlops.api.answers import created, labels, time
from mlops.api.documents import Answer
from mlops.api.errors import Refusal
from mlops.api.operations import Call, Operations, in_workspace
from mlops.api.queries import Parameters
from mlops.domain import group_search

operation = Operations("Resource groups")
ALL = "/admin/resourceGroups"
ONE = ALL + "/{resource_group_id}"
SELECTOR = r"^[^ =,!]+!?=[^ =,!]+$"
LIST = Parameters(
    *admin_lists.LIST.parameters,
    continuation.token(),
    queries.labelled("labelSelector", "selectors", pattern=SELECTOR),
    *queries.search("the id"),
)


class GroupLabel(BaseModel):
    """BckndResourceGroupLabel; keys that it does not name are ignored."""

    key: str
    value: str


class GroupChange(BaseModel):
    """BckndResourceGroupPatchRequest."""

    labels: list[GroupLabel] | None = None


class GroupCreation(GroupChange):
    """BckndResourceGroupsPostRequest."""

    resourceGroupId: str | None = None


class GroupLabelAnswer(Answer):
    """A label of a resource group."""

    key: str = Field(max_length=63)
    value: str = Field(max_length=5000)


class GroupBase(Answer):
    """BckndResourceGroupBase. tenantId and zoneId: the workspace."""

    resourceGroupId: Annotated[str, Field(min_length=3, max_length=253)]
    tenantId: str
    zoneId: str


class Group(GroupBase):
    """BckndResourceGroup. A group is there at once, and is told no more once its deletion has begun."""

    createdAt: AwareDatetime
    labels: list[GroupLabelAnswer]
    status: Literal["PROVISIONED"]


class Groups(Answer):
    """Resource groups."""

    count: int
    resources: list[Group]


def base_body(group: ResourceGroup) -> dict[str, Any]:
    """BckndResourceGroupBase."""
    workspace = group.workspace_id
    return {"resourceGroupId": group.slug, "tenantId": workspace, "zoneId": workspace}


def group_body(group: ResourceGroup) -> dict[str, Any]:
    """BckndResourceGroup."""
    return base_body(group) | {
        "createdAt": time(group.created_at),
        "labels": labels(group.labels),
        "status": "PROVISIONED",
    }


def _labels(body: GroupChange) -> list[dict[str, str]]:
    return [{"key": one.key, "value": one.value} for one in body.labels or ()]


@operation(
    "GET",
    ALL,
    in_workspace(Right.VIEW),
    name="resource_groups.search",
    answers={200: Groups, 410: Refusal},
    query=LIST,
    openapi_extra={"parameters": [continuation.PREFER]},
)
def search(request: Call) -> HttpResponse:
    """Groups that the key may view, by id; all of the workspace for an administrator's."""
    asked = LIST.read(request)
    rows = group_search.search(
        request.auth, q=asked["q"], any_case=asked["any_case"], selectors=asked["selectors"]
    )
    return continuation.page(
        request, request.auth, rows, lambda found: [group_body(one) for one in found], asked
    )


@operation("GET", ONE, in_workspace(Right.VIEW), name="resource_groups.get", answers={200: Group})
def get(request: Call, resource_group_id: str) -> dict[str, Any]:
    """One group that the key may view."""
    return group_body(resource_groups.get(request.auth, resource_group_id))


@operation("POST", ALL, in_workspace(Right.CHANGE), name="resource_groups.create", answers={202: GroupBase})
def create(request: Call, body: GroupCreation) -> HttpResponse:
    """Make a group; 400 for an id in use."""
    made = resource_groups.create(request.auth, slug=body.resourceGroupId or "", labels=_labels(body))
    return created(base_body(made), f"{ALL}/{made.slug}", status=202)


@operation("PATCH", ONE, in_workspace(Right.CHANGE), name="resource_groups.change", answers={202: None})
def change(request: Call, resource_group_id: str, body: GroupChange) -> HttpResponse:
    """Replace the labels; without any in the body they stay. The answer has no body."""
    if body.labels is None:
        group = resource_groups.get(request.auth, resource_group_id)
    else:
        group = resource_groups.change(request.auth, resource_group_id, labels=_labels(body))
    response = HttpResponse(status=202)
    del response["Content-Type"]
    response["Location"] = f"/v2{ALL}/{group.slug}"
    return response


@operation("DELETE", ONE, in_workspace(Right.CHANGE), name="resource_groups.delete", answers={202: SaidById})
def delete(request: Call, resource_group_id: str) -> dict[str, Any]:
    """Give a group up with everything in it; nobody opens it from now on."""
    gone = resource_groups.delete(request.auth, resource_group_id)
    return {"id": gone.slug, "message": "Resource group deletion has been scheduled"}
