"""What lists of schedules and ledgers show: marks, filters, the executions that were started."""

import pytest

from launchpad.access import system_scope
from mlops.domain import schedule_filters, schedule_runs, schedules
from mlops.domain.schedule_filters import Filters
from mlops.lifecycle import Outcome, Status
from mlops.models import Tick
from tests.mlops import factories, ledgers

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def scope(red):
    return system_scope(red)


@pytest.fixture
def schedule(red):
    return factories.schedule(factories.configuration(red))


def marks(scope):
    """By name of the schedule."""
    rows = schedule_filters.for_list(scope, schedule_filters.everything(scope))
    return {row.name: schedule_filters.strip(row) for row in rows}


def test_marks_are_the_newest_thirty_oldest_first(scope, schedule, django_assert_num_queries):
    ledgers.fill(schedule, "d" * 3 + "s" + "c" * 28 + "r")
    factories.schedule(schedule.configuration, name="fresh")
    with django_assert_num_queries(1):
        found = marks(scope)
    assert found["fresh"] == []
    assert [mark.outcome for mark in found["nightly"]] == [Outcome.SKIPPED, *[Outcome.FIRED] * 29][-30:]
    assert len(found["nightly"]) == schedule_filters.STRIP
    last = found["nightly"][-1]
    assert (last.run_status, last.result, bool(last.is_open), last.tries) == (Status.RUNNING, "", True, 1)
    assert last.execution_id == Tick.unscoped.filter(schedule=schedule).latest("fire_at").execution_id


def test_marks_do_not_mix_ledgers(scope, schedule):
    other = factories.schedule(schedule.configuration, name="other")
    ledgers.fill(schedule, "cc")
    ledgers.fill(other, "d")
    assert {name: [mark.result for mark in found] for name, found in marks(scope).items()} == {
        "nightly": ["COMPLETED", "COMPLETED"],
        "other": ["DEAD"],
    }


def test_a_ledger_is_narrowed_to_an_outcome(scope, schedule):
    rows = ledgers.fill(schedule, "cscs")
    found = schedule_filters.ledger(scope, schedule, Outcome.SKIPPED)
    assert list(found) == [rows[3], rows[1]]
    assert list(schedule_filters.ledger(scope, schedule)) == rows[::-1]


def test_of_one_outcome_only_the_newest_rows_are_looked_at(scope, schedule, monkeypatch):
    monkeypatch.setattr(schedule_filters, "LEDGER_WINDOW", 3)
    rows = ledgers.fill(schedule, "sscs")
    assert list(schedule_filters.ledger(scope, schedule, Outcome.SKIPPED)) == [rows[3], rows[1]]


def test_it_moves_while_a_run_is_open(scope, schedule):
    ledgers.fill(schedule, "cds")
    assert not schedule_filters.is_moving(scope, schedule)
    ledgers.fill(factories.schedule(schedule.configuration, name="other"), "r")
    assert not schedule_filters.is_moving(scope, schedule)
    Tick.unscoped.filter(schedule=schedule, outcome=Outcome.FIRED).update(is_open=True)
    assert schedule_filters.is_moving(scope, schedule)


def test_deleted_ones_are_nowhere(scope, schedule):
    (tick,) = ledgers.fill(schedule, "c")
    assert schedule_runs.origin(scope, tick.execution) == schedule
    assert schedule_runs.name_of(scope, schedule.pk) == "nightly"
    schedules.delete(scope, schedule.pk)
    assert not schedule_filters.find(scope, Filters()).exists()
    assert schedule_runs.origin(scope, tick.execution) is None
    assert schedule_runs.name_of(scope, schedule.pk) == ""


def test_nothing_of_another_group_is_told(scope, schedule, blue):
    theirs = factories.schedule(factories.configuration(blue))
    (tick,) = ledgers.fill(theirs, "c")
    assert schedule_runs.origin(scope, tick.execution) is None
    assert schedule_runs.name_of(scope, theirs.pk) == ""
    assert not schedule_runs.every(scope, theirs).exists()


def test_what_can_be_stopped_is_what_waits_or_runs(scope, schedule):
    _, _, running, waiting = ledgers.fill(schedule, "cdrp")
    found = {run.pk for run in schedule_runs.unended(scope, schedule)}
    assert found == {running.execution_id, waiting.execution_id}
