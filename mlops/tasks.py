"""Celery tasks: each calls one domain function; the worker process itself is tied to Celery's life here."""

import threading

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down
from django.conf import settings
from django.db import close_old_connections

from mlops.domain import artifact_chores, clock, notice_deliveries, syncs, workers


@shared_task(name="mlops.tasks.run_executions")
def run_executions() -> None:
    """Carry out waiting executions until none is left for this worker."""
    workers.current().run_pending()


@shared_task(name="mlops.tasks.serve_replicas")
def serve_replicas() -> None:
    """Begin to serve what waits; it goes on beside this task for as long as it is wanted."""
    workers.serving().run_aside()


@shared_task(name="mlops.tasks.sweep")
def sweep() -> None:
    """Do what time makes happen."""
    close_old_connections()
    clock.sweep()
    close_old_connections()


@shared_task(name="mlops.tasks.tick")
def tick() -> None:
    """Do what schedules are due for."""
    close_old_connections()
    clock.tick()
    close_old_connections()


@shared_task(name="mlops.tasks.sync_sources")
def sync_sources() -> None:
    """Begin what is due of git; it goes on beside this task, which no server holds up."""
    syncs.current().run_due()


@shared_task(name="mlops.tasks.tend_artifacts")
def tend_artifacts() -> None:
    """Begin checks that were asked for and what the bin is to lose; it goes on beside this task."""
    artifact_chores.current().run_due()


@shared_task(name="mlops.tasks.send_notices")
def send_notices() -> None:
    """Begin to deliver what is due; it goes on beside this task, which no receiver holds up."""
    notice_deliveries.current().run_due()


@worker_ready.connect
def _begin(sender: object, **_kwargs: object) -> None:
    if "executions" in _queues(sender):
        workers.current().begin(slots=sender.controller.concurrency)  # type: ignore[attr-defined]
    if "deployments" in _queues(sender):
        workers.serving().begin(slots=settings.DEPLOYMENT_SLOTS)
    if "control" in _queues(sender):
        threading.Thread(target=clock.keep_time, args=(threading.Event(),), name="clock", daemon=True).start()


@worker_shutting_down.connect
def _end(**_kwargs: object) -> None:
    workers.current().shut_down()
    workers.serving().shut_down()
    syncs.current().shut_down()
    artifact_chores.current().shut_down()
    notice_deliveries.current().shut_down()


def _queues(sender: object) -> set[str]:
    return set(sender.app.amqp.queues.consume_from)  # type: ignore[attr-defined]
