"""A worker process from its first heartbeat to its last: registers, claims, leaves, and lets go."""

import threading
from collections.abc import Iterator

import pytest

from mlops.domain.workers import EXECUTIONS, WorkerProcess
from mlops.lifecycle import Status, TargetStatus
from mlops.models import Execution, StepRun, Worker
from tests.mlops import factories
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def process(settings, tmp_path) -> Iterator[WorkerProcess]:
    """A process of two slots whose heartbeat is given by the test."""
    settings.LAUNCHPAD_DATA = tmp_path
    made = WorkerProcess(EXECUTIONS)
    made._slots = 2
    yield made
    until(lambda: "drain" not in {thread.name for thread in threading.enumerate()})


def waiting() -> Execution:
    """A PENDING execution with the row of its step."""
    row = factories.execution(factories.configuration(factories.place()))
    StepRun.unscoped.create(execution=row, attempt=1, index=0, name="train", status=Status.UNKNOWN)
    return row


def test_the_first_beat_registers_and_a_repeat_changes_nothing(process):
    process._beat()
    process._begun.clear()
    process._beat()
    assert Worker.unscoped.get().slots == 2


def test_nothing_is_claimed_before_it_is_registered(process):
    row = waiting()
    process.run_pending()
    row.refresh_from_db()
    assert row.status == Status.PENDING


def test_a_process_that_is_told_to_end_claims_nothing_more_and_signs_off(process):
    process._beat()
    row = waiting()
    process.shut_down()
    process.run_pending()
    row.refresh_from_db()
    assert row.status == Status.PENDING
    assert Worker.unscoped.get(pk=process.id).ended_at is not None


def test_a_claim_that_comes_after_the_order_to_end_does_not_happen(process):
    process._beat()
    waiting()
    process.shut_down()
    assert process._claim() is None


def test_an_attempt_that_belongs_to_another_is_abandoned_and_a_wish_to_stop_is_heard(process):
    process._beat()
    waiting()
    waiting_too = waiting()
    first, second = process._claim(), process._claim()
    Execution.unscoped.filter(pk=first.owner).update(worker=None)
    Execution.unscoped.filter(pk=second.owner).update(target_status=TargetStatus.STOPPED)
    process._beat()
    assert (first.abandoned, second.abandoned, second.stopping) == (True, False, True)
    assert waiting_too.pk == second.owner


def test_a_heartbeat_that_breaks_lets_go_of_every_attempt(process, settings):
    process._beat()
    waiting()
    attempt = process._claim()
    settings.HEARTBEAT_SECONDS = "broken"
    settings.WATCH_SECONDS = "broken"
    with pytest.raises(TypeError):
        process._heartbeat()
    assert attempt.abandoned
    assert process._claim() is None


def test_a_mistake_of_ours_ends_the_attempt_with_its_name(process, settings):
    process._beat()
    row = waiting()
    settings.STEP_PARALLELISM = "broken"
    with pytest.raises(TypeError):
        process.run_pending()
    row.refresh_from_db()
    assert row.status == Status.DEAD
    assert "Launchpad itself failed" in row.status_message
    assert process._live == {}


def test_a_work_folder_that_cannot_be_made_ends_the_attempt(process, tmp_path):
    (tmp_path / "work").write_text("a file where the folder should be")
    process._beat()
    row = waiting()
    process.run_pending()
    row.refresh_from_db()
    assert row.status == Status.DEAD
    assert "work" in row.status_message
