"""Git repositories of the workspace."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from launchpad.access import Right
from mlops.api import admin_lists
from mlops.api.admin_documents import SaidById
from mlops.api.errors import Refusal
from mlops.api.git_documents import GitRepositories, GitRepository
from mlops.api.operations import Call, Operations, in_workspace
from mlops.domain import repositories
from mlops.models import Repository

operation = Operations("Repositories")
ALL = "/admin/repositories"
ONE = ALL + "/{repository_name}"


class RepositoryCredentials(BaseModel):
    """BckndArgoCDRepositoryCredentials; keys that it does not name are ignored."""

    username: str
    password: str


class RepositoryData(RepositoryCredentials):
    """BckndArgoCDRepositoryData."""

    url: str
    name: str | None = None


def repository_body(repository: Repository) -> dict[str, Any]:
    """BckndArgoCDRepositoryDetails: all that is ever told of a repository."""
    return {"name": repository.name, "url": repository.url, "status": repository.state}


def said(name: str, message: str) -> dict[str, Any]:
    """That it was done, and to what."""
    return {"id": name, "message": message}


@operation(
    "GET",
    ALL,
    in_workspace(Right.VIEW),
    name="repositories.search",
    answers={200: GitRepositories},
    query=admin_lists.LIST,
)
def search(request: Call) -> dict[str, Any]:
    """The workspace's repositories by name; never who we are there."""
    rows = repositories.search(request.auth)
    return admin_lists.page(request, rows, lambda found: [repository_body(one) for one in found])


@operation("GET", ONE, in_workspace(Right.VIEW), name="repositories.get", answers={200: GitRepository})
def get(request: Call, repository_name: str) -> dict[str, Any]:
    """One repository and whether it could be reached."""
    return repository_body(repositories.get(request.auth, repository_name))


@operation(
    "POST",
    ALL,
    in_workspace(Right.CHANGE),
    name="repositories.create",
    answers={200: SaidById, 409: Refusal},
)
def create(request: Call, body: RepositoryData) -> dict[str, Any]:
    """Add a repository; 409 when its name or address is there already."""
    made = repositories.create(
        request.auth, url=body.url, username=body.username, password=body.password, name=body.name or ""
    )
    return said(made.name, "Repository has been on-boarded")


@operation("PATCH", ONE, in_workspace(Right.CHANGE), name="repositories.change", answers={200: SaidById})
def change(request: Call, repository_name: str, body: RepositoryCredentials) -> dict[str, Any]:
    """Replace the credentials."""
    changed = repositories.change(
        request.auth, repository_name, username=body.username, password=body.password
    )
    return said(changed.name, "Repository has been updated")


@operation("DELETE", ONE, in_workspace(Right.CHANGE), name="repositories.delete", answers={200: SaidById})
def delete(request: Call, repository_name: str) -> dict[str, Any]:
    """Forget a repository that no application uses."""
    gone = repositories.delete(request.auth, repository_name)
    return said(gone.name, "Repository has been deleted")
