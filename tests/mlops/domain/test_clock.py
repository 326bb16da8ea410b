"""The sweep: who is dead and who is not, after which patience, and deletions that never take long."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from oauth2_provider.models import AccessToken

from mlops.domain import attempts, clock, executions
from mlops.lifecycle import Status
from mlops.models import Execution, LogChunk, StatusChange, StepRun, Worker
from tests.mlops import factories
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def held(*, silent_for: timedelta, listed: bool = True, signed_off: bool = False) -> Execution:
    """An execution that a worker claimed and whose code runs; its last heartbeat was so long ago."""
    row = factories.execution(factories.configuration(factories.place()))
    StepRun.unscoped.create(execution=row, attempt=1, index=0, name="train", status=Status.UNKNOWN)
    now = timezone.now()
    worker = Worker.unscoped.create(id=uuid4(), host="host", pid=7, slots=1, started_at=now, seen_at=now)
    attempts.claim(worker.pk)
    attempts.say(row.pk, 1, "Running", user_code_started=True)
    worker.seen_at = timezone.now() - silent_for
    worker.attempts = [f"{row.pk}/1"] if listed else []
    worker.ended_at = timezone.now() if signed_off else None
    worker.save()
    return row


def status(row: Execution) -> str:
    """Its status now."""
    row.refresh_from_db()
    return row.status


def test_silence_is_death_after_a_lease_and_not_before(settings):
    settings.LEASE_SECONDS = 30
    quiet, dead = held(silent_for=timedelta(seconds=20)), held(silent_for=timedelta(seconds=31))
    assert clock.end_lost() == 1
    assert (status(quiet), status(dead)) == (Status.RUNNING, Status.DEAD)
    change = StatusChange.unscoped.filter(execution=dead).last()
    assert "stopped answering" in change.reason
    assert (change.evidence["host"], change.evidence["pid"]) == ("host", 7)


def test_a_later_heartbeat_without_the_attempt_ends_it_an_earlier_one_does_not():
    claimed_since = held(silent_for=timedelta(seconds=1), listed=False)
    dropped = held(silent_for=timedelta(seconds=-1), listed=False)
    assert clock.end_lost() == 1
    assert (status(claimed_since), status(dropped)) == (Status.RUNNING, Status.DEAD)


def test_a_worker_that_signed_off_carries_nothing_out():
    row = held(silent_for=timedelta(0), listed=False, signed_off=True)
    clock.end_lost()
    assert status(row) == Status.DEAD


@pytest.fixture
def kept_time(settings, monkeypatch) -> Iterator[None]:
    """A control worker's own look at the clock, in tenths."""
    settings.SWEEP_SECONDS, settings.HEARTBEAT_SECONDS, settings.LEASE_SECONDS = 0.1, 5, 0.5
    monkeypatch.setattr(clock, "_patience", clock._Patience())
    ended = threading.Event()
    thread = threading.Thread(target=clock.keep_time, args=(ended,))
    thread.start()
    yield
    ended.set()
    thread.join()


def test_one_sweep_is_enough_for_a_process_that_has_looked_at_the_clock(kept_time):
    until(lambda: time.monotonic() > clock._patience._from)
    row = held(silent_for=timedelta(seconds=5))
    clock.sweep()
    assert status(row) == Status.DEAD


def test_a_process_that_has_just_begun_calls_nobody_dead(settings, monkeypatch):
    settings.LEASE_SECONDS = 30
    monkeypatch.setattr(clock, "_patience", clock._Patience())
    row = held(silent_for=timedelta(seconds=60))
    clock.sweep()
    clock.sweep()
    assert status(row) == Status.RUNNING


def test_a_long_deletion_is_done_in_pieces(monkeypatch):
    monkeypatch.setattr(executions, "_PURGE_BATCH", 1)
    row = factories.execution(factories.configuration(factories.place()), status=Status.DELETING)
    for seq in range(3):
        LogChunk.unscoped.create(
            execution=row, attempt=1, step=0, seq=seq, first_line=seq + 1, line_count=1,
            at=timezone.now(), text="line", offsets=[0],
        )  # fmt: skip
    assert executions.purge_deleted(seconds=0) == 0
    assert LogChunk.unscoped.count() == 2
    until(lambda: executions.purge_deleted(seconds=0))
    assert not Execution.unscoped.filter(pk=row.pk).exists()


def test_a_sweep_purges_tokens_that_have_expired():
    now = timezone.now()
    for seconds in (-1, 60):
        AccessToken.objects.create(token=f"of {seconds}", expires=now + timedelta(seconds=seconds))
    clock.sweep()
    assert [row.token for row in AccessToken.objects.all()] == ["of 60"]
