"""The clock of schedules: every due time is decided once, and its row in the ledger says how."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from launchpad.access import Scope, system_scope
from launchpad.errors import LaunchpadError
from mlops.domain import catch_ups, enactments, executions
from mlops.domain.catch_ups import Many, Plan
from mlops.domain.timings import Timing
from mlops.lifecycle import ACTIVE, FINAL, Outcome, ScheduleStatus, Status
from mlops.models import Execution, Schedule, Tick

_BATCH = 200
# Later than this, the page says by how much.
_PROMPT = timedelta(seconds=5)
OVER = "Nothing is due any more."


def timing(schedule: Schedule) -> Timing:
    """When a schedule is due."""
    return Timing(schedule.cron, schedule.once_at, schedule.zone, schedule.start, schedule.end)


def fire_due(now: datetime) -> int:
    """Decide all that is due up to `now`; return how many schedules this call moved on.

    Safe in any number of copies: each schedule is claimed by a conditional update, in one transaction with
    its rows of the ledger and its executions. Raises OperationalError when the database is away: what was not
    committed is decided by the next call.
    """
    moved = 0
    passed: set[UUID] = set()
    while True:
        due = Schedule.unscoped.filter(status=ScheduleStatus.ACTIVE, next_run_at__lte=now)
        rows = due.exclude(pk__in=passed).order_by("next_run_at")
        batch = list(rows.select_related("resource_group__workspace", "configuration")[:_BATCH])
        for row in batch:
            moved += _fire(row, now)
            # What another process claimed is not looked at twice.
            passed.add(row.pk)
        if len(batch) < _BATCH:
            return moved


def _fire(row: Schedule, now: datetime) -> bool:
    assert row.next_run_at is not None
    fence = {"next_run_at": row.next_run_at, "modified_at": row.modified_at, "status": ScheduleStatus.ACTIVE}
    try:
        plan = catch_ups.plan(
            timing(row),
            row.next_run_at,
            now,
            tolerance=timedelta(seconds=settings.SCHEDULE_TOLERANCE_SECONDS),
            catch_up=row.catch_up,
            limit=row.catch_up_limit,
        )
        following = timing(row).next(now)
    except zoneinfo.ZoneInfoNotFoundError:
        said = f"This machine does not know the time zone {row.zone} any more. Choose another one."
        return enactments.move_schedule(
            row.pk,
            ScheduleStatus.INACTIVE,
            fence=fence,
            next_run_at=None,
            missed_from=row.next_run_at,
            status_message=said,
        )
    with transaction.atomic():
        if following is not None:
            claimed = bool(Schedule.unscoped.filter(pk=row.pk, **fence).update(next_run_at=following))
        else:
            claimed = enactments.move_schedule(
                row.pk, ScheduleStatus.INACTIVE, fence=fence, next_run_at=None, status_message=OVER
            )
        if claimed:
            carry_out(row, plan, now, why="Nobody looked at the clock in time")
    return claimed


def carry_out(schedule: Schedule, plan: Plan, now: datetime, *, why: str) -> None:
    """Write the ledger's rows of a plan and start what is to be started, inside a transaction.

    The schedule's row is held. why: what kept the missed ones from being on time, as a sentence begins.
    """
    wanted = (*plan.skipped, *plan.caught_up, *plan.on_time)
    known = set(Tick.unscoped.filter(schedule=schedule, fire_at__in=wanted).values_list("fire_at", flat=True))
    policy = f"{why}; catching up is {_caught_up(schedule)}."
    if plan.older:
        _skip_many(schedule, plan.older, now, policy)
    _skip(schedule, (due for due in plan.skipped if due not in known), now, policy)
    for due in plan.caught_up:
        if due not in known:
            start(schedule, due, Outcome.CAUGHT_UP, now, reason=f"{why}.")
    for due in plan.on_time:
        if due not in known:
            late = now - due
            reason = f"{late.total_seconds():.0f} s after it was due." if late > _PROMPT else ""
            start(schedule, due, Outcome.FIRED, now, reason=reason)


def _caught_up(schedule: Schedule) -> str:
    if schedule.catch_up == Schedule.CatchUp.ALL:
        return f"limited to {schedule.catch_up_limit}"
    return "limited to the last one" if schedule.catch_up == Schedule.CatchUp.LAST else "off"


def _skip_many(schedule: Schedule, many: Many, now: datetime, reason: str) -> None:
    row = Tick(schedule=schedule, fire_at=many.first, until=many.last, count=many.count, decided_at=now)
    row.outcome, row.reason = Outcome.SKIPPED, reason
    # The first of them may have been run by hand or told before.
    Tick.unscoped.bulk_create([row], ignore_conflicts=True)


def _skip(schedule: Schedule, times: Iterable[datetime], now: datetime, reason: str) -> None:
    Tick.unscoped.bulk_create(
        Tick(schedule=schedule, fire_at=due, decided_at=now, outcome=Outcome.SKIPPED, reason=reason)
        for due in times
    )


def start(
    schedule: Schedule,
    fire_at: datetime,
    outcome: Outcome,
    now: datetime,
    *,
    reason: str,
    scope: Scope | None = None,
) -> Tick:
    """The row of a due time and its execution, or why there is none; inside a transaction.

    The schedule's row is held, with its configuration and group at hand. Overlap and what may not run any
    more make it SKIPPED. scope: of the person who wants it, None for the clock.
    """
    row = Tick(schedule=schedule, fire_at=fire_at, decided_at=now, outcome=outcome, reason=reason)
    scope = scope or scope_of(schedule)
    refused = refusal(schedule) or _make_room(scope, schedule)
    if not refused:
        try:
            launch(scope, schedule, row)
        except LaunchpadError as error:
            refused = error.message
    if refused:
        row.outcome, row.reason = Outcome.SKIPPED, refused[:1024]
    row.save()
    return row


def launch(scope: Scope, schedule: Schedule, row: Tick, *, origin: Execution | None = None) -> None:
    """Submit an execution for a due time and note it on its row, which is not saved.

    Raises LaunchpadError; then nothing was written.
    """
    with transaction.atomic():
        row.execution = executions.submit(
            scope, schedule.configuration_id, schedule=schedule, due_at=row.fire_at, origin=origin
        )
    row.tries += 1
    row.is_open, row.retry_at, row.timed_out = True, None, False


def held(schedule_id: UUID) -> Schedule:
    """A schedule with what running it needs, held until the commit."""
    rows = Schedule.unscoped.select_for_update(no_key=True, of=("self",))
    return rows.select_related("resource_group__workspace", "configuration").get(pk=schedule_id)


def scope_of(schedule: Schedule) -> Scope:
    """Full rights on the schedule's group, in the schedule's name."""
    return system_scope(schedule, actor=f"schedule {schedule.name}")


def refusal(schedule: Schedule) -> str:
    """Why nothing of the schedule may run now; "" when it may."""
    if schedule.resource_group.deleting_at is not None:
        return "Its resource group is being deleted."
    if schedule.configuration.archived_at is not None:
        return f"The configuration {schedule.configuration.name} is archived. Restore it, or choose another."
    return ""


def going_on(schedule: Schedule) -> list[Execution]:
    """Executions of the schedule that have not ended, those of backfills left out."""
    rows = Execution.unscoped.filter(
        pk__in=Tick.unscoped.filter(schedule=schedule, is_open=True)
        .exclude(outcome=Outcome.BACKFILLED)
        .values("execution"),
        status__in=ACTIVE - {Status.DELETING},
    )
    return list(rows.order_by("created_at"))


def overlap(schedule: Schedule) -> str:
    """Why the overlap policy keeps the schedule from starting one more now; "" when it does not."""
    if schedule.overlap != Schedule.Overlap.SKIP:
        return ""
    if running := going_on(schedule):
        return (
            f"Execution {running[0].pk} still {'waits' if running[0].status == Status.PENDING else 'runs'}."
        )
    waiting = Tick.unscoped.filter(schedule=schedule, is_open=True, retry_at__isnull=False)
    if row := waiting.exclude(outcome=Outcome.BACKFILLED).first():
        return f"The run due {row.fire_at:%Y-%m-%d %H:%M} UTC is still to be tried again."
    return ""


def _make_room(scope: Scope, schedule: Schedule) -> str:
    """Stop what runs where the new run replaces it; why it may not run, "" when it may."""
    if schedule.overlap == Schedule.Overlap.REPLACE:
        for running in going_on(schedule):
            if running.status not in FINAL | {Status.STOPPING}:
                executions.stop(scope, running.pk)
    return overlap(schedule)
