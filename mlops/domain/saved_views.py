"""Views of lists that people keep for themselves or share in their group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from launchpad.access import Right, Scope
from launchpad.commands import command
from launchpad.errors import Forbidden, Invalid
from mlops.domain import json_rows
from mlops.domain.limits import Check
from mlops.models import SavedView

NOUNS = (
    *("executions", "deployments", "schedules", "configurations"),
    *("datasets", "models", "resultsets", "others"),
)
NAME_LIMIT = 80
QUERY_LIMIT = 4000
COUNT_LIMIT = 30
_COLUMNS = ("id", "name", "query", "is_shared", "owner_id")


@dataclass(frozen=True)
class View:
    """What a list tells of a saved view. query: without `?`."""

    id: UUID
    name: str
    query: str
    is_shared: bool
    is_own: bool


def visible(scope: Scope, noun: str) -> QuerySet[SavedView]:
    """One's own views of a list and those that others share, by name."""
    if scope.user is None:
        return scope.of(SavedView).none()
    mine = Q(owner=scope.user) | Q(is_shared=True)
    return scope.of(SavedView).filter(mine, noun=noun).order_by("name", "created_at")


def column(scope: Scope, noun: str) -> json_rows.JsonRows:
    """The same as a column of another query, for `read`."""
    return json_rows.JsonRows(visible(scope, noun).values(*_COLUMNS)[: 2 * COUNT_LIMIT], *_COLUMNS)


def read(scope: Scope, text: str | None) -> list[View]:
    """What `column` answered."""
    assert scope.user is not None
    return [
        View(UUID(key), name, query, bool(shared), owner == scope.user.pk)
        for key, name, query, shared, owner in json_rows.read(text)
    ]


@command(right=Right.PARTICIPATE)
def create(scope: Scope, *, noun: str, name: str, query: str, is_shared: bool = False) -> SavedView:
    """Keep an address of a list under a name; everybody in the group has a shared one.

    noun: of NOUNS. name: 1 to 80 characters, once among one's own of the list; at most COUNT_LIMIT of them.
    query: up to 4,000 characters. Raises Invalid; Forbidden for sharing without the editor role.
    """
    if is_shared:
        scope.require(Right.CHANGE)
    if scope.user is None:
        raise Forbidden("A view is kept for a person, and nobody is signed in.")
    if noun not in NOUNS:
        raise Invalid("There is no such list.", fields={"noun": "There is no such list."})
    check = Check()
    own = scope.of(SavedView).filter(owner=scope.user, noun=noun)
    name = _name(check, name, own)
    check.text("query", query, label="The address", limit=QUERY_LIMIT)
    if own.count() >= COUNT_LIMIT:
        check.refuse("name", f"You keep {COUNT_LIMIT} views of this list already; delete one first.")
    check.done()
    return scope.of(SavedView).create(
        resource_group=scope.group,
        noun=noun,
        name=name,
        query=query,
        owner=scope.user,
        is_shared=is_shared,
    )


@command(right=Right.PARTICIPATE)
def rename(scope: Scope, view_id: str, *, name: str, is_shared: bool = False) -> SavedView:
    """Call one's own view otherwise, share it, or keep it for oneself again.

    Raises NotFound for another person's, Invalid; Forbidden for sharing without the editor role.
    """
    view = scope.get(SavedView, pk=view_id, owner=scope.user)
    if is_shared and not view.is_shared:
        scope.require(Right.CHANGE)
    check = Check()
    others = scope.of(SavedView).filter(owner=scope.user, noun=view.noun).exclude(pk=view.pk)
    view.name = _name(check, name, others)
    check.done()
    view.is_shared = is_shared
    view.save(update_fields=["name", "is_shared", "modified_at"])
    return view


@command(right=Right.PARTICIPATE)
def delete(scope: Scope, view_id: str) -> SavedView:
    """Forget one's own view, or as an editor one that somebody shares. Raises NotFound, Forbidden."""
    view: SavedView = scope.one(visible_anywhere(scope), pk=view_id)
    if view.owner != scope.user:
        scope.require(Right.CHANGE)
    view.delete()
    view.pk = view_id
    return view


def visible_anywhere(scope: Scope) -> QuerySet[SavedView]:
    """One's own views and shared ones, of every list."""
    return scope.of(SavedView).filter(Q(owner=scope.user) | Q(is_shared=True)).select_related("owner")


def _name(check: Check, name: str, others: Iterable[SavedView]) -> str:
    name = check.name(name)
    if len(name) > NAME_LIMIT:
        check.refuse("name", f"The name is {len(name)} characters long; at most {NAME_LIMIT} are allowed.")
    elif any(one.name == name for one in others):
        check.refuse("name", f"You have a view of the name {name} already.")
    return name
