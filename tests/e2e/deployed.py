"""Deployments of a lived-in product: two that serve, one near its end, one stopped, one dead, a draft."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from launchpad import access
from mlops.domain import deployment_drafts, deployments, predictions, traffic
from mlops.models import Deployment
from tests.mlops import deploying

# Once nothing of it moves any more, in SQL: statuses, and whether every newest revision has come to rest.
STATES = (
    "SELECT d.status, r.status FROM mlops_deployment d "
    "JOIN mlops_revision r ON r.deployment_id = d.id AND r.number = d.newest"
)
AT_REST = {("RUNNING", "RUNNING"), ("STOPPED", "STOPPED"), ("DEAD", "DEAD")}


def furnish(editor: access.Scope) -> dict[str, str]:
    """Make them; the servers are still to come up. Returns what stands for an argument of an address."""
    group = editor.group
    hello = deploying.configuration(group, "hello", servers=2)
    other = deploying.configuration(group, "goodbye")
    broken = deploying.configuration(group, "crash")
    live = deployments.create(editor, configuration=hello.pk, ttl="2d")
    deployments.create(editor, configuration=broken.pk)
    stopped = deployments.create(editor, configuration=other.pk)
    deployments.stop(editor, stopped.pk)
    ending = deployments.create(editor, configuration=hello.pk, ttl="2h")
    Deployment.unscoped.filter(pk=ending.pk).update(expires_at=timezone.now() + timedelta(minutes=11))
    draft = deployment_drafts.save(
        editor,
        None,
        {"scenario": "petals-tutorial", "executable": "petals-serve", "configuration": str(hello.pk)},
    )
    _asked(editor, live)
    return {"deployment_id": live.pk, "deployment_draft": str(draft.pk), "served": str(hello.pk)}


def _asked(editor: access.Scope, live: Deployment) -> None:
    """An hour of traffic of one of them, and a request that was kept."""
    now = timezone.now()
    counts = [
        traffic.Count(live.pk, 1, now - timedelta(minutes=ago), 9, 8, 0, 0, 1, 2, 0.5, {"20": 9})
        for ago in range(1, 60)
    ]
    traffic.record(editor, live, process="furnish", counts=counts)
    kept = predictions.Kept(live.pk, 1, now, "POST", "/", 200, 12.5, "hello?", "hello", False, "viewer")
    predictions.record(editor, live, kept=[kept])
