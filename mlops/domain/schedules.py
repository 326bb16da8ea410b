"""Schedules: create, change, pause, resume, run now, delete, and what their ledger says."""

from __future__ import annotations

import logging
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet

from launchpad.access import Scope
from launchpad.commands import command
from launchpad.errors import Conflict, LaunchpadError
from mlops import doorbell
from mlops.domain import (
    catch_ups,
    enactments,
    executions,
    moments,
    overlaps,
    policies,
    schedule_runs,
    ticks,
    timings,
)
from mlops.domain.catch_ups import Plan
from mlops.domain.limits import Check
from mlops.domain.policies import Policies
from mlops.domain.timings import Change, CronError, Timing
from mlops.lifecycle import Outcome, ScheduleStatus
from mlops.models import Configuration, Executable, Schedule, Tick

log = logging.getLogger(__name__)


@command()
def create(
    scope: Scope,
    *,
    name: str,
    configuration: UUID | str,
    timing: Timing,
    policy: Policies | None = None,
) -> Schedule:
    """Have a configuration run by the clock from now on. timing: as a person gave it, unchecked.

    Raises Forbidden; Invalid with a sentence for each field: name, configuration, cron, once_at, zone, start,
    end, or one of Policies.
    """
    now = moments.now()
    policy = policy or Policies()
    check = Check()
    kept = check.name(name)
    bound = _configuration(scope, check, configuration)
    asked = _timing(check, timing, now)
    policy.check(check)
    check.done()
    assert bound is not None
    return scope.of(Schedule).create(
        resource_group=scope.group,
        name=kept,
        configuration=bound,
        executable_id=bound.executable_id,
        status=ScheduleStatus.ACTIVE,
        next_run_at=asked.next(now),
        created_by=scope.user,
        created_at=now,
        modified_at=now,
        **_columns(asked),
        **_policy_columns(policy),
    )


def verify(scope: Scope, *, name: str, configuration: UUID | str, timing: Timing, policy: Policies) -> Timing:
    """The timing as `create` would keep it, without creating anything. Raises Invalid as `create` does."""
    check = Check()
    check.name(name)
    _configuration(scope, check, configuration)
    asked = _timing(check, timing, moments.now())
    policy.check(check)
    check.done()
    return asked


def verify_timing(timing: Timing) -> Timing:
    """The timing as `create` would keep it. Raises Invalid at cron, once_at, zone, start and end."""
    check = Check()
    asked = _timing(check, timing, moments.now())
    check.done()
    return asked


def _timing(check: Check, timing: Timing, now: datetime) -> Timing:
    return timings.checked(check, timing, now=now, minimum=minimum())


def minimum() -> timedelta:
    """How far two due times of a schedule are apart at least."""
    return timedelta(seconds=settings.SCHEDULE_MINIMUM_SECONDS)


def _configuration(scope: Scope, check: Check, key: UUID | str) -> Configuration | None:
    """The configuration, held so that nobody deletes it meanwhile; None and a breach when it will not do."""
    try:
        found: Configuration | None = (
            scope.of(Configuration).select_related("executable").get(pk=UUID(str(key)))
        )
    except (ValueError, Configuration.DoesNotExist):
        check.refuse("configuration", "There is no such configuration in this resource group.", unknown=True)
        return None
    assert found is not None
    if found.archived_at is not None:
        check.refuse("configuration", f"{found.name} is archived. Restore it, or choose another one.")
    elif found.executable.kind != Executable.Kind.WORKFLOW:
        check.refuse("configuration", f"{found.executable.slug} serves; only what runs to an end recurs.")
    return found


def _columns(timing: Timing) -> dict[str, Any]:
    return {field.name: getattr(timing, field.name) for field in fields(Timing)}


def _policy_columns(policy: Policies) -> dict[str, Any]:
    return {field.name: getattr(policy, field.name) for field in fields(Policies)}


@command()
def edit(
    scope: Scope,
    schedule_id: UUID | str,
    *,
    configuration: UUID | str | None = None,
    timing: Timing | Change | None = None,
    policy: Policies | None = None,
    status: ScheduleStatus | None = None,
    version: datetime | None = None,
) -> Schedule:
    """Change all of a schedule but its name; what is None stays.

    What was due by the old rule is decided first. status: pauses or resumes it too, the latter without
    catching up. version: `modified_at` as the editor saw it. Raises NotFound, Forbidden, Invalid as `create`;
    Conflict when somebody else changed it since that version, or when nothing would be due.
    """
    schedule = held(scope, schedule_id)
    now = moments.now()
    if version is not None and version != schedule.modified_at:
        raise Conflict(
            f"Somebody else changed {schedule.name} meanwhile. Nothing was saved. "
            "Look at what it is now, then edit again."
        )
    check, bound = Check(), None
    if configuration is not None and str(configuration) != str(schedule.configuration_id):
        bound = _configuration(scope, check, configuration)
    old = ticks.timing(schedule)
    if isinstance(timing, Change):
        timing = timing.of(check, old)
    if timing is not None and timing != old:
        timing = _timing(check, timing, now)
    if policy is not None:
        policy.check(check)
    check.done()
    # Its ledger so far is of the old rule.
    _account(schedule, now)
    if bound is not None:
        schedule.configuration, schedule.executable_id = bound, bound.executable_id
    changes: dict[str, Any] = _policy_columns(policy) if policy else {}
    if timing is not None:
        changes |= _columns(timing)
    for column, value in changes.items():
        setattr(schedule, column, value)
    _move(schedule, status or _status_after(schedule, timing, old), now, scope.actor)
    schedule.modified_at = now
    schedule.save()
    return schedule


def _status_after(schedule: Schedule, timing: Timing | None, old: Timing) -> str:
    """Active again when it was over and something is due by its new rule; a pause stays a pause."""
    is_over = schedule.status == ScheduleStatus.INACTIVE and schedule.missed_from is None
    if is_over and timing is not None and timing != old:
        return ScheduleStatus.ACTIVE
    return schedule.status


def _account(schedule: Schedule, now: datetime) -> None:
    """Decide what was due until now by the rule as it is."""
    if schedule.next_run_at is not None and schedule.next_run_at <= now:
        try:
            plan = ticks.plan_due(schedule, now)
        except CronError:
            # Nobody can tell what was due by it.
            return
        try:
            with transaction.atomic():
                ticks.carry_out(schedule, plan, now, why=ticks.UNSEEN)
        except (OperationalError, InterfaceError, LaunchpadError):
            raise
        except Exception as error:
            # Else nobody could pause or change one that cannot be decided.
            log.exception("What was due of schedule %s could not be decided", schedule.pk)
            ticks.give_up(schedule, plan, now, f"It could not be decided. {ticks.trouble(error)}")
    elif schedule.missed_from is not None and schedule.missed_from <= now:
        _carry_out_missed(schedule, now, Schedule.CatchUp.NONE, 1)
        schedule.missed_from = now


def _move(schedule: Schedule, to: str, now: datetime, actor: str) -> None:
    """Set what its status says: when it is due next, or since when it is not. Raises Conflict."""
    schedule.trouble = ""
    try:
        following = ticks.timing(schedule).next(now)
    except CronError as error:
        raise Conflict(str(error)) from error
    if to == ScheduleStatus.INACTIVE:
        if schedule.status == ScheduleStatus.ACTIVE:
            _become(schedule, ScheduleStatus.INACTIVE, f"Paused by {actor}.", next_run_at=None)
            schedule.missed_from = following
        elif schedule.missed_from is not None:
            schedule.missed_from = following
        return
    if following is None:
        raise Conflict(
            f"{schedule.name} cannot be active: nothing is due any more. Give it another end or another time."
        )
    if schedule.status != ScheduleStatus.ACTIVE:
        schedule.failures = 0
    _become(schedule, ScheduleStatus.ACTIVE, "", next_run_at=following)
    schedule.missed_from = None


def _become(schedule: Schedule, to: ScheduleStatus, message: str, *, next_run_at: datetime | None) -> None:
    changed = enactments.move_schedule(schedule.pk, to, status_message=message[:256], next_run_at=next_run_at)
    if changed:
        schedule.refresh_from_db(fields=["status", "status_message"])
    schedule.next_run_at = next_run_at


@command()
def pause(scope: Scope, schedule_id: UUID | str) -> Schedule:
    """Start nothing of it until it is resumed; what runs goes on.

    Raises NotFound, Forbidden; Conflict when it is INACTIVE.
    """
    schedule = held(scope, schedule_id)
    now = moments.now()
    if schedule.status != ScheduleStatus.ACTIVE:
        raise Conflict(f"{schedule.name} is inactive already.")
    _account(schedule, now)
    _move(schedule, ScheduleStatus.INACTIVE, now, scope.actor)
    schedule.modified_at = now
    schedule.save()
    return schedule


@command()
def resume(scope: Scope, schedule_id: UUID | str, *, catch_up: str, limit: int | None = None) -> Schedule:
    """Let it be due again, and start what was missed meanwhile as `catch_up` says; the rest is skipped.

    catch_up: of `Schedule.CatchUp`; limit: of ALL, None for the schedule's own. The policy for later stays.
    Raises NotFound, Forbidden, Invalid; Conflict when it is ACTIVE or nothing is due any more.
    """
    schedule = held(scope, schedule_id)
    now = moments.now()
    if schedule.status == ScheduleStatus.ACTIVE:
        raise Conflict(f"{schedule.name} is active already.")
    limit = schedule.catch_up_limit if limit is None else limit
    check = Check()
    Policies(catch_up=catch_up, catch_up_limit=limit).check(check)
    check.done()
    _carry_out_missed(schedule, now, catch_up, limit)
    _move(schedule, ScheduleStatus.ACTIVE, now, scope.actor)
    schedule.modified_at = now
    schedule.save()
    return schedule


def _carry_out_missed(schedule: Schedule, now: datetime, catch_up: str, limit: int) -> None:
    plan = _missed(schedule, now, catch_up, limit)
    kept = schedule.catch_up, schedule.catch_up_limit
    # The ledger tells the choice that was made, which is not the policy for later.
    schedule.catch_up, schedule.catch_up_limit = catch_up, limit
    ticks.carry_out(schedule, plan, now, why="The schedule was paused")
    schedule.catch_up, schedule.catch_up_limit = kept


def _missed(schedule: Schedule, now: datetime, catch_up: str, limit: int) -> Plan:
    nothing = Plan((), (), (), None)
    if schedule.missed_from is None:
        return nothing
    timing = ticks.timing(schedule)
    try:
        return catch_ups.plan(
            timing, schedule.missed_from, now, tolerance=None, catch_up=catch_up, limit=limit
        )
    except CronError:
        return nothing


def missed(schedule: Schedule) -> int:
    """How many due times have passed since it was paused; 0 for one that is active, over or unreadable."""
    return _missed(schedule, moments.now(), Schedule.CatchUp.NONE, 1).missed


def would_start(schedule: Schedule, *, catch_up: str, limit: int, missed: int) -> int:
    """How many runs `resume` would start of so many `missed`, its overlap policy considered."""
    most = {Schedule.CatchUp.NONE: 0, Schedule.CatchUp.LAST: 1, Schedule.CatchUp.ALL: limit}
    count = min(missed, most[Schedule.CatchUp(catch_up)])
    if schedule.overlap == Schedule.Overlap.ALLOW:
        return count
    return 0 if overlaps.bar(schedule) else min(count, 1)


@command()
def run_now(scope: Scope, schedule_id: UUID | str) -> Tick:
    """Run its configuration now, whether it is active or not; the ledger has a row of it.

    Raises NotFound, Forbidden; Conflict when its overlap policy or its configuration does not let it.
    """
    schedule = held(scope, schedule_id)
    now = moments.now()
    # A whole second could be one of the clock's due times.
    at = now.replace(microsecond=now.microsecond or 1)
    tick = ticks.start(schedule, at, Outcome.BY_HAND, now, reason=f"Started by {scope.actor}.", scope=scope)
    if tick.outcome == Outcome.SKIPPED:
        raise Conflict(f"{schedule.name} was not run. {tick.reason}")
    return tick


@command()
def delete(scope: Scope, schedule_id: UUID | str, *, stop_running: bool = False) -> Schedule:
    """Remove a schedule with its ledger; its executions stay.

    stop_running: stops those that wait or run, which go on otherwise. It is gone for everybody when this
    returns, its ledger after the next sweeps. Raises NotFound, Forbidden.
    """
    schedule = held(scope, schedule_id)
    for running in schedule_runs.unended(scope, schedule) if stop_running else ():
        executions.stop(scope, running.pk)
    _become(schedule, ScheduleStatus.INACTIVE, "Deleted.", next_run_at=None)
    schedule.deleted_at = moments.now()
    schedule.save()
    doorbell.sweep()
    return schedule


def held(scope: Scope, schedule_id: UUID | str) -> Schedule:
    """One schedule of the group with what running it needs, held until the commit. Raises NotFound."""
    rows = every(scope).select_related("resource_group__workspace", "configuration")
    found: Schedule = scope.one(rows.select_for_update(no_key=True, of=("self",)), pk=schedule_id)
    return found


def every(scope: Scope) -> QuerySet[Schedule]:
    """Schedules of the group, newest first."""
    return scope.of(Schedule).filter(deleted_at=None).order_by("-created_at", "-pk")


def get(scope: Scope, schedule_id: UUID | str) -> Schedule:
    """One schedule of the group with its configuration. Raises NotFound."""
    found: Schedule = scope.one(every(scope).select_related("configuration"), pk=schedule_id)
    return found


def detail(scope: Scope, schedule_id: UUID | str) -> Schedule:
    """One schedule with its configuration, executable, scenario and author. Raises NotFound."""
    rows = every(scope).select_related(
        "configuration__executable_version", "executable__scenario", "created_by"
    )
    found: Schedule = scope.one(rows, pk=schedule_id)
    return found


def ledger(scope: Scope, schedule: Schedule) -> QuerySet[Tick]:
    """Every due time of the schedule that was decided, newest first, with its execution."""
    rows = scope.of(Tick).filter(schedule=schedule).select_related("execution")
    return rows.order_by("-fire_at", "-pk")


def policy(schedule: Schedule) -> Policies:
    """What it does when its runs overlap, are missed or fail."""
    return policies.of(schedule)
