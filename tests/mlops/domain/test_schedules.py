"""Schedules: what is due is decided once, and the ledger says how; pauses, changes, runs by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F

from launchpad.access import system_scope
from launchpad.errors import Conflict, Invalid, NotFound
from mlops.domain import clock, executions, outcomes, schedule_purge, schedules, ticks
from mlops.domain.policies import Policies
from mlops.domain.timings import Timing
from mlops.lifecycle import Outcome, ScheduleStatus, Status
from mlops.models import Configuration, Execution, Schedule, StatusChange, Tick
from tests.mlops import factories

pytestmark = pytest.mark.django_db

HOURLY = Timing("0 * * * *")
HOUR = timedelta(hours=1)


@pytest.fixture
def group(db):
    return factories.place()


@pytest.fixture
def scope(group):
    return system_scope(group, actor="ada")


@pytest.fixture
def bound(group):
    return factories.configuration(group)


@pytest.fixture
def make(scope, bound):
    """`make(timing, **policy)`: a schedule of the configuration."""

    def made(timing=HOURLY, *, name="nightly", **policy):
        return schedules.create(
            scope, name=name, configuration=bound.pk, timing=timing, policy=Policies(**policy)
        )

    return made


def told(schedule):
    """Outcome and reason of each row of the ledger, oldest first."""
    rows = Tick.unscoped.filter(schedule=schedule).order_by("fire_at")
    return [(row.outcome, row.reason) for row in rows]


def decided(schedule):
    return [outcome for outcome, _ in told(schedule)]


def runs(schedule):
    return list(Execution.unscoped.filter(schedule=schedule).order_by("due_at"))


def first_due(schedule):
    schedule.refresh_from_db()
    return schedule.next_run_at


def end(execution, status):
    """The execution ends as a worker would have it end."""
    moment = Execution.unscoped.get(pk=execution.pk).created_at
    Execution.unscoped.filter(pk=execution.pk).update(
        status=status, started_at=moment, completed_at=moment + timedelta(seconds=1)
    )


def test_what_is_due_starts_one_execution_and_the_ledger_tells(make, group, bound):
    schedule = make()
    due = first_due(schedule)
    assert (due.minute, due.second, due.microsecond) == (0, 0, 0)
    assert ticks.fire_due(due - timedelta(seconds=1)) == 0
    assert ticks.fire_due(due + timedelta(milliseconds=30)) == 1
    assert ticks.fire_due(due + timedelta(milliseconds=60)) == 0
    (row,) = Tick.unscoped.filter(schedule=schedule)
    (run,) = runs(schedule)
    assert (row.fire_at, row.outcome, row.reason, row.count) == (due, Outcome.FIRED, "", 1)
    assert (row.execution, row.tries, row.is_open) == (run, 1, True)
    assert (run.due_at, run.status, run.configuration) == (due, Status.PENDING, bound)
    assert StatusChange.unscoped.get(execution=run).actor == "schedule nightly"
    assert first_due(schedule) == due + HOUR


def test_what_is_a_little_late_runs_and_says_so(make):
    schedule = make()
    due = first_due(schedule)
    ticks.fire_due(due + timedelta(seconds=40))
    assert told(schedule) == [(Outcome.FIRED, "40 s after it was due.")]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"catch_up": "none"}, ["SKIPPED"] * 4),
        ({"catch_up": "last"}, ["SKIPPED"] * 3 + ["CAUGHT_UP"]),
        ({"catch_up": "all", "catch_up_limit": 3}, ["SKIPPED"] + ["CAUGHT_UP"] * 3),
        ({"catch_up": "all", "catch_up_limit": 100}, ["CAUGHT_UP"] * 4),
    ],
)
def test_what_was_missed_is_caught_up_as_the_policy_says(make, policy, expected):
    schedule = make(overlap="allow", **policy)
    due = first_due(schedule)
    ticks.fire_due(due + 3 * HOUR + timedelta(minutes=30))
    assert decided(schedule) == expected
    assert len(runs(schedule)) == expected.count("CAUGHT_UP")
    assert all(reason for _, reason in told(schedule))
    assert first_due(schedule) == due + 4 * HOUR


def test_one_on_time_is_the_last_one(make):
    schedule = make(overlap="allow", catch_up="last")
    due = first_due(schedule)
    ticks.fire_due(due + 2 * HOUR + timedelta(seconds=3))
    assert decided(schedule) == ["SKIPPED", "SKIPPED", "FIRED"]


def test_ninety_days_of_minutes_are_told_in_few_rows(make):
    schedule = make(Timing("* * * * *"), catch_up="last")
    due = first_due(schedule)
    now = due + timedelta(days=90, seconds=-1)
    ticks.fire_due(now)
    rows = Tick.unscoped.filter(schedule=schedule).order_by("fire_at")
    many = rows[0]
    assert (many.fire_at, many.outcome) == (due, Outcome.SKIPPED)
    assert len(rows) < 150
    # The last minute is on time.
    assert rows.filter(outcome=Outcome.FIRED).count() == 1
    assert sum(row.count for row in rows) == 90 * 24 * 60
    assert many.until == rows[1].fire_at - timedelta(minutes=1)


def test_a_clock_put_back_and_forth_fires_nothing_twice(make, scope):
    schedule = make(overlap="allow", catch_up="all", catch_up_limit=50)
    due = first_due(schedule)
    ticks.fire_due(due + HOUR)
    ticks.fire_due(due)
    ticks.fire_due(due + HOUR)
    assert [run.due_at for run in runs(schedule)] == [due, due + HOUR]
    # Even a rule made while the clock was wrong does not bring back what was decided.
    Schedule.unscoped.filter(pk=schedule.pk).update(next_run_at=due)
    ticks.fire_due(due + HOUR + timedelta(seconds=1))
    assert [run.due_at for run in runs(schedule)] == [due, due + HOUR]
    assert first_due(schedule) == due + 2 * HOUR


@pytest.mark.parametrize(
    ("overlap", "started", "stopped"), [("skip", 1, 0), ("allow", 2, 0), ("replace", 2, 1)]
)
def test_overlap(make, overlap, started, stopped):
    schedule = make(overlap=overlap)
    due = first_due(schedule)
    ticks.fire_due(due)
    ticks.fire_due(due + HOUR)
    found = runs(schedule)
    assert (len(found), sum(run.status == Status.STOPPED for run in found)) == (started, stopped)
    if overlap == "skip":
        assert told(schedule)[1] == (Outcome.SKIPPED, f"Execution {found[0].pk} still waits.")
        end(found[0], Status.COMPLETED)
        ticks.fire_due(due + 2 * HOUR)
        assert decided(schedule) == ["FIRED", "SKIPPED", "FIRED"]


def test_what_cannot_be_submitted_is_skipped_with_the_reason(make, bound, group):
    schedule = make()
    due = first_due(schedule)
    Configuration.unscoped.filter(pk=bound.pk).update(archived_at=F("created_at"))
    ticks.fire_due(due)
    Configuration.unscoped.filter(pk=bound.pk).update(archived_at=None)
    group.deleting_at = due
    group.save()
    ticks.fire_due(due + HOUR)
    (_, archived), (_, deleted) = told(schedule)
    assert f"{bound.name} is archived" in archived
    assert deleted == "Its resource group is being deleted."
    assert runs(schedule) == []


def test_a_secret_that_is_missing_is_a_reason_and_leaves_no_execution(group, scope):
    needs = "env: [{name: KEY, valueFrom: {secretKeyRef: {name: gone, key: k}}}]\n        "
    text = factories.template().replace("image: petals:1", f"{needs}image: petals:1")
    version = factories.catalog_version(group, text=text)
    configuration = factories.configuration(
        group, version=version, parameters={"OWNER": "Ada"}, inputs={"petals": factories.artifact(group)}
    )
    schedule = schedules.create(scope, name="hourly", configuration=configuration.pk, timing=HOURLY)
    ticks.fire_due(first_due(schedule))
    ((outcome, reason),) = told(schedule)
    assert outcome == Outcome.SKIPPED and "The secret gone" in reason
    assert not Execution.unscoped.exists()


def test_one_time_runs_once_and_is_over(make):
    at = datetime.now(UTC) + timedelta(days=3)
    schedule = make(Timing(once_at=at))
    ticks.fire_due(at)
    schedule.refresh_from_db()
    assert (schedule.status, schedule.next_run_at, schedule.status_message) == (
        ScheduleStatus.INACTIVE,
        None,
        ticks.OVER,
    )
    assert [run.due_at for run in runs(schedule)] == [at]


def test_nothing_is_due_outside_start_and_end(make):
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    schedule = make(Timing("0 * * * *", start=start, end=start + 2 * HOUR), overlap="allow", catch_up="all")
    assert first_due(schedule) == start
    ticks.fire_due(start + 5 * HOUR)
    assert [run.due_at for run in runs(schedule)] == [start, start + HOUR, start + 2 * HOUR]
    schedule.refresh_from_db()
    assert schedule.status == ScheduleStatus.INACTIVE


@pytest.mark.parametrize(
    ("timing", "field", "words"),
    [
        (Timing("0 0 30 2 *"), "cron", "never comes true"),
        (Timing("0 0 31 4,6 *"), "cron", "never comes true"),
        (Timing("* * * * * *"), "cron", "has 6"),
        (Timing("61 * * * *"), "cron", "the minute, is 0 to 59"),
        (Timing(""), "cron", "five fields"),
        (Timing("9" * 5000), "cron", "at most 128"),
        (Timing("0 0 * * MON\0"), "cron", "day of the week"),
        (Timing("0 * * * *", zone="Europe/Atlantis"), "zone", "no time zone"),
        (Timing("0 * * * *", zone="../../etc/passwd"), "zone", "no time zone"),
        (Timing("0 * * * *", end=datetime(2020, 1, 1, tzinfo=UTC)), "end", "has passed"),
        (
            Timing("0 * * * *", start=datetime(2090, 1, 2, tzinfo=UTC), end=datetime(2090, 1, 1, tzinfo=UTC)),
            "end",
            "before the start",
        ),
        (
            Timing(
                "0 0 1 1 *",
                start=datetime(2090, 3, 1, tzinfo=UTC),
                end=datetime(2090, 4, 1, tzinfo=UTC),
            ),
            "end",
            "between start and end",
        ),
        (Timing(once_at=datetime(2020, 1, 1, tzinfo=UTC)), "once_at", "has passed"),
        (Timing(once_at=datetime(9999, 12, 31, 23, 59, tzinfo=UTC)), "once_at", "years 1900 to 9900"),
        (Timing("0 * * * *", start=datetime(9901, 1, 2, tzinfo=UTC)), "start", "years 1900 to 9900"),
        (Timing("0 * * * *", start=datetime(1899, 1, 2, tzinfo=UTC)), "start", "years 1900 to 9900"),
        (Timing("0 * * * *", end=datetime(9999, 12, 31, tzinfo=UTC)), "end", "years 1900 to 9900"),
    ],
)
def test_a_timing_that_is_none_is_refused_at_its_field(make, timing, field, words):
    with pytest.raises(Invalid) as refused:
        make(timing)
    assert words in refused.value.fields[field]
    assert not Schedule.unscoped.exists()


def test_two_due_times_keep_their_distance(make, settings):
    settings.SCHEDULE_MINIMUM_SECONDS = 3600
    with pytest.raises(Invalid, match="only 30 minutes apart; at least 60 minutes"):
        make(Timing("0,30 * * * *"))
    make(HOURLY)


def test_policies_out_of_range_are_refused(make):
    with pytest.raises(Invalid) as refused:
        make(
            overlap="both",
            catch_up="some",
            catch_up_limit=0,
            retries=11,
            retry_pause=timedelta(days=2),
            time_limit=timedelta(),
            pause_after=0,
        )
    assert refused.value.fields.keys() == {
        *("overlap", "catch_up", "catch_up_limit", "retries", "retry_pause", "time_limit", "pause_after")
    }


def test_a_configuration_of_another_group_or_archived_is_refused(scope, bound):
    other = factories.configuration(factories.place(group="blue"))
    for key in (other.pk, "no-uuid"):
        with pytest.raises(Invalid, match="no such configuration"):
            schedules.create(scope, name="nightly", configuration=key, timing=HOURLY)
    Configuration.unscoped.filter(pk=bound.pk).update(archived_at=F("created_at"))
    with pytest.raises(Invalid, match="is archived"):
        schedules.create(scope, name="nightly", configuration=bound.pk, timing=HOURLY)


def pass_time(schedule, by):
    """As if the schedule had been paused so long ago."""
    schedule.refresh_from_db()
    Schedule.unscoped.filter(pk=schedule.pk).update(missed_from=schedule.missed_from - by)


@pytest.mark.parametrize(("catch_up", "limit", "started"), [("none", 5, 0), ("last", 5, 1), ("all", 3, 3)])
def test_resuming_asks_what_becomes_of_the_pause(make, scope, catch_up, limit, started):
    schedule = make(overlap="allow")
    schedules.pause(scope, schedule.pk)
    assert ticks.fire_due(datetime.now(UTC) + 10 * HOUR) == 0
    pass_time(schedule, 6 * HOUR)
    schedule.refresh_from_db()
    assert schedules.missed(schedule) == 6
    assert schedules.would_start(schedule, catch_up=catch_up, limit=limit, missed=6) == started
    schedules.resume(scope, schedule.pk, catch_up=catch_up, limit=limit)
    assert decided(schedule) == ["SKIPPED"] * (6 - started) + ["CAUGHT_UP"] * started
    assert all("The schedule was paused" in reason for _, reason in told(schedule))
    assert first_due(schedule) > datetime.now(UTC)


def test_with_overlaps_skipped_a_resume_starts_one_at_most(make, scope):
    schedule = make(overlap="skip")
    schedules.pause(scope, schedule.pk)
    pass_time(schedule, 6 * HOUR)
    schedule.refresh_from_db()
    assert schedules.would_start(schedule, catch_up="all", limit=5, missed=4) == 1
    schedules.resume(scope, schedule.pk, catch_up="all", limit=5)
    assert len(runs(schedule)) == 1


def test_pause_and_resume_know_where_they_are(make, scope):
    schedule = make()
    with pytest.raises(Conflict, match="active already"):
        schedules.resume(scope, schedule.pk, catch_up="none")
    assert schedules.pause(scope, schedule.pk).status_message == "Paused by ada."
    with pytest.raises(Conflict, match="inactive already"):
        schedules.pause(scope, schedule.pk)


def test_one_that_is_over_resumes_only_with_another_rule(make, scope):
    at = datetime.now(UTC) + timedelta(days=1)
    schedule = make(Timing(once_at=at))
    ticks.fire_due(at)
    Schedule.unscoped.filter(pk=schedule.pk).update(once_at=at - timedelta(days=3))
    with pytest.raises(Conflict, match="nothing is due any more"):
        schedules.resume(scope, schedule.pk, catch_up="none")
    edited = schedules.edit(scope, schedule.pk, timing=HOURLY)
    assert (edited.status, edited.once_at, edited.cron) == (ScheduleStatus.ACTIVE, None, HOURLY.cron)


def test_editing_decides_what_was_due_by_the_old_rule(make, scope):
    schedule = make(overlap="allow", catch_up="none")
    due = first_due(schedule)
    Schedule.unscoped.filter(pk=schedule.pk).update(next_run_at=due - 3 * HOUR)
    edited = schedules.edit(scope, schedule.pk, timing=Timing("30 4 * * *", zone="Europe/Berlin"))
    assert len(told(schedule)) == 3
    assert edited.next_run_at > datetime.now(UTC)
    assert (edited.cron, edited.zone) == ("30 4 * * *", "Europe/Berlin")


def test_what_was_due_before_an_edit_runs_with_the_configuration_of_before(make, scope, bound, group):
    schedule = make(Timing("* * * * *"))
    now = datetime.now(UTC)
    Schedule.unscoped.filter(pk=schedule.pk).update(next_run_at=now.replace(second=0, microsecond=0))
    other = factories.configuration(group)
    edited = schedules.edit(scope, schedule.pk, configuration=other.pk, timing=Timing(once_at=now + HOUR))
    assert (edited.configuration, edited.next_run_at) == (other, now + HOUR)
    assert {run.configuration for run in runs(schedule)} == {bound}


def test_editing_a_paused_one_leaves_it_paused_and_tells_the_pause_so_far(make, scope):
    schedule = make()
    schedules.pause(scope, schedule.pk)
    pass_time(schedule, 2 * HOUR)
    edited = schedules.edit(scope, schedule.pk, timing=Timing("*/30 * * * *"))
    assert edited.status == ScheduleStatus.INACTIVE and edited.next_run_at is None
    assert decided(schedule) == ["SKIPPED"] * 2
    assert schedules.missed(edited) == 0


def test_a_stale_edit_is_refused(make, scope):
    schedule = make()
    seen = schedule.modified_at
    schedules.edit(scope, schedule.pk, policy=Policies(retries=2), version=seen)
    with pytest.raises(Conflict, match="Somebody else changed"):
        schedules.edit(scope, schedule.pk, policy=Policies(retries=3), version=seen)
    schedule.refresh_from_db()
    assert schedule.retries == 2


def test_run_now_obeys_the_overlap_policy(make, scope):
    schedule = make(overlap="skip")
    tick = schedules.run_now(scope, schedule.pk)
    assert (tick.outcome, tick.reason) == (Outcome.BY_HAND, "Started by ada.")
    with pytest.raises(Conflict, match="still waits"):
        schedules.run_now(scope, schedule.pk)
    assert decided(schedule) == ["BY_HAND"]
    assert len(runs(schedule)) == 1


def test_deleting_keeps_executions_and_their_schedule(make, scope):
    schedule = make()
    ticks.fire_due(first_due(schedule))
    key = schedule.pk
    schedules.delete(scope, key)
    with pytest.raises(NotFound):
        schedules.get(scope, key)
    assert ticks.fire_due(datetime.now(UTC) + 10 * HOUR) == 0
    assert schedule_purge.purge_deleted(seconds=10) == 1
    assert not Schedule.unscoped.exists() and not Tick.unscoped.exists()
    assert [run.schedule_id for run in Execution.unscoped.all()] == [key]


def test_another_group_finds_nothing(make):
    schedule = make()
    foreign = system_scope(factories.place(group="blue"))
    for call in (schedules.get, schedules.pause, schedules.run_now, schedules.delete):
        with pytest.raises(NotFound):
            call(foreign, schedule.pk)


def test_a_failed_run_is_tried_again_and_the_end_is_noted(make):
    schedule = make(retries=1, retry_pause=timedelta(minutes=5))
    due = first_due(schedule)
    ticks.fire_due(due)
    (run,) = runs(schedule)
    end(run, Status.DEAD)
    outcomes.follow(due + timedelta(seconds=10))
    row = Tick.unscoped.get(schedule=schedule)
    assert (row.is_open, row.retry_at) == (True, due + timedelta(seconds=10, minutes=5))
    outcomes.follow(due + timedelta(minutes=1))
    assert len(runs(schedule)) == 1
    outcomes.follow(due + timedelta(minutes=6))
    again = Execution.unscoped.get(schedule=schedule, origin=run)
    row.refresh_from_db()
    assert (row.execution, row.tries, row.retry_at, row.result) == (again, 2, None, "")
    end(again, Status.DEAD)
    outcomes.follow(due + timedelta(minutes=7))
    row.refresh_from_db()
    assert (row.is_open, row.result) == (False, Status.DEAD)
    assert Execution.unscoped.count() == 2


def test_it_pauses_itself_after_so_many_failures_in_a_row(make):
    schedule = make(pause_after=2)
    due = first_due(schedule)
    for number, ended in enumerate([Status.DEAD, Status.COMPLETED, Status.DEAD, Status.DEAD]):
        ticks.fire_due(due + number * HOUR)
        end(runs(schedule)[-1], ended)
        outcomes.follow(due + number * HOUR + timedelta(minutes=1))
    schedule.refresh_from_db()
    assert (schedule.status, schedule.status_message) == (
        ScheduleStatus.INACTIVE,
        "Paused by itself after 2 failures in a row.",
    )
    assert schedule.missed_from == due + 4 * HOUR


def test_a_run_beyond_its_time_limit_is_stopped_and_counts_as_failed(make):
    schedule = make(time_limit=timedelta(minutes=10))
    due = first_due(schedule)
    ticks.fire_due(due)
    (run,) = runs(schedule)
    Execution.unscoped.filter(pk=run.pk).update(status=Status.RUNNING, started_at=due)
    outcomes.follow(due + timedelta(minutes=9))
    run.refresh_from_db()
    assert run.status == Status.RUNNING
    outcomes.follow(due + timedelta(minutes=10))
    run.refresh_from_db()
    assert (run.status, run.target_status) == (Status.STOPPING, "STOPPED")
    end(run, Status.STOPPED)
    outcomes.follow(due + timedelta(minutes=11))
    row = Tick.unscoped.get(schedule=schedule)
    assert (row.result, row.timed_out, row.is_open) == (Status.STOPPED, True, False)
    assert row.reason == "Stopped at its time limit of 10 min."
    schedule.refresh_from_db()
    assert schedule.failures == 1


def test_one_stopped_by_a_person_is_no_failure(make, scope):
    schedule = make(retries=3)
    due = first_due(schedule)
    ticks.fire_due(due)
    (run,) = runs(schedule)
    executions.stop(scope, run.pk)
    outcomes.follow(due + timedelta(minutes=1))
    row = Tick.unscoped.get(schedule=schedule)
    schedule.refresh_from_db()
    assert (row.result, row.is_open, schedule.failures) == (Status.STOPPED, False, 0)


def test_the_tick_looks_at_the_database_and_its_clock(make):
    schedule = make()
    Schedule.unscoped.filter(pk=schedule.pk).update(next_run_at=first_due(schedule) - HOUR)
    clock.tick()
    assert decided(schedule) in (["FIRED"], ["CAUGHT_UP"])


def test_a_tick_with_nothing_due_asks_little(make, django_assert_max_num_queries):
    make()
    with django_assert_max_num_queries(5):
        clock.tick()


def test_the_query_of_what_is_due_reads_an_index(make):
    make()
    due = Schedule.unscoped.filter(status="ACTIVE", next_run_at__lte=datetime.now(UTC))
    if connection.vendor == "sqlite":
        assert "schedule_due" in due.explain()
