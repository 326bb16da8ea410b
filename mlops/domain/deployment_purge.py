"""Finishes deletions of deployments, in batches: the sweep's."""

from __future__ import annotations

import time
from typing import Any

from django.db import models, transaction

from mlops.lifecycle import LEASED, Status
from mlops.models import (
    Deployment,
    DeploymentChange,
    Prediction,
    Replica,
    ReplicaLogChunk,
    Revision,
    TrafficBucket,
    Trial,
)

_BATCH = 5_000
# What goes along with deployments, replicas before their revisions.
OF_DEPLOYMENTS: tuple[type[models.Model], ...] = (
    ReplicaLogChunk,
    TrafficBucket,
    Prediction,
    Trial,
    DeploymentChange,
    Replica,
    Revision,
)


def purge_deleted(*, seconds: float) -> int:
    """Finish deletions; return how many deployments went. Safe in any number of copies.

    Ends after about so many seconds; the next call goes on. One whose last server still ends waits for it.
    """
    gone = 0
    until = time.monotonic() + seconds
    ending = Replica.unscoped.filter(status__in=LEASED).values("deployment")
    rows = Deployment.unscoped.filter(status=Status.DELETING).exclude(pk__in=ending)
    for key in rows.order_by("created_at").values_list("pk", flat=True)[:100]:
        for model in OF_DEPLOYMENTS:
            while _some(model, key):
                if time.monotonic() >= until:
                    return gone
        gone += Deployment.unscoped.filter(pk=key, status=Status.DELETING).delete()[0] > 0
    return gone


def _some(model: Any, key: str) -> bool:
    """Remove some of the rows; False when there were none."""
    with transaction.atomic():
        keys = list(model.unscoped.filter(deployment=key).order_by().values_list("pk", flat=True)[:_BATCH])
        model.unscoped.filter(pk__in=keys).delete()
    return bool(keys)
