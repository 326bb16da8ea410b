"""Requests to deployments and their answers, a share of which is kept where an editor has said so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from launchpad.access import Scope, system_scope
from launchpad.commands import command
from mlops.models import Deployment, Prediction

BODY_BYTES = 16 * 1024
_PURGED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Kept:
    """One request and its answer; see the model. request, response: text, "" for what is none."""

    deployment: str
    revision: int
    at: datetime
    method: str
    path: str
    status: int
    milliseconds: float
    request: str
    response: str
    is_cut: bool
    caller: str


def flush(kept: Sequence[Kept]) -> int:
    """Store what the gateway has kept; return how many. Those of deployments that keep none any more are not.

    For the gateway, which speaks for no user. Raises django.db.Error with a part of it stored.
    """
    keys = {one.deployment for one in kept}
    rows = Deployment.unscoped.filter(pk__in=keys, keeps_predictions=True)
    stored = 0
    for deployment in rows.select_related("resource_group__workspace").order_by("pk"):
        own = [one for one in kept if one.deployment == deployment.pk]
        stored += record(system_scope(deployment), deployment, kept=own)
    return stored


@command(audit=False)
def record(scope: Scope, deployment: Deployment, *, kept: Sequence[Kept]) -> int:
    """Store requests to one deployment and their answers; return how many. Commits once."""
    rows = [
        Prediction(
            deployment=deployment,
            revision=one.revision,
            at=one.at,
            method=one.method[:16],
            path=one.path[:1024],
            status=one.status,
            milliseconds=one.milliseconds,
            request=one.request,
            response=one.response,
            is_cut=one.is_cut,
            caller=one.caller[:256],
        )
        for one in kept
    ]
    scope.of(Prediction).bulk_create(rows)
    return len(rows)


def newest(scope: Scope, deployment: Deployment) -> QuerySet[Prediction]:
    """What is kept of a deployment, newest first."""
    return scope.of(Prediction).filter(deployment=deployment).order_by("-at", "-id")


def purge(now: datetime) -> int:
    """Remove what is older than a deployment keeps it, and the oldest beyond PREDICTION_ROWS of each.

    At most 1,000 rows of each deployment a call; returns how many. Safe in any number of copies.
    """
    gone = 0
    some = Exists(Prediction.unscoped.filter(deployment=OuterRef("pk")))
    for key, days in Deployment.unscoped.filter(some).values_list("pk", "prediction_days"):
        rows = Prediction.unscoped.filter(deployment=key).order_by("-at", "-id")
        at = rows.values_list("at", flat=True)[
            settings.PREDICTION_ROWS : settings.PREDICTION_ROWS + 1
        ].first()
        limit = now - timedelta(days=days)
        old = rows.filter(at__lte=max(at, limit) if at else limit)
        keys = list(old.reverse().values_list("pk", flat=True)[:_PURGED_AT_ONCE])
        if keys:
            Prediction.unscoped.filter(pk__in=keys).delete()
            gone += len(keys)
    return gone
