"""Deployments as they stand once their servers are ready, have stopped or have failed; no process runs."""

from __future__ import annotations

from uuid import uuid4

from django.contrib.auth.models import User
from django.utils import timezone

from launchpad.access import system_scope
from launchpad.resource_groups.models import ResourceGroup
from mlops.domain import deployments, enactments, replicas, revisions
from mlops.lifecycle import LEASED, Status
from mlops.models import (
    Configuration,
    Deployment,
    Prediction,
    Replica,
    ReplicaLogChunk,
    TrafficBucket,
    Trial,
    Worker,
)
from tests.mlops import deploying


def worker(slots: int = 9) -> Worker:
    """A living worker for deployments."""
    now = timezone.now()
    return Worker.unscoped.create(
        id=uuid4(), queue="deployments", host="here", pid=1, slots=slots, started_at=now, seen_at=now
    )


def deployment(
    group: ResourceGroup,
    status: Status = Status.PENDING,
    *,
    bound: Configuration | None = None,
    ttl: str = "",
    servers: int = 1,
) -> Deployment:
    """A deployment that came to the status by way of the domain.

    bound: by default a configuration of its own.
    """
    bound = bound or deploying.configuration(group, servers=servers)
    row = deployments.create(system_scope(group), configuration=bound.pk, ttl=ttl)
    if status == Status.RUNNING:
        ready(row)
    elif status == Status.DEAD:
        fail(row)
    elif status in (Status.STOPPING, Status.STOPPED, Status.DELETING):
        if status == Status.STOPPING:
            _hold(row)
        deployments.stop(system_scope(group), row.pk)
        if status == Status.DELETING:
            deployments.delete(system_scope(group), row.pk)
    row.refresh_from_db()
    assert row.status == status
    return row


def _hold(row: Deployment) -> list[Replica]:
    """Its servers that wait, claimed by a worker."""
    home = worker()
    found = list(Replica.unscoped.filter(deployment=row, status=Status.PENDING))
    for one in found:
        enactments.move_replica(
            one.pk, Status.RUNNING, attempt=one.attempt, next_attempt=one.attempt + 1, worker_id=home.pk
        )
        one.refresh_from_db()
    return found


def ready(row: Deployment) -> None:
    """Every server that waits comes up and answers."""
    for one in _hold(row):
        replicas.tell_ready(one, one.attempt, address="127.0.0.1:9")
    row.refresh_from_db()


def fail(row: Deployment, message: str = "It cannot load the model.") -> None:
    """Its servers that wait fail for good."""
    for one in _hold(row):
        enactments.move_replica(one.pk, Status.DEAD, attempt=one.attempt, message=message)
        revisions.settle(row.pk)
    row.refresh_from_db()


def end(row: Deployment) -> None:
    """What is to stop has stopped."""
    for one in Replica.unscoped.filter(deployment=row, status__in=LEASED):
        replicas.stopped(one, one.attempt, message="")
    row.refresh_from_db()


def along(row: Deployment, user: User) -> None:
    """One of everything that goes along with a deployment."""
    now = timezone.now()
    ReplicaLogChunk.unscoped.create(
        deployment=row, attempt=1, step=0, seq=0, first_line=1, line_count=1, at=now, text="serving"
    )
    TrafficBucket.unscoped.create(deployment=row, revision=1, at=now, process="one", requests=1)
    Prediction.unscoped.create(
        deployment=row, revision=1, at=now, method="POST", path="/v2/predict", status=200, milliseconds=1
    )
    Trial.unscoped.create(
        deployment=row, user=user, revision=1, at=now, method="POST", path="/v2/predict", status=200
    )
