"""Executions that schedules started, and which schedule it was."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from launchpad.access import Scope
from mlops.lifecycle import STOPPABLE
from mlops.models import Execution, Schedule


def every(scope: Scope, schedule: Schedule) -> QuerySet[Execution]:
    """Executions that a schedule started, newest first."""
    return scope.of(Execution).filter(schedule=schedule).order_by("-created_at", "-pk")


def unended(scope: Scope, schedule: Schedule) -> QuerySet[Execution]:
    """Those of them that can be stopped."""
    return every(scope, schedule).filter(status__in=STOPPABLE)


def origin(scope: Scope, execution: Execution) -> Schedule | None:
    """The schedule that started an execution; None for none, and for one that is deleted."""
    if execution.schedule_id is None:
        return None
    return scope.of(Schedule).filter(pk=execution.schedule_id, deleted_at=None).first()


def name_of(scope: Scope, schedule: UUID) -> str:
    """The name of a schedule; "" for one that is not there."""
    return (
        scope.of(Schedule).filter(pk=schedule, deleted_at=None).values_list("name", flat=True).first() or ""
    )
