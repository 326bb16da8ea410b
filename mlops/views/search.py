"""Search: to anything by name or id, as a page and as what the palette shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from launchpad.access import Scope
from launchpad.http import manager, member, render
from launchpad.places import place_url
from launchpad.shell import Shell
from mlops.domain import everywhere
from mlops.views.nouns import BY_KIND

# What editors make: label, icon, URL name.
COMMANDS = (
    ("Create execution", "plus", "mlops:executions.create"),
    ("Create deployment", "plus", "mlops:deployments.create"),
    ("Create schedule", "plus", "mlops:schedules.create"),
    ("Create configuration", "plus", "mlops:configurations.create"),
    ("Register dataset", "plus", "mlops:datasets.register"),
    ("Register model", "plus", "mlops:models.register"),
)


@dataclass(frozen=True)
class Hit:
    """One thing to go to. status: a glyph in place of the icon; key: the one after G."""

    title: str
    url: str
    icon: str = ""
    status: str = ""
    sub: str = ""
    meta: str = ""
    key: str = ""


@dataclass(frozen=True)
class Section:
    """Things of one kind."""

    title: str
    hits: list[Hit]


@manager
def index(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Search as seen from a workspace or resource group, whose things come first."""
    return _page(request, scope)


@member
def anywhere(request: HttpRequest) -> HttpResponse:
    """Search as seen from outside any place."""
    return _page(request, None)


def _page(request: HttpRequest, scope: Scope | None) -> HttpResponse:
    q = request.GET.get("q", "").replace("\0", "").strip()[: everywhere.TEXT_LIMIT]
    home = scope.resource_group if scope else None
    only = home if scope and scope.viewed_as else None
    found = everywhere.find(request.user, q, home, only=only)
    sections = [*_pages(request, scope, q), *_things(found), *_catalog(found, scope), *_places(found)]
    context = {"q": q, "sections": [section for section in sections if section.hits]}
    return render(
        request, "mlops/search/index.html", context, fragments=("search-results", "palette-results")
    )


def _pages(request: HttpRequest, scope: Scope | None, q: str) -> list[Section]:
    """Commands and pages of the navigation whose label has the text."""
    low = q.lower()
    may_make = scope is not None and scope.resource_group is not None and scope.may_change
    commands = [
        Hit(label, place_url(scope, name), icon)
        for label, icon, name in (COMMANDS if may_make and q else ())
        if low in label.lower()
    ]
    pages = [
        Hit(item.label, item.url, item.icon, key=item.key)
        for item in Shell(request).items
        if item.url and low in item.label.lower()
    ]
    return [Section("Commands", commands), Section("Pages", pages)]


def _things(found: everywhere.Everywhere) -> list[Section]:
    executions = [
        _enacted(row, "executions.detail", row.name or row.pk, row.configuration.name, execution_id=row.pk)
        for row in found.executions
    ]
    deployments = [
        _enacted(row, "deployments.detail", row.configuration.name, "Deployment", deployment_id=row.pk)
        for row in found.deployments
    ]
    schedules = [
        _named(row, "schedules.detail", "schedule", row.status.capitalize(), schedule_id=row.pk)
        for row in found.schedules
    ]
    configurations = [
        _named(row, "configurations.detail", "configuration", configuration_id=row.pk)
        for row in found.configurations
    ]
    return [
        Section("Executions", executions),
        Section("Deployments", deployments),
        Section("Schedules", schedules),
        Section("Configurations", configurations),
        Section("Artifacts", _artifacts(found)),
    ]


def _enacted(row: Any, page: str, title: str, sub: str, **key: Any) -> Hit:
    """An execution or a deployment, with its status."""
    meta = f"{row.pk[:8]} · {row.resource_group.slug}"
    return Hit(title, _inside(row, page, **key), status=row.status, sub=sub, meta=meta)


def _named(row: Any, page: str, icon: str, sub: str = "", **key: Any) -> Hit:
    return Hit(row.name, _inside(row, page, **key), icon, sub=sub, meta=row.resource_group.slug)


def _artifacts(found: everywhere.Everywhere) -> list[Hit]:
    return [
        Hit(
            row.name,
            _inside(row, f"{BY_KIND[row.kind].plural}.detail", artifact_id=row.pk),
            BY_KIND[row.kind].icon,
            meta=f"{BY_KIND[row.kind].one.capitalize()} · version {row.version} · {row.resource_group.slug}",
        )
        for row in found.artifacts
    ]


def _inside(row: Any, name: str, **key: Any) -> str:
    group = row.resource_group
    place = {"workspace": group.workspace_id, "resource_group": group.slug}
    return reverse(f"mlops:{name}", kwargs={**place, **key})


def _catalog(found: everywhere.Everywhere, scope: Scope | None) -> list[Section]:
    """Scenarios and executables, in the group one is in where it is of their workspace."""

    def url(row: Any, name: str, key: str) -> str:
        if scope is not None and scope.workspace.pk == row.workspace_id:
            return place_url(scope, f"mlops:{name}", row.slug)
        return reverse(f"mlops:{name}", kwargs={"workspace": row.workspace_id, key: row.slug})

    scenarios = [
        Hit(row.name, url(row, "scenarios.detail", "scenario"), "scenario", sub=row.slug)
        for row in found.scenarios
    ]
    executables = [
        Hit(row.name, url(row, "executables.detail", "executable"), "execution", sub=row.slug)
        for row in found.executables
    ]
    return [Section("Scenarios", scenarios), Section("Executables", executables)]


def _places(found: everywhere.Everywhere) -> list[Section]:
    groups = [
        Hit(
            group.slug,
            reverse("resource_groups.enter", args=(group.workspace_id, group.slug)),
            "workspaces",
            meta=f"Resource group in {group.workspace_id}",
        )
        for group in found.groups
    ]
    workspaces = [
        Hit(one.slug, reverse("workspaces.detail", args=(one.pk,)), "workspaces", meta="Workspace")
        for one in found.workspaces
    ]
    return [Section("Places", groups + workspaces)]
