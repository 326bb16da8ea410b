"""Visits: where each person was last, so that Launchpad opens there again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from launchpad import access
from launchpad.access import Right, Scope
from launchpad.commands import command
from launchpad.errors import NotFound
from launchpad.resource_groups.models import Visit

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from launchpad.workspaces.models import Workspace


@command(right=Right.VIEW, audit=False)
def remember(scope: Scope) -> None:
    """Note that the scope's holder goes into its place now; nothing for the system."""
    if scope.user is not None:
        Visit.unscoped.update_or_create(
            user=scope.user,
            workspace=scope.workspace,
            defaults={"resource_group": scope.resource_group, "visited_at": timezone.now()},
        )


def told(user: User, workspaces: QuerySet[Workspace]) -> QuerySet[Workspace]:
    """Workspaces, each with `visited_at` and the id `visited_group` of the person's last visit, or None."""
    mine = Visit.unscoped.filter(user=user, workspace=OuterRef("pk"))
    return workspaces.annotate(
        visited_at=Subquery(mine.values("visited_at")),
        visited_group=Subquery(mine.values("resource_group__slug")),
    )


def last(user: User, here: tuple[str, str | None] | None = None) -> Scope | None:
    """The place the person was in last and may still view; None when there is none. A few queries.

    here: workspace and resource group that the person's browser was in last, if it knows; told first.
    """
    rows = Visit.unscoped.filter(user=user).select_related("resource_group").order_by("-visited_at")
    places = [
        (visit.workspace_id, visit.resource_group.slug if visit.resource_group else None)
        for visit in rows[:3]
    ]
    for workspace, group in [here, *places] if here else places:
        for slug in dict.fromkeys((group, None)):
            try:
                return access.open_scope(user, workspace, slug)
            except NotFound:
                continue
    return None
