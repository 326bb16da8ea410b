"""The place a browser was in last, kept in a signed cookie so that no page costs a query for it."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope

if TYPE_CHECKING:
    from django.contrib.auth.models import User

COOKIE = SALT = "place"
_YEAR = 365 * 24 * 3600
Place = tuple[str, str | None]


class LastPlace:
    """Remembers the place of each whole page that was shown, whichever way it was entered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Write the cookie when the place is another than the one it holds; fragments say nothing new."""
        response = self.get_response(request)
        scope = getattr(request, "scope", None)
        # `render` alone says which fragment it made, none for a page. Choosing a place is not being there.
        is_page = response.status_code == HTTPStatus.OK and getattr(response, "fragment", "") is None
        if scope is not None and is_page and request.method == "GET" and request.path.startswith("/w/"):
            before = kept(request)
            now = _of(scope, before)
            if now != before:
                _write(response, request.user, now)
        return response


def kept(request: HttpRequest) -> Place | None:
    """Workspace and resource group that this person's browser was in last; None where nothing is known.

    Only a hint of where to go: whether the place is open to them is asked when it is opened.
    """
    text = request.get_signed_cookie(COOKIE, default="", salt=SALT)
    owner, _, place = text.partition(" ")
    workspace, _, group = place.partition(" ")
    return (workspace, group or None) if workspace and owner == str(request.user.pk) else None


def _of(scope: Scope, before: Place | None) -> Place:
    """The place of a scope; a page of the whole workspace leaves the group one was in there."""
    workspace = scope.workspace.pk
    if scope.resource_group is not None:
        return workspace, scope.resource_group.slug
    return before if before and before[0] == workspace else (workspace, None)


def _write(response: HttpResponseBase, user: User, place: Place) -> None:
    workspace, group = place
    response.set_signed_cookie(
        COOKIE,
        f"{user.pk} {workspace} {group or ''}",
        salt=SALT,
        max_age=_YEAR,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
