"""What an overview tells of deployments: how many serve, end soon or failed, and which failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from launchpad.resource_groups.models import ResourceGroup
from mlops.domain import deployment_filters
from mlops.lifecycle import STOPPABLE, Status
from mlops.models import Deployment, Revision

SHOWN = 5
# Name of a count and the status it is of; those put away are not counted.
STATUSES = (
    ("serving", Status.RUNNING),
    ("deploying", Status.PENDING),
    ("ending_deployments", Status.STOPPING),
    ("stopped_deployments", Status.STOPPED),
    ("dead_deployments", Status.DEAD),
)


def counted() -> dict[str, QuerySet[Any]]:
    """What is counted of a group beside its executions: STATUSES, `near_end` and `failed_updates`."""
    own = Deployment.unscoped.filter(resource_group=OuterRef("pk"), archived_at=None)
    own = own.order_by("-created_at", "-pk")
    told = {name: own.filter(status=status) for name, status in STATUSES}
    told["near_end"] = deployment_filters.near_end(own)
    told["failed_updates"] = _failed_updates(own)
    return told


def _failed_updates(rows: QuerySet[Deployment]) -> QuerySet[Deployment]:
    """Those that serve, or are about to, with another configuration than they were last given."""
    newest = Revision.unscoped.filter(
        deployment=OuterRef("pk"), number=OuterRef("newest"), status=Status.DEAD
    )
    return rows.filter(Exists(newest), status__in=STOPPABLE)


def troubled(groups: Sequence[ResourceGroup]) -> list[Any]:
    """Deployments of the groups that are dead or whose last update failed, the last changed first; one query.

    Named tuples of id, resource_group_id, status, status_message, modified_at, configuration_name (of the
    newest revision) and slug (of the executable); at most SHOWN.
    """
    rows = Deployment.unscoped.filter(resource_group__in=list(groups), archived_at=None)
    failed = Q(status=Status.DEAD) | Q(pk__in=Subquery(_failed_updates(rows).values("pk")))
    fields = ("id", "resource_group_id", "status", "status_message", "modified_at")
    named = rows.filter(failed).annotate(
        slug=F("executable__slug"), configuration_name=F("configuration__name")
    )
    newest = named.order_by("-modified_at", "-pk")
    return list(newest.values_list(*fields, "configuration_name", "slug", named=True)[:SHOWN])
