"""Applications of a workspace, for its administrators: what is followed in git and how it fared."""

from __future__ import annotations

import functools

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from launchpad.access import Scope
from launchpad.http import FORM, WRITE, administrator, render, respond
from launchpad.places import place_url
from mlops.domain import applications, repositories
from mlops.views import administration
from mlops.views.administration import Place, Question
from mlops.views.administration_forms import ChangedApplicationForm, NewApplicationForm
from mlops.views.by_name import ByName

INDEX, DETAIL = "mlops:applications.index", "mlops:applications.detail"


def _parents(scope: Scope, name: str = "") -> list[tuple[str, str]]:
    found = [("Applications", place_url(scope, INDEX))]
    return [*found, (name, place_url(scope, DETAIL, application=name))] if name else found


def _repositories(scope: Scope) -> list[str]:
    return list(repositories.search(scope).values_list("name", flat=True))


@administrator()
def index(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """The workspace's applications with how their last sync went."""
    repository = request.GET.get("repository", "")
    page = ByName(applications.search(scope, repository=repository), request.GET)
    context = {
        "page": page,
        "rows": [applications.status(one) for one in page.rows],
        "repository": repository,
        "has_repository": bool(page.rows) or repositories.search(scope).exists(),
    }
    return render(request, "mlops/applications/index.html", context, fragments=("application-table",))


@administrator()
def detail(request: HttpRequest, scope: Scope, application: str) -> HttpResponseBase:
    """One application: its last sync and what became of each template."""
    found = applications.get(scope, application)
    context = {"application": found, "status": applications.status(found)}
    context["findings"] = [one for one in found.findings if one["severity"] != "error"]
    return render(request, "mlops/applications/detail.html", context, fragments=("application-status",))


@administrator(methods=FORM)
def create(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Follow a folder of a repository."""
    form = NewApplicationForm(
        request.POST if request.method == "POST" else None,
        repositories=_repositories(scope),
        initial={"repository": request.GET.get("repository", ""), "revision": "HEAD", "path": "."},
    )
    if made := administration.sent(form, functools.partial(applications.create, scope)):
        return respond(request, DETAIL, application=made.name, toast=f"{made.name} is synced now.")
    notes = ("Each template in the folder becomes an executable, and each change of it a new version.",)
    return administration.form_page(
        request, form, Place("Create application", "Create application", _parents(scope), notes)
    )


@administrator(methods=FORM)
def change(request: HttpRequest, scope: Scope, application: str) -> HttpResponseBase:
    """Follow another place; told when somebody else changed it meanwhile."""
    found = applications.get(scope, application)
    shown = {
        "repository": found.repository.name if found.repository else "",
        "revision": found.revision,
        "path": found.path or ".",
        "seen": applications.place(found),
    }
    form = ChangedApplicationForm(
        request.POST if request.method == "POST" else None,
        repositories=_repositories(scope),
        initial=shown,
    )
    if administration.sent(form, functools.partial(applications.change, scope, found.name)):
        return respond(request, DETAIL, application=found.name, toast=f"{found.name} is synced now.")
    notes = ("What was synced stays until the templates of the new place are there.",)
    place = Place(f"Change {found.name}", "Change application", _parents(scope, found.name), notes)
    return administration.form_page(request, form, place)


@administrator(methods=WRITE)
def refresh(request: HttpRequest, scope: Scope, application: str) -> HttpResponseBase:
    """Sync now."""
    applications.refresh(scope, application)
    toast = f"{application} is synced as soon as a worker is free."
    return respond(request, DETAIL, application=application, toast=toast, restart=detail)


@administrator(methods=FORM)
def delete(request: HttpRequest, scope: Scope, application: str) -> HttpResponseBase:
    """Ask, then follow it no more."""
    found = applications.get(scope, application)
    if request.method == "POST":
        applications.delete(scope, found.name)
        return respond(request, INDEX, toast=f"Application {found.name} was deleted.")
    sentences = (
        "Its folder is synced no more.",
        "What stays: scenarios, executables and versions that it brought, with all configurations, "
        "executions and artifacts made of them. They can still be used.",
    )
    facts = [
        ("Repository", found.repository.name if found.repository else ""),
        ("Folder", found.path or "."),
        ("Executables that stay", ", ".join(one["name"] for one in found.resources[:20])),
    ]
    parents = _parents(scope, found.name)
    question = Question(
        f"Delete application {found.name}?",
        "Delete application",
        "Keep application",
        parents,
        sentences,
        facts,
    )
    return administration.question_page(request, question)
