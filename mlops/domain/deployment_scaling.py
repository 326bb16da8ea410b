"""How many servers deployments have and may come to, and on which resource plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, OuterRef, QuerySet

from launchpad.access import Scope
from mlops.domain import catalog, servings
from mlops.domain.capped import CappedCount
from mlops.lifecycle import Status
from mlops.models import ExecutableVersion, ParameterBinding, Replica, Revision


@dataclass(frozen=True)
class _Said:
    """What a template says of the resource plan. defaults: of the parameters that the text is made of."""

    text: str
    defaults: dict[str, str]


# By version, which never changes.
_KEPT = 4096
_said: dict[UUID, _Said] = {}


@dataclass(frozen=True)
class Scaling:
    """Servers of a deployment. least, most: of its newest revision; running: those that get requests now.

    resource_plan: what each of them may use.
    """

    least: int
    most: int
    running: int
    resource_plan: str


@dataclass(frozen=True)
class _Window:
    """Where it is looked."""

    revisions: QuerySet[Revision]
    replicas: QuerySet[Replica]
    versions: QuerySet[ExecutableVersion]
    parameters: QuerySet[ParameterBinding]


def told(scope: Scope, rows: Sequence[Any]) -> dict[str, Scaling]:
    """Scaling of deployments of the group by key, in one query and one more for versions not met before.

    rows: with id, configuration_id and executable_version_id. Where a template takes its plan from a
    parameter, that is a further query.
    """
    window = _Window(
        scope.of(Revision), scope.of(Replica), scope.of(ExecutableVersion), scope.of(ParameterBinding)
    )
    return _told(window, rows)


def told_of_all(rows: Sequence[Any]) -> dict[str, Scaling]:
    """As `told`, for deployments of any groups: the caller has made sure that they may be viewed."""
    window = _Window(
        Revision.unscoped.all(),
        Replica.unscoped.all(),
        ExecutableVersion.unscoped.all(),
        ParameterBinding.unscoped.all(),
    )
    return _told(window, rows)


def _told(window: _Window, rows: Sequence[Any]) -> dict[str, Scaling]:
    plans = _plans(window, rows)
    ready = window.replicas.filter(
        deployment=OuterRef("deployment"),
        revision__number=OuterRef("deployment__serving"),
        status=Status.RUNNING,
        is_ready=True,
        draining_at=None,
    )
    newest = window.revisions.filter(
        deployment__in=[row.id for row in rows], number=F("deployment__newest")
    ).annotate(running=CappedCount(ready.order_by().values("pk")))
    columns = ("deployment", "replicas", "most", "running")
    return {
        key: Scaling(least, most, running, plans[key])
        for key, least, most, running in newest.order_by().values_list(*columns)
    }


def _plans(window: _Window, rows: Sequence[Any]) -> dict[str, str]:
    said = _texts(window, {row.executable_version_id for row in rows})
    values = _values(window, rows, said)
    found = {}
    for row in rows:
        its = said[row.executable_version_id]
        # A template that was rolled in may have parameters that the configuration does not give.
        given = its.defaults | values[row.configuration_id]
        found[row.id] = servings.resource_plan(its.text, given)
    return found


def _texts(window: _Window, versions: Collection[UUID]) -> dict[UUID, _Said]:
    found = {key: _said[key] for key in versions if key in _said}
    missing = [key for key in versions if key not in found]
    if missing:
        read = {row.pk: _read(row) for row in window.versions.filter(pk__in=missing)}
        if len(_said) + len(read) > _KEPT:
            _said.clear()
        _said.update(read)
        found |= read
    return found


def _read(version: ExecutableVersion) -> _Said:
    template = catalog.describe(version)
    text = servings.of(template).resource_plan or ""
    names = servings.parameters_in(text)
    return _Said(text, {one.name: one.default or "" for one in template.parameters if one.name in names})


def _values(window: _Window, rows: Sequence[Any], said: dict[UUID, _Said]) -> dict[UUID, dict[str, str]]:
    """By configuration the parameters that its plan is made of; no query where none is."""
    values: dict[UUID, dict[str, str]] = defaultdict(dict)
    names = {name for one in said.values() for name in one.defaults}
    if names:
        keys = {row.configuration_id for row in rows if said[row.executable_version_id].defaults}
        bound = window.parameters.filter(configuration__in=keys, key__in=names)
        for configuration, key, value in bound.values_list("configuration", "key", "value"):
            values[configuration][key] = value
    return values
