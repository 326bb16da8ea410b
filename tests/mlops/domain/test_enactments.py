"""The one writer of a status: allowed moves, refused ones, the fence, and a change for every move."""

import pytest
from django.db import IntegrityError, transaction

from launchpad.errors import Conflict
from mlops import lifecycle
from mlops.domain import enactments
from mlops.lifecycle import EXECUTION, Status
from mlops.models import Execution, StatusChange, StepRun
from tests.mlops import running

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.mark.parametrize("source", sorted(EXECUTION))
def test_a_row_moves_as_the_table_says_and_no_other_way(source):
    for target in sorted(lifecycle.STORED):
        row = running.execution(running.group(), status=source)
        if target in EXECUTION[source]:
            enactments.transition(row.pk, target, actor="ann", reason="why")
            row.refresh_from_db()
            assert row.status == target
            change = StatusChange.unscoped.get(execution=row)
            assert (change.source, change.target, change.actor) == (source, target, "ann")
        else:
            with pytest.raises(Conflict):
                enactments.transition(row.pk, target, actor="ann")
            row.refresh_from_db()
            assert row.status == source
            assert not StatusChange.unscoped.filter(execution=row).exists()


def test_an_older_attempt_moves_nothing():
    row = running.execution(running.group(), attempt=2)
    with pytest.raises(Conflict):
        enactments.transition(row.pk, Status.COMPLETED, actor="late worker", attempt=1)
    row.refresh_from_db()
    assert row.status == Status.RUNNING


def test_times_are_set_once():
    row = running.execution(running.group())
    started = row.started_at
    enactments.transition(row.pk, Status.PENDING, actor="a")
    enactments.transition(row.pk, Status.RUNNING, actor="a", next_attempt=2)
    enactments.transition(row.pk, Status.COMPLETED, actor="a", attempt=2)
    row.refresh_from_db()
    assert row.started_at == started
    assert row.completed_at > started
    assert row.attempt == 2


def test_a_step_of_an_older_attempt_stays_as_it_is():
    row = running.execution(running.group(), attempt=2)
    old = StepRun.unscoped.get(execution=row, attempt=1, index=0)
    new = StepRun.unscoped.get(execution=row, attempt=2, index=0)
    assert not enactments.move_step(old.pk, Status.PENDING, attempt=1)
    assert enactments.move_step(new.pk, Status.PENDING, attempt=2)
    assert not enactments.move_step(new.pk, Status.COMPLETED, attempt=2)


def test_ending_steps_leaves_the_unreached_ones_unknown():
    row = running.execution(running.group())
    first = StepRun.unscoped.get(execution=row, index=0)
    enactments.move_step(first.pk, Status.PENDING, attempt=1)
    enactments.end_steps(row.pk, Status.DEAD, message="gone")
    states = StepRun.unscoped.filter(execution=row).order_by("index").values_list("status", flat=True)
    assert list(states) == [Status.DEAD, Status.UNKNOWN]


@pytest.mark.parametrize("values", [{"status": "PAUSED"}, {"status": "COMPLETED"}])
def test_the_database_itself_refuses_what_cannot_be(values):
    row = running.execution(running.group())
    with pytest.raises(IntegrityError), transaction.atomic():
        Execution.unscoped.filter(pk=row.pk).update(**values)
