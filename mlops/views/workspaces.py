"""Pages where one chooses a workspace and a resource group."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from launchpad.access import Scope
from launchpad.http import manager, member, render
from mlops.domain import workspace_tiles

PAGE = "workspaces/index.html"
_MAX_QUERY = 80


@member
def index(request: HttpRequest) -> HttpResponse:
    """The workspaces open to the person, the one they were in last selected."""
    return _page(request, "")


@manager
def detail(request: HttpRequest, scope: Scope) -> HttpResponse:
    """The same page with this workspace selected."""
    return _page(request, scope.workspace.pk)


def _page(request: HttpRequest, wanted: str) -> HttpResponse:
    q, group_q = (request.GET.get(name, "").strip()[:_MAX_QUERY] for name in ("q", "group"))
    tiles = workspace_tiles.tiles(request.user)
    shown = [one for one in tiles if q.lower() in f"{one.workspace.slug} {one.workspace.description}".lower()]
    visited = [one for one in shown if one.workspace.visited_at]
    latest = max(visited, key=lambda one: one.workspace.visited_at, default=None)
    selected = next((one for one in tiles if one.workspace.pk == wanted), latest or next(iter(shown), None))
    groups = [
        one
        for one in (selected.groups if selected else ())
        if group_q.lower() in f"{one.slug} {one.description} {_labels(one)}".lower()
    ]
    context = {
        "q": q,
        "group_q": group_q,
        "count": len(tiles),
        "tiles": shown,
        "selected": selected,
        "groups": groups,
        "workers": workspace_tiles.workers(),
        "administers": bool(selected) and (request.user.is_superuser or request.user.is_staff),
    }
    return render(request, PAGE, context, fragments=("workspaces", "groups", "other-workspaces"))


def _labels(group: Any) -> str:
    return " ".join(f"{one['key']} {one['value']}" for one in group.labels)
