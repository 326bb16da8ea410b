"""What time makes happen: schedules fire, attempts of dead workers end, slots are rung, deletions finish."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection
from django.db.models import ExpressionWrapper, F, QuerySet
from django.db.models.fields import BooleanField
from django.db.models.functions import Now
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from launchpad.accounts import bearers
from mlops import doorbell
from mlops.domain import (
    attempts,
    backfills,
    cascades,
    deployment_purge,
    executions,
    group_purge,
    late_notices,
    moments,
    notices,
    outcomes,
    predictions,
    replicas,
    revisions,
    scaling,
    schedule_purge,
    ticks,
    traffic,
    workers_alive,
)
from mlops.lifecycle import LEASED, Status
from mlops.models import Execution, LogChunk, Replica, ReplicaLogChunk

# Traffic, predictions and ledgers age by days: looking for what is too old at every sweep would find nothing.
_PURGE_SECONDS = 60.0


class _Patience:
    """Whether this process may call anyone dead: not after a gap in its own clock or an outage.

    A sweeper that slept or lost the database has not seen the heartbeats of that time; it waits one
    lease first, so that a freeze, a Redis outage or a database outage is not called death.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = float("-inf")
        self._from = float("inf")

    def ready(self) -> bool:
        """Tell of a look at the clock; True once one lease has passed without a gap."""
        with self._lock:
            now = time.monotonic()
            if now - self._last > max(3 * settings.SWEEP_SECONDS, settings.HEARTBEAT_SECONDS):
                self._from = now + settings.LEASE_SECONDS
            self._last = now
            return now >= self._from

    def reset(self) -> None:
        """An outage was seen: begin again."""
        with self._lock:
            self._last = float("-inf")


class _Turn:
    """Whether something that is to be done now and then is due in this process."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = float("-inf")

    def due(self) -> bool:
        """True at most once in so many seconds."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


_patience = _Patience()
_ticking = threading.Lock()
_purging = _Turn(_PURGE_SECONDS)


def sweep() -> None:
    """End attempts of dead workers, ring free slots, finish deletions, purge what is too old.

    Safe in any number of copies. Raises OperationalError or InterfaceError when the database is away: the
    next sweep does it all.
    """
    try:
        if _patience.ready():
            end_lost()
            end_lost_replicas()
        ring()
        tend_deployments()
        executions.purge_deleted(seconds=settings.SWEEP_SECONDS / 2)
        deployment_purge.purge_deleted(seconds=settings.SWEEP_SECONDS / 4)
        schedule_purge.purge_deleted(seconds=settings.SWEEP_SECONDS / 4)
        group_purge.purge_groups(seconds=settings.SWEEP_SECONDS / 4)
        late_notices.tell(moments.now())
        bearers.purge_expired()
        if _purging.due():
            traffic.purge(timezone.now())
            predictions.purge(timezone.now())
            notices.purge(timezone.now())
            schedule_purge.purge_ledgers(moments.now(), seconds=settings.SWEEP_SECONDS / 4)
    except (OperationalError, InterfaceError):
        _patience.reset()
        raise


def tick() -> None:
    """Decide what of schedules is due, and note how their runs end.

    Safe in any number of copies; a process whose last tick still goes on leaves it at that. Raises
    OperationalError or InterfaceError when the database is away: the next tick does it all.
    """
    if not _ticking.acquire(blocking=False):
        return
    try:
        now = moments.now()
        ticks.fire_due(now)
        outcomes.follow(now)
        backfills.go_on(now)
    finally:
        _ticking.release()


def keep_time(ended: threading.Event) -> None:
    """Look at the clock and at the database once a sweep's length, until `ended` is set; blocks.

    Of several control workers each is rung now and then only: gaps between its sweeps say nothing.
    """
    while not ended.wait(settings.SWEEP_SECONDS):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            _patience.ready()
        except Error:
            _patience.reset()
        finally:
            connection.close()


def end_lost() -> int:
    """End every leased attempt that no living heartbeat lists; return how many.

    Dead = the worker's last heartbeat is older than the lease by the database's clock, or the worker
    signed off, or its newest heartbeat is younger than the claim and no longer lists the attempt.
    """
    rows = Execution.unscoped.filter(status__in=LEASED).select_related("worker", "executable_version")
    ended = 0
    for row, reason, evidence in _lost(rows):
        chunk = LogChunk.unscoped.filter(execution=row, attempt=row.attempt).order_by("step", "seq").last()
        evidence["last_log_line"] = _last_line(chunk)
        if attempts.lost(row, actor="launchpad", reason=reason, evidence=evidence) is not None:
            ended += 1
    return ended


def end_lost_replicas() -> int:
    """Have every replica that no living heartbeat lists come up elsewhere; return how many. As `end_lost`."""
    rows = Replica.unscoped.filter(status__in=LEASED).select_related("worker", "revision")
    ended = 0
    for row, reason, evidence in _lost(rows):
        said = ReplicaLogChunk.unscoped.filter(
            deployment=row.deployment_id, attempt=row.revision.number, step=row.index
        )
        evidence["last_log_line"] = _last_line(said.order_by("seq").last())
        ended += replicas.lost(row, actor="launchpad", reason=reason, evidence=evidence)
    return ended


def _lost(rows: QuerySet[Any]) -> Iterator[tuple[Any, str, dict[str, Any]]]:
    """Leased rows that nobody carries out any more, why, and what is known of it."""
    lease = timedelta(seconds=settings.LEASE_SECONDS)
    silent = ExpressionWrapper(GreaterThan(Now() - lease, F("worker__seen_at")), output_field=BooleanField())
    for row in rows.annotate(silent=silent):
        worker = row.worker
        if worker is None:
            continue
        listed = f"{row.pk}/{row.attempt}" in worker.attempts
        if not row.silent and listed:
            continue
        if not row.silent and worker.ended_at is None and worker.seen_at <= row.modified_at:
            continue
        what = "stopped answering" if row.silent else "no longer carries it out"
        evidence = {"host": worker.host, "pid": worker.pid, "last_heartbeat": worker.seen_at.isoformat()}
        yield row, f"Its worker on {worker.host} (process {worker.pid}) {what}.", evidence


def _last_line(chunk: LogChunk | ReplicaLogChunk | None) -> str:
    return chunk.text.rsplit("\n", 1)[-1][:500] if chunk else ""


def tend_deployments() -> None:
    """Drain and end what is replaced, end what has lived long enough, ring for servers that wait."""
    revisions.expire(timezone.now())
    for key in revisions.unsettled():
        revisions.settle(key)
    cascades.roll_in()
    scaling.scale(timezone.now())
    if replicas.waits():
        doorbell.deployments()


def ring() -> None:
    """Ring once per free slot while something waits, never once per row."""
    _, slots, busy = workers_alive.capacity()
    free = max(0, slots - busy)
    waiting = Execution.unscoped.filter(status=Status.PENDING)[:free].count() if free else 0
    for _ in range(waiting):
        doorbell.executions()
