"""The edge: policies that open a scope before a view runs, and the two ways a view answers."""

import copy
import functools
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    QueryDict,
)
from django.template.loader import render_to_string
from django.urls import resolve
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event
from ninja.operation import PathView

from launchpad import viewing
from launchpad.access import NOTHING_HERE, Right, Scope, open_scope
from launchpad.errors import NotFound
from launchpad.places import place_url
from launchpad.shell import Shell

READ = ("GET", "HEAD")
FORM = ("GET", "HEAD", "POST")
WRITE = ("POST",)
# The field of an undo form that tells on which page it stood.
UNDONE_AT = "undone-at"
View = Callable[..., HttpResponseBase]
Values = Sequence[tuple[str, str]]
# A URL name, its arguments, what its form says, and the word on its button where that is not "Undo".
Undo = (
    tuple[str, Mapping[str, Any]]
    | tuple[str, Mapping[str, Any], Values]
    | tuple[str, Mapping[str, Any], Values, str]
)
# More than a toast carries in a header or cookie; what says more is not offered to be taken back.
UNDO_LIMIT = 2_000


@dataclass(frozen=True)
class Policy:
    """Who may call a view and how.

    kind: the decorator's name. methods: HTTP methods answered. right: what the scope must hold, None
    where there is no scope. reason: why the view is public, or what else there is to know.
    """

    kind: str
    methods: tuple[str, ...]
    right: Right | None = None
    reason: str = ""


def _guard(view: View, policy: Policy, opener: Callable[[HttpRequest, dict[str, Any]], Scope | None]) -> View:
    """The view behind its policy: 405, then the scope, then the view with what is left of the URL."""

    @functools.wraps(view)
    def wrapper(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        if request.method not in policy.methods:
            return HttpResponseNotAllowed(policy.methods)
        scope = opener(request, kwargs)
        request.scope = scope
        if scope is None:
            return view(request, **kwargs)
        rest = {key: value for key, value in kwargs.items() if key not in ("workspace", "resource_group")}
        return view(request, scope, **rest)

    wrapper.access_policy = policy
    wrapper.open = opener
    wrapper.login_required = policy.kind != "public"
    return wrapper


def _in_place(kind: str, methods: tuple[str, ...], right: Right) -> Callable[[View], View]:
    """A decorator for views of a workspace or resource group, called as `view(request, scope, **kwargs)`."""

    def opener(request: HttpRequest, kwargs: dict[str, Any]) -> Scope:
        return viewing.opened(request, kwargs["workspace"], kwargs.get("resource_group"), right)

    return lambda view: _guard(view, Policy(kind, methods, right), opener)


viewer = _in_place("viewer", READ, Right.VIEW)
editor = _in_place("editor", FORM, Right.CHANGE)
action = _in_place("action", WRITE, Right.CHANGE)
participant = _in_place("participant", WRITE, Right.PARTICIPATE)
manager = _in_place("manager", READ, Right.VIEW)
# A form that asks what is too long for an address, and stores nothing: open to all who may view.
inquirer = _in_place("inquirer", FORM, Right.VIEW)


def member(view: View) -> View:
    """A page for anyone signed in, outside any place: `view(request, **kwargs)`."""
    return _guard(view, Policy("member", READ), lambda _request, _kwargs: None)


def member_action(view: View) -> View:
    """A POST by anyone signed in about their own matters, outside any place: `view(request, **kwargs)`."""
    return _guard(view, Policy("member_action", WRITE), lambda _request, _kwargs: None)


def staff(view: View) -> View:
    """A page or form for staff, outside any place; anybody else finds nothing there."""

    def opener(request: HttpRequest, _kwargs: dict[str, Any]) -> None:
        if not (request.user.is_active and request.user.is_staff):
            raise NotFound(NOTHING_HERE)

    return _guard(view, Policy("staff", FORM), opener)


def administrator(*, methods: tuple[str, ...] = READ) -> Callable[[View], View]:
    """A page of a workspace for those who administer it: `view(request, scope, **kwargs)`.

    Anybody else finds nothing there, people with a role in one of its resource groups included.
    """

    def opener(request: HttpRequest, kwargs: dict[str, Any]) -> Scope:
        scope = open_scope(request.user, kwargs["workspace"])
        if not scope.may_change:
            raise NotFound(NOTHING_HERE)
        return scope

    return lambda view: _guard(view, Policy("administrator", methods, Right.CHANGE), opener)


def public(reason: str, *, methods: tuple[str, ...] = READ) -> Callable[[View], View]:
    """A page for anyone, signed in or not; the reason is part of the policy."""
    return lambda view: _guard(view, Policy("public", methods, None, reason), lambda _request, _kwargs: None)


def endpoint(right: Right | None, reason: str = "") -> Callable[[View], View]:
    """Stamp an operation of a JSON API, whose own bearer authentication opens the scope.

    The methods are those the router mounts it under; nothing is checked here.
    """

    def stamp(view: View) -> View:
        view.access_policy = Policy("endpoint", (), right, reason)
        return view

    return stamp


def policies(callback: Any) -> list[tuple[tuple[str, ...], Policy | None]]:
    """The methods and policy of a URL callback: one pair for a view, one an operation for django-ninja.

    None stands for a view or operation without a policy.
    """
    inner = inspect.unwrap(callback)
    paths = inspect.getclosurevars(inner).nonlocals.get("self") if inspect.isfunction(inner) else None
    if isinstance(paths, PathView):
        return [
            (tuple(one.methods), getattr(one.view_func, "access_policy", None)) for one in paths.operations
        ]
    policy = getattr(callback, "access_policy", None)
    return [(policy.methods if policy else (), policy)]


def render(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    fragments: tuple[str, ...] = (),
    status: int = 200,
) -> HttpResponse:
    """The page, or that one of `fragments` which an htmx request names as its target.

    Adds scope, may_change and shell to the context. A boosted or history-restoring request gets the
    page. The response's `fragment` attribute tells which fragment it holds, None for the page.
    """
    htmx = request.htmx
    target = htmx.target if htmx and not htmx.boosted and not htmx.history_restore_request else None
    fragment = target if target in fragments else None
    scope = getattr(request, "scope", None)
    body = render_to_string(
        f"{template}#{fragment}" if fragment else template,
        {"scope": scope, "may_change": bool(scope and scope.may_change), "shell": Shell(request), **context},
        request,
    )
    response = HttpResponse(body, status=status)
    response.fragment = fragment
    patch_vary_headers(response, ("HX-Request", "HX-Target"))
    return response


def respond(
    request: HttpRequest,
    to: str,
    *args: Any,
    toast: str | None = None,
    undo: Undo | None = None,
    restart: View | None = None,
    **kwargs: Any,
) -> HttpResponseBase:
    """Answer a finished action: go to the page `to`, or give htmx the part of it that asked.

    to: a URL name, completed with the place of the request's scope, or a path. restart: the read view
    of that page; it runs as a GET and its fragment is the answer, if it serves the one asked for.
    toast: one sentence shown either way. undo: the action that takes back what was done, which the toast
    offers: a URL name, its arguments, what its form says and the word for it; it comes back to the page it
    was offered on.
    """
    scope = getattr(request, "scope", None)
    url = to if to.startswith("/") else place_url(scope, to, *args, **kwargs)
    url = (not request.htmx and _undone_at(request)) or url
    inverse = _inverse(scope, *undo) if undo else None
    if request.htmx and restart is not None:
        response = _restarted(request, restart, url)
        if getattr(response, "fragment", None):
            told = {"kind": "good", "text": toast, **({"undo": inverse} if inverse else {})}
            return trigger_client_event(response, "toast", told) if toast else response
    if toast:
        _say(request, toast, inverse)
    if request.htmx:
        return HttpResponseClientRedirect(url)
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response


def tell(request: HttpRequest, toast: str, undo: Undo | None = None) -> None:
    """Show a toast, as of `respond`, on the page that is rendered next, this request's own included."""
    _say(request, toast, _inverse(getattr(request, "scope", None), *undo) if undo else None)


def _say(request: HttpRequest, toast: str, inverse: dict[str, Any] | None) -> None:
    messages.success(request, toast, extra_tags=json.dumps(inverse) if inverse else "")


def _inverse(
    scope: Scope | None, name: str, arguments: Mapping[str, Any], values: Values = (), word: str = ""
) -> dict[str, Any] | None:
    """The form of a toast that takes an action back: where it is sent and what it says; None if too much."""
    form = {"url": place_url(scope, name, **arguments), "values": [list(pair) for pair in values]}
    if word:
        form["word"] = word
    return form if len(json.dumps(form)) <= UNDO_LIMIT else None


def _undone_at(request: HttpRequest) -> str:
    """The page on which a toast offered to undo, when this request is what it offered; else ""."""
    url = str(request.POST.get(UNDONE_AT, ""))
    return url if url_has_allowed_host_and_scheme(url, allowed_hosts=None) else ""


def shown_path(request: HttpRequest) -> str:
    """Path and query of the page that an htmx request came from; "" when it is none of ours or unreadable."""
    try:
        return request.htmx.current_url_abs_path or ""
    except ValueError:
        return ""


def _restarted(request: HttpRequest, view: View, url: str) -> HttpResponseBase:
    """What the read view at `url` answers to this request as a GET, filters of the shown page kept."""
    shown = urlsplit(shown_path(request))
    read = copy.copy(request)
    read.method = "GET"
    read.path = read.path_info = urlsplit(url).path
    read.resolver_match = resolve(read.path_info)
    read.GET = QueryDict(shown.query if shown.path == read.path else urlsplit(url).query)
    read.POST = QueryDict()
    return view(read, **read.resolver_match.kwargs)
