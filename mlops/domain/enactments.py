"""The only writer of a status: executions, deployments and their parts move here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from launchpad.errors import Conflict
from mlops import lifecycle
from mlops.domain import notices
from mlops.lifecycle import ScheduleStatus, Status
from mlops.models import (
    Deployment,
    DeploymentChange,
    Execution,
    Replica,
    Revision,
    Schedule,
    StatusChange,
    StepRun,
)


@dataclass(frozen=True)
class Kind:
    """What moves by which table and where its moves are noted; `owner` is the note's foreign key to it."""

    model: type[Execution] | type[Deployment]
    table: Mapping[Status, frozenset[Status]]
    change: type[StatusChange] | type[DeploymentChange]
    owner: str


EXECUTION = Kind(Execution, lifecycle.EXECUTION, StatusChange, "execution")
DEPLOYMENT = Kind(Deployment, lifecycle.DEPLOYMENT, DeploymentChange, "deployment")


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
    fence: dict[str, Any] = {} if attempt is None else {"attempt": attempt}
    if held:
        fence["status__in"] = lifecycle.LEASED
    if next_attempt is not None:
        changes["attempt"] = next_attempt
    _move(EXECUTION, execution_id, to, fence, next_attempt, actor, reason, evidence, changes)


def transition_deployment(
    deployment_id: str,
    to: Status,
    *,
    actor: str,
    reason: str = "",
    evidence: dict[str, Any] | None = None,
    revision: int,
    **changes: Any,
) -> None:
    """Move a deployment as `transition` moves an execution. revision: which one it is noted with."""
    if to is Status.PENDING:
        changes |= {"completed_at": None, "duration": None}
    _move(DEPLOYMENT, deployment_id, to, {}, revision, actor, reason, evidence, changes)


def _move(
    kind: Kind,
    key: str,
    to: Status,
    fence: Mapping[str, Any],
    number: int | None,
    actor: str,
    reason: str,
    evidence: dict[str, Any] | None,
    changes: dict[str, Any],
) -> None:
    """The conditional UPDATE and the note of it. number: the attempt to note, None for the row's own."""
    allowed = lifecycle.sources(kind.table, to)
    rows = kind.model.unscoped.filter(pk=key, status__in=allowed).filter(**fence)
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
        columns = ("status",) if number is not None else ("status", "attempt")
        before = rows.select_for_update(no_key=True).values(*columns).first()
        if before is None or not rows.update(status=to, modified_at=Now(), **changes):
            raise Conflict(_refusal(kind, key, to))
        kind.change.unscoped.create(
            **{f"{kind.owner}_id": key},
            at=timezone.now(),
            attempt=before["attempt"] if number is None else number,
            source=before["status"],
            target=to,
            actor=actor[:256],
            reason=reason[:1024],
            evidence=evidence or {},
        )
        if kind is EXECUTION and to in notices.ENDS:
            notices.execution_ended(key, to)


def _refusal(kind: Kind, key: str, to: Status) -> str:
    now = kind.model.unscoped.filter(pk=key).values_list("status", flat=True).first()
    if now is None:
        return f"{kind.owner.title()} {key} does not exist any more."
    return f"{kind.owner.title()} {key} is {now}; it cannot become {to} now."


def opened(row: Execution | Deployment, *, actor: str, reason: str = "") -> None:
    """Append the first note on a row that was just inserted."""
    kind = EXECUTION if isinstance(row, Execution) else DEPLOYMENT
    kind.change.unscoped.create(
        **{kind.owner: row},
        at=row.created_at,
        attempt=row.attempt if isinstance(row, Execution) else row.newest,
        target=row.status,
        actor=actor[:256],
        reason=reason[:1024],
    )


def opened_all(rows: Sequence[Execution], *, actors: Sequence[str], reason: str) -> None:
    """Append the first note on executions that were just inserted, each with its actor."""
    StatusChange.unscoped.bulk_create(
        StatusChange(
            execution=row,
            at=row.created_at,
            attempt=row.attempt,
            target=row.status,
            actor=actor[:256],
            reason=reason[:1024],
        )
        for row, actor in zip(rows, actors, strict=True)
    )


def note_deployment(
    deployment_id: str, revision: int, *, actor: str, reason: str, evidence: dict[str, Any] | None = None
) -> None:
    """Record what befell a revision while the deployment's status stays as it is."""
    now = Deployment.unscoped.filter(pk=deployment_id).values_list("status", flat=True).first()
    if now is not None:
        DeploymentChange.unscoped.create(
            deployment_id=deployment_id,
            at=timezone.now(),
            attempt=revision,
            source=now,
            target=now,
            actor=actor[:256],
            reason=reason[:1024],
            evidence=evidence or {},
        )


def move_revision(revision_id: int, to: Status, **changes: Any) -> bool:
    """Move a revision; return whether the table let it."""
    allowed = lifecycle.sources(lifecycle.REVISION, to)
    return _update(Revision, {"pk": revision_id, "status__in": allowed}, to, changes)


def move_replica(
    replica_id: int,
    to: Status,
    *,
    attempt: int | None = None,
    next_attempt: int | None = None,
    **changes: Any,
) -> bool:
    """Move a replica; return whether the table let it.

    attempt: the fence; only the newest one moves it. next_attempt: set by a claim.
    """
    if next_attempt is not None:
        changes["attempt"] = next_attempt
    fence = {} if attempt is None else {"attempt": attempt}
    allowed = lifecycle.sources(lifecycle.REPLICA, to)
    return _update(Replica, {"pk": replica_id, "status__in": allowed, **fence}, to, changes)


def _update(
    model: type[Revision] | type[Replica], fence: Mapping[str, Any], to: Status, changes: Mapping[str, Any]
) -> bool:
    if "message" in changes:
        changes = {**changes, "message": changes["message"][:1024]}
    return bool(model.unscoped.filter(**fence).update(status=to, **changes))


def move_schedule(
    schedule_id: UUID, to: ScheduleStatus, *, fence: Mapping[str, Any] | None = None, **changes: Any
) -> bool:
    """Make a schedule active or inactive; return whether it was the other before and the fence let it."""
    rows = Schedule.unscoped.filter(pk=schedule_id, **(fence or {})).exclude(status=to)
    return bool(rows.update(status=to, **changes))


def before_deletion(execution_id: str) -> str:
    """The status that an execution which is being deleted had before; "" for any other."""
    deletions = StatusChange.unscoped.filter(execution=execution_id, target=Status.DELETING)
    return deletions.exclude(source=Status.DELETING).values_list("source", flat=True).first() or ""


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
