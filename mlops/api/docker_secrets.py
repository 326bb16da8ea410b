"""Docker registry secrets of the workspace."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from pydantic import BaseModel

from launchpad.access import Right
from mlops.api import admin_lists
from mlops.api.admin_documents import DockerRegistrySecret, DockerRegistrySecrets, Said, SaidById
from mlops.api.answers import created
from mlops.api.operations import Call, Operations, in_workspace
from mlops.domain import docker_secrets

operation = Operations("Docker registry secrets")
ONE = "/admin/dockerRegistrySecrets/{docker_registry_name}"


class DockerSecretChange(BaseModel):
    """BcknddockerRegistrySecretWithSensitiveDataRequest; keys that it does not name are ignored."""

    data: dict[str, str]


class DockerSecretCreation(DockerSecretChange):
    """The same with the name of the new secret."""

    name: str


@operation(
    "GET",
    "/admin/dockerRegistrySecrets",
    in_workspace(Right.VIEW),
    name="docker_secrets.search",
    answers={200: DockerRegistrySecrets},
    query=admin_lists.LIST,
)
def search(request: Call) -> dict[str, Any]:
    """Names of the workspace's Docker secrets; never what they hold."""
    rows = docker_secrets.search(request.auth)
    return admin_lists.page(request, rows, lambda found: [{"name": one.name} for one in found])


@operation(
    "GET", ONE, in_workspace(Right.VIEW), name="docker_secrets.get", answers={200: DockerRegistrySecret}
)
def get(request: Call, docker_registry_name: str) -> dict[str, Any]:
    """The name of one Docker secret."""
    return {"name": docker_secrets.get(request.auth, docker_registry_name).name}


@operation(
    "POST",
    "/admin/dockerRegistrySecrets",
    in_workspace(Right.CHANGE),
    name="docker_secrets.create",
    answers={202: Said},
)
def create(request: Call, body: DockerSecretCreation) -> HttpResponse:
    """Keep credentials of a registry."""
    docker_secrets.create(request.auth, name=body.name, data=body.data)
    told = {"message": "secret has been created"}
    return created(told, f"/admin/dockerRegistrySecrets/{body.name}", 202)


@operation("PATCH", ONE, in_workspace(Right.CHANGE), name="docker_secrets.change", answers={202: SaidById})
def change(request: Call, docker_registry_name: str, body: DockerSecretChange) -> dict[str, Any]:
    """Replace the credentials."""
    changed = docker_secrets.change(request.auth, docker_registry_name, data=body.data)
    return {"id": changed.name, "message": "secret has been modified"}


@operation("DELETE", ONE, in_workspace(Right.CHANGE), name="docker_secrets.delete", answers={202: SaidById})
def delete(request: Call, docker_registry_name: str) -> dict[str, Any]:
    """Forget a Docker secret."""
    gone = docker_secrets.delete(request.auth, docker_registry_name)
    return {"id": gone.name, "message": "secret has been deleted"}
