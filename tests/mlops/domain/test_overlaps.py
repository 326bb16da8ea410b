"""Runs of a schedule that meet: which is started, which is stopped, which never was."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from launchpad.access import system_scope
from mlops.domain import executions, outcomes, overlaps, schedules, ticks
from mlops.domain.policies import Policies
from mlops.domain.timings import Timing
from mlops.lifecycle import Outcome, ScheduleStatus, Status
from mlops.models import Configuration, Execution, Schedule, Tick
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def bound(db):
    return factories.configuration(factories.place())


@pytest.fixture
def scope(bound):
    return system_scope(bound.resource_group, actor="ada")


@pytest.fixture
def make(scope, bound):
    """`make(**policy)`: an hourly schedule of the configuration."""

    def made(**policy):
        return schedules.create(
            scope,
            name="hourly",
            configuration=bound.pk,
            timing=Timing("0 * * * *"),
            policy=Policies(**policy),
        )

    return made


def ledger(schedule):
    return list(Tick.unscoped.filter(schedule=schedule).order_by("fire_at"))


def end(execution, status):
    """The execution ends as a worker would have it end."""
    at = execution.created_at
    Execution.unscoped.filter(pk=execution.pk).update(status=status, started_at=at, completed_at=at)


def status(tick):
    return Execution.unscoped.get(pk=tick.execution_id).status


def test_of_missed_ones_that_replace_each_other_the_newest_alone_is_started(make):
    schedule = make(overlap="replace", catch_up="all", catch_up_limit=4)
    due = schedule.next_run_at
    assert ticks.fire_due(due + 5 * HOUR + 10 * MINUTE) == 1
    rows = ledger(schedule)
    assert [row.outcome for row in rows] == ["SKIPPED"] * 5 + ["CAUGHT_UP"]
    assert Execution.unscoped.count() == 1 and status(rows[-1]) == Status.PENDING
    said = f"The run due {due + 5 * HOUR:%Y-%m-%d %H:%M} UTC, started at the same moment, replaces it."
    assert [row.reason for row in rows[2:5]] == [said] * 3
    assert "limited to 4" in rows[1].reason


def test_one_on_time_replaces_the_missed_ones_before_it(make):
    schedule = make(overlap="replace", catch_up="all", catch_up_limit=4)
    due = schedule.next_run_at
    ticks.fire_due(due + 2 * HOUR)
    assert [row.outcome for row in ledger(schedule)] == ["SKIPPED", "SKIPPED", "FIRED"]
    assert Execution.unscoped.count() == 1


def test_when_the_newest_may_not_run_the_others_do_not_say_that_it_replaced_them(make, bound):
    schedule = make(overlap="replace", catch_up="all", catch_up_limit=4)
    Configuration.unscoped.filter(pk=bound.pk).update(archived_at=F("created_at"))
    ticks.fire_due(schedule.next_run_at + 2 * HOUR)
    rows = ledger(schedule)
    assert [row.outcome for row in rows] == ["SKIPPED"] * 3
    assert all("is archived" in row.reason for row in rows)


@pytest.mark.parametrize(("overlap", "starts"), [("replace", 1), ("skip", 1), ("allow", 4)])
def test_the_question_before_resuming_counts_what_will_be_started(make, scope, overlap, starts):
    schedule = make(overlap=overlap)
    schedules.pause(scope, schedule.pk)
    Schedule.unscoped.filter(pk=schedule.pk).update(missed_from=F("missed_from") - 6 * HOUR)
    schedule.refresh_from_db()
    missed = schedules.missed(schedule)
    assert schedules.would_start(schedule, catch_up="all", limit=4, missed=missed) == starts
    schedules.resume(scope, schedule.pk, catch_up="all", limit=4)
    assert Execution.unscoped.count() == starts


def test_what_cannot_be_started_replaces_nothing(bound, scope, make):
    schedule = make(overlap="replace")
    earlier = schedules.run_now(scope, schedule.pk)
    needs = "env: [{name: KEY, valueFrom: {secretKeyRef: {name: gone, key: k}}}]\n        "
    text = factories.template().replace("image: petals:1", f"{needs}image: petals:1")
    version = factories.catalog_version(scope.group, text=text)
    Configuration.unscoped.filter(pk=bound.pk).update(executable_version=version)
    ticks.fire_due(schedule.next_run_at)
    skipped = ledger(schedule)[-1]
    assert skipped.outcome == Outcome.SKIPPED and "The secret gone" in skipped.reason
    assert status(earlier) == Status.PENDING


def test_one_that_ended_by_itself_is_replaced_without_a_word(make, scope):
    schedule = make(overlap="replace")
    earlier = schedules.run_now(scope, schedule.pk)
    seen = overlaps.going_on(schedule)
    end(seen[0], Status.COMPLETED)
    overlaps.stop(scope, seen)
    assert status(earlier) == Status.COMPLETED


@pytest.mark.parametrize("pause", [timedelta(), 90 * MINUTE])
def test_what_was_replaced_is_not_tried_again(make, pause):
    schedule = make(overlap="replace", retries=3, retry_pause=pause)
    due = schedule.next_run_at
    ticks.fire_due(due)
    (first,) = ledger(schedule)
    if pause:
        end(first.execution, Status.DEAD)
        outcomes.follow(due + MINUTE)
    ticks.fire_due(due + HOUR)
    if not pause:
        end(first.execution, Status.DEAD)
    outcomes.follow(due + 2 * HOUR)
    first, second = ledger(schedule)
    assert (first.is_open, first.result, first.tries) == (False, Status.DEAD, 1)
    assert "a later run has replaced it" in first.reason
    assert status(second) == Status.PENDING and Execution.unscoped.count() == 2


def test_one_whose_failure_nobody_saw_yet_is_still_to_be_tried_again(make):
    schedule = make(overlap="skip", retries=1)
    due = schedule.next_run_at
    ticks.fire_due(due)
    end(ledger(schedule)[0].execution, Status.DEAD)
    ticks.fire_due(due + HOUR)
    outcomes.follow(due + HOUR)
    first, second = ledger(schedule)
    assert (first.tries, second.outcome) == (2, Outcome.SKIPPED)
    assert second.reason == f"The run due {due:%Y-%m-%d %H:%M} UTC is still to be tried again."


def many(bound, due, number):
    """So many hourly schedules that are due, each with a run that goes on since the hour before."""
    rows = [
        Schedule(
            resource_group=bound.resource_group,
            name=f"number {one}",
            configuration=bound,
            executable_id=bound.executable_id,
            cron="0 * * * *",
            status=ScheduleStatus.ACTIVE,
            next_run_at=due - HOUR,
            created_at=bound.created_at,
            modified_at=bound.created_at,
        )
        for one in range(number)
    ]
    made = Schedule.unscoped.bulk_create(rows)
    assert ticks.fire_due(due - HOUR) == number
    return made


def test_many_whose_runs_are_not_over_are_skipped_in_few_queries(bound):
    due = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + HOUR

    def asked(number):
        made = many(bound, due, number)
        with CaptureQueriesContext(connection) as queries:
            assert ticks.fire_due(due) == number
        rows = Tick.unscoped.filter(fire_at=due, schedule__in=made)
        assert {row.outcome for row in rows} == {Outcome.SKIPPED} and len(rows) == number
        for row in rows:
            earlier = Tick.unscoped.get(schedule=row.schedule_id, fire_at=due - HOUR)
            assert row.reason == f"Execution {earlier.execution_id} still waits."
            assert (row.execution, row.tries, row.is_open) == (None, 0, False)
        return len(queries)

    # SQLite takes so many values at once and no more.
    assert asked(90) <= asked(2) + 5
    assert ticks.fire_due(due) == 0


def test_one_stopped_by_a_replacement_keeps_its_own_result(make, scope):
    schedule = make(overlap="replace", retries=2)
    due = schedule.next_run_at
    ticks.fire_due(due)
    ticks.fire_due(due + HOUR)
    outcomes.follow(due + HOUR)
    first, second = ledger(schedule)
    assert (first.result, first.is_open, first.tries) == (Status.STOPPED, False, 1)
    executions.stop(scope, second.execution_id)
