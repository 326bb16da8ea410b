"""Claims: the oldest first, fair between groups, never twice; losses: retried, stopped or dead."""

import threading
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from mlops.domain import attempts, catalog, enactments, step_rows
from mlops.lifecycle import Status, TargetStatus
from mlops.models import Execution, StatusChange, StepRun, Worker
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def worker() -> UUID:
    """A registered worker."""
    key = uuid4()
    now = timezone.now()
    Worker.unscoped.create(id=key, host="host", pid=1, slots=4, started_at=now, seen_at=now)
    return key


def waiting(group, minutes: int = 0) -> Execution:
    """A PENDING execution that came `minutes` ago."""
    return factories.execution(
        factories.configuration(group), created_at=timezone.now() - timedelta(minutes=minutes)
    )


def test_the_oldest_is_claimed_first_and_none_twice():
    group, me = factories.place(), worker()
    young, old = waiting(group, 1), waiting(group, 5)
    first, second = attempts.claim(me), attempts.claim(me)
    assert (first.pk, second.pk) == (old.pk, young.pk)
    assert (first.status, first.attempt, first.worker_id) == (Status.RUNNING, 1, me)
    assert attempts.claim(me) is None


def test_groups_take_turns():
    red, blue, me = factories.place(), factories.place(group="blue"), worker()
    for minutes in (9, 8, 7):
        waiting(red, minutes)
    late = waiting(blue, 1)
    attempts.claim(me)
    assert attempts.claim(me).pk == late.pk


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_never_hold_the_same_row():
    group = factories.place()
    wanted = {waiting(group, minutes).pk for minutes in range(8)}
    keys = [worker(), worker()]
    taken: list[str] = []
    barrier = threading.Barrier(2)

    def work(key: UUID) -> None:
        barrier.wait()
        while (row := attempts.claim(key)) is not None:
            taken.append(row.pk)
        connection.close()

    threads = [threading.Thread(target=work, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(wanted)


def claimed(*, user_code_started: bool, text: str | None = None) -> Execution:
    """An execution that a worker holds."""
    group = factories.place()
    bound = factories.configuration(
        group,
        version=factories.catalog_version(group, text=text),
        parameters={"OWNER": "Ada"},
        inputs={"petals": factories.artifact(group)},
    )
    row = factories.execution(bound)
    step_rows.plan(row, 1, catalog.describe(row.executable_version))
    attempts.claim(worker())
    if user_code_started:
        step = StepRun.unscoped.get(execution=row)
        enactments.move_step(step.pk, Status.PENDING, attempt=1)
        enactments.move_step(step.pk, Status.RUNNING, attempt=1, started_at=timezone.now())
        attempts.say(row.pk, 1, "Running", user_code_started=True)
    return Execution.unscoped.select_related("worker", "executable_version").get(pk=row.pk)


def lose(row: Execution) -> Status | None:
    """What becomes of it when its worker is lost."""
    return attempts.lost(row, actor="launchpad", reason="Its worker is gone.", evidence={"host": "host"})


def test_lost_before_user_code_is_tried_again_as_a_new_attempt():
    row = claimed(user_code_started=False)
    assert lose(row) is Status.PENDING
    assert StepRun.unscoped.filter(execution=row, attempt=2).count() == 1
    again = attempts.claim(worker())
    assert (again.pk, again.attempt) == (row.pk, 2)


def test_lost_after_user_code_without_retries_is_dead_with_evidence():
    row = claimed(user_code_started=True)
    assert lose(row) is Status.DEAD
    change = StatusChange.unscoped.filter(execution=row).last()
    assert (change.target, change.evidence) == (Status.DEAD, {"host": "host"})
    assert StepRun.unscoped.get(execution=row).status == Status.DEAD


def retrying(policy: str) -> str:
    """The factories' template with one retry under this policy."""
    step = "    - name: train\n"
    return factories.template().replace(
        step, f"{step}      retryStrategy: {{limit: 1, retryPolicy: {policy}}}\n"
    )


@pytest.mark.parametrize("policy", ["OnError", "OnTransientError", "Always"])
def test_lost_after_user_code_is_tried_again_within_the_limit_of_its_step(policy):
    row = claimed(user_code_started=True, text=retrying(policy))
    assert lose(row) is Status.PENDING
    attempts.claim(worker())
    attempts.say(row.pk, 2, "Running", user_code_started=True)
    row.refresh_from_db()
    assert lose(row) is Status.DEAD


def test_lost_after_user_code_is_not_for_a_policy_about_failing_code():
    row = claimed(user_code_started=True, text=retrying("OnFailure"))
    assert lose(row) is Status.DEAD


def test_lost_again_and_again_before_user_code_ends():
    row = claimed(user_code_started=False)
    for _ in range(attempts.FREE_ATTEMPTS - 1):
        assert lose(row) is Status.PENDING
        attempts.claim(worker())
        row.refresh_from_db()
    assert lose(row) is Status.DEAD


def test_lost_while_stopping_is_stopped():
    row = claimed(user_code_started=True)
    Execution.unscoped.filter(pk=row.pk).update(target_status=TargetStatus.STOPPED)
    enactments.transition(row.pk, Status.STOPPING, actor="ann")
    row.refresh_from_db()
    assert lose(row) is Status.STOPPED


def test_a_late_completion_is_recorded_and_changes_nothing():
    row = claimed(user_code_started=True)
    lose(row)
    registered = []
    ended = attempts.finish(
        row.pk, 1, Status.COMPLETED, actor="late", reason="Completed.", register=lambda: registered.append(1)
    )
    row.refresh_from_db()
    assert (ended, row.status, registered) == (None, Status.DEAD, [])
    late = StatusChange.unscoped.filter(execution=row).last()
    assert (late.source, late.target) == (Status.DEAD, Status.DEAD)
    assert "late message" in late.reason


def test_completion_registers_in_the_same_transaction():
    row = claimed(user_code_started=True)
    seen = []
    ended = attempts.finish(
        row.pk, 1, Status.COMPLETED, actor="w", reason="Completed.", register=lambda: seen.append(row.pk)
    )
    assert (ended, seen) == (Status.COMPLETED, [row.pk])


def test_completing_again_after_a_lost_answer_is_the_same_completion():
    row = claimed(user_code_started=True)
    seen = []
    for _ in range(2):
        ended = attempts.finish(
            row.pk, 1, Status.COMPLETED, actor="w", reason="Completed.", register=lambda: seen.append(row.pk)
        )
        assert ended is Status.COMPLETED
    assert seen == [row.pk]
    assert StatusChange.unscoped.filter(execution=row, reason__contains="late message").count() == 0


def test_an_attempt_that_was_given_up_cannot_end_the_retry_that_waits():
    row = claimed(user_code_started=False)
    assert lose(row) is Status.PENDING
    assert attempts.finish(row.pk, 1, Status.DEAD, actor="late", reason="It failed.") is None
    row.refresh_from_db()
    assert (row.status, row.attempt) == (Status.PENDING, 1)
    assert "late message" in StatusChange.unscoped.filter(execution=row).last().reason


def test_completing_what_was_stopped_meanwhile_says_stopped():
    row = claimed(user_code_started=True)
    Execution.unscoped.filter(pk=row.pk).update(target_status=TargetStatus.STOPPED)
    enactments.transition(row.pk, Status.STOPPING, actor="ann")
    assert attempts.finish(row.pk, 1, Status.COMPLETED, actor="w", reason="Completed.") is Status.STOPPED
    row.refresh_from_db()
    assert row.status_message.startswith("Stopped after its last step")
