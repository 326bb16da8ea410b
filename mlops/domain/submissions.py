"""Submitting: what an execution needs is looked at, then its rows are written, of one or of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from launchpad.access import Question, Scope
from launchpad.errors import Invalid
from mlops import doorbell
from mlops.domain import catalog, enactments, step_rows, step_secrets, workers_alive
from mlops.lifecycle import Status, TargetStatus
from mlops.manifests import ExecutableTemplate
from mlops.models import Configuration, Executable, ExecutableVersion, Execution, Schedule, Sweep

_BOUND = (
    *("id", "name", "resource_group_id", "executable_version_id", "executable_id"),
    *("executable__kind", "executable__slug"),
)
# Whoever deletes it at this moment is waited for, or waits and finds it in use.
_CONFIGURATION = Question(
    Configuration,
    lambda rows, key: rows.filter(pk=key).values_list(*_BOUND, named=True),
    uuid4(),
    holds=True,
)


@dataclass(frozen=True)
class Order:
    """A configuration that can be submitted; it stays so until the end of the transaction."""

    configuration: Any
    version: ExecutableVersion
    template: ExecutableTemplate

    def row(self, scope: Scope, **columns: Any) -> Execution:
        """An execution of it, not saved."""
        now = timezone.now()
        return Execution(
            resource_group_id=self.configuration.resource_group_id,
            configuration_id=self.configuration.id,
            executable_version=self.version,
            executable_id=self.configuration.executable_id,
            status=Status.PENDING,
            target_status=TargetStatus.COMPLETED,
            status_message="Waiting for a worker",
            created_by=scope.user,
            created_at=now,
            submitted_at=now,
            **columns,
        )


def order(scope: Scope, configuration: UUID | str) -> Order:
    """Look at what an execution of the configuration needs, inside a transaction; nothing is written.

    Raises NotFound for one of another group, Invalid when its executable serves, Conflict when a secret that
    its template refers to is missing or cannot be used.
    """
    bound = scope.ask_one(_CONFIGURATION, configuration)
    if bound.executable__kind != Executable.Kind.WORKFLOW:
        raise Invalid(
            f"{bound.executable__slug} serves, it does not run to an end: {bound.name} is for a deployment, "
            "not for an execution."
        )
    version = ExecutableVersion.from_db("default", ["id"], [bound.executable_version_id])
    template = catalog.describe(version)
    # Asked again before it runs: now whoever submits it is there to be told.
    step_secrets.read(scope.group, template)
    return Order(bound, version, template)


def submit(
    scope: Scope,
    configuration: UUID | str,
    *,
    origin: Execution | None = None,
    sweep: Sweep | None = None,
    schedule: Schedule | None = None,
    due_at: datetime | None = None,
) -> Execution:
    """One execution of a configuration, inside a transaction; a worker is rung after the commit.

    origin, sweep, schedule: of this group. due_at: the time of the schedule that it stands for. Raises as
    `order`.
    """
    found = order(scope, configuration)
    row = found.row(scope, origin=origin, sweep=sweep, schedule=schedule, due_at=due_at)
    reason = f"Submitted again, as {origin.pk} was." if origin else "Submitted."
    row.save(force_insert=True)
    enactments.opened(row, actor=scope.actor, reason=reason)
    step_rows.plan(row, 1, found.template)
    doorbell.executions()
    return row


def submit_due(wanted: Sequence[tuple[Scope, Order, Schedule, datetime]]) -> list[Execution]:
    """Executions of due times, in their order, inside a transaction: as `submit`, in few queries.

    Each slot of a worker is rung once at most: it goes on while something waits.
    """
    rows = [found.row(scope, schedule=schedule, due_at=due) for scope, found, schedule, due in wanted]
    Execution.unscoped.bulk_create(rows)
    enactments.opened_all(rows, actors=[scope.actor for scope, *_ in wanted], reason="Submitted.")
    step_rows.plan_all(zip(rows, (found.template for _, found, *_ in wanted), strict=True), 1)
    _, slots, _ = workers_alive.capacity()
    for _ in range(min(len(rows), max(slots, 1))):
        doorbell.executions()
    return rows
