"""Saved views of lists: kept, renamed, shared and forgotten."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase, QueryDict

from launchpad.access import Scope
from launchpad.errors import Invalid
from launchpad.http import participant, render, respond, viewer
from launchpad.places import place_url
from mlops.domain import saved_views


@viewer
def index(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """One's own views and the shared ones of a list, to be renamed and deleted."""
    noun = request.GET.get("noun", "")
    if noun not in saved_views.NOUNS:
        noun = saved_views.NOUNS[0]
    found = saved_views.visible(scope, noun).select_related("owner")
    views = [(view, view.owner == scope.user) for view in found]
    url = place_url(scope, f"mlops:{noun}.index")
    return render(request, "mlops/saved_views/index.html", {"views": views, "noun": noun, "list_url": url})


@participant
def create(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Keep an address of a list; leads back to it."""
    view = saved_views.create(
        scope,
        noun=request.POST.get("noun", ""),
        name=request.POST.get("name", ""),
        query=_kept(request.POST.get("query", "")),
        is_shared="is_shared" in request.POST,
    )
    url = place_url(scope, f"mlops:{view.noun}.index")
    return respond(request, f"{url}?{view.query}", toast=f"The view {view.name} was saved.")


@participant
def rename(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Call one's own view otherwise, or share it."""
    is_shared = "is_shared" in request.POST
    view = saved_views.rename(scope, _view(request), name=request.POST.get("name", ""), is_shared=is_shared)
    return _back(request, scope, view.noun, f"The view is called {view.name} now.")


@participant
def delete(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Forget a view."""
    view = saved_views.delete(scope, _view(request))
    return _back(request, scope, view.noun, f"The view {view.name} was deleted.")


def _kept(text: str) -> str:
    """A query without a place in the list's pages, and without what is being chosen."""
    query = QueryDict(text.removeprefix("?"), mutable=True)
    for name in ("before", "after", "filter"):
        query.pop(name, None)
    return query.urlencode()


def _view(request: HttpRequest) -> str:
    key = request.POST.get("view", "")
    if not key:
        raise Invalid("No view was named.")
    return key


def _back(request: HttpRequest, scope: Scope, noun: str, toast: str) -> HttpResponseBase:
    url = place_url(scope, "mlops:saved_views.index")
    return respond(request, f"{url}?noun={noun}", toast=toast)
