"""On which resource plan the servers of deployments run, as their templates and configurations say."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from launchpad.access import Question, Scope
from mlops.domain import catalog, servings
from mlops.models import ExecutableVersion, ParameterBinding

_Values = Iterable[tuple[UUID, str, str]]
_COLUMNS = ("configuration_id", "key", "value")
_OF_ONE = Question(
    ParameterBinding,
    lambda rows, key: rows.filter(configuration=key).values_list(*_COLUMNS, named=True),
    uuid.uuid4(),
)


@dataclass(frozen=True)
class _Said:
    """What a template says of the resource plan. defaults: of the parameters that the text is made of."""

    text: str
    defaults: dict[str, str]


# By version, which never changes.
_KEPT = 4096
_said: dict[UUID, _Said] = {}


def told(scope: Scope, rows: Sequence[Any]) -> dict[str, str]:
    """Resource plans by key of deployments of the group.

    rows: with id, configuration_id and executable_version_id. A query for versions that were not met before,
    and one where a template makes its plan of parameters.
    """

    def values(keys: Collection[UUID]) -> _Values:
        if len(keys) == 1:
            return scope.ask(_OF_ONE, *keys)
        return _bound(scope.of(ParameterBinding), keys)

    return _told(rows, lambda: scope.of(ExecutableVersion), values)


def told_of_all(rows: Sequence[Any]) -> dict[str, str]:
    """As `told`, for deployments of any groups: the caller has made sure that they may be viewed."""
    return _told(
        rows,
        lambda: ExecutableVersion.unscoped.all(),
        lambda keys: _bound(ParameterBinding.unscoped.all(), keys),
    )


def _bound(rows: QuerySet[ParameterBinding], keys: Collection[UUID]) -> _Values:
    return rows.filter(configuration__in=keys).values_list(*_COLUMNS)


def _told(
    rows: Sequence[Any],
    versions: Callable[[], QuerySet[ExecutableVersion]],
    values: Callable[[Collection[UUID]], _Values],
) -> dict[str, str]:
    said = _texts({row.executable_version_id for row in rows}, versions)
    given: dict[UUID, dict[str, str]] = defaultdict(dict)
    if keys := {row.configuration_id for row in rows if said[row.executable_version_id].defaults}:
        for configuration, key, value in values(keys):
            given[configuration][key] = value
    found = {}
    for row in rows:
        its = said[row.executable_version_id]
        # A template that was rolled in may have parameters that the configuration does not give.
        found[row.id] = servings.resource_plan(its.text, its.defaults | given[row.configuration_id])
    return found


def _texts(keys: Collection[UUID], versions: Callable[[], QuerySet[ExecutableVersion]]) -> dict[UUID, _Said]:
    found = {key: _said[key] for key in keys if key in _said}
    if missing := [key for key in keys if key not in found]:
        read = {row.pk: _read(row) for row in versions().filter(pk__in=missing)}
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
