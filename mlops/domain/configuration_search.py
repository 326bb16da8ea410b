"""Configurations found by name, scenario and executable, with what lists tell of them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, OuterRef, QuerySet

from launchpad.access import Question, Scope
from mlops.domain import catalog
from mlops.domain.capped import CappedCount
from mlops.domain.limits import search_words, storable
from mlops.domain.text_search import containing
from mlops.models import (
    ArtifactBinding,
    Configuration,
    Deployment,
    ExecutableVersion,
    Execution,
    ParameterBinding,
)

COUNTED = 1000
# Fewer digits begin too many ids to be meant as one.
_BEGINNING = re.compile(r"[0-9a-f]{4,32}\Z")


@dataclass(frozen=True)
class Bound:
    """What a configuration binds. parameters: (key, value); artifacts: (key, id of the artifact)."""

    parameters: list[tuple[str, str]] = field(default_factory=list)
    artifacts: list[tuple[str, uuid.UUID]] = field(default_factory=list)


def find(
    scope: Scope,
    *,
    q: str = "",
    any_case: bool = True,
    scenario: str | None = None,
    executables: Collection[str] = (),
) -> QuerySet[Configuration]:
    """Configurations, newest first.

    q: found in the name, at most 80 characters. scenario: its slug; executables: slugs, any of them. Raises
    Invalid.
    """
    rows = containing(scope.of(Configuration), search_words(q), "name", any_case=any_case)
    if scenario or executables:
        # By keys: a join on slugs would keep the planner from reading an index in its order.
        rows = rows.filter(executable__in=catalog.executable_keys(scope, executables, scenario))
    return rows.order_by("-created_at", "-id")


def name_of(scope: Scope, key: uuid.UUID) -> str:
    """The name of a configuration; "" for one that is not there."""
    return scope.of(Configuration).filter(pk=key).values_list("name", flat=True).first() or ""


def search(
    scope: Scope,
    q: str = "",
    scenario: str | None = None,
    executable: str | None = None,
    *,
    version: str | None = None,
    archived: bool = False,
    runnable: bool = False,
) -> QuerySet[Configuration]:
    """As `find`, whatever the case, with parameter_count, input_count, use_count and deployment_count.

    Of executions and deployments 1000 stands for that or more.

    q: also the beginning of an id. version: a version label. archived: those in the archive, else those that
    are not. runnable: only those that executions are made of.
    """
    executables = [executable] if executable else []
    wide: dict[str, Any] = {} if version else {"scenario": scenario, "executables": executables}
    rows = find(scope, q=q, **wide)
    if ends := bounds(q):
        rows |= find(scope, **wide).filter(pk__range=ends)
    if version:
        # The keys of versions tell of scenario and executable too.
        rows = rows.filter(executable_version__in=_version_keys(scope, version, scenario, executable))
    rows = rows.filter(archived_at__isnull=not archived)
    if runnable and (serving := catalog.serving_keys(scope)):
        rows = rows.exclude(executable__in=serving)
    counts = {
        f"{name}_count": CappedCount(
            scope.of(model).filter(configuration=OuterRef("pk")).values("pk")[:COUNTED]
        )
        for name, model in (
            ("parameter", ParameterBinding),
            ("input", ArtifactBinding),
            ("use", Execution),
            ("deployment", Deployment),
        )
    }
    rows = rows.select_related("executable_version__executable__scenario", "created_by")
    # The templates' specs are large and no list shows them.
    return rows.annotate(**counts).defer(*catalog.LARGE)


def _version_keys(scope: Scope, label: str, scenario: str | None, executable: str | None) -> list[uuid.UUID]:
    """By keys: a join would keep the planner from reading an index in its order."""
    wanted = {"label": label, "executable__scenario__slug": scenario, "executable__slug": executable}
    given = {path: value for path, value in wanted.items() if value}
    if not all(storable(value) for value in given.values()):
        return []
    return list(scope.of(ExecutableVersion).filter(**given).order_by().values_list("pk", flat=True))


def bounds(q: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The first and the last id that begin with a text; None for one that no id begins with."""
    digits = q.strip().lower().replace("-", "")
    if not _BEGINNING.match(digits):
        return None
    return uuid.UUID(digits.ljust(32, "0")), uuid.UUID(digits.ljust(32, "f"))


def sources(scope: Scope) -> list[tuple[str, str, str]]:
    """What configurations can be of: (scenario, executable, version label), by name, at most 2000."""
    rows = scope.of(ExecutableVersion).order_by("executable__scenario__slug", "executable__slug", "label")
    return list(rows.values_list("executable__scenario__slug", "executable__slug", "label").distinct()[:2000])


def brief(rows: QuerySet[Configuration]) -> QuerySet[Configuration, Any]:
    """The same configurations as named tuples: id, name, created_at, executable_slug, scenario_slug."""
    return rows.annotate(
        executable_slug=F("executable__slug"), scenario_slug=F("executable__scenario__slug")
    ).values_list("id", "name", "created_at", "executable_slug", "scenario_slug", named=True)


_ONE = Question(Configuration, lambda rows, key: brief(rows.filter(pk=key)), uuid.uuid4())


def get(scope: Scope, configuration_id: str | uuid.UUID) -> Any:
    """One configuration as `brief` tells it; raises NotFound."""
    return scope.ask_one(_ONE, configuration_id)


def bindings(scope: Scope, keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, Bound]:
    """What each of these configurations binds, by key of the binding; two queries."""
    found = {key: Bound() for key in keys}
    parameters = scope.of(ParameterBinding).filter(configuration__in=found).order_by("key")
    for owner, key, value in parameters.values_list("configuration", "key", "value"):
        found[owner].parameters.append((key, value))
    inputs = scope.of(ArtifactBinding).filter(configuration__in=found).order_by("key")
    for owner, key, artifact in inputs.values_list("configuration", "key", "artifact"):
        found[owner].artifacts.append((key, artifact))
    return found
