"""Generic secrets: of a resource group, of the workspace, or of the workspace for all its groups."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from pydantic import BaseModel

from launchpad.access import Right, Scope
from launchpad.errors import Invalid
from mlops.api import admin_lists
from mlops.api.admin_documents import GenericSecret, GenericSecrets, Said, SaidByName
from mlops.api.answers import labels, time
from mlops.api.operations import GROUP_HEADER, Call, Operations, Place
from mlops.domain import secrets

operation = Operations("Generic secrets")
TENANT_HEADER = "AI-Tenant-Scope"
ALL_GROUPS = "*"


class Label(BaseModel):
    """A label of a resource group or a secret."""

    key: str
    value: str


class SecretChange(BaseModel):
    """BckndGenericSecretPatchBody; keys that it does not name are ignored."""

    data: dict[str, str]
    labels: list[Label] | None = None


class SecretCreation(SecretChange):
    """BckndGenericSecretPostBody; keys that it does not name are ignored."""

    name: str


class SecretPlace(Place):
    """The place that the two headers name: a resource group, or with AI-Tenant-Scope the workspace."""

    def __init__(self, right: Right) -> None:
        super().__init__(right, needs_group=True)

    @property
    def documented(self) -> list[dict[str, Any]]:
        """Both headers, as OpenAPI tells them."""
        told = {
            GROUP_HEADER: f"The resource group; {ALL_GROUPS} with {TENANT_HEADER}: true means all of them.",
            TENANT_HEADER: "true: the secrets of the workspace.",
        }
        return [
            {
                "name": name,
                "in": "header",
                "required": False,
                "description": text,
                "schema": {"type": "string"},
            }
            for name, text in told.items()
        ]

    def group(self, request: HttpRequest) -> str | None:
        """None with AI-Tenant-Scope: true, which goes before a group that clients name out of habit."""
        if _is_tenant_wide(request):
            return None
        named = request.headers.get(GROUP_HEADER, "").strip()
        if not named or named == ALL_GROUPS:
            raise Invalid(
                f"Name the resource group in the header {GROUP_HEADER}, or send {TENANT_HEADER}: true for "
                f"the workspace; with {GROUP_HEADER}: {ALL_GROUPS} besides it is for all its groups."
            )
        return named


def _is_tenant_wide(request: HttpRequest) -> bool:
    text = request.headers.get(TENANT_HEADER, "").strip().lower()
    if text not in ("", "true", "false"):
        raise Invalid(f"The header {TENANT_HEADER} is true or false.")
    return text == "true"


def _is_shared(request: Call) -> bool:
    return _is_tenant_wide(request) and request.headers.get(GROUP_HEADER, "").strip() == ALL_GROUPS


def bodies(scope: Scope, found: list[secrets.Secret]) -> list[dict[str, Any]]:
    """BckndGenericSecretDetails of each; no value of any."""
    served = secrets.served(scope, found)
    return [
        {
            "name": one.name,
            "createdAt": time(one.created_at),
            "labels": labels(one.labels),
            "resourceGroupSecretsSyncStatus": served[one.pk],
        }
        for one in found
    ]


@operation(
    "GET",
    "/admin/secrets",
    SecretPlace(Right.VIEW),
    name="secrets.search",
    answers={200: GenericSecrets},
    query=admin_lists.LIST,
)
def search(request: Call) -> dict[str, Any]:
    """Names and labels of the place's secrets; never their values."""
    rows = secrets.search(request.auth, shared=_is_shared(request))
    return admin_lists.page(request, rows, lambda found: bodies(request.auth, found))


@operation(
    "GET",
    "/admin/secrets/{secret_name}",
    SecretPlace(Right.VIEW),
    name="secrets.get",
    answers={200: GenericSecret},
)
def get(request: Call, secret_name: str) -> dict[str, Any]:
    """Name and labels of one secret."""
    found = secrets.get(request.auth, secret_name, shared=_is_shared(request))
    return bodies(request.auth, [found])[0]


@operation(
    "POST", "/admin/secrets", SecretPlace(Right.CHANGE), name="secrets.create", answers={200: SaidByName}
)
def create(request: Call, body: SecretCreation) -> dict[str, Any]:
    """Keep a new secret; values are base64."""
    given = [one.model_dump() for one in body.labels or ()]
    made = secrets.create(
        request.auth, name=body.name, data=body.data, labels=given, shared=_is_shared(request)
    )
    return {"name": made.name, "message": "Secret has been created"}


@operation(
    "PATCH",
    "/admin/secrets/{secret_name}",
    SecretPlace(Right.CHANGE),
    name="secrets.change",
    answers={200: SaidByName},
)
def change(request: Call, secret_name: str, body: SecretChange) -> dict[str, Any]:
    """Replace all values of a secret, and its labels if they are given."""
    given = None if body.labels is None else [one.model_dump() for one in body.labels]
    changed = secrets.change(
        request.auth, secret_name, data=body.data, labels=given, shared=_is_shared(request)
    )
    return {"name": changed.name, "message": "Secret has been modified"}


@operation(
    "DELETE",
    "/admin/secrets/{secret_name}",
    SecretPlace(Right.CHANGE),
    name="secrets.delete",
    answers={200: Said},
)
def delete(request: Call, secret_name: str) -> dict[str, Any]:
    """Forget a secret. Older clients need the message, newer ones do without."""
    secrets.delete(request.auth, secret_name, shared=_is_shared(request))
    return {"message": "Secret has been deleted"}
