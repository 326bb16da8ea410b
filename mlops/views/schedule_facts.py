"""When a schedule is due and what became of it, in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from launchpad import zones
from mlops.domain import ticks, timings
from mlops.lifecycle import Outcome

CLOCK_RULE = (
    "A time that does not exist, because the clock jumps forward, fires at the moment of the jump; "
    "a time that comes twice fires once, the first time."
)
OUTCOMES = {
    Outcome.FIRED: "Fired",
    Outcome.CAUGHT_UP: "Caught up",
    Outcome.SKIPPED: "Skipped",
    Outcome.BACKFILLED: "Backfilled",
    Outcome.BY_HAND: "By hand",
}


def zone(schedule: Any) -> ZoneInfo:
    """The schedule's time zone; UTC where this machine does not know it any more."""
    return ZoneInfo(schedule.zone if schedule.zone in zones.names() else "UTC")


def trouble(schedule: Any) -> str:
    """That what is due has not been decided although it should have been, in a few words; "" else."""
    if schedule.trouble:
        return "Could not be decided"
    due = schedule.next_run_at
    tolerance = timedelta(seconds=settings.SCHEDULE_TOLERANCE_SECONDS)
    return "Due, but nobody decided it" if due is not None and timezone.now() - due > tolerance else ""


def rule(schedule: Any) -> str:
    """When it is due: `At 02:00 every day`, `Once, 28 Nov 2026, 02:00`."""
    if schedule.once_at is not None:
        at = schedule.once_at.astimezone(zone(schedule))
        return f"Once, {at.day} {at:%b %Y, %H:%M}"
    return timings.in_words(ticks.timing(schedule))
