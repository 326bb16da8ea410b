"""What operations on repositories and applications answer, for the documentation and the tests."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from mlops.api.documents import Answer


class GitRepository(Answer):
    """BckndArgoCDRepositoryDetails. status: IN-PROGRESS until it was asked once."""

    name: str = Field(pattern=r"^[a-z0-9\-]+$", min_length=1, max_length=51)
    url: str
    status: Literal["ERROR", "IN-PROGRESS", "COMPLETED"]


class GitRepositories(Answer):
    """Repositories."""

    count: int
    resources: list[GitRepository]


class Application(Answer):
    """BckndArgoCDApplicationDataResponse."""

    applicationName: str = Field(pattern=r"^[a-z0-9\-]+$", min_length=3, max_length=63)
    repositoryUrl: str
    revision: str
    path: str


class Applications(Answer):
    """Applications."""

    count: int
    resources: list[Application]


class ApplicationSource(Answer):
    """Where an application's templates come from."""

    repoURL: str
    path: str
    revision: str


class ApplicationResource(Answer):
    """One executable of an application. status: Synced, SyncFailed, or PruneSkipped: its template is gone."""

    name: str
    kind: Literal["WorkflowTemplate", "ServingTemplate", "Template"]
    status: Literal["Synced", "SyncFailed", "PruneSkipped"]
    message: str


class ApplicationStatus(Answer):
    """BckndArgoCDApplicationStatus; the list of resources under both spellings, as clients read either."""

    healthStatus: Literal["Healthy", "Progressing", "Degraded"]
    syncStatus: Literal["Synced", "OutOfSync", "Unknown"]
    message: str
    source: ApplicationSource
    syncStartedAt: AwareDatetime | None = None
    syncFinishedAt: AwareDatetime | None = None
    reconciledAt: AwareDatetime | None = None
    syncResourcesStatus: list[ApplicationResource]
    syncRessourcesStatus: list[ApplicationResource]
