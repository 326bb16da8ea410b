"""Reads and removes bytes of artifacts beside the control worker's tasks, which no store may hold up."""

from __future__ import annotations

import functools
import logging
import threading
import time
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection

from mlops.domain import artifact_bin, artifact_checks

log = logging.getLogger(__name__)
_PURGE_SECONDS = 30
_FORGET_SECONDS = 3600


class Chores:
    """This process's work on bytes: one thread at most, which ends when nothing is left to do."""

    def __init__(self) -> None:
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._is_running = False
        self._missed = False
        self._failed: set[UUID] = set()
        self._since = time.monotonic()

    def run_due(self) -> None:
        """Begin what is due, unless this process is at it already, and return at once."""
        with self._lock:
            self._missed = self._is_running
            if self._is_running or self._ending.is_set():
                return
            self._is_running = True
        threading.Thread(target=self._work, name="artifacts", daemon=True).start()

    def shut_down(self) -> None:
        """Begin nothing more; what runs is done again by another process."""
        self._ending.set()

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs."""
        with self._lock:
            return not self._is_running

    def _work(self) -> None:
        again = True
        while again:
            again = False
            try:
                while not self._ending.is_set() and artifact_checks.carry_out_one():
                    continue
                self._empty_bin()
                again = True
            except (OperationalError, InterfaceError) as error:
                log.warning("The database did not answer; the next ring goes on: %s", error)
                again = True
            finally:
                connection.close()
                with self._lock:
                    # After any other error the thread ends, and another may begin.
                    again = again and self._missed and not self._ending.is_set()
                    self._missed = False
                    self._is_running = again

    def _empty_bin(self) -> None:
        now = time.monotonic()
        if now - self._since > _FORGET_SECONDS:
            # A store that failed may have come back.
            self._failed, self._since = set(), now
        artifact_bin.purge_expired(until=now + _PURGE_SECONDS, failed=self._failed)


@functools.cache
def current() -> Chores:
    """The chores of this process."""
    return Chores()
