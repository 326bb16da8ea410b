"""Registry secrets of a workspace, for its administrators: names, never credentials."""

from __future__ import annotations

import functools

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from launchpad.access import Scope
from launchpad.http import FORM, administrator, render, respond
from launchpad.places import place_url
from mlops.domain import docker_secrets
from mlops.views import administration
from mlops.views.administration import Place, Question
from mlops.views.by_name import ByName
from mlops.views.secret_forms import NewRegistryForm, RegistryForm

INDEX = "mlops:docker_secrets.index"
UNUSED = (
    "They are kept for clients of the API that manage them. Executions of this Launchpad are processes, "
    "no containers: no image is fetched, so no run reads them."
)


def _parents(scope: Scope) -> list[tuple[str, str]]:
    return [("Registry secrets", place_url(scope, INDEX))]


@administrator()
def index(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """The workspace's registry secrets by name."""
    context = {"page": ByName(docker_secrets.search(scope), request.GET), "unused": UNUSED}
    return render(request, "mlops/docker_secrets/index.html", context)


@administrator(methods=FORM)
def create(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Keep credentials of a registry."""
    form = NewRegistryForm(request.POST if request.method == "POST" else None)
    if made := administration.sent(form, functools.partial(docker_secrets.create, scope)):
        return respond(request, INDEX, toast=f"Registry secret {made.name} was created.")
    place = Place("Create registry secret", "Create registry secret", _parents(scope), (UNUSED,))
    return administration.form_page(request, form, place)


@administrator(methods=FORM)
def change(request: HttpRequest, scope: Scope, docker_secret: str) -> HttpResponseBase:
    """Replace the credentials."""
    found = docker_secrets.get(scope, docker_secret)
    shown = {"seen": found.modified_at.isoformat()}
    form = RegistryForm(request.POST if request.method == "POST" else None, initial=shown)
    if administration.sent(form, functools.partial(docker_secrets.change, scope, found.name)):
        return respond(request, INDEX, toast=f"Registry secret {found.name} was changed.")
    place = Place(f"Change {found.name}", "Replace credentials", _parents(scope), (UNUSED,))
    return administration.form_page(request, form, place)


@administrator(methods=FORM)
def delete(request: HttpRequest, scope: Scope, docker_secret: str) -> HttpResponseBase:
    """Ask, then forget it."""
    found = docker_secrets.get(scope, docker_secret)
    if request.method == "POST":
        docker_secrets.delete(scope, found.name)
        return respond(request, INDEX, toast=f"Registry secret {found.name} was deleted.")
    question = Question(
        f"Delete registry secret {found.name}?",
        "Delete registry secret",
        "Keep registry secret",
        _parents(scope),
        ("Its credentials are forgotten. No execution of this Launchpad reads them.",),
    )
    return administration.question_page(request, question)
