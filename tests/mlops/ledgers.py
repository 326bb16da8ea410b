"""Ledgers of schedules with rows of every kind, as if time had passed."""

from datetime import timedelta

from django.utils import timezone

from mlops.lifecycle import Outcome, Status
from mlops.models import Schedule, Tick
from tests.mlops import factories

HOUR = timedelta(hours=1)
STATUSES = {
    "c": Status.COMPLETED,
    "d": Status.DEAD,
    "x": Status.STOPPED,
    "r": Status.RUNNING,
    "p": Status.PENDING,
}


def fill(schedule: Schedule, pattern: str) -> list[Tick]:
    """Rows an hour apart, oldest first, the last one an hour ago; their executions too.

    pattern: a letter for each: s skipped, or how its run went, as of STATUSES.
    """
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    return [
        _row(schedule, letter, now - HOUR * (len(pattern) - place)) for place, letter in enumerate(pattern)
    ]


def _row(schedule, letter, at):
    if letter == "s":
        return Tick.unscoped.create(
            schedule=schedule,
            fire_at=at,
            decided_at=at,
            outcome=Outcome.SKIPPED,
            reason="Execution e1 still runs.",
        )
    status = STATUSES[letter]
    is_open = letter in "rp"
    run = factories.execution(schedule.configuration, status=status, schedule=schedule, due_at=at)
    return Tick.unscoped.create(
        schedule=schedule,
        fire_at=at,
        decided_at=at,
        outcome=Outcome.FIRED,
        execution=run,
        tries=1,
        is_open=is_open,
        result="" if is_open else status,
    )


def missed(schedule: Schedule, hours: int) -> None:
    """As if it had been paused so long ago."""
    Schedule.unscoped.filter(pk=schedule.pk).update(missed_from=timezone.now() - HOUR * hours)
