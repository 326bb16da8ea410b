"""Backfills: due times of the past that a person has run, a few at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from launchpad.access import Scope
from launchpad.commands import command
from launchpad.errors import Conflict, Invalid, LaunchpadError
from mlops.domain import moments, schedules, ticks
from mlops.domain.limits import Check
from mlops.domain.timings import CronError
from mlops.lifecycle import Outcome, Status
from mlops.models import Backfill, BackfillRun, Schedule, Tick

LIMIT = 1000
AT_ONCE_LIMIT = 20


@dataclass(frozen=True)
class Candidate:
    """A due time in the range. tick: its row of the ledger, None for what nobody looked at."""

    fire_at: datetime
    tick: Tick | None

    @property
    def has_run(self) -> bool:
        """Whether an execution was started for it."""
        return self.tick is not None and self.tick.tries > 0

    @property
    def has_failed(self) -> bool:
        """Whether it ran and ended badly."""
        return self.tick is not None and (self.tick.result == Status.DEAD or self.tick.timed_out)


@dataclass(frozen=True)
class Plan:
    """What a backfill would run, in its order. left_out: due times in the range that it would not."""

    runs: tuple[Candidate, ...]
    left_out: int

    @property
    def total(self) -> int:
        """How many due times the range has."""
        return len(self.runs) + self.left_out


def plan(
    scope: Scope, schedule: Schedule, *, begin: datetime, end: datetime, which: str, newest_first: bool
) -> Plan:
    """The due times from `begin` to `end`, both included, that a backfill would run; nothing is changed.

    By the rule as it is now, also before the schedule's start; never in the future, and never what runs now.
    Raises Invalid for a range that is none, or that has more than LIMIT due times, and for a rule that cannot
    be read any more.
    """
    check = Check()
    now = moments.now()
    if end < begin:
        check.refuse("end", "The end of the range is before its beginning.")
    if begin > now:
        check.refuse("begin", "The range lies in the future.")
    if which not in Backfill.Which.values:
        check.refuse("which", f"Choose one of: {', '.join(Backfill.Which.values)}.")
    check.done()
    try:
        times = list(islice(ticks.timing(schedule).between(begin, min(end, now)), LIMIT + 1))
    except CronError as error:
        raise Invalid(str(error)) from error
    if len(times) > LIMIT:
        raise Invalid(
            f"The range has more than {LIMIT} due times. Choose a shorter one.",
            fields={"end": f"More than {LIMIT} due times; choose a shorter range."},
        )
    rows = {row.fire_at: row for row in scope.of(Tick).filter(schedule=schedule, fire_at__in=times)}
    found = [Candidate(due, rows.get(due)) for due in times]
    wanted = [one for one in found if _is_wanted(one, which)]
    return Plan(tuple(wanted[::-1] if newest_first else wanted), len(found) - len(wanted))


def _is_wanted(one: Candidate, which: str) -> bool:
    if one.tick is not None and one.tick.is_open:
        return False
    if which == Backfill.Which.ALL or not one.has_run:
        return True
    return which == Backfill.Which.FAILED and one.has_failed


@command()
def create(
    scope: Scope,
    schedule_id: UUID | str,
    *,
    begin: datetime,
    end: datetime,
    which: str,
    newest_first: bool = False,
    at_once: int = 1,
) -> Backfill:
    """Have due times of the past run, at most `at_once` at a time; the clock starts them.

    Raises NotFound, Forbidden, Invalid as `plan`; Conflict when nothing is to be run, or while another
    backfill of the schedule goes on.
    """
    schedule = schedules.held(scope, schedule_id)
    if not 1 <= at_once <= AT_ONCE_LIMIT:
        said = f"Choose a number from 1 to {AT_ONCE_LIMIT}."
        raise Invalid(said, fields={"at_once": said})
    made = plan(scope, schedule, begin=begin, end=end, which=which, newest_first=newest_first)
    if not made.runs:
        raise Conflict("The range has no such due times; nothing would run.")
    if every(scope, schedule).filter(ended_at=None).exists():
        raise Conflict("Another backfill of this schedule goes on. Wait for its end, or stop it first.")
    backfill: Backfill = scope.of(Backfill).create(
        schedule=schedule,
        begin=begin,
        end=end,
        which=which,
        newest_first=newest_first,
        at_once=at_once,
        created_by=scope.user,
        created_at=moments.now(),
    )
    BackfillRun.unscoped.bulk_create(
        BackfillRun(backfill=backfill, position=position, fire_at=one.fire_at)
        for position, one in enumerate(made.runs)
    )
    return backfill


@command()
def stop(scope: Scope, backfill_id: UUID | str) -> Backfill:
    """Start nothing more of a backfill; what runs goes on.

    Raises NotFound, Forbidden; Conflict when it has ended.
    """
    rows = scope.of(Backfill).select_for_update(no_key=True)
    found: Backfill = scope.one(rows, pk=backfill_id)
    if found.ended_at is not None:
        raise Conflict("This backfill has ended already.")
    found.ended_at, found.end_reason = moments.now(), f"Stopped by {scope.actor}."[:256]
    found.save(update_fields=["ended_at", "end_reason"])
    return found


def get(scope: Scope, backfill_id: UUID | str) -> Backfill:
    """One backfill with its schedule. Raises NotFound."""
    rows = scope.of(Backfill).filter(schedule__deleted_at=None).select_related("schedule", "created_by")
    found: Backfill = scope.one(rows, pk=backfill_id)
    return found


def every(scope: Scope, schedule: Schedule) -> QuerySet[Backfill]:
    """Backfills of a schedule, newest first, each with how many runs it has and how many were `begun`."""
    rows = scope.of(Backfill).filter(schedule=schedule).select_related("created_by")
    begun = Count("runs", filter=Q(runs__started_at__isnull=False))
    return rows.annotate(total=Count("runs"), begun=begun).order_by("-created_at", "-pk")


def runs(scope: Scope, backfill: Backfill) -> QuerySet[BackfillRun]:
    """The due times of a backfill in its order, each with its execution."""
    return scope.of(BackfillRun).filter(backfill=backfill).select_related("execution").order_by("position")


def go_on(now: datetime) -> int:
    """Start what open backfills have room for and end those that are done; return how many runs began.

    Safe in any number of copies.
    """
    begun = 0
    for key, schedule in Backfill.unscoped.filter(ended_at=None).values_list("pk", "schedule"):
        with ticks.alone("Backfill", key):
            begun += _go_on(key, schedule, now)
    return begun


def _go_on(key: UUID, schedule_id: UUID, now: datetime) -> int:
    schedule = ticks.held(schedule_id)
    backfill = Backfill.unscoped.select_for_update(no_key=True).filter(pk=key, ended_at=None).first()
    if schedule is None or backfill is None:
        return 0
    if schedule.deleted_at is not None:
        return _end(backfill, now, "The schedule was deleted.")
    theirs = BackfillRun.unscoped.filter(backfill=backfill)
    open_ticks = Tick.unscoped.filter(schedule=schedule, fire_at=OuterRef("fire_at"), is_open=True)
    going = theirs.filter(Exists(open_ticks), started_at__isnull=False, refused="").count()
    waiting = theirs.filter(started_at=None).order_by("position")
    rows = list(waiting[: max(0, backfill.at_once - going)])
    for run in rows:
        _begin(schedule, backfill, run, now)
    if not going and not rows:
        return _end(backfill, now, "Done.")
    return len(rows)


def _end(backfill: Backfill, now: datetime, reason: str) -> int:
    backfill.ended_at, backfill.end_reason = now, reason
    backfill.save(update_fields=["ended_at", "end_reason"])
    return 0


def _begin(schedule: Schedule, backfill: Backfill, run: BackfillRun, now: datetime) -> None:
    row = Tick.unscoped.filter(schedule=schedule, fire_at=run.fire_at).first()
    run.started_at = now
    if row is not None and not _is_wanted(Candidate(run.fire_at, row), backfill.which):
        run.refused = "It runs now." if row.is_open else "It ran meanwhile."
    else:
        row = row or Tick(schedule=schedule, fire_at=run.fire_at)
        _launch(schedule, backfill, run, row, now)
    run.save()


def _launch(schedule: Schedule, backfill: Backfill, run: BackfillRun, row: Tick, now: datetime) -> None:
    before = f" Before: {row.outcome.lower().replace('_', ' ')}. {row.reason}" if row.pk else ""
    try:
        if refused := ticks.refusal(schedule):
            raise Conflict(refused)
        row.tries = 0
        ticks.launch(ticks.scope_of(schedule), schedule, row)
    except LaunchpadError as error:
        run.refused = error.message[:1024]
        if row.pk is None:
            row.outcome, row.decided_at, row.reason = Outcome.SKIPPED, now, error.message[:1024]
            row.save()
        return
    by = backfill.created_by.get_username() if backfill.created_by else "a service key"
    _leave_the_rest(schedule, row)
    row.outcome, row.decided_at, row.result = Outcome.BACKFILLED, now, ""
    row.reason = f"Run by a backfill of {by}.{before}".strip()[:1024]
    row.save()
    run.execution = row.execution


def _leave_the_rest(schedule: Schedule, row: Tick) -> None:
    """Give the further due times that a row stands for a row of their own."""
    until, count = row.until, row.count
    row.until, row.count = None, 1
    if until is None:
        return
    later = Tick.unscoped.filter(schedule=schedule, fire_at__gt=row.fire_at, fire_at__lte=until)
    known = set(later.values_list("fire_at", flat=True))
    for place, due in enumerate(ticks.timing(schedule).between(row.fire_at, until)):
        if due > row.fire_at and due not in known:
            left = max(1, count - place)
            rest = Tick(schedule=schedule, fire_at=due, until=until if left > 1 else None, count=left)
            rest.decided_at, rest.outcome, rest.reason = row.decided_at, row.outcome, row.reason
            rest.save()
            return


def progress(scope: Scope, backfill: Backfill) -> dict[str, int]:
    """How many runs of a backfill wait, were begun, and were refused."""
    rows = scope.of(BackfillRun).filter(backfill=backfill)
    return rows.aggregate(
        waiting=Count("pk", filter=Q(started_at=None)),
        begun=Count("pk", filter=Q(started_at__isnull=False) & Q(refused="")),
        refused=Count("pk", filter=~Q(refused="")),
    )
