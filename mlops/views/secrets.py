"""Generic secrets of a workspace and its groups, for its administrators: names and uses, never values."""

from __future__ import annotations

import functools
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from launchpad.access import NOTHING_HERE, Scope, administered
from launchpad.errors import NotFound
from launchpad.http import FORM, administrator, render, respond
from launchpad.places import place_url
from mlops import paging
from mlops.domain import secrets
from mlops.views import administration
from mlops.views.administration import Place, Question
from mlops.views.object_stores import groups
from mlops.views.secret_forms import IN_GROUP, OWN, SHARED, NewSecretForm, SecretForm
from mlops.views.secret_values import write_labels

INDEX = "mlops:secrets.index"
SEALED = "Values are kept sealed. Nobody sees them again, you included; they can be replaced."
HIDING = (
    "In the runs of a resource group its own secret hides the one that the workspace shares under the same "
    "name."
)


def _parents(scope: Scope) -> list[tuple[str, str]]:
    return [("Secrets", place_url(scope, INDEX))]


@administrator()
def index(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Shared secrets and where they are hidden, the workspace's own, and those of groups."""
    shared, own = secrets.of_workspace(scope, at_most=paging.SIZE)
    hiding = secrets.hiding(scope)
    rows, group = secrets.of_groups(scope), request.GET.get("group", "")
    if group in hiding:
        rows = rows.filter(resource_group__slug=group)
    context = {
        "shared": [(one, [slug for slug, names in hiding.items() if one.name in names]) for one in shared],
        "limit": secrets.SHARED_LIMIT,
        "own": own,
        "page": paging.page(rows, request.GET),
        "group": group if group in hiding else "",
        "groups": list(hiding),
        "hiding": HIDING,
    }
    return render(request, "mlops/secrets/index.html", context, fragments=("secret-table",))


@administrator(methods=FORM)
def create(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Keep a new secret."""
    form = NewSecretForm(
        request.POST if request.method == "POST" else None, groups=groups(scope), initial=request.GET.dict()
    )

    def act(*, where: str, seen: object, **values: Any) -> Any:
        if where.startswith(IN_GROUP):
            return secrets.create(administered(scope, where.removeprefix(IN_GROUP)), **values)
        return secrets.create(scope, shared=where == SHARED, **values)

    if made := administration.sent(form, act):
        return respond(request, INDEX, toast=f"Secret {made.name} was created.")
    notes = (
        SEALED,
        HIDING,
        f"A workspace shares at most {secrets.SHARED_LIMIT} secrets with all its groups.",
    )
    return administration.form_page(
        request, form, Place("Create secret", "Create secret", _parents(scope), notes)
    )


def _at(scope: Scope, place: str, group: str) -> tuple[Scope, bool, str]:
    """The scope a secret is in, whether it is shared, and the place in words. Raises NotFound."""
    if group:
        return administered(scope, group), False, f"resource group {group}"
    if place not in (SHARED, OWN):
        raise NotFound(NOTHING_HERE)
    return scope, place == SHARED, "all resource groups" if place == SHARED else "the workspace"


@administrator(methods=FORM)
def change(
    request: HttpRequest, scope: Scope, secret: str, place: str = "", group: str = ""
) -> HttpResponseBase:
    """Replace values or labels."""
    inside, shared, where = _at(scope, place, group)
    found = secrets.get(inside, secret, shared=shared)
    shown = {"labels": write_labels(found.labels), "seen": found.modified_at.isoformat()}
    form = SecretForm(request.POST if request.method == "POST" else None, initial=shown)
    if administration.sent(form, functools.partial(secrets.change, inside, found.name, shared=shared)):
        return respond(request, INDEX, toast=f"Secret {found.name} was changed.")
    notes = (f"It is for {where}.", SEALED, "Leave the values empty to keep those of before.")
    heading = f"Change secret {found.name}"
    return administration.form_page(request, form, Place(heading, "Change secret", _parents(scope), notes))


@administrator(methods=FORM)
def delete(
    request: HttpRequest, scope: Scope, secret: str, place: str = "", group: str = ""
) -> HttpResponseBase:
    """Ask, then forget it."""
    inside, shared, where = _at(scope, place, group)
    found = secrets.get(inside, secret, shared=shared)
    if request.method == "POST":
        secrets.delete(inside, found.name, shared=shared)
        return respond(request, INDEX, toast=f"Secret {found.name} was deleted.")
    sentences = (
        "Its values are forgotten. Executions that begin later go without it, or fail for want of it.",
    )
    question = Question(
        f"Delete secret {found.name}?",
        "Delete secret",
        "Keep secret",
        _parents(scope),
        sentences,
        [("For", where)],
    )
    return administration.question_page(request, question)
