"""Workers and what waits for them, as administrators ask for both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, DateTimeField, ExpressionWrapper, Min, Q
from django.db.models.functions import Now

from launchpad.access import Scope
from mlops.lifecycle import LEASED, Status
from mlops.models import Execution, Worker

SHOWN = 100


@dataclass(frozen=True)
class Told:
    """A worker as people ask for it. silent: since its last heartbeat, by the database's clock.

    state: "alive", "late" when heartbeats are missing but its lease has not run out, "lost", "ended".
    """

    worker: Worker
    state: str
    silent: timedelta

    @property
    def busy(self) -> int:
        """How many attempts it is at."""
        return 0 if self.state in ("lost", "ended") else len(self.worker.attempts)


def told() -> list[Told]:
    """The SHOWN workers heard of last, living ones first; two queries at most."""
    lease, late = timedelta(seconds=settings.LEASE_SECONDS), timedelta(seconds=3 * settings.HEARTBEAT_SECONDS)
    rows = Worker.unscoped.annotate(asked_at=ExpressionWrapper(Now(), output_field=DateTimeField()))
    found = []
    for worker in rows.order_by("-seen_at")[:SHOWN]:
        silent = worker.asked_at - worker.seen_at
        state = "alive"
        if worker.ended_at is not None:
            state = "ended"
        elif silent > lease:
            state = "lost"
        elif silent > late:
            state = "late"
        found.append(Told(worker, state, silent))
    return sorted(found, key=lambda one: one.state not in ("alive", "late"))


@dataclass(frozen=True)
class Load:
    """What waits and runs in one resource group. since: since when the oldest waits."""

    group: str
    waiting: int
    running: int
    since: datetime | None


def loads(scope: Scope) -> tuple[list[Load], int]:
    """By resource group of the workspace that has any, those that wait most first; and what waits elsewhere.

    Two queries. Raises Forbidden for all but administrators.
    """
    scope.administer()
    waiting = Q(status=Status.PENDING)
    rows = (
        Execution.unscoped.filter(
            resource_group__workspace=scope.workspace, status__in=LEASED | {Status.PENDING}
        )
        .order_by()
        .values("resource_group__slug")
        .annotate(
            waiting=Count("pk", filter=waiting),
            running=Count("pk", filter=~waiting),
            since=Min("submitted_at", filter=waiting),
        )
    )
    found = [Load(one["resource_group__slug"], one["waiting"], one["running"], one["since"]) for one in rows]
    elsewhere = Execution.unscoped.filter(status=Status.PENDING).exclude(
        resource_group__workspace=scope.workspace
    )
    return sorted(found, key=lambda one: (-one.waiting, -one.running, one.group)), elsewhere.count()
