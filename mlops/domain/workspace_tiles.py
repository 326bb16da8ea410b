"""Workspaces and resource groups to choose from: what goes on in those that a person may view."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import OuterRef, Subquery

from launchpad import access
from launchpad.resource_groups import visits
from mlops.domain import workers_alive
from mlops.domain.capped import CappedCount
from mlops.lifecycle import LEASED
from mlops.models import Execution

if TYPE_CHECKING:
    from django.contrib.auth.models import User

COUNTED = 1_000


@dataclass(frozen=True)
class Tile:
    """One workspace. groups: those the person may view, each with `edits`, `running_count` and `last_run_at`.

    running_count stops at COUNTED. The workspace has `visited_at` and `visited_group`, of the person's last
    visit.
    """

    workspace: Any
    groups: Sequence[Any] = field(default_factory=list)

    @property
    def last_run_at(self) -> datetime | None:
        """When the newest execution of these groups was created."""
        return max((one.last_run_at for one in self.groups if one.last_run_at), default=None)


def workers() -> int:
    """How many workers live, who carry executions out for every workspace; one query."""
    return workers_alive.living().count()


def tiles(user: User) -> list[Tile]:
    """The workspaces open to a person, by slug; two queries, however many there are."""
    runs = Execution.unscoped.filter(resource_group=OuterRef("pk"))
    groups = access.all_resource_groups(user).annotate(
        last_run_at=Subquery(runs.order_by("-created_at").values("created_at")[:1]),
        running_count=CappedCount(runs.filter(status__in=LEASED).order_by().values("pk")[:COUNTED]),
    )
    found: dict[str, list[Any]] = defaultdict(list)
    for group in groups:
        found[group.workspace_id].append(group)
    return [Tile(one, found[one.pk]) for one in visits.told(user, access.workspaces(user))]
