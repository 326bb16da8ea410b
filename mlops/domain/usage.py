"""What there is in a workspace, counted: for key figures and for quotas, of which Launchpad enforces none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db.models import Count, OuterRef, QuerySet

from launchpad import access
from launchpad.access import Scope
from launchpad.accounts import service_keys
from launchpad.resource_groups.models import ResourceGroup
from launchpad.workspaces.models import Workspace
from mlops.domain import deployment_plans, deployment_search, docker_secrets, secrets
from mlops.domain.capped import CappedCount
from mlops.lifecycle import ACTIVE, LEASED, LIVE
from mlops.models import (
    Artifact,
    Configuration,
    Deployment,
    Executable,
    Execution,
    ObjectStoreSecret,
    Repository,
    ResourceGroupSecret,
    Source,
    WorkspaceSecret,
)

GROUP, SCENARIO, EXECUTABLE = "ResourceGroup", "Scenario", "Executable"
EXECUTIONS, ARTIFACTS, DEPLOYMENTS = "Executions", "Artifacts", "Deployments"
COLUMNS = (GROUP, SCENARIO, EXECUTABLE, EXECUTIONS, ARTIFACTS, DEPLOYMENTS)
CAP = 10_000
_NAMES = (GROUP, SCENARIO, EXECUTABLE)
# Where each has the names; an artifact's executable is that of the run that made it.
_PATHS: dict[str, dict[str, str]] = {
    EXECUTIONS: {
        GROUP: "resource_group__slug",
        SCENARIO: "executable__scenario__slug",
        EXECUTABLE: "executable__slug",
    },
    ARTIFACTS: {
        GROUP: "resource_group__slug",
        SCENARIO: "scenario__slug",
        EXECUTABLE: "execution__executable__slug",
    },
}
_PATHS[DEPLOYMENTS] = _PATHS[EXECUTIONS]


class Served(NamedTuple):
    """A deployment that runs or is about to. most: how many servers it may come to, each on resource_plan."""

    id: str
    resource_plan: str
    most: int


def key_figures(scope: Scope, columns: Sequence[str]) -> list[list[str | int]]:
    """Counts of executions, artifacts and deployments in the groups that the scope's user may view.

    columns: of COLUMNS, in the order of the answer's; the names among them are what is counted by. A row for
    each combination of names that has anything, and by group alone for every group; "" where something has
    no such name. Sorted by name. Deployments that were put away do not count. At most four queries.
    """
    groups = _groups(scope)
    names = [column for column in columns if column in _NAMES]
    figures: dict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
    if names == [GROUP]:
        figures.update({(group.slug,): {} for group in groups})
    if not names:
        figures[()] = {}
    # Names alone are told of what has any of the three.
    counted = [one for one in _PATHS if one in columns or not set(columns) - set(_NAMES)]
    for figure in counted:
        for key, count in _counts(figure, groups, names):
            figures[key][figure] = count
    return [
        [key[names.index(column)] if column in names else figures[key].get(column, 0) for column in columns]
        for key in sorted(figures)
    ]


def _groups(scope: Scope) -> list[ResourceGroup]:
    if scope.user is None:
        return list(ResourceGroup.unscoped.filter(workspace=scope.workspace))
    return [group for group, _role in access.resource_groups(scope.user, scope.workspace)]


def _counts(
    figure: str, groups: Iterable[ResourceGroup], names: Sequence[str]
) -> Iterable[tuple[tuple[str, ...], int]]:
    everything: dict[str, QuerySet[Any]] = {
        EXECUTIONS: Execution.unscoped.all(),
        ARTIFACTS: Artifact.unscoped.filter(binned_at=None),
        DEPLOYMENTS: Deployment.unscoped.filter(archived_at=None),
    }
    rows = everything[figure].filter(resource_group__in=list(groups))
    if not names:
        yield (), rows.count()
        return
    paths = [_PATHS[figure][name] for name in names]
    for *key, count in rows.order_by().values_list(*paths).annotate(Count("pk")):
        yield tuple(name or "" for name in key), count


def deployments(scope: Scope) -> list[Served]:
    """Deployments that are not at rest, newest first, in the groups that the scope's user may view."""
    rows = Deployment.unscoped.filter(resource_group__in=_groups(scope), status__in=LIVE)
    found = list(deployment_search.brief(rows.order_by("-created_at", "-pk")))
    plans = deployment_plans.told_of_all(found)
    return [Served(row.id, plans[row.id], row.most) for row in found]


def resource_groups(scope: Scope) -> int:
    """Resource groups of the workspace."""
    return ResourceGroup.unscoped.filter(workspace=scope.workspace).count()


def executables(scope: Scope) -> dict[str, int]:
    """Executables of the workspace by kind, "workflow" and "serving"."""
    found = scope.of(Executable).order_by().values_list("kind").annotate(Count("pk"))
    return dict.fromkeys(Executable.Kind.values, 0) | dict(found)


def applications(scope: Scope) -> int:
    """Applications: folders of git that are synced."""
    return scope.of(Source).filter(kind=Source.Kind.GIT, removed_at=None).count()


def repositories(scope: Scope) -> int:
    """Git repositories of the workspace."""
    return scope.of(Repository).count()


def generic_secrets(scope: Scope) -> int:
    """Generic secrets of the resource group, or of the workspace and for all its groups without one."""
    count = secrets.search(scope).count()
    return count if scope.resource_group else count + secrets.search(scope, shared=True).count()


def inside(scope: Scope) -> dict[str, int]:
    """What a resource group holds, by noun in the plural; CAP + 1 stands for more than CAP. Nine queries."""
    rows: dict[str, QuerySet[Any]] = {
        "running executions": scope.of(Execution).filter(status__in=ACTIVE),
        "executions": scope.of(Execution),
        "running deployments": scope.of(Deployment).filter(status__in=ACTIVE),
        "deployments": scope.of(Deployment),
        "configurations": scope.of(Configuration),
        "artifacts": scope.of(Artifact),
        "object stores": scope.of(ObjectStoreSecret),
        "secrets": scope.of(ResourceGroupSecret),
        "service keys": service_keys.search(scope),
    }
    return {noun: found.order_by()[: CAP + 1].count() for noun, found in rows.items()}


def by_group(scope: Scope) -> QuerySet[ResourceGroup]:
    """Resource groups by id with active_, execution_, served_, deployment_, configuration_, artifact_, store_
    and secret_count; served are deployments that run or are about to.

    For administrators; CAP + 1 stands for more than CAP. Raises Forbidden.
    """
    scope.administer()
    counted: dict[str, QuerySet[Any]] = {
        "active_count": Execution.unscoped.filter(status__in=ACTIVE),
        "execution_count": Execution.unscoped.all(),
        "served_count": Deployment.unscoped.filter(status__in=LIVE),
        "deployment_count": Deployment.unscoped.all(),
        "configuration_count": Configuration.unscoped.all(),
        "artifact_count": Artifact.unscoped.all(),
        "store_count": ObjectStoreSecret.unscoped.all(),
        "secret_count": ResourceGroupSecret.unscoped.all(),
    }
    rows = ResourceGroup.unscoped.filter(workspace=scope.workspace, deleting_at=None).order_by("slug")
    return rows.annotate(
        **{
            name: CappedCount(one.filter(resource_group=OuterRef("pk")).order_by().values("pk")[: CAP + 1])
            for name, one in counted.items()
        }
    )


def limited(scope: Scope) -> tuple[int, int]:
    """Use of what is limited: worker slots of all workspaces, and secrets for all groups here; one query.

    For those who administer the workspace: the caller has made sure of that.
    """
    busy = Execution.unscoped.filter(status__in=LEASED).order_by().values("pk")
    shared = (
        WorkspaceSecret.unscoped.filter(workspace=scope.workspace, is_shared=True).order_by().values("pk")
    )
    rows = Workspace.unscoped.filter(pk=scope.workspace.pk)
    counts: tuple[int, int] = rows.values_list(CappedCount(busy[: CAP + 1]), CappedCount(shared)).get()
    return counts


def registry_secrets(scope: Scope) -> int:
    """Docker registry secrets of the workspace."""
    return docker_secrets.search(scope).count()
