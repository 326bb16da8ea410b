"""Executions and deployments narrowed to a scenario, an executable or a version, by way of an index."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Max, Model, QuerySet, Subquery

from launchpad.access import Scope
from mlops.models import Executable, ExecutableVersion

M = TypeVar("M", bound=Model)


def narrow(
    scope: Scope, rows: QuerySet[M], *, scenario: str = "", executable: str = "", version: str = ""
) -> QuerySet[M]:
    """Of an executable, a version or a scenario; the keys come with the query itself.

    rows: with columns executable and executable_version. scenario, executable: slugs; version: a label.
    """
    executables = scope.of(Executable).order_by().values("pk")
    if scenario:
        executables = executables.filter(scenario__slug=scenario)
    if executable:
        # One value at most, so that the index is read in its order.
        one = Subquery(executables.filter(slug=executable)[:1])
        executables = scope.of(Executable).filter(pk=one).values("pk")
        rows = rows.filter(executable=one)
    elif scenario:
        rows = rows.filter(executable__in=executables)
    if version:
        versions = scope.of(ExecutableVersion).filter(label=version)
        if scenario or executable:
            versions = versions.filter(executable__in=executables)
        rows = rows.filter(executable_version__in=versions.order_by().values("pk"))
    return rows


def slugs(scope: Scope, scenario: str, kind: str) -> list[str]:
    """Slugs of a scenario's executables of a kind."""
    rows = scope.of(Executable).filter(scenario__slug=scenario, kind=kind)
    return list(rows.order_by("slug").values_list("slug", flat=True))


def version_labels(scope: Scope, scenario: str, executable: str = "") -> list[str]:
    """Version labels of a scenario's executables, or of one of them, those made last first; at most 200."""
    rows = scope.of(ExecutableVersion).filter(executable__scenario__slug=scenario)
    if executable:
        rows = rows.filter(executable__slug=executable)
    newest = rows.order_by().values("label").annotate(made=Max("created_at")).order_by("-made", "label")
    return [row["label"] for row in newest[:200]]
