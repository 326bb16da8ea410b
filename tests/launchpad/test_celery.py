"""Queues and the beat."""

import pytest
from django.conf import settings

from launchpad.celery import app


def test_executions_deployments_and_control_never_share_a_queue():
    routed = {name: route["queue"] for name, route in app.conf.task_routes.items()}
    assert routed.pop("mlops.tasks.run_executions") == "executions"
    assert routed.pop("mlops.tasks.serve_replicas") == "deployments"
    assert set(routed.values()) == {"control"}
    assert {queue.name for queue in app.conf.task_queues} == {"executions", "deployments", "control"}


def test_a_message_is_only_a_doorbell():
    assert app.conf.task_acks_late is False
    assert app.conf.task_ignore_result is True
    assert app.conf.worker_prefetch_multiplier == 1


@pytest.mark.parametrize("task", ["sweep", "sync_sources", "tend_artifacts", "send_notices"])
def test_beat_rings_the_clock_and_old_rings_expire(task):
    entry = app.conf.beat_schedule[task]
    assert entry["task"] == f"mlops.tasks.{task}"
    assert entry["schedule"] == settings.SWEEP_SECONDS
    assert 0 < entry["options"]["expires"] <= max(entry["schedule"], 1)


def test_hosts_whose_clocks_differ_by_some_seconds_hear_every_ring_of_the_second():
    entry = app.conf.beat_schedule["tick"]
    assert entry["task"] == "mlops.tasks.tick"
    assert 5 <= entry["options"]["expires"] <= 60


def test_every_scheduled_and_routed_task_that_rings_exists():
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)
    assert {
        "mlops.tasks.run_executions",
        *(f"mlops.tasks.{name}" for name in ("sweep", "sync_sources", "tend_artifacts", "send_notices")),
    } <= set(app.tasks)
