"""What uses a scenario, an executable or one of its versions in a resource group, counted up to a limit."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import OuterRef, QuerySet

from launchpad.access import Scope
from mlops.domain.capped import CappedCount
from mlops.models import Configuration, Deployment, Executable, ExecutableVersion, Execution

COUNTED = 1000


class Uses(NamedTuple):
    """Numbers of configurations, executions and deployments; COUNTED + 1 stands for more."""

    configurations: int
    executions: int
    deployments: int


_COUNTED = (("configuration", Configuration), ("execution", Execution), ("deployment", Deployment))
NONE = Uses(0, 0, 0)


def of_versions(scope: Scope, versions: Collection[ExecutableVersion]) -> dict[UUID, Uses]:
    """Uses of each version in the scope's group, by key; one query, none in a workspace."""
    if scope.resource_group is None or not versions:
        return {}
    rows = scope.of(ExecutableVersion).filter(pk__in=[version.pk for version in versions]).order_by()
    return _counted(scope, rows, "executable_version")


def of_executables(scope: Scope, executables: Collection[Executable]) -> dict[UUID, Uses]:
    """Uses of each executable in the scope's group, by key; one query, none in a workspace."""
    if scope.resource_group is None or not executables:
        return {}
    rows = scope.of(Executable).filter(pk__in=[one.pk for one in executables]).order_by()
    return _counted(scope, rows, "executable")


def _counted(scope: Scope, rows: QuerySet[Any], path: str) -> dict[UUID, Uses]:
    own = {path: OuterRef("pk"), "archived_at": None}
    counts = {
        f"{name}_count": CappedCount(
            scope.of(model).filter(**own).order_by("-created_at", "-pk").values("pk")[: COUNTED + 1]
        )
        for name, model in _COUNTED
    }
    told = rows.annotate(**counts).values_list("pk", *counts)
    return {key: Uses(*found) for key, *found in told}
