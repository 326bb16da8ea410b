"""Access requests: a person asks for a role in a resource group, its administrators grant or decline."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from launchpad import access
from launchpad.access import NOTHING_HERE, Scope, system_scope
from launchpad.commands import command
from launchpad.errors import NotFound
from launchpad.resource_groups.models import AccessRequest, ResourceGroup

if TYPE_CHECKING:
    from launchpad.access import Workspace

OPEN_LIMIT = 20
MESSAGE_LIMIT = 500
Outcome = AccessRequest.Outcome


def ask(user: User, workspace: str, resource_group: str, *, message: str = "") -> None:
    """Ask for a role in a group, whether or not there is one: nothing tells the person which.

    Nothing is noted for a group that does not exist, that the person may view, or was asked for already, nor
    beyond OPEN_LIMIT open requests of one person.
    """
    if "\0" in f"{workspace}{resource_group}":
        return
    group = ResourceGroup.unscoped.filter(
        workspace=workspace[:63], slug=resource_group[:253], deleting_at=None
    ).first()
    if group is None or _may_view(user, group):
        return
    create(system_scope(group, user.get_username()), user=user, message=message)


def _may_view(user: User, group: ResourceGroup) -> bool:
    try:
        access.open_scope(user, group.workspace_id, group.slug)
    except NotFound:
        return False
    return True


@command()
def create(scope: Scope, *, user: User, message: str) -> AccessRequest | None:
    """The transaction of `ask`; None beyond the limit of one person's open requests."""
    assert scope.resource_group is not None
    rows = AccessRequest.unscoped.filter(user=user, closed_at=None)
    # Two clicks at once would both find none.
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    there = rows.filter(resource_group=scope.resource_group).first()
    if there is not None or rows.count() >= OPEN_LIMIT:
        return there
    text = " ".join("".join(one if one.isprintable() else " " for one in message).split())
    return AccessRequest.unscoped.create(
        user=user, resource_group=scope.resource_group, message=text[:MESSAGE_LIMIT]
    )


def search(scope: Scope) -> QuerySet[AccessRequest]:
    """Open requests for groups of the workspace, newest first, for its administrators. Raises Forbidden."""
    scope.administer()
    rows = AccessRequest.unscoped.filter(
        resource_group__workspace=scope.workspace, resource_group__deleting_at=None, closed_at=None
    )
    return rows.select_related("user", "resource_group").order_by("-created_at", "-pk")


@command(administers=True)
def decline(scope: Scope, request_id: UUID | str) -> AccessRequest:
    """Close a request without granting a role. Raises NotFound, Forbidden."""
    found: AccessRequest = scope.one(search(scope), pk=request_id)
    changed = AccessRequest.unscoped.filter(pk=found.pk, closed_at=None)
    if not changed.update(closed_at=timezone.now(), outcome=Outcome.DECLINED):
        raise NotFound(NOTHING_HERE)
    return found


def settle(users: Iterable[Any], place: ResourceGroup | Workspace) -> None:
    """Close the requests of users for a group in which they got a role. Call it in its transaction."""
    if isinstance(place, ResourceGroup):
        AccessRequest.unscoped.filter(user__in=users, resource_group=place, closed_at=None).update(
            closed_at=timezone.now(), outcome=Outcome.GRANTED
        )
