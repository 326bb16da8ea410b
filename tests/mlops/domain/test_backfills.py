"""Backfills: due times of the past run a few at once, in order, and the ledger tells."""

from datetime import UTC, datetime, timedelta

import pytest

from launchpad.access import system_scope
from launchpad.errors import Conflict, Invalid, NotFound
from mlops.domain import backfills, outcomes, schedules, ticks
from mlops.domain.policies import Policies
from mlops.domain.timings import Timing
from mlops.lifecycle import Outcome, Status
from mlops.models import BackfillRun, Configuration, Execution, Schedule, Tick
from tests.mlops import factories

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
BEGIN = NOW - 5 * HOUR


@pytest.fixture
def scope(db):
    return system_scope(factories.place(), actor="ada")


@pytest.fixture
def schedule(scope):
    bound = factories.configuration(scope.group)
    made = schedules.create(
        scope,
        name="hourly",
        configuration=bound.pk,
        timing=Timing("0 * * * *"),
        policy=Policies(overlap="skip"),
    )
    for ago, outcome, result in (
        (5, Outcome.FIRED, Status.COMPLETED),
        (4, Outcome.FIRED, Status.DEAD),
        (3, Outcome.SKIPPED, ""),
    ):
        Tick.unscoped.create(
            schedule=made,
            fire_at=NOW - ago * HOUR,
            decided_at=NOW - ago * HOUR,
            outcome=outcome,
            result=result,
            reason="As it was.",
            tries=int(outcome == Outcome.FIRED),
        )
    return made


def planned(scope, schedule, which="all", newest_first=False, **more):
    made = backfills.plan(
        scope,
        schedule,
        begin=more.get("begin", BEGIN),
        end=more.get("end", NOW),
        which=which,
        newest_first=newest_first,
    )
    return [round((NOW - one.fire_at) / HOUR) for one in made.runs], made.left_out


def begin(scope, schedule, **more):
    wanted = {"begin": BEGIN, "end": NOW, "which": "missing"} | more
    return backfills.create(scope, schedule.pk, **wanted)


def end(execution, status):
    moment = execution.created_at
    Execution.unscoped.filter(pk=execution.pk).update(
        status=status, started_at=moment, completed_at=moment + timedelta(seconds=1)
    )


def going(schedule):
    return list(Execution.unscoped.filter(schedule=schedule, status=Status.PENDING).order_by("created_at"))


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("missing", ([3, 2, 1, 0], 2)),
        ("failed", ([4, 3, 2, 1, 0], 1)),
        ("all", ([5, 4, 3, 2, 1, 0], 0)),
    ],
)
def test_a_dry_run_lists_what_would_run_and_changes_nothing(scope, schedule, which, expected):
    assert planned(scope, schedule, which) == expected
    assert planned(scope, schedule, which, newest_first=True)[0] == expected[0][::-1]
    assert Tick.unscoped.count() == 3 and not Execution.unscoped.exists()


def test_nothing_of_the_future_is_in_it(scope, schedule):
    hours, _ = planned(scope, schedule, end=NOW + 50 * HOUR)
    assert min(hours) == 0


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"begin": NOW, "end": BEGIN}, "end"),
        ({"begin": NOW + 9 * HOUR, "end": NOW + 10 * HOUR}, "begin"),
        ({"which": "some"}, "which"),
        ({"begin": NOW - timedelta(days=60)}, "end"),
    ],
)
def test_a_range_that_is_none_is_refused_at_its_field(scope, schedule, more, field):
    with pytest.raises(Invalid) as refused:
        planned(scope, schedule, **more)
    assert refused.value.fields.keys() == {field}


@pytest.mark.parametrize("at_once", [0, 21, -1])
def test_how_many_at_once_has_bounds(scope, schedule, at_once):
    with pytest.raises(Invalid):
        begin(scope, schedule, at_once=at_once)


def test_it_runs_so_many_at_once_in_order_and_ends(scope, schedule):
    backfill = begin(scope, schedule, at_once=2)
    seen = []
    for _ in range(3):
        backfills.go_on(NOW)
        # Another copy finds no room.
        assert backfills.go_on(NOW) == 0
        for run in going(schedule):
            seen.append(round((NOW - run.due_at) / HOUR))
            end(run, Status.COMPLETED)
        outcomes.follow(NOW)
    assert seen == [3, 2, 1, 0]
    backfill.refresh_from_db()
    assert (backfill.end_reason, backfill.ended_at) == ("Done.", NOW)
    rows = Tick.unscoped.filter(schedule=schedule, outcome=Outcome.BACKFILLED).order_by("fire_at")
    assert [(row.result, row.is_open) for row in rows] == [(Status.COMPLETED, False)] * 4
    assert rows[0].reason == "Run by a backfill of a service key. Before: skipped. As it was."
    assert {run.execution for run in backfills.runs(scope, backfill)} == set(Execution.unscoped.all())
    assert backfills.progress(scope, backfill) == {"waiting": 0, "begun": 4, "refused": 0}


def test_the_newest_may_come_first(scope, schedule):
    begin(scope, schedule, newest_first=True)
    backfills.go_on(NOW)
    assert [run.due_at for run in going(schedule)] == [NOW]


def test_a_retry_keeps_its_place(scope, schedule):
    Schedule.unscoped.filter(pk=schedule.pk).update(retries=1, retry_pause=HOUR)
    begin(scope, schedule)
    backfills.go_on(NOW)
    end(going(schedule)[0], Status.DEAD)
    outcomes.follow(NOW)
    assert backfills.go_on(NOW) == 0
    outcomes.follow(NOW + HOUR)
    assert [run.due_at for run in going(schedule)] == [NOW - 3 * HOUR]


def test_what_ran_meanwhile_is_left_alone(scope, schedule):
    backfill = begin(scope, schedule)
    Tick.unscoped.filter(schedule=schedule, outcome=Outcome.SKIPPED).update(
        outcome=Outcome.FIRED, tries=1, result=Status.COMPLETED
    )
    backfills.go_on(NOW)
    backfills.go_on(NOW)
    first, second, *_ = BackfillRun.unscoped.filter(backfill=backfill)
    assert (first.execution, first.refused) == (None, "It ran meanwhile.")
    assert second.execution is not None


def test_one_of_many_that_were_told_together_leaves_the_others_their_row(scope, schedule):
    many = Tick.unscoped.create(
        schedule=schedule,
        fire_at=NOW - 9 * HOUR,
        until=NOW - 6 * HOUR,
        count=4,
        decided_at=NOW,
        outcome=Outcome.SKIPPED,
        reason="It was long ago.",
    )
    begin(scope, schedule, begin=many.fire_at, end=many.fire_at + HOUR, at_once=2)
    backfills.go_on(datetime.now(UTC))
    rows = Tick.unscoped.filter(schedule=schedule, fire_at__lte=many.until).order_by("fire_at")
    told = [(round((NOW - row.fire_at) / HOUR), row.outcome, row.count, row.until) for row in rows]
    assert told[0] == (9, "BACKFILLED", 1, None)
    assert told[1] == (8, "BACKFILLED", 1, None)
    assert told[2:] == [(7, "SKIPPED", 2, many.until)]
    assert rows[2].reason == "It was long ago."


def test_the_last_of_many_has_a_row_like_any_other(scope, schedule):
    many = Tick.unscoped.create(
        schedule=schedule,
        fire_at=NOW - 7 * HOUR,
        until=NOW - 6 * HOUR,
        count=2,
        decided_at=NOW,
        outcome=Outcome.SKIPPED,
    )
    begin(scope, schedule, begin=many.fire_at, end=many.fire_at)
    backfills.go_on(datetime.now(UTC))
    last = Tick.unscoped.get(schedule=schedule, fire_at=NOW - 6 * HOUR)
    assert (last.outcome, last.count, last.until) == (Outcome.SKIPPED, 1, None)


def test_what_others_run_takes_no_place_of_a_backfill(scope, schedule):
    made = begin(scope, schedule, end=NOW - HOUR)
    (first, *_) = BackfillRun.unscoped.filter(backfill=made)
    ticks.start(schedule, first.fire_at + HOUR, Outcome.FIRED, NOW, reason="")
    Tick.unscoped.filter(schedule=schedule, fire_at=first.fire_at).update(is_open=True)
    backfills.go_on(datetime.now(UTC))
    backfills.go_on(datetime.now(UTC))
    first.refresh_from_db()
    assert first.refused == "It runs now."
    assert [run.refused for run in BackfillRun.unscoped.filter(backfill=made)[1:3]] == ["It runs now.", ""]


def test_what_cannot_be_run_is_told_and_does_not_stop_the_rest(scope, schedule):
    backfill = begin(scope, schedule, at_once=4)
    Configuration.unscoped.update(archived_at=NOW)
    backfills.go_on(NOW)
    refused = [run.refused for run in backfills.runs(scope, backfill)]
    assert len(refused) == 4 and all("is archived" in sentence for sentence in refused)
    skipped = Tick.unscoped.filter(schedule=schedule, outcome=Outcome.SKIPPED)
    assert skipped.count() == 4
    backfills.go_on(NOW)
    backfill.refresh_from_db()
    assert backfill.end_reason == "Done."


def test_it_can_be_stopped_once(scope, schedule):
    backfill = begin(scope, schedule)
    backfills.go_on(NOW)
    assert backfills.stop(scope, backfill.pk).end_reason == "Stopped by ada."
    end(going(schedule)[0], Status.COMPLETED)
    outcomes.follow(NOW)
    assert backfills.go_on(NOW) == 0
    with pytest.raises(Conflict, match="ended already"):
        backfills.stop(scope, backfill.pk)


def test_one_at_a_time_and_never_of_nothing(scope, schedule):
    begin(scope, schedule)
    with pytest.raises(Conflict, match="goes on"):
        begin(scope, schedule, which="all")
    Tick.unscoped.all().delete()
    quiet = {"begin": NOW - timedelta(minutes=2), "end": NOW - timedelta(minutes=1)}
    with pytest.raises(Conflict, match="nothing would run"):
        begin(scope, schedule, **quiet)


def test_it_ends_with_its_schedule(scope, schedule):
    backfill = begin(scope, schedule)
    schedules.delete(scope, schedule.pk)
    assert backfills.go_on(NOW) == 0
    backfill.refresh_from_db()
    assert backfill.end_reason == "The schedule was deleted."


def test_failures_of_a_backfill_do_not_pause_the_schedule(scope, schedule):
    Schedule.unscoped.filter(pk=schedule.pk).update(pause_after=1)
    begin(scope, schedule)
    backfills.go_on(NOW)
    end(going(schedule)[0], Status.DEAD)
    outcomes.follow(NOW)
    schedule.refresh_from_db()
    assert (schedule.status, schedule.failures) == ("ACTIVE", 0)


def test_a_backfill_does_not_keep_the_clock_from_firing(scope, schedule):
    begin(scope, schedule)
    backfills.go_on(NOW)
    ticks.fire_due(schedule.next_run_at)
    assert Tick.unscoped.get(schedule=schedule, fire_at=schedule.next_run_at).outcome == Outcome.FIRED


def test_the_clock_leaves_what_a_backfill_was_faster_with(scope, schedule):
    due = schedule.next_run_at
    Schedule.unscoped.filter(pk=schedule.pk).update(next_run_at=NOW)
    begin(scope, schedule, begin=NOW, which="all")
    backfills.go_on(NOW)
    ticks.fire_due(NOW)
    assert Execution.unscoped.filter(schedule=schedule, due_at=NOW).count() == 1
    schedule.refresh_from_db()
    assert schedule.next_run_at == due


def test_another_group_finds_nothing(scope, schedule):
    backfill = begin(scope, schedule)
    foreign = system_scope(factories.place(group="blue"))
    for call in (backfills.get, backfills.stop):
        with pytest.raises(NotFound):
            call(foreign, backfill.pk)
    with pytest.raises(NotFound):
        begin(foreign, schedule)
