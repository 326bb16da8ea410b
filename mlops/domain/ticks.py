"""The clock of schedules: every due time is decided once, and its row in the ledger says how."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet

from launchpad.access import Scope, system_scope
from launchpad.errors import LaunchpadError
from mlops.domain import catch_ups, enactments, notices, overlaps, submissions
from mlops.domain.catch_ups import Many, Plan
from mlops.domain.submissions import Order
from mlops.domain.timings import CronError, Timing
from mlops.lifecycle import Outcome, ScheduleStatus
from mlops.models import Execution, Schedule, Tick

log = logging.getLogger(__name__)

_BATCH = 100
# Later than this, the page says by how much.
_PROMPT = timedelta(seconds=5)
OVER = "Nothing is due any more."
UNSEEN = "Nobody looked at the clock in time"


def timing(schedule: Schedule) -> Timing:
    """When a schedule is due."""
    return Timing(schedule.cron, schedule.once_at, schedule.zone, schedule.start, schedule.end)


def fire_due(now: datetime) -> int:
    """Decide all that is due up to `now`; return how many schedules this call moved on.

    Safe in any number of copies: each schedule is claimed by a conditional update, in one transaction with
    its rows of the ledger and its executions; what another process holds is left to it. One that cannot be
    decided keeps no other from it. Raises OperationalError when the database is away: what was not committed
    is decided by the next call.
    """
    moved = 0
    left: set[UUID] = set()
    while _due(now).exclude(pk__in=left).exists():
        seen, decided = _fire_together(now, left)
        if not seen:
            break
        left |= seen - decided
        moved += len(decided)
    # These take longer, so that the others do not wait for them.
    return moved + sum(_fire(key, now) for key in left)


def _due(now: datetime) -> QuerySet[Schedule]:
    return Schedule.unscoped.filter(status=ScheduleStatus.ACTIVE, next_run_at__lte=now)


def _claimable(rows: QuerySet[Schedule]) -> QuerySet[Schedule]:
    """Those that nobody else holds, with what running them needs, held until the commit."""
    # Not in a queue behind one that is stuck: what is held is decided by its holder or by the next tick.
    rows = rows.select_for_update(no_key=True, skip_locked=True, of=("self",))
    return rows.select_related("resource_group__workspace", "configuration")


def _fire_together(now: datetime, left: Collection[UUID]) -> tuple[set[UUID], set[UUID]]:
    """Decide the usual ones of the next schedules in one transaction; keys of all that were looked at, and
    of those decided.

    Usual is what is due once, and is started or skipped without more ado. All else, also when anything goes
    wrong, is left to `_fire`.
    left: keys of what is not looked at again.
    """
    seen: set[UUID] = set()
    try:
        with transaction.atomic():
            rows = list(_claimable(_due(now).exclude(pk__in=left)).order_by("next_run_at")[:_BATCH])
            seen |= {row.pk for row in rows}
            return seen, _decide_usual(rows, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("%d schedules could not be decided together; now each for itself", len(seen))
        return seen, set()


def _decide_usual(rows: Sequence[Schedule], now: datetime) -> set[UUID]:
    due = list(_once_due(rows, now))
    bars = overlaps.barred(row for row, *_ in due)
    decided: list[tuple[Schedule, Order | None, Tick]] = []
    orders: dict[UUID, Order | None] = {}
    moves: dict[tuple[datetime | None, datetime], list[UUID]] = {}
    for row, plan, following in due:
        refused, order = refusal(row) or bars.get(row.pk, ""), None
        if not refused:
            if row.configuration_id not in orders:
                orders[row.configuration_id] = _order(row)
            if (order := orders[row.configuration_id]) is None:
                continue
        decided.append((row, order, _planned(row, plan, now, refused)))
        moves.setdefault((row.next_run_at, following), []).append(row.pk)
    for (seen, following), keys in moves.items():
        claimed = _due(now).filter(pk__in=keys, next_run_at=seen).update(next_run_at=following, trouble="")
        if claimed != len(keys):
            raise RuntimeError("Schedules that were held were moved on by somebody else.")
    _write(decided, now)
    return {row.pk for row, *_ in decided}


def _once_due(rows: Sequence[Schedule], now: datetime) -> Iterator[tuple[Schedule, Plan, datetime]]:
    """Schedules that are due exactly once and replace no run, with what comes next."""
    single = []
    for row in rows:
        try:
            plan, following = plan_due(row, now), timing(row).next(now)
        except CronError:
            continue
        is_single = len(plan.on_time) + len(plan.caught_up) == 1 and not plan.skipped and not plan.older
        if is_single and following is not None:
            single.append((row, plan, following))
    times = {due for _, plan, _ in single for due in (*plan.caught_up, *plan.on_time)}
    replacing = [row for row, *_ in single if row.overlap == Schedule.Overlap.REPLACE]
    told = Tick.unscoped.filter(schedule__in=[row for row, *_ in single], fire_at__in=times)
    running = Tick.unscoped.filter(schedule__in=replacing, is_open=True)
    unusual = {key for found in (told, running) for key in found.values_list("schedule", flat=True)}
    return (one for one in single if one[0].pk not in unusual)


def _order(row: Schedule) -> Order | None:
    """What is to be submitted for a schedule; None when it cannot be."""
    try:
        return submissions.order(scope_of(row), row.configuration_id)
    except LaunchpadError:
        return None


def _planned(row: Schedule, plan: Plan, now: datetime, refused: str) -> Tick:
    """The ledger's row of the only due time of a plan, not saved. refused: why nothing is started."""
    (due,) = plan.on_time or plan.caught_up
    tick = Tick(schedule=row, fire_at=due, decided_at=now)
    if refused:
        tick.outcome, tick.reason = Outcome.SKIPPED, refused[:1024]
        return tick
    tick.tries, tick.is_open = 1, True
    if plan.on_time:
        tick.outcome, tick.reason = Outcome.FIRED, _lateness(due, now)
    else:
        tick.outcome, tick.reason = Outcome.CAUGHT_UP, f"{UNSEEN}."
    return tick


def _write(decided: Sequence[tuple[Schedule, Order | None, Tick]], now: datetime) -> None:
    """The ledger's rows, each with an execution where something is ordered."""
    if not decided:
        return
    starts = [(row, order, tick) for row, order, tick in decided if order is not None]
    if starts:
        orders = [(scope_of(row), order, row, tick.fire_at) for row, order, tick in starts]
        for (*_, tick), execution in zip(starts, submissions.submit_due(orders), strict=True):
            tick.execution = execution
    Tick.unscoped.bulk_create(tick for *_, tick in decided)
    notices.schedules_decided([(row, [tick]) for row, _, tick in decided if _is_told(tick)], now)


def plan_due(schedule: Schedule, now: datetime) -> Plan:
    """What becomes of all that is due of an active schedule. Raises CronError."""
    assert schedule.next_run_at is not None
    return catch_ups.plan(
        timing(schedule),
        schedule.next_run_at,
        now,
        tolerance=timedelta(seconds=settings.SCHEDULE_TOLERANCE_SECONDS),
        catch_up=schedule.catch_up,
        limit=schedule.catch_up_limit,
    )


def _fire(key: UUID, now: datetime) -> bool:
    """Decide one schedule in a transaction; False when nothing of it is due or another process holds it."""
    moved = False
    with alone("Schedule", key) as errors:
        moved = any(_decide(row, now) for row in _claimable(_due(now).filter(pk=key)))
    for error in errors:
        said = trouble(error)
        _due(now).filter(pk=key).exclude(trouble=said).update(trouble=said)
    return moved


def trouble(error: Exception) -> str:
    """An error that nobody foresaw, in a line that can be stored."""
    line = f"{type(error).__name__}: {error}".split("\n", 1)[0].replace("\0", "")
    return line.encode(errors="replace").decode()[:256]


def _decide(row: Schedule, now: datetime) -> bool:
    fence = {"next_run_at": row.next_run_at, "modified_at": row.modified_at, "status": ScheduleStatus.ACTIVE}
    try:
        plan, following = plan_due(row, now), timing(row).next(now)
    except CronError as error:
        return enactments.move_schedule(
            row.pk,
            ScheduleStatus.INACTIVE,
            fence=fence,
            next_run_at=None,
            missed_from=row.next_run_at,
            status_message=str(error)[:256],
            trouble="",
        )
    if following is not None:
        claimed = bool(Schedule.unscoped.filter(pk=row.pk, **fence).update(next_run_at=following, trouble=""))
    else:
        claimed = enactments.move_schedule(
            row.pk, ScheduleStatus.INACTIVE, fence=fence, next_run_at=None, status_message=OVER, trouble=""
        )
    if claimed:
        carry_out(row, plan, now, why=UNSEEN)
    return claimed


def carry_out(schedule: Schedule, plan: Plan, now: datetime, *, why: str) -> None:
    """Write the ledger's rows of a plan and start what is to be started, inside a transaction.

    The schedule's row is held. why: what kept the missed ones from being on time, as a sentence begins.
    """
    wanted = (*plan.skipped, *plan.caught_up, *plan.on_time)
    known = set(Tick.unscoped.filter(schedule=schedule, fire_at__in=wanted).values_list("fire_at", flat=True))
    policy = f"{why}; catching up is {_caught_up(schedule)}."
    rows = [_skip_many(schedule, plan.older, now, policy)] if plan.older else []
    rows += _skip(schedule, (due for due in plan.skipped if due not in known), now, policy)
    starts = [(due, Outcome.CAUGHT_UP, f"{why}.") for due in plan.caught_up if due not in known]
    starts += [(due, Outcome.FIRED, _lateness(due, now)) for due in plan.on_time if due not in known]
    rows += _start_all(schedule, starts, now)
    notices.schedules_decided([(schedule, [row for row in rows if _is_told(row)])], now)


def give_up(schedule: Schedule, plan: Plan, now: datetime, why: str) -> None:
    """Skip all of a plan, inside a transaction. The schedule's row is held. why: a sentence."""
    wanted = (*plan.skipped, *plan.caught_up, *plan.on_time)
    known = set(Tick.unscoped.filter(schedule=schedule, fire_at__in=wanted).values_list("fire_at", flat=True))
    rows = [_skip_many(schedule, plan.older, now, why)] if plan.older else []
    rows += _skip(schedule, (due for due in wanted if due not in known), now, why)
    notices.schedules_decided([(schedule, rows)], now)


def _start_all(
    schedule: Schedule, starts: Sequence[tuple[datetime, Outcome, str]], now: datetime
) -> list[Tick]:
    """Start due times, ascending, each with its outcome and the reason for its row."""
    if schedule.overlap != Schedule.Overlap.REPLACE:
        return [start(schedule, due, outcome, now, reason=said) for due, outcome, said in starts]
    rows: list[Tick] = []
    for due, outcome, said in starts[-1:]:
        newest = start(schedule, due, outcome, now, reason=said)
        over = f"The run due {due:%Y-%m-%d %H:%M} UTC, started at the same moment, replaces it."
        if newest.outcome == Outcome.SKIPPED:
            over = newest.reason
        rows = [*_skip(schedule, (older for older, *_ in starts[:-1]), now, over), newest]
    return rows


def _is_told(row: Tick) -> bool:
    """Whether anybody may want to hear of how a due time was decided."""
    return row.outcome == Outcome.SKIPPED or row.decided_at - row.fire_at > _PROMPT


def _lateness(due: datetime, now: datetime) -> str:
    late = now - due
    return f"{late.total_seconds():.0f} s after it was due." if late > _PROMPT else ""


def _caught_up(schedule: Schedule) -> str:
    if schedule.catch_up == Schedule.CatchUp.ALL:
        return f"limited to {schedule.catch_up_limit}"
    return "limited to the last one" if schedule.catch_up == Schedule.CatchUp.LAST else "off"


def _skip_many(schedule: Schedule, many: Many, now: datetime, reason: str) -> Tick:
    row = Tick(schedule=schedule, fire_at=many.first, until=many.last, count=many.count, decided_at=now)
    row.outcome, row.reason = Outcome.SKIPPED, reason
    # The first of them may have been run by hand or told before.
    Tick.unscoped.bulk_create([row], ignore_conflicts=True)
    return row


def _skip(schedule: Schedule, times: Iterable[datetime], now: datetime, reason: str) -> list[Tick]:
    return Tick.unscoped.bulk_create(
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
    refused = refusal(schedule) or overlaps.bar(schedule)
    if not refused:
        replaced = overlaps.going_on(schedule) if schedule.overlap == Schedule.Overlap.REPLACE else []
        try:
            launch(scope, schedule, row)
        except LaunchpadError as error:
            refused = error.message
        else:
            # Not before: what cannot run replaces nothing.
            overlaps.stop(scope, replaced)
    if refused:
        row.outcome, row.reason = Outcome.SKIPPED, refused[:1024]
    row.save()
    return row


def launch(scope: Scope, schedule: Schedule, row: Tick, *, origin: Execution | None = None) -> None:
    """Submit an execution for a due time and note it on its row, which is not saved.

    Raises LaunchpadError; then nothing was written.
    """
    with transaction.atomic():
        row.execution = submissions.submit(
            scope, schedule.configuration_id, schedule=schedule, due_at=row.fire_at, origin=origin
        )
    row.tries += 1
    row.is_open, row.retry_at, row.timed_out = True, None, False


def held(schedule_id: UUID) -> Schedule | None:
    """A schedule with what running it needs, held until the commit; None when it is gone or another holds it.

    What another process holds is left to the next tick, so that nothing queues behind one that is stuck.
    """
    return _claimable(Schedule.unscoped.filter(pk=schedule_id)).first()


@contextmanager
def alone(what: str, key: object) -> Iterator[list[Exception]]:
    """Around the transaction of one row: an error of its own keeps no other row from what is due.

    The list has that error afterwards. The next tick tries it again. Raises OperationalError and
    InterfaceError, which are nobody's own.
    """
    errors: list[Exception] = []
    try:
        with transaction.atomic():
            yield errors
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        errors.append(error)
        log.exception("%s %s could not be decided", what, key)


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
