"""Deployments found by status, configuration, executable and scenario, with what clients read of them.

One that was put away, because its time to live was over or it has been DEAD for long, is not among them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.db.models import F, FilteredRelation, OuterRef, Q, QuerySet

from launchpad.access import Question, Scope
from mlops.domain import catalog
from mlops.domain.capped import CappedCount
from mlops.domain.limits import storable
from mlops.lifecycle import Status
from mlops.models import Deployment, DeploymentChange, Replica

_STATE = (
    *("id", "configuration_id", "status", "status_message", "newest", "serving"),
    *("created_at", "modified_at"),
)
_REST = (
    *("executable_version_id", "target_status", "ttl", "last_operation"),
    *("latest_running_configuration_id", "submitted_at", "started_at", "completed_at"),
)

_MORE = ("configuration_name", "executable_slug", "scenario_slug", "least", "most", "running")


def find(
    scope: Scope,
    *,
    statuses: Collection[str] = (),
    configuration: UUID | str | None = None,
    executables: Collection[str] = (),
    scenario: str | None = None,
) -> QuerySet[Deployment]:
    """Deployments of the group, newest first.

    statuses: any of them. configuration: of the newest revision. executables: slugs, any of them; scenario:
    its slug. An id that cannot be one finds nothing.
    """
    rows = _there(scope.of(Deployment))
    if statuses:
        rows = rows.filter(status__in=statuses)
    if configuration:
        key = _uuid(configuration)
        rows = rows.filter(configuration=key) if key else rows.none()
    if scenario or executables:
        # By keys: a join on slugs would keep the planner from reading an index in its order.
        rows = rows.filter(executable__in=catalog.executable_keys(scope, executables, scenario))
    return rows.order_by("-created_at", "-pk")


def _there(rows: QuerySet[Deployment]) -> QuerySet[Deployment]:
    return rows.filter(archived_at=None)


def _uuid(text: UUID | str) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None


def states(rows: QuerySet[Deployment]) -> QuerySet[Deployment, Any]:
    """The same deployments as named tuples of their state alone, in the names of the model."""
    return rows.values_list(*_STATE, named=True)


def brief(rows: QuerySet[Deployment]) -> QuerySet[Deployment, Any]:
    """The same deployments as named tuples of what clients read of them.

    Their names are those of the model, besides configuration_name, executable_slug and scenario_slug; least
    and most: how many servers the newest revision starts with and may come to; running: how many get
    requests now.
    """
    ready = Replica.unscoped.filter(
        deployment=OuterRef("pk"), revision__number=OuterRef("serving"), is_ready=True, draining_at=None
    )
    wished = FilteredRelation("revisions", condition=Q(revisions__number=F("newest")))
    told = rows.alias(wished=wished).annotate(
        configuration_name=F("configuration__name"),
        executable_slug=F("executable__slug"),
        scenario_slug=F("executable__scenario__slug"),
        least=F("wished__replicas"),
        most=F("wished__most"),
        running=CappedCount(ready.order_by().values("pk")),
    )
    return told.values_list(*_STATE, *_REST, *_MORE, named=True)


_ONE = Question(Deployment, lambda rows, key: brief(_there(rows).filter(pk=key)), "a deployment")
_STATE_OF_ONE = Question(Deployment, lambda rows, key: states(_there(rows).filter(pk=key)), "a deployment")


def get(scope: Scope, deployment_id: str) -> Any:
    """One deployment as `brief` tells it; raises NotFound."""
    return scope.ask_one(_ONE, deployment_id)


def state(scope: Scope, deployment_id: str) -> Any:
    """The state of one deployment as `states` tells it; raises NotFound."""
    return scope.ask_one(_STATE_OF_ONE, deployment_id)


def known(scope: Scope, keys: Iterable[str]) -> set[str]:
    """Those of the keys that deployments have; one query."""
    wanted = [key for key in keys if storable(key)]
    return {*_there(scope.of(Deployment)).filter(pk__in=wanted).order_by().values_list("pk", flat=True)}


def before_deletion(scope: Scope, rows: Iterable[Any]) -> dict[str, str]:
    """The status that those of the deployments which are being deleted had before; no query without any."""
    keys = [row.id for row in rows if row.status == Status.DELETING]
    if not keys:
        return {}
    changes = scope.of(DeploymentChange).filter(deployment__in=keys, target=Status.DELETING)
    return dict(changes.exclude(source=Status.DELETING).values_list("deployment", "source"))
