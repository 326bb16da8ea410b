"""Finds things by name or id in every resource group that a person may view, at a bounded cost each."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet

from launchpad.access import every_group, workspaces
from mlops.domain.limits import storable
from mlops.domain.text_search import folded
from mlops.lifecycle import Status
from mlops.models import Artifact, Configuration, Deployment, Executable, Execution, Scenario, Schedule

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from launchpad.resource_groups.models import ResourceGroup
    from launchpad.workspaces.models import Workspace

LIMIT = 6
TEXT_LIMIT = 80
# An index of trigrams finds nothing shorter.
_SHORTEST = 3
# As many as are read to choose the newest from; what matches most things needs more letters, not more rows.
_READ = 200
_GROUPS = 1_000
_ENACTMENT = re.compile(r"[ed][0-9a-f]{1,15}\Z")
_DIGITS = re.compile(r"[0-9a-f]{8,32}\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Everywhere:
    """What a person may open, and what in it matches; at most LIMIT of each kind, those of `home` first.

    Rows of groups bear their `resource_group` with its workspace.
    """

    workspaces: list[Workspace]
    groups: list[ResourceGroup]
    executions: list[Execution]
    deployments: list[Deployment]
    schedules: list[Schedule]
    configurations: list[Configuration]
    artifacts: list[Artifact]
    scenarios: list[Scenario]
    executables: list[Executable]


def find(
    user: User, q: str, home: ResourceGroup | None = None, *, only: ResourceGroup | None = None
) -> Everywhere:
    """Things whose name has the text, or whose id begins with it; at most fifteen queries.

    q: of any length, only its first 80 characters count; of names at least three are needed in groups. home:
    the group one is in. only: one that the user may view, where nothing else is to be found. Without a text
    only the places are told.
    """
    text = q.strip()[:TEXT_LIMIT] if storable(q) else ""
    places = [only.workspace] if only else list(workspaces(user)[:_GROUPS])
    groups = [only] if only else list(every_group(user).select_related("workspace")[:_GROUPS])
    inside = _Inside(groups, home)
    low = text.lower()
    catalog = Q(name__icontains=text) | Q(slug__icontains=text)
    scenarios = Scenario.unscoped.filter(catalog, workspace__in=places).order_by("slug")
    executables = Executable.unscoped.filter(catalog, workspace__in=places).order_by("slug")
    return Everywhere(
        [one for one in places if low in one.slug.lower()][:LIMIT],
        [one for one in groups if low in one.slug.lower()][:LIMIT],
        inside.executions(text),
        inside.deployments(text),
        inside.named(Schedule, text, deleted_at=None),
        inside.named(Configuration, text),
        inside.artifacts(text),
        list(scenarios[:LIMIT]) if text else [],
        list(executables[:LIMIT]) if text else [],
    )


class _Inside:
    """Searches rows of some groups."""

    def __init__(self, groups: Sequence[ResourceGroup], home: ResourceGroup | None) -> None:
        self._groups = {group.pk: group for group in groups}
        self._home = home

    def executions(self, text: str) -> list[Execution]:
        rows = self._rows(Execution).exclude(status=Status.DELETING).select_related("configuration")
        found = {row.pk: row for row in self._beginning(rows, text)}
        if len(text) >= _SHORTEST:
            words = rows.filter(search_text__gt="", search_text__contains=folded(text))
            found |= {row.pk: row for row in words[:_READ]}
        return self._best(list(found.values()))

    def deployments(self, text: str) -> list[Deployment]:
        """By id, or by a part of the configuration's name."""
        rows = self._rows(Deployment).exclude(status=Status.DELETING).select_related("configuration")
        found = {row.pk: row for row in self._beginning(rows, text)}
        if len(text) >= _SHORTEST:
            named = self._rows(Configuration).filter(name__icontains=text).values("pk")
            found |= {row.pk: row for row in rows.filter(configuration__in=named)[:_READ]}
        return self._best(list(found.values()))

    def named(self, model: type[Any], text: str, **shown: Any) -> list[Any]:
        rows = self._rows(model).filter(**shown)
        found = {row.pk: row for row in self._with_uuid(rows, text)}
        if len(text) >= _SHORTEST:
            found |= {row.pk: row for row in rows.filter(name__icontains=text)[:_READ]}
        return self._best(list(found.values()))

    def artifacts(self, text: str) -> list[Artifact]:
        """The newest version of each name, and the one whose id was given."""
        newest: dict[object, Artifact] = {}
        # What the index finds, and of it what has the text in its name.
        found = self._rows(Artifact).filter(search_text__contains=folded(text), name__icontains=text)
        for row in found[:_READ] if len(text) >= _SHORTEST else ():
            key = (row.resource_group_id, row.kind, row.name)
            if key not in newest or newest[key].version < row.version:
                newest[key] = row
        by_id = self._with_uuid(self._rows(Artifact), text)
        return self._best(list({row.pk: row for row in (*by_id, *newest.values())}.values()))

    def _rows(self, model: type[Any]) -> QuerySet[Any]:
        # By keys, which the planner can count; unsorted, so that it never walks an index for an order.
        shown = getattr(model, "SHOWN", {})
        rows: QuerySet[Any] = model.unscoped.filter(resource_group__in=list(self._groups), **shown)
        return rows.order_by()

    def _beginning(self, rows: QuerySet[Any], text: str) -> Iterable[Any]:
        """Rows whose id begins with a text; a range, which every index of keys serves."""
        start = text.lower()
        if not _ENACTMENT.match(start):
            return ()
        return rows.filter(pk__gte=start, pk__lt=f"{start}g")[:_READ]

    def _with_uuid(self, rows: QuerySet[Any], text: str) -> Iterable[Any]:
        """Rows whose id begins with a text of at least eight digits."""
        digits = text.replace("-", "")
        if not _DIGITS.match(digits):
            return ()
        ends = [uuid.UUID(digits.ljust(32, letter)) for letter in "0f"]
        return rows.filter(pk__range=ends)[:_READ]

    def _best(self, rows: list[Any]) -> list[Any]:
        """The newest, those of the group one is in first, each with its group."""
        here = self._home.pk if self._home else None
        rows.sort(key=lambda row: (row.resource_group_id == here, row.created_at), reverse=True)
        for row in rows[:LIMIT]:
            row.resource_group = self._groups[row.resource_group_id]
        return rows[:LIMIT]
