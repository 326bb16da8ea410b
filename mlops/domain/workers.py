"""A worker process: registers, heartbeats for its attempts, claims, and ends them when it must."""

from __future__ import annotations

import functools
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection
from django.db.models.functions import Now

from launchpad import software
from mlops.domain import attempts, replica_runs, replicas, runs, workplaces
from mlops.domain.orders import Orders
from mlops.lifecycle import LEASED, Status, TargetStatus
from mlops.models import Execution, Worker

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trade:
    """What a worker carries out. queue: whose doorbell it hears.

    claim: takes what waits, as (key, attempt), None for nothing. carry_out: blocks to its proven end. waits:
    whether something may be claimed now. wishes: which of the keys the worker still holds, by
    `<key>/<attempt>`, and whether each is to stop. is_due_by_time: what waits may become claimable without a
    ring.
    """

    queue: str
    claim: Callable[[UUID], tuple[str, int] | None]
    carry_out: Callable[[str, int, Orders], None]
    waits: Callable[[], bool]
    wishes: Callable[[UUID, set[str]], dict[str, bool]]
    is_due_by_time: bool = False


class Attempt(Orders):
    """One claimed attempt of this process and what its supervisor has been told."""

    def __init__(self, owner: str, number: int) -> None:
        super().__init__()
        self.owner = owner
        self.number = number

    @property
    def key(self) -> str:
        """`<owner>/<attempt>` as the heartbeat lists it."""
        return f"{self.owner}/{self.number}"


class WorkerProcess:
    """This process's slots and the attempts in them.

    Slots bound what runs here, whoever asks: a doorbell's task or the heartbeat's own look at the table.
    """

    def __init__(self, trade: Trade) -> None:
        self.id = uuid4()
        self._trade = trade
        self._begun = threading.Event()
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._live: dict[str, Attempt] = {}
        self._slots = 0
        self._running = 0
        self._missed = False

    def begin(self, *, slots: int) -> None:
        """Clear what a dead process left and start the heartbeat, which registers this one with its slots.

        Returns at once; a database that is away is waited for, by then nothing is claimed.
        """
        workplaces.clear_abandoned()
        self._slots = slots
        threading.Thread(target=self._heartbeat, name="heartbeat", daemon=True).start()

    def _register(self) -> None:
        # The answer to an earlier try may have been lost.
        Worker.unscoped.get_or_create(
            id=self.id,
            defaults={
                "queue": self._trade.queue,
                "host": socket.gethostname()[:256],
                "pid": os.getpid(),
                "slots": self._slots,
                "version": software.version(),
                "started_at": Now(),
                "seen_at": Now(),
            },
        )
        self._begun.set()

    def run_pending(self) -> None:
        """Carry out what waits one after the other until nothing does, if a slot is free."""
        if not self._begun.is_set():
            # The first heartbeat looks at the table by itself.
            return
        while self._enter():
            try:
                self._work()
            except (OperationalError, InterfaceError) as error:
                log.warning("The database did not answer; the next doorbell tries again: %s", error)
            finally:
                connection.close()
                missed = self._leave()
            if not missed:
                break
        if self._ending.is_set() and not self._live:
            self._retire()

    def run_aside(self) -> None:
        """As `run_pending`, in a thread of its own; returns at once."""
        # No daemon: a process that is told to end waits for these attempts as for Celery's own.
        threading.Thread(target=self.run_pending, name="aside", daemon=False).start()

    def _work(self) -> None:
        while (attempt := self._claim()) is not None:
            try:
                self._trade.carry_out(attempt.owner, attempt.number, attempt)
            finally:
                with self._lock:
                    self._live.pop(attempt.key, None)

    def shut_down(self) -> None:
        """Stop claiming; let attempts end for DRAIN_SECONDS, then tell them to end now."""
        self._ending.set()
        threading.Thread(target=self._drain, name="drain", daemon=True).start()

    def _drain(self) -> None:
        until = time.monotonic() + settings.DRAIN_SECONDS
        while self._live and time.monotonic() < until:
            threading.Event().wait(0.2)
        with self._lock:
            for attempt in self._live.values():
                attempt.leave()
        if not self._live and self._begun.is_set():
            self._retire()

    def _retire(self) -> None:
        try:
            Worker.unscoped.filter(pk=self.id).update(ended_at=Now(), attempts=[])
        except (OperationalError, InterfaceError) as error:
            log.warning("Could not sign off; the lease will run out: %s", error)
        finally:
            connection.close()

    def _claim(self) -> Attempt | None:
        # The heartbeat takes the same lock, so that no beat after a claim leaves the attempt out; and the
        # drain does, so that none is claimed after it has told all to end.
        with self._lock:
            taken = None if self._ending.is_set() else self._trade.claim(self.id)
            if taken is None:
                return None
            attempt = Attempt(*taken)
            self._live[attempt.key] = attempt
            return attempt

    def _heartbeat(self) -> None:
        next_beat = 0.0
        pause = min(settings.WATCH_SECONDS, settings.HEARTBEAT_SECONDS)
        try:
            while True:
                try:
                    if time.monotonic() >= next_beat:
                        self._beat()
                        next_beat = time.monotonic() + settings.HEARTBEAT_SECONDS
                    else:
                        self._watch()
                        if self._trade.is_due_by_time:
                            self._take_unrung()
                except Error as error:
                    log.warning("No heartbeat, the database did not answer: %s", error)
                finally:
                    connection.close()
                threading.Event().wait(pause)
        finally:
            # Only a mistake of ours leads here. Without a heartbeat the attempts are soon run elsewhere.
            self._ending.set()
            with self._lock:
                for attempt in self._live.values():
                    attempt.abandon()

    def _beat(self) -> None:
        if not self._begun.is_set():
            self._register()
        with self._lock:
            Worker.unscoped.filter(pk=self.id).update(seen_at=Now(), attempts=sorted(self._live))
        self._watch()
        self._take_unrung()

    def _enter(self) -> bool:
        """Take a slot; a ring that finds none is remembered for whoever leaves one."""
        with self._lock:
            free = self._running < self._slots
            self._running += free
            self._missed = self._missed or not free
            return free

    def _leave(self) -> bool:
        """Give the slot back; True when a ring came meanwhile and found no slot."""
        with self._lock:
            self._running -= 1
            missed, self._missed = self._missed, False
            return missed and not self._ending.is_set()

    def _take_unrung(self) -> None:
        """Start on waiting rows by ourselves, for a broker that is away or has lost its messages."""
        is_free = self._begun.is_set() and not self._ending.is_set() and self._running < self._slots
        if is_free and self._trade.waits():
            self.run_aside()

    def _watch(self) -> None:
        """Read back what is wished for our attempts; those that are no longer ours must die."""
        with self._lock:
            live = dict(self._live)
        if not live:
            return
        wishes = self._trade.wishes(self.id, {attempt.owner for attempt in live.values()})
        for key, attempt in live.items():
            if key not in wishes:
                attempt.abandon()
            elif wishes[key]:
                attempt.stop()


def _claimed(worker_id: UUID) -> tuple[str, int] | None:
    row = attempts.claim(worker_id)
    return None if row is None else (row.pk, row.attempt)


def _waiting() -> bool:
    return Execution.unscoped.filter(status=Status.PENDING).exists()


def _wishes(worker_id: UUID, keys: set[str]) -> dict[str, bool]:
    rows = Execution.unscoped.filter(pk__in=keys, worker=worker_id, status__in=LEASED)
    found = rows.values_list("pk", "attempt", "target_status")
    return {f"{pk}/{attempt}": target == TargetStatus.STOPPED for pk, attempt, target in found}


EXECUTIONS = Trade("executions", _claimed, runs.carry_out, _waiting, _wishes)
DEPLOYMENTS = Trade(
    "deployments",
    replicas.claim,
    replica_runs.carry_out,
    replicas.waits,
    replicas.wishes,
    is_due_by_time=True,
)


@functools.cache
def current() -> WorkerProcess:
    """The one WorkerProcess for executions of this process."""
    return WorkerProcess(EXECUTIONS)


@functools.cache
def serving() -> WorkerProcess:
    """The one WorkerProcess for replicas of deployments of this process."""
    return WorkerProcess(DEPLOYMENTS)
