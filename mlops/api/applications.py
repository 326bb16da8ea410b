"""Applications: folders of git repositories that the workspace's templates come from."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from launchpad.access import Right
from launchpad.errors import Invalid
from mlops.api import admin_lists
from mlops.api.admin_documents import SaidById
from mlops.api.answers import present, time
from mlops.api.git_documents import Application, Applications, ApplicationStatus
from mlops.api.operations import Call, Operations, in_workspace
from mlops.api.repositories import said
from mlops.domain import applications
from mlops.models import Source

operation = Operations("Applications")
ALL = "/admin/applications"
ONE = ALL + "/{application_name}"


class ApplicationBaseData(BaseModel):
    """BckndArgoCDApplicationBaseData; keys that it does not name are ignored."""

    repositoryUrl: str
    revision: str
    path: str


class ApplicationData(BaseModel):
    """BckndArgoCDApplicationDataRequest or BckndArgoCDApplicationDataRepoName."""

    repositoryUrl: str | None = None
    repositoryName: str | None = None
    revision: str
    path: str
    applicationName: str | None = None


def application_body(application: Source) -> dict[str, Any]:
    """BckndArgoCDApplicationDataResponse."""
    assert application.repository is not None
    return {
        "applicationName": application.name,
        "repositoryUrl": application.repository.url,
        "revision": application.revision,
        "path": application.path or ".",
    }


def status_body(told: applications.Status) -> dict[str, Any]:
    """BckndArgoCDApplicationStatus."""
    place = application_body(told.source)
    return present(
        {
            "healthStatus": told.health,
            "syncStatus": told.sync,
            "message": told.message,
            "source": {
                "repoURL": place["repositoryUrl"],
                "path": place["path"],
                "revision": place["revision"],
            },
            "syncStartedAt": time(told.begun_at),
            "syncFinishedAt": time(told.ended_at),
            "reconciledAt": time(told.ended_at),
            "syncResourcesStatus": told.resources,
            "syncRessourcesStatus": told.resources,
        }
    )


@operation(
    "GET",
    ALL,
    in_workspace(Right.VIEW),
    name="applications.search",
    answers={200: Applications},
    query=admin_lists.LIST,
)
def search(request: Call) -> dict[str, Any]:
    """The workspace's applications by name."""
    rows = applications.search(request.auth)
    return admin_lists.page(request, rows, lambda found: [application_body(one) for one in found])


@operation("GET", ONE, in_workspace(Right.VIEW), name="applications.get", answers={200: Application})
def get(request: Call, application_name: str) -> dict[str, Any]:
    """One application."""
    return application_body(applications.get(request.auth, application_name))


@operation(
    "GET",
    f"{ONE}/status",
    in_workspace(Right.VIEW),
    name="applications.status",
    answers={200: ApplicationStatus},
)
def status(request: Call, application_name: str) -> dict[str, Any]:
    """How the last sync went, and each of its executables; messages name file, line and field."""
    return status_body(applications.status(applications.get(request.auth, application_name)))


@operation("POST", ALL, in_workspace(Right.CHANGE), name="applications.create", answers={200: SaidById})
def create(request: Call, body: ApplicationData) -> dict[str, Any]:
    """Keep the catalog in step with a folder of a repository, which is named by its address or its name."""
    repository = body.repositoryName or body.repositoryUrl
    if not repository:
        raise Invalid("Name the repository, as repositoryUrl or as repositoryName.")
    made = applications.create(
        request.auth,
        repository=repository,
        revision=body.revision,
        path=body.path,
        name=body.applicationName or "",
    )
    return said(made.name, "Application has been successfully created")


@operation("PATCH", ONE, in_workspace(Right.CHANGE), name="applications.change", answers={200: SaidById})
def change(request: Call, application_name: str, body: ApplicationBaseData) -> dict[str, Any]:
    """Take the templates from elsewhere."""
    changed = applications.change(
        request.auth,
        application_name,
        repository=body.repositoryUrl,
        revision=body.revision,
        path=body.path,
    )
    return said(changed.name, "Application has been updated")


@operation("DELETE", ONE, in_workspace(Right.CHANGE), name="applications.delete", answers={200: SaidById})
def delete(request: Call, application_name: str) -> dict[str, Any]:
    """Sync an application no more; the versions it brought stay."""
    gone = applications.delete(request.auth, application_name)
    return said(gone.name, "Application has been deleted")


@operation(
    "POST",
    f"{ONE}/refresh",
    in_workspace(Right.CHANGE),
    name="applications.refresh",
    answers={202: SaidById},
)
def refresh(request: Call, application_name: str) -> dict[str, Any]:
    """Sync an application as soon as a worker is free."""
    asked = applications.refresh(request.auth, application_name)
    return said(asked.name, "A refresh of the application has been scheduled")
