"""Finishes deletions of schedules: their ledgers and rules of notification go in batches."""

from __future__ import annotations

import time
from typing import Any

from django.db import models, transaction

from mlops.models import Backfill, BackfillRun, Notice, Schedule, Tick

_BATCH = 5_000
# What goes before a schedule, in the order that the references between them allow.
OF_SCHEDULES: tuple[tuple[type[models.Model], str], ...] = (
    (BackfillRun, "backfill__schedule"),
    (Backfill, "schedule"),
    (Tick, "schedule"),
    (Notice, "rule__schedule"),
)


def purge_deleted(*, seconds: float) -> int:
    """Remove ledgers of deleted schedules, then these; return how many are gone.

    Safe in any number of copies. Ends after about so many seconds; the next call goes on.
    """
    until = time.monotonic() + seconds
    gone = 0
    for schedule in Schedule.unscoped.filter(deleted_at__isnull=False).order_by("deleted_at")[:100]:
        for model, path in OF_SCHEDULES:
            manager: models.Manager[Any] = model.unscoped  # type: ignore[attr-defined]
            while keys := list(manager.filter(**{path: schedule}).values_list("pk", flat=True)[:_BATCH]):
                manager.filter(pk__in=keys).delete()
                if time.monotonic() >= until:
                    return gone
        with transaction.atomic():
            gone += Schedule.unscoped.filter(pk=schedule.pk).delete()[0] > 0
    return gone
