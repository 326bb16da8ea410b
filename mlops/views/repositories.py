"""Repositories of a workspace, for its administrators: the list, a new one, its credentials, giving it up."""

from __future__ import annotations

import functools

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from launchpad.access import Scope
from launchpad.http import FORM, administrator, render, respond
from launchpad.places import place_url
from mlops.domain import repositories
from mlops.views import administration
from mlops.views.administration import Place, Question
from mlops.views.administration_forms import ReplacedCredentialsForm, RepositoryForm
from mlops.views.by_name import ByName

INDEX = "mlops:repositories.index"
KEPT = "Credentials are kept sealed. Nobody sees them again, you included; they can be replaced."


def _parents(scope: Scope) -> list[tuple[str, str]]:
    return [("Repositories", place_url(scope, INDEX))]


@administrator()
def index(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """The workspace's repositories with their state and how many applications use each."""
    page = ByName(repositories.described(scope), request.GET)
    return render(request, "mlops/repositories/index.html", {"page": page}, fragments=("repository-table",))


@administrator(methods=FORM)
def create(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Add a repository."""
    form = RepositoryForm(request.POST if request.method == "POST" else None)
    if made := administration.sent(form, functools.partial(repositories.create, scope)):
        return respond(request, INDEX, toast=f"Repository {made.name} was added. It is asked now.")
    notes = (KEPT, "The repository is asked at once whether it can be reached, then every few minutes.")
    return administration.form_page(
        request, form, Place("Add repository", "Add repository", _parents(scope), notes)
    )


@administrator(methods=FORM)
def change(request: HttpRequest, scope: Scope, repository: str) -> HttpResponseBase:
    """Replace the credentials."""
    found = repositories.get(scope, repository)
    shown = {"seen": found.replaced_at.isoformat()}
    form = ReplacedCredentialsForm(request.POST if request.method == "POST" else None, initial=shown)
    if administration.sent(form, functools.partial(repositories.change, scope, found.name)):
        return respond(request, INDEX, toast=f"The credentials of {found.name} were replaced.")
    notes = (f"{found.url}", KEPT, "Both are replaced: what is left empty is empty from now on.")
    return administration.form_page(
        request, form, Place(f"Credentials of {found.name}", "Replace credentials", _parents(scope), notes)
    )


@administrator(methods=FORM)
def delete(request: HttpRequest, scope: Scope, repository: str) -> HttpResponseBase:
    """Ask, then forget a repository that no application uses."""
    found = repositories.get(scope, repository)
    if request.method == "POST":
        repositories.delete(scope, found.name)
        return respond(request, INDEX, toast=f"Repository {found.name} was deleted.")
    users = list(repositories.used_by(scope, found).values_list("name", flat=True)[:5])
    blocked = f"It is used by {', '.join(users)}. Delete its applications first." if users else ""
    sentences = (
        "Its address and credentials are forgotten.",
        "Scenarios, executables and versions that came from it stay, and so does all that was made of them.",
    )
    question = Question(
        f"Delete repository {found.name}?",
        "Delete repository",
        "Keep repository",
        _parents(scope),
        sentences,
        [("Address", found.url)],
        blocked,
    )
    return administration.question_page(request, question)
