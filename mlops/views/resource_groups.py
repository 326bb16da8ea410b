"""Resource groups of a workspace, for its administrators: the list, a new one, labels, giving one up."""

from __future__ import annotations

import functools

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from launchpad.access import Scope, administered
from launchpad.http import FORM, administrator, render, respond
from launchpad.places import place_url
from launchpad.resource_groups import resource_groups
from mlops.domain import group_search, usage
from mlops.paging import capped
from mlops.views import administration
from mlops.views.administration import Place, Question
from mlops.views.by_name import ByName
from mlops.views.secret_forms import GroupForm, NewGroupForm
from mlops.views.secret_values import write_labels

INDEX, DETAIL = "mlops:resource_groups.index", "mlops:resource_groups.detail"
ISOLATION = (
    "Executions, configurations, artifacts, stores and secrets of a group are seen by its own viewers "
    "and editors alone. Scenarios and executables are the workspace's: all its groups use the same."
)


def _parents(scope: Scope, slug: str = "") -> list[tuple[str, str]]:
    found = [("Resource groups", place_url(scope, INDEX))]
    return [*found, (slug, place_url(scope, DETAIL, group=slug))] if slug else found


@administrator()
def index(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """The workspace's groups by id."""
    page = ByName(group_search.search(scope), request.GET, name="slug")
    return render(request, "mlops/resource_groups/index.html", {"page": page, "isolation": ISOLATION})


@administrator()
def detail(request: HttpRequest, scope: Scope, group: str) -> HttpResponseBase:
    """One group: labels, what it holds and what it may hold."""
    inside = administered(scope, group)
    facts = [(noun.capitalize(), capped(count)) for noun, count in usage.inside(inside).items()]
    is_default = group == resource_groups.DEFAULT
    context = {"group": inside.resource_group, "facts": facts, "is_default": is_default}
    return render(request, "mlops/resource_groups/detail.html", context)


@administrator(methods=FORM)
def create(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Make a group."""
    form = NewGroupForm(request.POST if request.method == "POST" else None)
    if made := administration.sent(form, functools.partial(resource_groups.create, scope)):
        return respond(request, DETAIL, group=made.slug, toast=f"Resource group {made.slug} was created.")
    notes = (
        ISOLATION,
        "You may change everything in it at once. Others need a role, which administrators grant.",
    )
    place = Place("Create resource group", "Create resource group", _parents(scope), notes)
    return administration.form_page(request, form, place)


@administrator(methods=FORM)
def change(request: HttpRequest, scope: Scope, group: str) -> HttpResponseBase:
    """Change description and labels; told when somebody else did meanwhile."""
    found = resource_groups.get(scope, group)
    shown = {
        "description": found.description,
        "labels": write_labels(found.labels),
        "seen": resource_groups.fingerprint(found),
    }
    form = GroupForm(request.POST if request.method == "POST" else None, initial=shown)
    if administration.sent(form, functools.partial(resource_groups.change, scope, found.slug)):
        return respond(request, DETAIL, group=found.slug, toast=f"Resource group {found.slug} was changed.")
    place = Place(f"Change {found.slug}", "Change resource group", _parents(scope, found.slug))
    return administration.form_page(request, form, place)


@administrator(methods=FORM)
def delete(request: HttpRequest, scope: Scope, group: str) -> HttpResponseBase:
    """Ask, with what would go, then give it up."""
    inside = administered(scope, group)
    if request.method == "POST":
        resource_groups.delete(scope, group)
        return respond(request, INDEX, toast=f"{group} is being deleted with everything in it.")
    is_default = group == resource_groups.DEFAULT
    sentences = (
        "From this moment nobody opens it, administrators included, and its service keys are refused.",
        "What runs is stopped. Then everything in it is removed, with the files in its local stores. "
        "This cannot be taken back.",
        "What stays: files in buckets elsewhere, the workspace's scenarios and executables, the audit trail.",
    )
    facts = [(noun.capitalize(), capped(count)) for noun, count in usage.inside(inside).items()]
    question = Question(
        f"Delete resource group {group}?",
        f"Delete {group} and everything in it",
        "Keep resource group",
        _parents(scope, group),
        sentences,
        facts,
        f"The resource group {group} always exists; it cannot be deleted." if is_default else "",
    )
    return administration.question_page(request, question)
