"""How runs of schedules end: failed ones are tried again, endless ones stopped, what keeps failing paused."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from launchpad.errors import LaunchpadError
from mlops.domain import enactments, executions, notices, overlaps, ticks
from mlops.lifecycle import FINAL, STOPPABLE, Outcome, ScheduleStatus, Status
from mlops.models import Execution, Schedule, Tick

_BATCH = 500
# Runs by hand and backfills say nothing of how the schedule fares.
_COUNTED = frozenset({Outcome.FIRED, Outcome.CAUGHT_UP})


def follow(now: datetime) -> int:
    """Note ends of runs, try failed ones again, stop those beyond their time limit; return how many moved.

    Safe in any number of copies: each row is dealt with under its schedule's lock.
    """
    moved = 0
    going = Tick.unscoped.filter(is_open=True)
    ended = Q(execution__status__in=FINAL | {Status.DELETING}) | Q(execution__isnull=True)
    for key, schedule in going.filter((ended & Q(retry_at=None)) | Q(retry_at__lte=now)).values_list(
        "pk", "schedule"
    )[:_BATCH]:
        with ticks.alone("The end of tick", key):
            moved += _settle(key, schedule, now)
    return moved + _stop_overdue(now)


def _settle(key: int, schedule_id: UUID, now: datetime) -> bool:
    schedule = ticks.held(schedule_id)
    row = Tick.unscoped.filter(pk=key, is_open=True).select_related("execution").first()
    if schedule is None or row is None:
        return False
    if row.retry_at is not None:
        if row.retry_at > now:
            return False
        _try_again(schedule, row)
    elif row.execution is None:
        _close(schedule, row, "", "Its execution was deleted before its end was seen.")
    else:
        ended = row.execution.status
        if ended == Status.DELETING:
            ended = enactments.before_deletion(row.execution.pk)
        elif ended not in FINAL:
            return False
        failed = ended == Status.DEAD or row.timed_out
        if not failed or row.tries > schedule.retries:
            _close(schedule, row, ended, "")
        elif why := _given_up(schedule, row):
            _close(schedule, row, ended, why)
        elif schedule.retry_pause > timedelta():
            row.retry_at = now + schedule.retry_pause
        else:
            _try_again(schedule, row)
    row.save()
    return True


def _given_up(schedule: Schedule, row: Tick) -> str:
    """Why a failed run is not tried again, whatever its retries say, as a sentence; "" when it may be."""
    is_paused = schedule.status == ScheduleStatus.INACTIVE and schedule.missed_from is not None
    if is_paused or schedule.deleted_at is not None:
        return "Not tried again: the schedule was paused meanwhile."
    return "Not tried again: a later run has replaced it." if overlaps.replaced(schedule, row) else ""


def _try_again(schedule: Schedule, row: Tick) -> None:
    if why := _given_up(schedule, row):
        _close(schedule, row, Status.DEAD, why)
        return
    try:
        ticks.launch(ticks.scope_of(schedule), schedule, row, origin=row.execution)
    except LaunchpadError as error:
        _close(schedule, row, Status.DEAD, f"It could not be tried again. {error.message}")


def _close(schedule: Schedule, row: Tick, result: str, reason: str) -> None:
    """Note the end of a run for good, and what it means for the schedule."""
    row.is_open, row.retry_at, row.result = False, None, result
    if reason:
        row.reason = f"{row.reason} {reason}".strip()[:1024]
    if row.outcome not in _COUNTED:
        return
    before, failed = schedule.failures, result == Status.DEAD or row.timed_out
    if failed:
        schedule.failures += 1
    elif result == Status.COMPLETED:
        schedule.failures = 0
    else:
        return
    Schedule.unscoped.filter(pk=schedule.pk).update(failures=schedule.failures)
    limit, paused = schedule.pause_after, ""
    if limit is not None and schedule.failures >= limit and schedule.status == ScheduleStatus.ACTIVE:
        times = "1 failure" if limit == 1 else f"{schedule.failures} failures in a row"
        paused = f"Paused by itself after {times}."
        enactments.move_schedule(
            schedule.pk,
            ScheduleStatus.INACTIVE,
            next_run_at=None,
            missed_from=schedule.next_run_at,
            status_message=paused,
        )
    notices.schedule_ended(schedule, row, failed=failed, before=before, paused=paused)


def _stop_overdue(now: datetime) -> int:
    limited = Tick.unscoped.filter(
        is_open=True,
        retry_at=None,
        schedule__time_limit__isnull=False,
        execution__status__in=STOPPABLE,
        execution__started_at__isnull=False,
    )
    stopped = 0
    for key, schedule, started, limit in limited.values_list(
        "pk", "schedule", "execution__started_at", "schedule__time_limit"
    ):
        if started is not None and limit is not None and started + limit <= now:
            with ticks.alone("The time limit of tick", key):
                stopped += _stop(key, schedule)
    return stopped


def _stop(key: int, schedule_id: UUID) -> bool:
    schedule = ticks.held(schedule_id)
    row = Tick.unscoped.filter(pk=key, is_open=True).first()
    stoppable = Execution.unscoped.filter(pk=row.execution_id, status__in=STOPPABLE) if row else None
    if schedule is None or row is None or stoppable is None or schedule.time_limit is None:
        return False
    if not stoppable.exists():
        return False
    try:
        with transaction.atomic():
            executions.stop(ticks.scope_of(schedule), row.execution_id or "")
    except LaunchpadError:
        # It ended by itself meanwhile.
        return False
    said = f"Stopped at its time limit of {_words(schedule.time_limit)}."
    row.timed_out, row.reason = True, f"{row.reason} {said}".strip()[:1024]
    row.save(update_fields=["timed_out", "reason"])
    return True


def _words(span: timedelta) -> str:
    seconds = span.total_seconds()
    if seconds < 60:
        return f"{seconds:g} s"
    return f"{seconds / 60:g} min" if seconds < 3600 else f"{seconds / 3600:g} h"
