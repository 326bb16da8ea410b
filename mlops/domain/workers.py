"""A worker process: registers, heartbeats for its attempts, claims, and ends them when it must."""

from __future__ import annotations

import functools
import logging
import os
import socket
import threading
import time
from uuid import uuid4

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection
from django.db.models.functions import Now

from launchpad import software
from mlops.domain import attempts, runs, workplaces
from mlops.domain.orders import Orders
from mlops.lifecycle import LEASED, Status, TargetStatus
from mlops.models import Execution, Worker

log = logging.getLogger(__name__)


class Attempt(Orders):
    """One claimed attempt of this process and what its supervisor has been told."""

    def __init__(self, execution_id: str, number: int) -> None:
        super().__init__()
        self.execution_id = execution_id
        self.number = number

    @property
    def key(self) -> str:
        """`<execution>/<attempt>` as the heartbeat lists it."""
        return f"{self.execution_id}/{self.number}"


class WorkerProcess:
    """This process's slots and the attempts in them.

    Slots bound what runs here, whoever asks: a doorbell's task or the heartbeat's own look at the table.
    """

    def __init__(self) -> None:
        self.id = uuid4()
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
        """Carry out waiting executions one after the other until none waits, if a slot is free."""
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

    def _work(self) -> None:
        while (attempt := self._claim()) is not None:
            try:
                runs.carry_out(attempt.execution_id, attempt.number, attempt)
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
            row = None if self._ending.is_set() else attempts.claim(self.id)
            if row is None:
                return None
            attempt = Attempt(execution_id=row.pk, number=row.attempt)
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
                    elif self._live:
                        self._watch()
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
        if not self._ending.is_set() and self._running < self._slots:
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
        if Execution.unscoped.filter(status=Status.PENDING).exists():
            # No daemon: a process that is told to end waits for these attempts as for Celery's own.
            threading.Thread(target=self.run_pending, name="unrung", daemon=False).start()

    def _watch(self) -> None:
        """Read back what is wished for our attempts; those that are no longer ours must die."""
        with self._lock:
            live = dict(self._live)
        if not live:
            return
        rows = {
            f"{pk}/{attempt}": (status, target)
            for pk, attempt, status, target in Execution.unscoped.filter(
                pk__in={attempt.execution_id for attempt in live.values()},
                worker=self.id,
                status__in=LEASED,
            ).values_list("pk", "attempt", "status", "target_status")
        }
        for key, attempt in live.items():
            if key not in rows:
                attempt.abandon()
            elif rows[key][1] == TargetStatus.STOPPED:
                attempt.stop()


@functools.cache
def current() -> WorkerProcess:
    """The one WorkerProcess of this process."""
    return WorkerProcess()
