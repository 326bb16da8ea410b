"""Whoever settles a deployment holds its row first: workers, sweeps, people and logs never wait in a ring."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from mlops.domain import enactments, replicas, revisions
from mlops.domain.log_writers import ReplicaLogWriter
from mlops.lifecycle import Status
from mlops.models import Replica, ReplicaLogChunk
from tests.mlops import deploying, factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.server]
WAITS = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)
DEEDS: dict[str, Callable[[Replica], object]] = {
    "failed": lambda row: replicas.failed(row, row.attempt, message="It crashed."),
    "ready": lambda row: replicas.tell_ready(row, row.attempt, address="127.0.0.1:2"),
    "unready": lambda row: replicas.tell_unready(row, row.attempt, message="Not now."),
    "stopped": lambda row: replicas.stopped(row, row.attempt, message="Stopped."),
    "lost": lambda row: replicas.lost(row, actor="launchpad", reason="Gone.", evidence={}),
}


@pytest.fixture
def replica() -> Replica:
    """The only server of a running deployment."""
    row = deploying.deployment(factories.place())
    Replica.unscoped.filter(deployment=row).update(status="RUNNING", is_ready=True, address="127.0.0.1:1")
    revisions.settle(row.pk)
    return Replica.unscoped.get(deployment=row)


def beside(deed: Callable[[], object]) -> threading.Thread:
    def go() -> None:
        try:
            deed()
        finally:
            connections.close_all()

    thread = threading.Thread(target=go)
    thread.start()
    return thread


@pytest.mark.parametrize("name", DEEDS)
def test_a_worker_s_word_holds_the_deployment_before_it_touches_the_server(replica, name):
    with CaptureQueriesContext(connection) as asked:
        DEEDS[name](replica)
    first = next(query["sql"] for query in asked.captured_queries if "mlops_" in query["sql"])
    assert 'FROM "mlops_deployment"' in first
    assert first.endswith("FOR NO KEY UPDATE")


def test_a_log_goes_on_while_the_deployment_is_settled(replica):
    writer = ReplicaLogWriter(replica, replica.attempt, 1)
    writer.resume()

    def write() -> None:
        writer.say("meanwhile")
        writer.flush(force=True)

    with transaction.atomic():
        enactments.transition_deployment(
            replica.deployment_id, Status.STOPPING, actor="launchpad", revision=1
        )
        thread = beside(write)
        thread.join(120)
        assert not thread.is_alive()
    assert ReplicaLogChunk.unscoped.get(deployment=replica.deployment_id).text == "meanwhile"
