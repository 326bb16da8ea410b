"""Schedules found by status and configuration, with what clients read of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.db.models import QuerySet

from launchpad.access import Question, Scope
from mlops.domain import schedules
from mlops.models import Schedule

_BRIEF = (
    *("id", "name", "configuration_id", "status", "cron", "once_at", "zone", "start", "end"),
    *("created_at", "modified_at"),
)


def find(
    scope: Scope, *, status: str | None = None, configuration: UUID | str | None = None
) -> QuerySet[Schedule]:
    """Schedules of the group, newest first. An id that cannot be one finds nothing."""
    rows = schedules.every(scope)
    if status:
        rows = rows.filter(status=status)
    if configuration:
        try:
            rows = rows.filter(configuration=UUID(str(configuration)))
        except ValueError:
            return rows.none()
    return rows


def brief(rows: QuerySet[Schedule]) -> QuerySet[Schedule, Any]:
    """The same schedules as named tuples of what clients read of them, in the names of the model."""
    return rows.values_list(*_BRIEF, named=True)


_ONE = Question(Schedule, lambda rows, key: brief(rows.filter(pk=key, deleted_at=None)), uuid4())


def get(scope: Scope, schedule_id: UUID | str) -> Any:
    """One schedule as `brief` tells it; raises NotFound."""
    return scope.ask_one(_ONE, schedule_id)
