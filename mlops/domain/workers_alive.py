"""Which workers live, by the database's clock, and how many of their slots are free."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import BooleanField, Case, Count, QuerySet, Sum, Value, When
from django.db.models.functions import Now

from mlops.lifecycle import LEASED
from mlops.models import Execution, Replica, Worker

# What workers carry out, as the row of each says.
EXECUTIONS, DEPLOYMENTS = "executions", "deployments"
_REMEMBERED = timedelta(days=1)
_MOST = 1000


class Sign(NamedTuple):
    """A worker's last sign of life. queue: what it carries out; is_living: its lease has not run out."""

    queue: str
    host: str
    pid: int
    slots: int
    started_at: datetime
    seen_at: datetime
    is_living: bool


def living(queue: str = EXECUTIONS) -> QuerySet[Worker]:
    """Workers of a queue that have not signed off and whose lease has not run out."""
    return Worker.unscoped.filter(queue=queue, ended_at=None, seen_at__gte=Now() - _lease())


def _lease() -> timedelta:
    return timedelta(seconds=settings.LEASE_SECONDS)


def capacity(queue: str = EXECUTIONS) -> tuple[int, int, int]:
    """Living workers of a queue, their slots, and how many slots a leased execution or replica holds."""
    totals = living(queue).aggregate(workers=Count("pk"), slots=Sum("slots"))
    held = Replica.unscoped if queue == DEPLOYMENTS else Execution.unscoped
    return totals["workers"], totals["slots"] or 0, held.filter(status__in=LEASED).count()


def signs() -> list[Sign]:
    """Workers seen within a day that have not signed off, the one seen last first; one query.

    One that fell silent is left out when another of its queue began on its host afterwards: that one took
    its place.
    """
    is_living = Case(
        When(seen_at__gte=Now() - _lease(), then=Value(True)),
        default=Value(False),
        output_field=BooleanField(),
    )
    rows = Worker.unscoped.filter(ended_at=None, seen_at__gte=Now() - _REMEMBERED).order_by("-seen_at")
    told = rows.values_list("queue", "host", "pid", "slots", "started_at", "seen_at", is_living)[:_MOST]
    found = [Sign(*row) for row in told]
    return [
        one
        for one in found
        if one.is_living
        or not any(
            (other.queue, other.host) == (one.queue, one.host) and other.started_at > one.seen_at
            for other in found
        )
    ]
