"""Clients of the AI API as scripts are: a key of a place, its token, JSON in and out."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from oauth2_provider.models import AccessToken

from launchpad.access import Role, system_scope
from launchpad.accounts import service_keys
from launchpad.resource_groups.models import ResourceGroup
from launchpad.workspaces.models import Workspace

JSON = "application/json"
MERGE = "application/merge-patch+json"


@dataclass(frozen=True)
class Caller:
    """A client with a token. group: what it says in AI-Resource-Group unless a call says otherwise."""

    token: str
    group: str | None

    def __call__(
        self, method: str, path: str, body: Any = None, *, media: str = JSON, **headers: str | None
    ) -> HttpResponse:
        """The answer to a call at /v2 + path. headers: `ai_resource_group="red"`; None leaves one out."""
        sent = {"authorization": f"Bearer {self.token}", "ai_resource_group": self.group} | headers
        named = {name.replace("_", "-"): value for name, value in sent.items() if value is not None}
        data = body if isinstance(body, str | bytes) else b"" if body is None else json.dumps(body)
        return Client(enforce_csrf_checks=True).generic(
            method, f"/v2{path}", data, content_type=media, headers=named
        )


def caller(place: ResourceGroup | Workspace, role: Role = Role.EDITOR) -> Caller:
    """A client with a new key of a resource group, or an administrator's of a workspace."""
    scope = system_scope(place)
    key = service_keys.create(scope, name=f"test-{secrets.token_hex(4)}", role=_role(place, role)).key
    token = secrets.token_urlsafe(32)
    AccessToken.objects.create(
        token=token,
        application=key.application,
        expires=timezone.now() + timedelta(hours=12),
        scope="ai-api",
    )
    return Caller(token, place.slug if isinstance(place, ResourceGroup) else None)


def _role(place: ResourceGroup | Workspace, role: Role) -> Role:
    return role if isinstance(place, ResourceGroup) else Role.OPERATIONS_MANAGER


def refused(response: HttpResponse, status: int, *words: str) -> dict[str, Any]:
    """The error in the envelope, checked. words: each stands in its message."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == JSON
    error = response.json()["error"]
    assert set(error) == {"code", "message", "requestId", "target", "details"}
    assert len(error["code"]) == 8 and error["code"].isdigit()
    assert error["requestId"] == response["X-Request-ID"]
    for word in words:
        assert word in error["message"], error["message"]
    return error


def reads(queries: CaptureQueriesContext) -> int:
    """How many of the queries read rows; the rest begin and end transactions."""
    return sum("SELECT" in one["sql"] for one in queries)
