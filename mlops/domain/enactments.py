"""The only writer of a status: executions and their steps move here and nowhere else."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from launchpad.errors import Conflict
from mlops import lifecycle
from mlops.lifecycle import Status
from mlops.models import Execution, StatusChange, StepRun


def transition(
    execution_id: str,
    to: Status,
    *,
    actor: str,
    reason: str = "",
    evidence: dict[str, Any] | None = None,
    attempt: int | None = None,
    held: bool = False,
    next_attempt: int | None = None,
    **changes: Any,
) -> None:
    """Move an execution to `to` if the life cycle allows it from where it is now.

    One conditional UPDATE and one appended StatusChange, in one transaction. attempt: the fence; when
    given, only the newest attempt may move the row. held: only while a worker holds it; an attempt that was
    given up has the newest number until the next claim. next_attempt: set by a claim. changes: further
    columns set by the same UPDATE.
    Raises Conflict when nothing moved: another status, a newer attempt, or no such row.
    """
    allowed = lifecycle.sources(lifecycle.EXECUTION, to)
    if held:
        allowed &= lifecycle.LEASED
    rows = Execution.unscoped.filter(pk=execution_id, status__in=allowed)
    if attempt is not None:
        rows = rows.filter(attempt=attempt)
    if next_attempt is not None:
        changes["attempt"] = next_attempt
    if to is Status.RUNNING:
        changes["started_at"] = Coalesce(F("started_at"), Now())
    if to in lifecycle.FINAL:
        changes["completed_at"] = Now()
        changes["duration"] = ExpressionWrapper(Now() - F("started_at"), DurationField())
    if reason and "status_message" not in changes:
        changes["status_message"] = reason[:256]
    with transaction.atomic():
        # The row is locked by the first statement (PostgreSQL) or the transaction (SQLite), so that
        # the status it leaves is the one the UPDATE sees.
        before = rows.select_for_update().values("status", "attempt").first()
        if before is None or not rows.update(status=to, modified_at=Now(), **changes):
            raise Conflict(_refusal(execution_id, to))
        StatusChange.unscoped.create(
            execution_id=execution_id,
            at=timezone.now(),
            attempt=before["attempt"] if next_attempt is None else next_attempt,
            source=before["status"],
            target=to,
            actor=actor[:256],
            reason=reason[:1024],
            evidence=evidence or {},
        )


def _refusal(execution_id: str, to: Status) -> str:
    now = Execution.unscoped.filter(pk=execution_id).values_list("status", flat=True).first()
    if now is None:
        return f"Execution {execution_id} does not exist any more."
    return f"Execution {execution_id} is {now}; it cannot become {to} now."


def opened(execution: Execution, *, actor: str, reason: str = "") -> None:
    """Append the first StatusChange of a row that was just inserted."""
    StatusChange.unscoped.create(
        execution=execution,
        at=execution.created_at,
        attempt=execution.attempt,
        target=execution.status,
        actor=actor[:256],
        reason=reason[:1024],
    )


def note(execution_id: str, attempt: int, *, actor: str, reason: str, evidence: dict[str, Any]) -> None:
    """Record a late message that changes nothing: source and target are the status as it is."""
    now = Execution.unscoped.filter(pk=execution_id).values_list("status", flat=True).first()
    if now is not None:
        StatusChange.unscoped.create(
            execution_id=execution_id,
            at=timezone.now(),
            attempt=attempt,
            source=now,
            target=now,
            actor=actor[:256],
            reason=reason[:1024],
            evidence=evidence,
        )


def move_step(step_id: int, to: Status, *, attempt: int, **changes: Any) -> bool:
    """Move a step of the newest attempt; return whether it is there now.

    A step of an older attempt, or one that the table does not let move, stays as it is. One that is PENDING
    or RUNNING may be told so again, with other columns.
    """
    allowed = lifecycle.sources(lifecycle.STEP, to)
    if to in (Status.PENDING, Status.RUNNING):
        allowed |= {to}
    return bool(
        StepRun.unscoped.filter(
            pk=step_id,
            status__in=allowed,
            attempt=attempt,
            execution__attempt=attempt,
        ).update(status=to, **changes)
    )


def end_steps(execution_id: str, to: Status, *, message: str) -> None:
    """End every step of the execution that had begun and is not final; the untouched stay UNKNOWN."""
    StepRun.unscoped.filter(
        execution_id=execution_id, status__in=lifecycle.sources(lifecycle.STEP, to)
    ).exclude(status=Status.UNKNOWN).update(status=to, ended_at=Now(), message=message[:1024])
