"""Executions found by status, configuration, executable and scenario, with what clients read of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet

from launchpad.access import Question, Scope
from mlops.domain import catalog
from mlops.lifecycle import Status
from mlops.models import Execution, StatusChange

_STATE = (
    *("id", "configuration_id", "status", "status_message", "attempt", "notices"),
    *("created_at", "modified_at"),
)
_REST = ("schedule_id", "target_status", "submitted_at", "started_at", "completed_at")


def find(
    scope: Scope,
    *,
    statuses: Collection[str] = (),
    configuration: UUID | str | None = None,
    executables: Collection[str] = (),
    scenario: str | None = None,
    schedule: str | None = None,
) -> QuerySet[Execution]:
    """Executions of the group, newest first.

    statuses: any of them. executables: slugs, any of them; scenario: its slug. schedule: key of
    the one that started them, which may be gone. An id that cannot be one finds nothing.
    """
    rows = scope.of(Execution)
    if schedule:
        key = _uuid(schedule)
        rows = rows.filter(schedule=key) if key else rows.none()
    if statuses:
        rows = rows.filter(status__in=statuses)
    if configuration:
        key = _uuid(configuration)
        rows = rows.filter(configuration=key) if key else rows.none()
    if scenario or executables:
        # By keys: a join on slugs would keep the planner from reading an index in its order.
        rows = rows.filter(executable__in=catalog.executable_keys(scope, executables, scenario))
    return rows.order_by("-created_at", "-pk")


def _uuid(text: UUID | str) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None


def states(rows: QuerySet[Execution]) -> QuerySet[Execution, Any]:
    """The same executions as named tuples of their state alone, in the names of the model."""
    return rows.values_list(*_STATE, named=True)


def brief(rows: QuerySet[Execution]) -> QuerySet[Execution, Any]:
    """The same executions as named tuples of what clients read of them.

    Their names are those of the model, besides configuration_name, executable_slug and scenario_slug.
    """
    return rows.annotate(
        configuration_name=F("configuration__name"),
        executable_slug=F("executable__slug"),
        scenario_slug=F("executable__scenario__slug"),
    ).values_list(*_STATE, *_REST, "configuration_name", "executable_slug", "scenario_slug", named=True)


_ONE = Question(Execution, lambda rows, key: brief(rows.filter(pk=key)), "an execution")
_STATE_OF_ONE = Question(Execution, lambda rows, key: states(rows.filter(pk=key)), "an execution")


def get(scope: Scope, execution_id: str) -> Any:
    """One execution as `brief` tells it; raises NotFound."""
    return scope.ask_one(_ONE, execution_id)


def state(scope: Scope, execution_id: str) -> Any:
    """The state of one execution as `states` tells it; raises NotFound."""
    return scope.ask_one(_STATE_OF_ONE, execution_id)


def before_deletion(scope: Scope, rows: Iterable[Any]) -> dict[str, str]:
    """The status that those of the executions which are being deleted had before; no query without any."""
    keys = [row.id for row in rows if row.status == Status.DELETING]
    if not keys:
        return {}
    changes = scope.of(StatusChange).filter(execution__in=keys, target=Status.DELETING)
    return dict(changes.exclude(source=Status.DELETING).values_list("execution", "source"))
