"""Removes in batches what belonged to deleted schedules, and what of ledgers is too old to be kept."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
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


def kept_from(now: datetime) -> datetime:
    """Since when ledgers tell all; what was decided before is gone, unless its run has not ended."""
    return now - timedelta(days=settings.LEDGER_DAYS)


def purge_ledgers(now: datetime, *, seconds: float) -> int:
    """Remove rows that were decided before `kept_from`, the oldest first; return how many are gone.

    What has not ended stays, and so do executions. Safe in any number of copies. Ends after about so many
    seconds; the next call goes on.
    """
    until = time.monotonic() + seconds
    old = Tick.unscoped.filter(decided_at__lt=kept_from(now), is_open=False)
    gone = 0
    while keys := list(old.order_by("decided_at").values_list("pk", flat=True)[:_BATCH]):
        # Asked again: a backfill may have begun one of them anew.
        gone += old.filter(pk__in=keys).delete()[0]
        if time.monotonic() >= until:
            break
    return gone
