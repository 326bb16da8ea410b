"""Which workers live, by the database's clock, and how many of their slots are free."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Now

from mlops.lifecycle import LEASED
from mlops.models import Execution, Worker


def living() -> QuerySet[Worker]:
    """Workers that have not signed off and whose lease has not run out."""
    lease = timedelta(seconds=settings.LEASE_SECONDS)
    return Worker.unscoped.filter(ended_at=None, seen_at__gte=Now() - lease)


def capacity() -> tuple[int, int, int]:
    """Living workers, their slots, and how many slots a leased execution holds."""
    totals = living().aggregate(workers=Count("pk"), slots=Sum("slots"))
    return totals["workers"], totals["slots"] or 0, Execution.unscoped.filter(status__in=LEASED).count()
