"""Rings Celery; alone in sending messages, and a message says no more than "look at the table"."""

from __future__ import annotations

import atexit
import logging
import queue
import threading

from celery.exceptions import CeleryError
from django.db import transaction
from kombu.exceptions import KombuError

from launchpad.celery import app

log = logging.getLogger(__name__)

_QUEUES = {
    "mlops.tasks.run_executions": "executions",
    "mlops.tasks.serve_replicas": "deployments",
    "mlops.tasks.sweep": "control",
    "mlops.tasks.sync_sources": "control",
    "mlops.tasks.tend_artifacts": "control",
    "mlops.tasks.send_notices": "control",
}
_rings: queue.SimpleQueue[str | None] = queue.SimpleQueue()
_lock = threading.Lock()
_thread: threading.Thread | None = None


def executions() -> None:
    """After the commit, tell one worker slot that a row may be waiting. Never raises, never waits."""
    transaction.on_commit(lambda: _ring("mlops.tasks.run_executions"), robust=True)


def deployments() -> None:
    """After the commit, tell one worker that a replica may be waiting. Never raises, never waits."""
    transaction.on_commit(lambda: _ring("mlops.tasks.serve_replicas"), robust=True)


def sweep() -> None:
    """After the commit, tell the control worker to sweep now. Never raises, never waits."""
    transaction.on_commit(lambda: _ring("mlops.tasks.sweep"), robust=True)


def sources() -> None:
    """After the commit, tell a control worker that a git source may be due. Never raises, never waits."""
    transaction.on_commit(lambda: _ring("mlops.tasks.sync_sources"), robust=True)


def artifacts() -> None:
    """After the commit, tell a control worker that bytes are to be read. Never raises, never waits."""
    transaction.on_commit(lambda: _ring("mlops.tasks.tend_artifacts"), robust=True)


def notices() -> None:
    """After the commit, tell a control worker that a notice waits. Never raises, never waits."""
    transaction.on_commit(lambda: _ring("mlops.tasks.send_notices"), robust=True)


def _ring(task: str) -> None:
    """Hand the ring to the one sending thread, so that no request waits for a broker that is away."""
    global _thread
    with _lock:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_send_all, name="doorbell", daemon=True)
            _thread.start()
    _rings.put(task)


def _send_all() -> None:
    while (task := _rings.get()) is not None:
        try:
            app.send_task(task, queue=_QUEUES[task], ignore_result=True, retry=False, expires=60)
        except (KombuError, CeleryError, OSError) as error:
            log.warning("The broker did not take %s; the sweep finds the row: %s", task, error)


def _flush() -> None:
    """At exit, let a short-lived command's last rings out, for at most two seconds."""
    if _thread is not None and _thread.is_alive():
        _rings.put(None)
        _thread.join(2)


atexit.register(_flush)
