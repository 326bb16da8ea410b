"""Runs of a schedule that meet: what of it still goes on, and what that means for a new run."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

from django.db import transaction

from launchpad.access import Scope
from launchpad.errors import Conflict, NotFound
from mlops.domain import executions
from mlops.lifecycle import ACTIVE, STOPPABLE, Outcome, Status
from mlops.models import Execution, Schedule, Tick

_UNENDED = ACTIVE - {Status.DELETING}


def going_on(schedule: Schedule) -> list[Execution]:
    """Executions of the schedule that have not ended, those of backfills left out."""
    rows = Execution.unscoped.filter(
        pk__in=Tick.unscoped.filter(schedule=schedule, is_open=True)
        .exclude(outcome=Outcome.BACKFILLED)
        .values("execution"),
        status__in=_UNENDED,
    )
    return list(rows.order_by("created_at"))


def barred(schedules: Iterable[Schedule]) -> dict[UUID, str]:
    """Those of the schedules that skip a run while one is not over and must skip it now: why; one query."""
    retries = {row.pk: row.retries for row in schedules if row.overlap == Schedule.Overlap.SKIP}
    if not retries:
        return {}
    runs: dict[UUID, str] = {}
    waits: dict[UUID, str] = {}
    rows = Tick.unscoped.filter(schedule__in=retries, is_open=True).exclude(outcome=Outcome.BACKFILLED)
    for tick in rows.select_related("execution").order_by("fire_at"):
        status = tick.execution.status if tick.execution else ""
        # Its end may not have been seen yet.
        has_failed = status == Status.DEAD or tick.timed_out
        if status in _UNENDED:
            verb = "waits" if status == Status.PENDING else "runs"
            runs.setdefault(tick.schedule_id, f"Execution {tick.execution_id} still {verb}.")
        elif tick.retry_at or (has_failed and tick.tries <= retries[tick.schedule_id]):
            said = f"The run due {tick.fire_at:%Y-%m-%d %H:%M} UTC is still to be tried again."
            waits.setdefault(tick.schedule_id, said)
    return waits | runs


def bar(schedule: Schedule) -> str:
    """Why the overlap policy keeps the schedule from starting one more now; "" when it does not."""
    return barred([schedule]).get(schedule.pk, "")


def replaced(schedule: Schedule, row: Tick) -> bool:
    """Whether a later run has taken the place of this one."""
    if schedule.overlap != Schedule.Overlap.REPLACE or row.outcome == Outcome.BACKFILLED:
        return False
    later = Tick.unscoped.filter(schedule=schedule, fire_at__gt=row.fire_at, tries__gt=0)
    return later.exclude(outcome=Outcome.BACKFILLED).exists()


def stop(scope: Scope, older: Iterable[Execution]) -> None:
    """Stop what a new run replaces, inside a transaction; what has ended meanwhile is left alone."""
    for running in older:
        if running.status in STOPPABLE:
            with suppress(Conflict, NotFound), transaction.atomic():
                executions.stop(scope, running.pk)
