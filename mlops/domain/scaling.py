"""How many servers a revision has: more when requests pile up, fewer after a quiet while."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from mlops.domain import catalog, enactments, revisions, servings
from mlops.domain.servings import Plan
from mlops.lifecycle import LIVE, Status
from mlops.models import Deployment, Replica, Revision, TrafficBucket

BUCKET_SECONDS = 10
# What the newest bucket tells grows for ten seconds yet, so that the one before it counts too.
_NOW = timedelta(seconds=2 * BUCKET_SECONDS)


def scale(now: datetime) -> int:
    """Bring every serving revision to the servers that its requests need; return how many changed.

    Safe in any number of copies.
    """
    changed = 0
    rows = Revision.unscoped.filter(
        status=Status.RUNNING,
        most__gt=F("replicas"),
        deployment__status=Status.RUNNING,
        deployment__serving=F("number"),
    )
    for key in rows.values_list("pk", flat=True):
        with transaction.atomic():
            changed += _scale(key, now)
    return changed


def _scale(key: int, now: datetime) -> bool:
    revision = Revision.unscoped.select_related("executable_version").get(pk=key)
    held = Deployment.unscoped.select_for_update(no_key=True).get(pk=revision.deployment_id)
    if held.status != Status.RUNNING or held.serving != revision.number:
        return False
    have = Replica.unscoped.filter(revision=revision, status__in=LIVE, draining_at=None).count()
    plan = _plan(revision)
    window = timedelta(seconds=max(plan.scaling.window_seconds, _NOW.total_seconds()))
    loads = _loads(revision, plan, now - window)
    needed = _servers(max((load for at, load in loads.items() if at > now - _NOW), default=0.0), plan)
    lately = _servers(max(loads.values(), default=0.0), plan)
    wanted = needed if needed > have else min(lately, have)
    if wanted == have:
        return False
    if wanted > have:
        revisions.grow(revision, wanted - have)
    else:
        revisions.shrink(revision, have - wanted)
    enactments.note_deployment(
        held.pk,
        revision.number,
        actor=revisions.ACTOR,
        reason=f"From {have} to {wanted} servers, as requests need.",
        evidence={"metric": plan.scaling.metric, "target": plan.scaling.target},
    )
    return True


def _plan(revision: Revision) -> Plan:
    values = {row.key: row.value for row in revision.configuration.parameters.all()}
    return servings.plan(catalog.describe(revision.executable_version), values)


def _loads(revision: Revision, plan: Plan, since: datetime) -> dict[datetime, float]:
    """What all web processes together had at a time: open requests at most, or requests a second."""
    rows = TrafficBucket.unscoped.filter(
        deployment=revision.deployment_id, revision=revision.number, at__gt=since
    )
    found: dict[datetime, float] = defaultdict(float)
    for at, busy, requests in rows.values_list("at", "busy", "requests"):
        found[at] += requests / BUCKET_SECONDS if plan.scaling.metric == "rps" else busy
    return found


def _servers(load: float, plan: Plan) -> int:
    return min(max(math.ceil(load / plan.scaling.target), plan.replicas), plan.most)
