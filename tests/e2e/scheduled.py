"""Schedules of a lived-in product: one due soon, one that missed runs, one with a backfill, and a draft."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.utils import timezone

from launchpad import access
from mlops.domain import backfills, schedule_drafts, schedules
from mlops.domain.policies import Policies
from mlops.domain.timings import Timing
from mlops.models import Schedule

BERLIN = "Europe/Berlin"
# Of the backfill: one due time of a schedule that is due once a year.
NEW_YEAR = datetime(2025, 12, 31, 23, tzinfo=UTC)


def furnish(editor: access.Scope, bound: UUID) -> dict[str, str]:
    """Make them; returns what stands for an argument of an address. bound: the configuration they run."""
    yearly = Timing("0 0 1 1 *", zone=BERLIN)
    policy = Policies(catch_up="all", retries=2, retry_pause=timedelta(minutes=5), pause_after=3)
    made = schedules.create(editor, name="new year", configuration=bound, timing=yearly, policy=policy)
    filled = backfills.create(
        editor, made.pk, begin=NEW_YEAR, end=NEW_YEAR, which="all", newest_first=False, at_once=1
    )
    soon = Timing(once_at=timezone.now() + timedelta(hours=5), zone=BERLIN)
    schedules.create(editor, name="this evening", configuration=bound, timing=soon, policy=None)
    missed = schedules.create(editor, name="paused", configuration=bound, timing=Timing("0 * * * *"))
    schedules.pause(editor, missed.pk)
    Schedule.unscoped.filter(pk=missed.pk).update(missed_from=timezone.now() - timedelta(hours=30))
    draft = schedule_drafts.save(
        editor, None, {"configuration": str(bound), "name": "half way", "cron": "30 2 * * *", "zone": BERLIN}
    )
    return {
        "schedules.schedule_id": str(made.pk),
        "schedules.backfill_id": str(filled.pk),
        "schedule_draft": str(draft.pk),
        "paused_schedule": str(missed.pk),
    }
