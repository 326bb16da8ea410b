"""A replica of a deployment: claimed under a lease, told ready, ended by its worker or by the sweep."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Min
from django.db.models.functions import Now
from django.utils import timezone

from mlops import doorbell
from mlops.domain import enactments, revisions
from mlops.lifecycle import LEASED, Status
from mlops.models import Deployment, Replica

_LONGEST_PAUSE_SECONDS = 60.0


def claim(worker_id: UUID) -> tuple[str, int] | None:
    """Take the replica that waits longest, of the group that has the fewest; its key and attempt.

    None when none may be taken.

    One conditional UPDATE sets attempt + 1 and the worker. Safe in any number of workers at once.
    """
    passed: set[int] = set()
    while (row := _next(passed)) is not None:
        taken = enactments.move_replica(
            row.pk,
            Status.RUNNING,
            attempt=row.attempt,
            worker_id=worker_id,
            user_code_started=False,
            is_ready=False,
            ready_at=None,
            address="",
            message="Preparing",
            started_at=Now(),
            ended_at=None,
            modified_at=Now(),
            memory_bytes=None,
            next_attempt=row.attempt + 1,
        )
        if taken:
            return str(row.pk), row.attempt + 1
        passed.add(row.pk)
    return None


def _next(passed: set[int]) -> Replica | None:
    waiting = Replica.unscoped.filter(status=Status.PENDING, not_before__lte=Now()).exclude(pk__in=passed)
    group = "deployment__resource_group"
    oldest = dict(waiting.order_by().values_list(group).annotate(Min("not_before")))
    if not oldest:
        return None
    held = Replica.unscoped.filter(status__in=LEASED, **{f"{group}__in": oldest})
    busy = dict(held.order_by().values_list(group).annotate(Count("pk")))
    turn = min(oldest, key=lambda key: (busy.get(key, 0), oldest[key]))
    return waiting.filter(**{group: turn}).order_by("not_before", "pk").first()


def waits() -> bool:
    """Whether a replica may be claimed now."""
    return Replica.unscoped.filter(status=Status.PENDING, not_before__lte=Now()).exists()


def wishes(worker_id: UUID, keys: set[str]) -> dict[str, bool]:
    """What a worker still holds of replicas, by `<key>/<attempt>`, and whether each is to stop.

    keys: of the replicas.
    """
    rows = Replica.unscoped.filter(pk__in=keys, worker=worker_id, status__in=LEASED)
    found = rows.values_list("pk", "attempt", "status")
    return {f"{pk}/{attempt}": status == Status.STOPPING for pk, attempt, status in found}


def say(replica: Replica, attempt: int, message: str, **changes: Any) -> None:
    """Tell on the row what the attempt is doing now; an older attempt is ignored."""
    Replica.unscoped.filter(pk=replica.pk, attempt=attempt, status__in=LEASED).update(
        message=message[:1024], modified_at=Now(), **changes
    )


@contextmanager
def _holding(replica: Replica) -> Iterator[None]:
    """A transaction that holds the deployment first, as all do that go on to settle it."""
    with transaction.atomic():
        rows = Deployment.unscoped.select_for_update(no_key=True).filter(pk=replica.deployment_id)
        rows.values_list("pk", flat=True).first()
        yield


def tell_ready(replica: Replica, attempt: int, *, address: str, message: str = "") -> None:
    """The server answers at `host:port`: it may get requests. An older attempt is ignored."""
    with _holding(replica):
        told = Replica.unscoped.filter(pk=replica.pk, attempt=attempt, status=Status.RUNNING)
        if told.update(is_ready=True, ready_at=Now(), address=address, message=message, modified_at=Now()):
            revisions.settle(replica.deployment_id)


def tell_unready(replica: Replica, attempt: int, *, message: str) -> None:
    """The server does not answer now: it gets no requests until it does."""
    with _holding(replica):
        told = Replica.unscoped.filter(pk=replica.pk, attempt=attempt, status=Status.RUNNING)
        if told.update(is_ready=False, message=message[:1024], modified_at=Now()):
            revisions.settle(replica.deployment_id)


def tell_steady(replica: Replica, attempt: int) -> None:
    """The server has been ready for long: what happened before does not count against it any more."""
    Replica.unscoped.filter(pk=replica.pk, attempt=attempt, status=Status.RUNNING).update(restarts=0)


def tell_memory(replica: Replica, attempt: int, memory_bytes: int) -> None:
    """How much memory the processes of the replica hold now."""
    Replica.unscoped.filter(pk=replica.pk, attempt=attempt).update(memory_bytes=memory_bytes)


def stopped(replica: Replica, attempt: int, *, message: str) -> None:
    """End a STOPPING replica whose processes are proven gone."""
    with _holding(replica):
        enactments.move_replica(
            replica.pk,
            Status.STOPPED,
            attempt=attempt,
            is_ready=False,
            message=message,
            ended_at=Now(),
            modified_at=Now(),
        )
        revisions.settle(replica.deployment_id)


def failed(replica: Replica, attempt: int, *, message: str, evidence: dict[str, Any] | None = None) -> None:
    """The server ended by itself, could not be started, or was not ready: start it again, or give it up.

    It waits before it is claimed again: DEPLOYMENT_BACKOFF_SECONDS, each time twice as long, up to a minute.
    After DEPLOYMENT_RESTARTS restarts in a row it is DEAD. Who asked it to stop meanwhile gets it stopped.
    """
    with _holding(replica):
        rows = Replica.unscoped.select_for_update(no_key=True)
        # One that was called lost meanwhile waits already to come up elsewhere.
        row = rows.filter(pk=replica.pk, attempt=attempt, status__in=LEASED).first()
        if row is None:
            return
        if row.status == Status.STOPPING:
            stopped(row, attempt, message=message)
            return
        common: dict[str, Any] = {"is_ready": False, "ended_at": Now(), "modified_at": Now()}
        if row.restarts >= settings.DEPLOYMENT_RESTARTS:
            tries = row.restarts + 1
            said = f"{message} It was started {tries} times." if tries > 1 else message
            moved = enactments.move_replica(row.pk, Status.DEAD, attempt=attempt, message=said, **common)
        else:
            pause = min(
                settings.DEPLOYMENT_BACKOFF_SECONDS * 2**row.restarts, max(_LONGEST_PAUSE_SECONDS, 1.0)
            )
            turn = f"{row.restarts + 1} of {settings.DEPLOYMENT_RESTARTS}"
            said = f"{message} Started again in {pause:g} s ({turn})."
            moved = enactments.move_replica(
                row.pk,
                Status.PENDING,
                attempt=attempt,
                worker=None,
                address="",
                restarts=row.restarts + 1,
                not_before=timezone.now() + timedelta(seconds=pause),
                message=said,
                **common,
            )
        if moved:
            _note(row, said, evidence)
            revisions.settle(row.deployment_id)


def lost(replica: Replica, *, actor: str, reason: str, evidence: dict[str, Any]) -> bool:
    """Have a replica whose worker is gone come up elsewhere at once; False when it has moved meanwhile.

    That is not the server's fault and does not count as a restart.
    """
    with _holding(replica):
        row = Replica.unscoped.select_for_update(no_key=True).filter(pk=replica.pk, attempt=replica.attempt)
        found = row.first()
        if found is None or found.status not in LEASED:
            return False
        if found.status == Status.STOPPING:
            stopped(found, found.attempt, message=reason)
            return True
        enactments.move_replica(
            found.pk,
            Status.PENDING,
            attempt=found.attempt,
            worker=None,
            is_ready=False,
            address="",
            not_before=timezone.now(),
            message=f"{reason} It comes up again.",
            modified_at=Now(),
        )
        _note(found, f"{reason} It comes up again.", evidence, actor=actor)
        revisions.settle(found.deployment_id)
        doorbell.deployments()
        return True


def _note(
    replica: Replica, reason: str, evidence: dict[str, Any] | None, *, actor: str = revisions.ACTOR
) -> None:
    enactments.note_deployment(
        replica.deployment_id,
        replica.revision.number,
        actor=actor,
        reason=f"Server {replica.index + 1}: {reason}",
        evidence=evidence,
    )
