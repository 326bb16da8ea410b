"""The Celery app: queues, routes and the beat that rings the clock."""

import os
from pathlib import Path

from celery import Celery
from celery.beat import EmbeddedService
from celery.signals import worker_ready
from django.conf import settings
from kombu import Exchange, Queue

from launchpad import env
from launchpad.beats import EverySecond

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "launchpad.settings")

app = Celery("launchpad")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    timezone="UTC",
    task_ignore_result=True,
    # The database remembers the work; a message only says "look at the table".
    task_acks_late=False,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    # An outage of the broker may be of any length; by default the worker gives up after 100 tries.
    broker_connection_max_retries=None,
    # Each its own exchange and key: queues that share one would get each other's messages.
    task_queues=[
        Queue(name, Exchange(name), routing_key=name) for name in ("executions", "deployments", "control")
    ],
    task_default_queue="control",
    task_create_missing_queues=False,
    beat_scheduler="launchpad.beats:SteadyScheduler",
    task_routes={
        "mlops.tasks.run_executions": {"queue": "executions"},
        "mlops.tasks.serve_replicas": {"queue": "deployments"},
        "mlops.tasks.sweep": {"queue": "control"},
        "mlops.tasks.tick": {"queue": "control"},
        "mlops.tasks.sync_sources": {"queue": "control"},
        "mlops.tasks.tend_artifacts": {"queue": "control"},
        "mlops.tasks.send_notices": {"queue": "control"},
    },
    beat_schedule={
        # A ring that nobody heard in time is worth nothing: the next one says the same.
        "sweep": {
            "task": "mlops.tasks.sweep",
            "schedule": settings.SWEEP_SECONDS,
            "options": {"expires": max(settings.SWEEP_SECONDS, 1)},
        },
        "tick": {
            "task": "mlops.tasks.tick",
            "schedule": EverySecond(),
            # Told by the clock of the beat's host and read by that of the worker's, which may be ahead.
            "options": {"expires": 10},
        },
        # Looks for what is due; how often each source is has a setting of its own.
        "sync_sources": {
            "task": "mlops.tasks.sync_sources",
            "schedule": settings.SWEEP_SECONDS,
            "options": {"expires": max(settings.SWEEP_SECONDS, 1)},
        },
        "tend_artifacts": {
            "task": "mlops.tasks.tend_artifacts",
            "schedule": settings.SWEEP_SECONDS,
            "options": {"expires": max(settings.SWEEP_SECONDS, 1)},
        },
        "send_notices": {
            "task": "mlops.tasks.send_notices",
            "schedule": settings.SWEEP_SECONDS,
            "options": {"expires": max(settings.SWEEP_SECONDS, 1)},
        },
    },
)
app.autodiscover_tasks(["mlops"])

for name, folder in app.conf.broker_transport_options.items():
    if name.endswith(("folder", "_in", "_out")):
        Path(folder).mkdir(parents=True, exist_ok=True)


@worker_ready.connect
def _beat(**_kwargs: object) -> None:
    """Let the embedded stack's control worker carry the beat, as a thread: Celery's own -B forks one more
    process, which would outlive a killed worker."""
    if schedule := env.text("LAUNCHPAD_BEAT"):
        EmbeddedService(app, thread=True, schedule_filename=schedule).start()
