"""Comments: all that is said about one thing, and what people do with their own words."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.forms import attempt
from launchpad.http import participant, render, respond, viewer
from launchpad.places import place_url
from mlops.domain import comments
from mlops.views.discussion import Discussion, home

PAGE = "mlops/comments/index.html"


@viewer
def index(request: HttpRequest, scope: Scope, kind: str, key: str) -> HttpResponseBase:
    """Everything said about one thing, newest first."""
    discussion = Discussion(scope, comments.subject(scope, kind, key), request.GET)
    return render(request, PAGE, {"discussion": discussion}, fragments=("discussion",))


@participant
def add(request: HttpRequest, scope: Scope, kind: str, key: str) -> HttpResponseBase:
    """Say something about a thing."""
    return said(request, scope, kind, key, comments.add, toast="Comment added.")


@participant
def edit(request: HttpRequest, scope: Scope, comment_id: Any) -> HttpResponseBase:
    """Change one's own words."""
    revision = _number(request.POST.get("revision", ""))
    comment = comments.edit(scope, comment_id, text=request.POST.get("text", ""), revision=revision)
    return back(request, scope, comments.what(comment), toast="Comment changed.")


@participant
def delete(request: HttpRequest, scope: Scope, comment_id: Any) -> HttpResponseBase:
    """Remove the words of a comment."""
    revision = _number(request.POST.get("revision", ""))
    comment = comments.delete(scope, comment_id, revision=revision)
    return back(request, scope, comments.what(comment), toast="Comment deleted.")


def _number(text: str) -> int | None:
    """A revision as a form sends it, None for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def said(
    request: HttpRequest, scope: Scope, kind: str, key: str, act: Callable[..., Any], *, toast: str
) -> HttpResponseBase:
    """Add what the form says by `act`; the form again with what was sent when that is refused."""
    found = comments.subject(scope, kind, key)
    text = request.POST.get("text", "")
    made, refusals = attempt(lambda: act(scope, kind=kind, key=key, text=text))
    if made is None:
        shown = Discussion(scope, found, text=text, error=" ".join(refusals.values()))
        return render(request, PAGE, {"discussion": shown}, fragments=("discussion",), status=422)
    return back(request, scope, found, toast=toast)


def back(request: HttpRequest, scope: Scope, found: Any, **more: Any) -> HttpResponseBase:
    """To the discussion on the page of the thing, or to the part of it that asked."""
    kind, key = comments.address(found)
    whole = place_url(scope, "mlops:comments.index", kind=kind, key=key)
    return respond(request, whole if request.htmx else home(scope, found), restart=index, **more)
