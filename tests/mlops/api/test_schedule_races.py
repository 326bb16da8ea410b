"""Two who change one schedule at the same moment, or delete it while the clock looks at it."""

from datetime import timedelta

import pytest

from launchpad.access import system_scope
from mlops.domain import schedules, ticks
from mlops.domain.timings import Change, Timing
from mlops.lifecycle import ScheduleStatus
from mlops.models import Execution, Schedule, Tick
from tests.mlops import factories
from tests.mlops.api.clients import caller, refused
from tests.mlops.racing import beside
from tests.places import three

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def red():
    return three()[0]


@pytest.fixture
def made(red):
    return factories.schedule(factories.configuration(red), Timing("0 * * * *"))


@pytest.fixture
def patch(red, made):
    """`patch(**part)`: a change over the API, its answer; the client is known already."""
    client = caller(red)
    client("GET", f"/lm/executionSchedules/{made.pk}")
    return lambda **part: client("PATCH", f"/lm/executionSchedules/{made.pk}", part)


@pytest.fixture
def remove(red, made):
    client = caller(red)
    client("GET", f"/lm/executionSchedules/{made.pk}")
    return lambda: client("DELETE", f"/lm/executionSchedules/{made.pk}")


def raced(first, call):
    """The answer to a call that is made before what `first` did is committed."""
    answers = []
    assert beside(first, lambda: answers.append(call())) == []
    (answer,) = answers
    return answer


def row(made):
    return Schedule.unscoped.get(pk=made.pk)


@pytest.mark.parametrize(
    ("first", "part"),
    [
        ({"timing": Change(cron="30 4 * * *")}, {"end": "2090-01-01T00:00:00Z"}),
        ({"timing": Change(cron="30 4 * * *")}, {"end": "2090-01-01T00:00:00Z", "status": "INACTIVE"}),
        (
            {"timing": Change(cron="30 4 * * *"), "status": ScheduleStatus.INACTIVE},
            {"end": "2090-01-01T00:00:00Z"},
        ),
    ],
)
def test_of_two_changes_at_once_neither_is_lost(red, made, patch, first, part):
    scope = system_scope(red)
    answer = raced(lambda: schedules.edit(scope, made.pk, **first), lambda: patch(**part))
    assert answer.status_code == 202, answer.content
    kept = row(made)
    assert (kept.cron, kept.end.year) == ("30 4 * * *", 2090)
    is_paused = "INACTIVE" in (first.get("status"), part.get("status"))
    assert (kept.status == "INACTIVE", kept.next_run_at is None) == (is_paused, is_paused)
    assert is_paused or (kept.next_run_at.hour, kept.next_run_at.minute) == (4, 30)


def test_one_changed_while_it_is_deleted_stays_deleted(red, made, patch):
    scope = system_scope(red)
    refused(raced(lambda: schedules.delete(scope, made.pk), lambda: patch(status="ACTIVE")), 404)
    assert row(made).deleted_at is not None and row(made).status == "INACTIVE"


def test_one_deleted_before_the_clock_has_it_starts_nothing(red, made):
    scope, fired = system_scope(red), []
    raised = beside(
        lambda: schedules.delete(scope, made.pk),
        lambda: fired.append(ticks.fire_due(made.next_run_at + timedelta(seconds=1))),
    )
    assert (raised, fired) == ([], [0])
    assert not Execution.unscoped.exists() and not Tick.unscoped.exists()


def test_one_deleted_while_it_fires_has_started_its_execution(made, remove):
    due = made.next_run_at
    answer = raced(lambda: ticks.fire_due(due + timedelta(seconds=1)), remove)
    assert answer.status_code == 202, answer.content
    assert row(made).deleted_at is not None and row(made).next_run_at is None
    run = Execution.unscoped.get()
    assert (run.schedule_id, run.due_at) == (made.pk, due)
    assert ticks.fire_due(due + timedelta(days=1)) == 0
    assert Execution.unscoped.count() == 1


def test_one_paused_while_it_fires_has_fired_once(made, patch):
    due = made.next_run_at
    answer = raced(lambda: ticks.fire_due(due + timedelta(seconds=1)), lambda: patch(status="INACTIVE"))
    assert answer.status_code == 202, answer.content
    assert ticks.fire_due(due + timedelta(days=1)) == 0
    assert [one.due_at for one in Execution.unscoped.all()] == [due]
    assert [one.fire_at for one in Tick.unscoped.all()] == [due]
