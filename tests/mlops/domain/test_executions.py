"""Stopping against the worker: whoever comes second finds a true state and goes on from there."""

import threading

import pytest
from django.db import connection, transaction

from launchpad.access import system_scope
from mlops.domain import attempts, enactments, executions
from mlops.lifecycle import Status
from mlops.models import Execution
from tests.mlops import factories
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def stop_beside(row: Execution, first: Status) -> list[object]:
    """Stop in another thread while this one moves the row to `first` and has not committed yet."""
    said: list[object] = []
    asked = threading.Event()

    def watched(execute, sql, params, many, context):
        asked.set()
        return execute(sql, params, many, context)

    def stop() -> None:
        try:
            with connection.execute_wrapper(watched):
                said.append(executions.stop(system_scope(row), row.pk).status)
        finally:
            connection.close()

    other = threading.Thread(target=stop)
    with transaction.atomic():
        enactments.transition(row.pk, first, actor="w", next_attempt=1, worker=None)
        other.start()
        asked.wait(5)
        # Long enough for an unlocked read to see the row as it was.
        threading.Event().wait(0.2)
    until(lambda: not other.is_alive())
    return said


def test_a_stop_during_the_claim_stops_the_running_one():
    row = factories.execution(factories.configuration(factories.place()))
    assert stop_beside(row, Status.RUNNING) == [Status.STOPPING]
    assert attempts.stopped(row.pk, 1, actor="w", reason="Gone.") is Status.STOPPED


def test_a_stop_during_a_retry_s_start_stops_what_waits():
    row = factories.execution(factories.configuration(factories.place()), status=Status.RUNNING)
    assert stop_beside(row, Status.PENDING) == [Status.STOPPED]
