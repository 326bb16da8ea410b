"""Pages where one chooses a workspace and a resource group; staff make and describe workspaces here."""

from __future__ import annotations

import functools
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from launchpad.access import Scope
from launchpad.http import FORM, administrator, manager, member, render, respond, staff
from launchpad.workspaces import workspaces
from mlops.domain import workspace_tiles
from mlops.views import administration
from mlops.views.administration import Place
from mlops.views.administration_forms import line

PAGE = "workspaces/index.html"
_MAX_QUERY = 80


class WorkspaceForm(forms.Form):
    """What a workspace is about. seen: what the form showed, so that a change is noticed."""

    field_order = ("slug", "description")
    description = forms.CharField(
        required=False, help_text="What it is for, in a sentence", widget=line(limit=256)
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)


class NewWorkspaceForm(WorkspaceForm):
    """A new workspace with its id."""

    seen = None
    slug = forms.CharField(
        label="ID",
        help_text="Lower-case letters, digits, dots and hyphens; part of every address, it never changes",
        error_messages={"required": "Give it an ID."},
        widget=line(limit=63, mono=True),
    )


@member
def index(request: HttpRequest) -> HttpResponse:
    """The workspaces open to the person, the one they were in last selected."""
    return _page(request, "")


@manager
def detail(request: HttpRequest, scope: Scope) -> HttpResponse:
    """The same page with this workspace selected."""
    return _page(request, scope.workspace.pk)


@staff
def create(request: HttpRequest) -> HttpResponseBase:
    """Make a workspace."""
    form = NewWorkspaceForm(request.POST if request.method == "POST" else None)
    if made := administration.sent(form, functools.partial(workspaces.create, request.user)):
        return respond(request, _of(made.pk), toast=f"Workspace {made} was created.")
    notes = (
        "It begins with the resource group default, and you may administer it at once.",
        "Others need a role, which administrators grant.",
    )
    parents = [("Workspaces", reverse("workspaces.index"))]
    return administration.form_page(
        request, form, Place("Create workspace", "Create workspace", parents, notes)
    )


@administrator(methods=FORM)
def change(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Describe a workspace anew; told when somebody else did meanwhile."""
    found = scope.workspace
    shown = {"description": found.description, "seen": workspaces.fingerprint(found)}
    form = WorkspaceForm(request.POST if request.method == "POST" else None, initial=shown)
    if administration.sent(form, functools.partial(workspaces.change, scope)):
        return respond(request, _of(found.pk), toast=f"Workspace {found} was changed.")
    parents = [("Workspaces", reverse("workspaces.index")), (found.pk, _of(found.pk))]
    notes = ("Its ID is part of every address and never changes.",)
    return administration.form_page(request, form, Place(f"Edit {found}", "Save workspace", parents, notes))


def _of(slug: str) -> str:
    return reverse("workspaces.detail", args=(slug,))


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
