"""What is due at once is decided together, and what is unusual or fails keeps no other from it."""

import logging
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from launchpad.access import system_scope
from mlops.domain import moments, schedules, ticks
from mlops.lifecycle import Outcome, ScheduleStatus, Status
from mlops.models import Configuration, Execution, Schedule, StatusChange, StepRun, Tick
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]

HOUR = timedelta(hours=1)


@pytest.fixture
def group(db):
    return factories.place()


@pytest.fixture
def bound(group):
    return factories.configuration(group)


@pytest.fixture
def due(bound):
    """A whole hour, before which all schedules here were made."""
    return bound.created_at.replace(minute=0, second=0, microsecond=0) + HOUR


def make(bound, due, number, **columns):
    """So many schedules of the configuration that are due then, as the domain keeps them."""
    rows = [
        Schedule(
            resource_group=bound.resource_group,
            name=f"number {one}",
            configuration=bound,
            executable_id=bound.executable_id,
            **{"cron": "0 * * * *", "status": ScheduleStatus.ACTIVE, "next_run_at": due} | columns,
            created_at=bound.created_at,
            modified_at=bound.created_at,
        )
        for one in range(number)
    ]
    return Schedule.unscoped.bulk_create(rows)


def ledger():
    """Outcome by the schedule's key, which has one row each."""
    rows = Tick.unscoped.values_list("schedule", "outcome")
    assert len(rows) == len({key for key, _ in rows})
    return dict(rows)


def test_many_are_decided_each_with_its_own_execution(bound, due):
    made = make(bound, due, 250)
    assert ticks.fire_due(due) == 250
    assert ledger() == {row.pk: Outcome.FIRED for row in made}
    runs = Execution.unscoped.all()
    assert {run.schedule_id for run in runs} == {row.pk for row in made} and len(runs) == 250
    rows = Tick.unscoped.select_related("execution")
    assert all(
        (row.execution.schedule_id, row.execution.due_at, row.tries, row.is_open)
        == (row.schedule_id, due, 1, True)
        for row in rows
    )
    actors = StatusChange.unscoped.values_list("execution__schedule", "actor")
    assert dict(actors) == {row.pk: f"schedule {row.name}" for row in made}
    assert set(Schedule.unscoped.values_list("next_run_at", flat=True)) == {due + HOUR}
    assert StepRun.unscoped.values("execution").distinct().count() == 250
    assert ticks.fire_due(due) == 0


def test_many_take_few_queries(bound, due):
    def asked(number):
        make(bound, due, number)
        with CaptureQueriesContext(connection) as queries:
            assert ticks.fire_due(due) == number
        return len(queries)

    # SQLite takes so many values at once and no more.
    assert asked(90) <= asked(2) + 5


def test_the_unusual_among_many_are_decided_each_for_itself(bound, due, group):
    archived = factories.configuration(group)
    Configuration.unscoped.filter(pk=archived.pk).update(archived_at=F("created_at"))
    usual = make(bound, due, 3)
    (gone,) = make(archived, due, 1)
    (over,) = make(bound, due, 1, end=due)
    (late,) = make(bound, due - HOUR, 1, catch_up="last")
    (running,) = make(bound, due, 1)
    earlier = ticks.start(running, due - HOUR, Outcome.FIRED, due - HOUR, reason="")
    (replacing,) = make(bound, due, 1, overlap="replace")
    replaced = ticks.start(replacing, due - HOUR, Outcome.FIRED, due - HOUR, reason="")
    (told,) = make(bound, due, 1)
    Tick.unscoped.create(schedule=told, fire_at=due, decided_at=due, outcome=Outcome.SKIPPED)
    assert ticks.fire_due(due + timedelta(seconds=2)) == 9
    rows = Tick.unscoped.filter(fire_at=due)
    found = dict(rows.values_list("schedule", "outcome"))
    assert found == {row.pk: Outcome.FIRED for row in (*usual, over, late, replacing)} | {
        row.pk: Outcome.SKIPPED for row in (gone, running, told)
    }
    assert "is archived" in rows.get(schedule=gone).reason
    assert rows.get(schedule=running).reason == f"Execution {earlier.execution_id} still waits."
    assert Tick.unscoped.get(schedule=late, fire_at=due - HOUR).outcome == Outcome.SKIPPED
    assert Execution.unscoped.get(pk=replaced.execution_id).status == Status.STOPPED
    over.refresh_from_db()
    assert (over.status, over.next_run_at) == (ScheduleStatus.INACTIVE, None)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"zone": "Europe/Atlantis"}, "does not know the time zone Europe/Atlantis"),
        ({"zone": "/etc/passwd"}, "does not know the time zone /etc/passwd"),
        ({"cron": "61 * * * *"}, "61 * * * * cannot be read as cron"),
    ],
)
def test_what_nobody_can_read_any_more_becomes_inactive_and_says_why(bound, due, columns, said):
    (broken,) = make(bound, due - HOUR, 1, **columns)
    sound = make(bound, due, 3)
    assert ticks.fire_due(due) == 4
    broken.refresh_from_db()
    assert (broken.status, broken.missed_from) == (ScheduleStatus.INACTIVE, due - HOUR)
    assert said in broken.status_message
    assert set(ledger()) == {row.pk for row in sound}


def test_one_that_cannot_be_decided_keeps_no_other_from_it(bound, due, caplog):
    # The database itself refuses whatever is written for it.
    (broken,) = make(bound, due - timedelta(minutes=5), 1, cron="55 * * * *")
    sound = make(bound, due, 3)
    refuse(broken)
    with caplog.at_level(logging.ERROR):
        assert ticks.fire_due(due) == 3
    assert set(ledger()) == {row.pk for row in sound}
    assert Execution.unscoped.count() == 3
    broken.refresh_from_db()
    assert broken.next_run_at == due - timedelta(minutes=5)
    assert f"Schedule {broken.pk} could not be decided" in caplog.text
    assert broken.trouble.startswith("IntegrityError: ")
    assert set(Schedule.unscoped.exclude(pk=broken.pk).values_list("trouble", flat=True)) == {""}


def test_trouble_is_over_when_it_is_decided(bound, due):
    many = make(bound, due, 2, trouble="RuntimeError: no")
    (single,) = make(bound, due, 1, trouble="RuntimeError: no", overlap="replace")
    ticks.start(single, due - HOUR, Outcome.FIRED, due - HOUR, reason="")
    (over,) = make(bound, due, 1, trouble="RuntimeError: no", end=due)
    assert ticks.fire_due(due) == 4
    rows = Schedule.unscoped.filter(pk__in=[row.pk for row in (*many, single, over)])
    assert set(rows.values_list("trouble", flat=True)) == {""}


def test_one_that_cannot_be_decided_can_be_paused_and_tells_what_was_skipped(bound):
    scope = system_scope(bound.resource_group, actor="ada")
    at = moments.now().replace(second=0, microsecond=0)
    (broken,) = make(bound, at, 1, cron="* * * * *", trouble="RuntimeError: no")
    refuse(broken, starting=True)
    paused = schedules.pause(scope, broken.pk)
    assert (paused.status, paused.trouble) == (ScheduleStatus.INACTIVE, "")
    rows = Tick.unscoped.filter(schedule=broken)
    assert {row.outcome for row in rows} == {Outcome.SKIPPED} and rows[0].fire_at == at
    assert rows[0].reason.startswith("It could not be decided. IntegrityError: ")
    assert not Execution.unscoped.exists()


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("a\0b\nsecond line", "ValueError: ab"),
        ("\udc80", "ValueError: ?"),
        ("x" * 300, f"ValueError: {'x' * 244}"),
    ],
)
def test_an_error_is_told_in_a_line_that_can_be_stored(said, line):
    assert ticks.trouble(ValueError(said)) == line


def refuse(schedule, *, starting=False):
    """Have the database refuse every row of the schedule's ledger, or only those that start something."""
    also = " AND NEW.outcome <> 'SKIPPED'" if starting else ""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "CREATE TRIGGER refusal BEFORE INSERT ON mlops_tick "
                f"WHEN NEW.schedule_id = '{schedule.pk.hex}'{also} BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        else:
            unless = " OR outcome = 'SKIPPED'" if starting else ""
            cursor.execute(f"ALTER TABLE mlops_tick ADD CHECK (schedule_id <> '{schedule.pk}'{unless})")


def test_a_ring_is_for_a_slot_not_for_a_row(bound, due, django_capture_on_commit_callbacks):
    make(bound, due, 40)
    with django_capture_on_commit_callbacks() as rings:
        ticks.fire_due(due)
    assert len(rings) == 1


def test_a_group_that_is_being_deleted_starts_nothing(bound, due, group):
    make(bound, due, 2)
    group.deleting_at = due
    group.save()
    assert ticks.fire_due(due) == 2
    assert set(ledger().values()) == {Outcome.SKIPPED}
    assert not Execution.unscoped.exists()
    assert system_scope(group).of(Tick).count() == 2
