"""Executions: create, stop, delete, list, and say why one still waits."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone

from launchpad.access import Scope
from launchpad.commands import command
from launchpad.errors import Conflict, LaunchpadError
from mlops import doorbell
from mlops.domain import (
    catalog,
    enactments,
    execution_notes,
    execution_search,
    submissions,
    workers_alive,
)
from mlops.domain.wishes import carry_out
from mlops.lifecycle import (
    EXECUTION_DELETABLE,
    FINAL,
    LEASED,
    STOPPABLE,
    Status,
    TargetStatus,
)
from mlops.models import (
    Artifact,
    AttemptEnvironment,
    Comment,
    Configuration,
    CustomInfo,
    Execution,
    LogChunk,
    MetricPoint,
    MetricSeries,
    StatusChange,
    StepRun,
    Tag,
)

_PURGE_BATCH = 5_000


@command()
def create(scope: Scope, *, configuration: UUID | str) -> Execution:
    """Submit a configuration; the execution is PENDING when this returns and is never lost.

    A worker is rung after the commit. Raises NotFound for a configuration of another group, Forbidden;
    Invalid when its executable serves instead of running to an end; Conflict when a secret that its template
    refers to is missing or cannot be used.
    """
    return submissions.submit(scope, configuration)


@command()
def restart(scope: Scope, execution_id: str) -> Execution:
    """Submit the configuration of an execution once more; the new one names it as its origin.

    Any status will do. Raises NotFound, Forbidden, and as `create`.
    """
    old = get(scope, execution_id)
    return submissions.submit(scope, old.configuration_id, origin=old)


@command()
def stop(scope: Scope, execution_id: str) -> Execution:
    """Wish the execution to stop: a waiting one is STOPPED at once, a running one STOPPING.

    It stays STOPPING until its whole process tree is gone. Raises NotFound, Forbidden; Conflict when it
    is not PENDING or RUNNING any more.
    """
    # Held until the commit: a claim or a retry in between would change what a stop has to do.
    execution: Execution = scope.one(scope.of(Execution).select_for_update(no_key=True), pk=execution_id)
    reason = f"Stopped by {scope.actor}."
    waiting = execution.status == Status.PENDING
    if execution.status not in STOPPABLE:
        raise Conflict(
            f"Execution {execution.pk} is {execution.status.lower()}; "
            "only a pending or running one can be stopped."
        )
    enactments.transition(
        execution.pk,
        Status.STOPPING,
        actor=scope.actor,
        reason=reason,
        attempt=execution.attempt,
        target_status=TargetStatus.STOPPED,
    )
    if waiting:
        enactments.transition(execution.pk, Status.STOPPED, actor=scope.actor, reason=reason)
    execution.refresh_from_db()
    return execution


@command()
def delete(scope: Scope, execution_id: str) -> Execution:
    """Remove an ended execution with its log, metrics and history; its artifacts stay.

    DELETING when this returns; gone after the next sweep. Raises NotFound, Forbidden; Conflict unless
    it is COMPLETED, DEAD or STOPPED.
    """
    execution = get(scope, execution_id)
    if execution.status not in EXECUTION_DELETABLE:
        raise Conflict(
            f"Execution {execution.pk} is {execution.status.lower()}; stop it first, or wait for its end."
        )
    enactments.transition(
        execution.pk,
        Status.DELETING,
        actor=scope.actor,
        reason=f"Deleted by {scope.actor}.",
        target_status=TargetStatus.DELETED,
    )
    doorbell.sweep()
    execution.refresh_from_db()
    return execution


@command()
def edit(
    scope: Scope,
    execution_id: str,
    *,
    name: str = "",
    notes: str = "",
    labels: Sequence[tuple[str, str]] = (),
    version: str | None = None,
) -> Execution:
    """Say what the execution is called, what is to be known of it, and its labels, in any status.

    name, notes, labels: as of `execution_notes.checked`; what is left out is removed. version: that of
    `execution_notes.of` which the editor saw. Raises NotFound, Forbidden, Invalid; Conflict when somebody
    else changed it since that version.
    """
    said = execution_notes.checked(name=name, notes=notes, labels=labels)
    execution: Execution = scope.one(scope.of(Execution).select_for_update(no_key=True), pk=execution_id)
    if version is not None and version != execution_notes.of(execution).version:
        raise Conflict(
            f"Somebody else changed name, notes or labels of execution {execution.pk} meanwhile. "
            "Nothing was saved. Look at what they are now, then edit again."
        )
    return _change(execution, **execution_notes.columns(said))


@command()
def archive(scope: Scope, execution_id: str) -> Execution:
    """Take an ended execution out of the list; everything of it is kept.

    Raises NotFound, Forbidden; Conflict unless it is COMPLETED, DEAD or STOPPED, or when it is archived.
    """
    execution: Execution = scope.one(scope.of(Execution).select_for_update(no_key=True), pk=execution_id)
    if execution.status not in FINAL:
        raise Conflict(
            f"Execution {execution.pk} is {execution.status.lower()}; "
            "only one that has ended can be archived."
        )
    if execution.archived_at is not None:
        raise Conflict(f"Execution {execution.pk} is archived already.")
    return _change(execution, archived_at=timezone.now())


@command()
def restore(scope: Scope, execution_id: str) -> Execution:
    """Put an archived execution back into the list. Raises NotFound, Forbidden; Conflict when it is there."""
    execution: Execution = scope.one(scope.of(Execution).select_for_update(no_key=True), pk=execution_id)
    if execution.archived_at is None:
        raise Conflict(f"Execution {execution.pk} is not archived.")
    return _change(execution, archived_at=None)


def _change(execution: Execution, **columns: Any) -> Execution:
    for column, value in columns.items():
        setattr(execution, column, value)
    execution.save(update_fields=[*columns, "modified_at"])
    return execution


def modify(
    scope: Scope, wishes: Sequence[tuple[str, TargetStatus]]
) -> list[tuple[str, LaunchpadError | None]]:
    """Stop and delete several executions, each on its own: one that is refused keeps no other from it.

    wishes: (key, STOPPED or DELETED), each key once. Returns in the same order each key with why it stayed as
    it was, None where it did not. Raises Forbidden.
    """
    return carry_out(scope, wishes, {TargetStatus.STOPPED: stop, TargetStatus.DELETED: delete})


def purge_deleted(*, seconds: float) -> int:
    """Finish deletions, in batches; return how many executions went. Safe in any number of copies.

    Ends after about so many seconds, so that nothing else has to wait for millions of rows; the next call
    goes on.
    """
    gone = 0
    until = time.monotonic() + seconds
    for execution in Execution.unscoped.filter(status=Status.DELETING).order_by("created_at")[:100]:
        series = MetricSeries.unscoped.filter(execution=execution)
        for many in (
            MetricPoint.unscoped.filter(series__in=series),
            LogChunk.unscoped.filter(execution=execution),
            Comment.unscoped.filter(execution=execution),
        ):
            while _purge_batch(many):
                if time.monotonic() >= until:
                    return gone
        with transaction.atomic():
            # The artifacts outlive the execution that made them.
            Artifact.unscoped.filter(execution=execution).update(execution=None)
            for model in (MetricSeries, Tag, CustomInfo, StepRun, StatusChange, AttemptEnvironment):
                while _purge_batch(model.unscoped.filter(execution=execution)):
                    continue
            gone += Execution.unscoped.filter(pk=execution.pk, status=Status.DELETING).delete()[0] > 0
    return gone


def _purge_batch(rows: models.QuerySet[Any]) -> bool:
    """Remove some of the rows; False when there were none."""
    keys = list(rows.order_by().values_list("pk", flat=True)[:_PURGE_BATCH])
    rows.model.unscoped.filter(pk__in=keys).delete()
    return bool(keys)


def search(
    scope: Scope,
    *,
    statuses: Collection[str] = (),
    configuration: UUID | str | None = None,
    q: str = "",
) -> models.QuerySet[Execution]:
    """Executions of the group, newest first, with what a list shows of each.

    statuses: any of them; q: a part of the key from its start, or of the configuration's name.
    """
    rows = execution_search.find(scope, statuses=statuses, configuration=configuration)
    rows = rows.select_related("configuration", "executable_version__executable", "created_by")
    # The templates' specs are large and no list shows them.
    rows = rows.defer(*catalog.LARGE)
    if q:
        rows = rows.filter(
            models.Q(pk__startswith=q.lower())
            | models.Q(configuration__in=scope.of(Configuration).filter(name__icontains=q).values("pk"))
        )
    return rows


def get(scope: Scope, execution_id: str) -> Execution:
    """One execution of the group. Raises NotFound."""
    return scope.get(Execution, pk=execution_id)


def detail(scope: Scope, execution_id: str) -> Execution:
    """One execution with its configuration, executable, scenario and worker. Raises NotFound."""
    rows = scope.of(Execution).select_related(
        "configuration", "executable_version__executable__scenario", "created_by", "worker"
    )
    try:
        return rows.get(pk=execution_id)
    except Execution.DoesNotExist:
        return get(scope, execution_id)


def steps(scope: Scope, execution: Execution) -> list[StepRun]:
    """Steps of the newest attempt (of the coming one while it waits), in running order."""
    number = execution.attempt + (execution.status == Status.PENDING)
    rows = list(scope.of(StepRun).filter(execution=execution, attempt=number))
    return rows or list(scope.of(StepRun).filter(execution=execution, attempt=execution.attempt))


def history(scope: Scope, execution: Execution) -> list[StatusChange]:
    """Every status change with who and why, oldest first."""
    return list(scope.of(StatusChange).filter(execution=execution).order_by("id"))


def outputs(scope: Scope, execution: Execution) -> models.QuerySet[Artifact]:
    """Artifacts this execution registered, by kind and name."""
    return scope.of(Artifact).filter(execution=execution).order_by("kind", "name")


def why_pending(scope: Scope, execution: Execution) -> str:
    """Why a PENDING execution still waits, in one sentence; "" for any other status.

    Speaks of other resource groups in numbers only.
    """
    if execution.status != Status.PENDING:
        return ""
    workers, slots, busy = workers_alive.capacity()
    if not workers:
        return "No worker is running. It starts by itself as soon as one is."
    if busy < slots:
        return "A free worker is about to take it."
    ahead = scope.of(Execution).filter(status=Status.PENDING, created_at__lt=execution.created_at)
    mine = ", ".join(
        scope.of(Execution).filter(status__in=LEASED).order_by("created_at").values_list("pk", flat=True)[:3]
    )
    held = f", here by {mine}" if mine else ", all by other resource groups"
    full = "The only slot is" if slots == 1 else f"All {slots} slots are"
    count = ahead.count()
    turn = (
        f"{count} of this group {'waits' if count == 1 else 'wait'} before it" if count else "it is next here"
    )
    return f"{full} in use{held}; {turn}."
