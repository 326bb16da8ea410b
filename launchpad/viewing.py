"""Viewing as somebody else, at the edge: kept in the session, to look only, in one resource group."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from django.http import HttpRequest
from django.middleware.csrf import rotate_token

from launchpad import access
from launchpad.access import Right, Scope
from launchpad.errors import Forbidden, NotFound
from launchpad.resource_groups import view_as

KEY = "viewing"
OVER = "Viewing as somebody else has ended. Reload the page; it is yours again."


@dataclass(frozen=True)
class Viewing:
    """Who looks through whose role, where and until when. by, person: keys of users. until: epoch seconds."""

    by: int
    person: int
    name: str
    workspace: str
    resource_group: str
    until: float

    @property
    def ends_at(self) -> datetime:
        """When it ends by itself."""
        return datetime.fromtimestamp(self.until, UTC)

    @property
    def elsewhere(self) -> str:
        """Why a page of another place is not shown."""
        place = f"{self.workspace} / {self.resource_group}"
        return f"Until you end it only the pages of {place} are shown. End viewing to go elsewhere."

    def shows(self, workspace: str | None, resource_group: str | None) -> bool:
        """Whether a place is the one that is viewed."""
        return (workspace, resource_group) == (self.workspace, self.resource_group)


def of(request: HttpRequest) -> Viewing | None:
    """What the person of this session views as somebody else now, if anything; no query of its own."""
    kept = _kept(request)
    return kept if kept is not None and kept.by == request.user.pk and time.time() < kept.until else None


def begin(request: HttpRequest, scope: Scope, *, group: str, person: str) -> Viewing:
    """From now on show a group of an administrator's workspace as a person sees it. Raises as `check`.

    Forms of pages shown before are refused from now on, as those shown meanwhile are once it is over.
    """
    found = view_as.check(scope, group=group, person=person)
    minutes = view_as.SECONDS // 60
    own = access.open_scope(request.user, scope.workspace.pk, group)
    view_as.begin(own, person=person, minutes=minutes)
    viewing = Viewing(
        request.user.pk, found.pk, person, scope.workspace.pk, group, time.time() + view_as.SECONDS
    )
    request.session[KEY] = asdict(viewing)
    rotate_token(request)
    return viewing


def end(request: HttpRequest, why: str) -> Viewing | None:
    """Show everything as oneself again; what was viewed, None if nothing was."""
    kept = _kept(request)
    if kept is None:
        return None
    del request.session[KEY]
    rotate_token(request)
    try:
        own = access.open_scope(request.user, kept.workspace, kept.resource_group)
    except NotFound:
        # Their own role is gone meanwhile; the trail of the group tells of that.
        return kept
    view_as.end(own, person=kept.name, why=why)
    return kept


def opened(request: HttpRequest, workspace: str, resource_group: str | None, right: Right) -> Scope:
    """The scope of a page in a place, through somebody else's role where the session says so.

    Raises as `access.open_scope` and `view_as.open_as`; Forbidden for another place than the one viewed.
    """
    viewing = of(request)
    if viewing is None:
        return access.open_scope(request.user, workspace, resource_group, right)
    if not viewing.shows(workspace, resource_group):
        raise Forbidden(viewing.elsewhere)
    person = view_as.person(viewing.person)
    return view_as.open_as(request.user, person, viewing.workspace, viewing.resource_group, right)


def left(request: HttpRequest) -> bool:
    """Whether the session tells of viewing as somebody else, be it over or not."""
    return _kept(request) is not None


def _kept(request: HttpRequest) -> Viewing | None:
    # A request that is refused early, for its host or a broken cookie, has neither session nor user yet.
    session, user = getattr(request, "session", None), getattr(request, "user", None)
    kept = session.get(KEY) if session is not None and user is not None and user.is_authenticated else None
    return Viewing(**kept) if kept else None
