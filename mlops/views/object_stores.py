"""Object stores of all resource groups of a workspace, for its administrators, with a test of each."""

from __future__ import annotations

import functools
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from launchpad.access import Scope, administered
from launchpad.http import FORM, WRITE, administrator, render, respond
from launchpad.places import place_url
from launchpad.resource_groups import resource_groups
from mlops import paging
from mlops.domain import object_stores
from mlops.views import administration
from mlops.views.administration import Place, Question
from mlops.views.secret_forms import NewStoreForm, StoreForm

INDEX = "mlops:object_stores.index"
DEFAULT = (
    "Every resource group has a store named default, a folder of this Launchpad. A store of that name that "
    "is added here takes its place: outputs of executions go there, and addresses ai://default/… mean it "
    "from then on. Files are not moved."
)
SEALED = "Credentials are kept sealed. Nobody sees them again, you included."


def _parents(scope: Scope) -> list[tuple[str, str]]:
    return [("Object stores", place_url(scope, INDEX))]


def groups(scope: Scope) -> list[str]:
    """Ids of the workspace's groups, to choose from."""
    return list(resource_groups.search(scope).values_list("slug", flat=True))


@administrator()
def index(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """The stores that were added, of all groups or of one."""
    rows, group = object_stores.of_workspace(scope), request.GET.get("group", "")
    slugs = groups(scope)
    if group in slugs:
        rows = rows.filter(resource_group__slug=group)
    context = {
        "page": paging.page(rows, request.GET),
        "group": group if group in slugs else "",
        "groups": slugs,
        "default": DEFAULT,
    }
    return render(request, "mlops/object_stores/index.html", context, fragments=("store-table",))


@administrator(methods=FORM)
def create(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Add a store to a group."""
    sent = request.method == "POST"
    start = {"group": request.GET.get("group", "")}
    form = NewStoreForm(request.POST if sent else None, groups=groups(scope), initial=start)

    def act(*, group: str, **values: Any) -> Any:
        return object_stores.create(administered(scope, group), **values)

    if sent and (made := administration.sent(form, act)):
        return respond(request, INDEX, toast=f"Store {made.name} was added. Test it now.")
    notes = (DEFAULT, SEALED)
    place = Place("Add object store", "Add object store", _parents(scope), notes)
    return administration.form_page(request, form, place)


@administrator(methods=FORM)
def change(request: HttpRequest, scope: Scope, group: str, store: str) -> HttpResponseBase:
    """Change where a store is; credentials may be left as they are."""
    inside = administered(scope, group)
    found = object_stores.get(inside, store)
    shown = {**found.options, "kind": found.kind, "seen": found.modified_at.isoformat()}
    form = StoreForm(request.POST if request.method == "POST" else None, initial=shown)
    if administration.sent(form, functools.partial(object_stores.change, inside, found.name)):
        return respond(request, INDEX, toast=f"Store {found.name} was changed. Test it now.")
    notes = (
        "Leave both credentials empty to keep those of before. For another server they are asked for again.",
        f"Addresses ai://{found.name}/… mean the new place from then on. Files are not moved.",
    )
    heading = f"Change store {found.name} of {group}"
    return administration.form_page(request, form, Place(heading, "Change store", _parents(scope), notes))


@administrator(methods=WRITE)
def check(request: HttpRequest, scope: Scope, group: str, store: str) -> HttpResponseBase:
    """Write, read and remove a small object."""
    object_stores.check(administered(scope, group), store)
    toast = f"Store {store} of {group} works: a test object was written, read and removed."
    return respond(request, INDEX, toast=toast, restart=index)


@administrator(methods=FORM)
def delete(request: HttpRequest, scope: Scope, group: str, store: str) -> HttpResponseBase:
    """Ask, then forget a store; its files stay."""
    inside = administered(scope, group)
    found = object_stores.get(inside, store)
    if request.method == "POST":
        object_stores.delete(inside, found.name)
        return respond(request, INDEX, toast=f"Store {found.name} was deleted.")
    sentences = (
        "Its address and credentials are forgotten. The files in it stay where they are.",
        f"Artifacts at ai://{found.name}/… stay too, but cannot be read until "
        "there is a store of this name again.",
    )
    facts = [("Resource group", group), ("Bucket", found.options.get("bucket", ""))]
    question = Question(
        f"Delete store {found.name}?", "Delete store", "Keep store", _parents(scope), sentences, facts
    )
    return administration.question_page(request, question)
