"""An attempt of an execution: claimed under a lease, ended by its worker or, when lost, by the sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Min
from django.db.models.functions import Now
from django.utils import timezone

from launchpad.errors import Conflict
from mlops import doorbell
from mlops.domain import catalog, enactments, step_rows
from mlops.engine.flow import Report, follows
from mlops.lifecycle import LEASED, Status, TargetStatus
from mlops.manifests.spec import Retry
from mlops.models import Execution, StepRun, Worker

# Loss before user code started is not the user's fault, yet a row that kills every host must end.
FREE_ATTEMPTS = 5
_INTERRUPTED = frozenset({Status.PENDING, Status.RUNNING, Status.STOPPED})


def claim(worker_id: UUID) -> Execution | None:
    """Take the oldest waiting execution of the group that has the fewest running; None when none waits.

    One conditional UPDATE sets attempt + 1 and the worker. Safe in any number of workers at once: a row
    that another one took first is passed over. Commits once.
    """
    passed: set[str] = set()
    while True:
        row = _next(passed)
        if row is None:
            return None
        try:
            with transaction.atomic():
                enactments.transition(
                    row.pk,
                    Status.RUNNING,
                    actor=_name(worker_id),
                    reason="Claimed by a worker.",
                    attempt=row.attempt,
                    worker_id=worker_id,
                    user_code_started=False,
                    status_message="Preparing",
                    next_attempt=row.attempt + 1,
                )
        except Conflict:
            passed.add(row.pk)
            continue
        return Execution.unscoped.get(pk=row.pk)


def _next(passed: set[str]) -> Execution | None:
    waiting = Execution.unscoped.filter(status=Status.PENDING).exclude(pk__in=passed)
    oldest = dict(waiting.order_by().values_list("resource_group").annotate(Min("created_at")))
    if not oldest:
        return None
    busy = dict(
        Execution.unscoped.filter(status__in=LEASED, resource_group__in=oldest)
        .order_by()
        .values_list("resource_group")
        .annotate(Count("pk"))
    )
    group = min(oldest, key=lambda key: (busy.get(key, 0), oldest[key]))
    return waiting.filter(resource_group=group).order_by("created_at", "pk").first()


def _name(worker_id: UUID) -> str:
    row = Worker.unscoped.filter(pk=worker_id).first()
    return f"worker {row}" if row else "worker"


def say(execution_id: str, attempt: int, message: str, **changes: Any) -> None:
    """Tell on the row what the attempt is doing now; an older attempt is ignored."""
    Execution.unscoped.filter(pk=execution_id, attempt=attempt, status__in=LEASED).update(
        status_message=message[:256], modified_at=Now(), **changes
    )


def finish(
    execution_id: str,
    attempt: int,
    to: Status,
    *,
    actor: str,
    reason: str,
    evidence: dict[str, Any] | None = None,
    register: Callable[[], None] | None = None,
) -> Status | None:
    """End the attempt as COMPLETED or DEAD, or as STOPPED when a stop was asked for meanwhile.

    register: runs in the same transaction, after the fence, when the end is COMPLETED. Returns the
    status reached, None when the attempt is no longer the newest or the execution ended otherwise.
    Completing twice is harmless: the answer to the first commit may have been lost.
    """
    try:
        with transaction.atomic():
            enactments.transition(
                execution_id, to, actor=actor, reason=reason, evidence=evidence, attempt=attempt, held=True
            )
            if to is Status.COMPLETED:
                if register is not None:
                    register()
            else:
                enactments.end_steps(execution_id, Status.DEAD, message=reason)
        return to
    except Conflict:
        if to is Status.COMPLETED:
            # Only this attempt's worker completes it: it did so before, or a stop was faster.
            if Execution.unscoped.filter(pk=execution_id, attempt=attempt, status=to).exists():
                return to
            reason = "Stopped after its last step; its outputs were not registered."
        return stopped(execution_id, attempt, actor=actor, reason=reason, evidence=evidence)


def stopped(
    execution_id: str, attempt: int, *, actor: str, reason: str, evidence: dict[str, Any] | None = None
) -> Status | None:
    """End a STOPPING attempt whose processes are proven gone; None when it is not the newest."""
    try:
        with transaction.atomic():
            enactments.transition(
                execution_id,
                Status.STOPPED,
                actor=actor,
                reason=reason,
                evidence=evidence,
                attempt=attempt,
            )
            enactments.end_steps(execution_id, Status.STOPPED, message=reason)
        return Status.STOPPED
    except Conflict:
        enactments.note(
            execution_id,
            attempt,
            actor=actor,
            reason=f"A late message changed nothing: {reason}",
            evidence=evidence or {},
        )
        return None


def lost(execution: Execution, *, actor: str, reason: str, evidence: dict[str, Any]) -> Status | None:
    """End an attempt whose host is gone: STOPPED if a stop was asked for, else a retry or DEAD.

    Retried when user code had not started (at most FREE_ATTEMPTS attempts) or when the retry policies of
    all interrupted steps, or of what they lie in, allow another try after a fault of the host. Returns the
    status reached, None when another sweep was first.
    """
    attempt = execution.attempt
    if execution.target_status == TargetStatus.STOPPED:
        return stopped(execution.pk, attempt, actor=actor, reason=reason, evidence=evidence)
    is_free = not execution.user_code_started
    again = attempt < FREE_ATTEMPTS if is_free else _survives(execution, reason)
    try:
        with transaction.atomic():
            if again:
                enactments.transition(
                    execution.pk,
                    Status.PENDING,
                    actor=actor,
                    reason=f"{reason} It will be tried again.",
                    evidence=evidence,
                    attempt=attempt,
                    worker=None,
                )
                enactments.end_steps(execution.pk, Status.DEAD, message=reason)
                step_rows.plan(execution, attempt + 1, catalog.describe(execution.executable_version))
                doorbell.executions()
                return Status.PENDING
            enactments.transition(
                execution.pk,
                Status.DEAD,
                actor=actor,
                reason=reason,
                evidence=evidence,
                attempt=attempt,
                held=True,
            )
            enactments.end_steps(execution.pk, Status.DEAD, message=reason)
            return Status.DEAD
    except Conflict:
        return None


def _survives(execution: Execution, reason: str) -> bool:
    """Whether the policies let the run begin again after its host was lost."""
    rows = step_rows.of(execution.pk, execution.attempt)
    workflow = catalog.describe(execution.executable_version).batch
    retries = {each.name: each.retry for each in workflow.templates}
    begun = [row for row in rows if row.kind == StepRun.Kind.LEAF and row.started_at is not None]
    # A worker that leaves has ended its steps itself. Between two steps the last one is asked.
    interrupted = [row for row in begun if row.status in _INTERRUPTED] or begun[-1:]
    by_index = {row.index: row for row in rows}
    return bool(interrupted) and all(
        any(
            _allows(retries.get(name), row, execution.attempt, reason)
            for name in (*_around(row, by_index), workflow.entrypoint)
        )
        for row in interrupted
    )


def _around(row: StepRun, rows: dict[int, StepRun]) -> Iterator[str]:
    """The templates of a step and of what it lies in, from the inside."""
    at: StepRun | None = row
    while at is not None:
        yield at.template
        at = rows.get(at.parent) if at.parent is not None else None


def _allows(retry: Retry | None, row: StepRun, attempt: int, reason: str) -> bool:
    lost = Report("Errored", reason, "worker_lost", None, row.started_at, timezone.now(), is_transient=True)
    try:
        return follows(retry, attempt - 1, lost)
    except ValueError:
        return False
