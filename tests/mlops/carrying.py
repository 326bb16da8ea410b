"""Executions carried out in this process by the real engine, without a worker or a broker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import uuid4

from django.db import connection
from django.utils import timezone

from launchpad.access import system_scope
from launchpad.resource_groups.models import ResourceGroup
from mlops.domain import attempts, executions, logs, runs
from mlops.domain.orders import Orders
from mlops.models import Artifact, Execution, StepRun, Worker
from tests.mlops import factories

HEAD = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata:
  name: carried
  labels: {scenarios.ai.sap.com/id: carried, ai.sap.com/version: "1"}
  annotations:
    scenarios.ai.sap.com/name: Carried
    executables.ai.sap.com/name: Carried out
spec:
"""


# A folder that all steps of an execution share, by the name of `meet`.
SHARED = """\
volumeClaimTemplates:
  - metadata: {name: meet}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Mi}}}
"""


def sh(name: str, command: str, *more: str, mounts: str = "") -> str:
    """A template that runs a shell command, as lines of `templates`; more: further lines of it.

    mounts: what stands in the brackets of `volumeMounts`.
    """
    lines = [f"    - name: {name}", "      metadata: {labels: {ai.sap.com/resourcePlan: starter}}"]
    lines += [f"      {line}" for part in more for line in part.splitlines()]
    lines += ["      script:", "        image: none", "        command: [sh]"]
    lines += [f"        volumeMounts: [{mounts}]"] if mounts else []
    lines += ["        source: |"]
    lines += [f"          {line}" for line in command.splitlines()]
    return "\n".join(lines) + "\n"


def text(spec: str, *templates: str) -> str:
    """A whole document: the beginning of its spec, then its templates."""
    return HEAD + "".join(f"  {line}\n" for line in spec.splitlines()) + "  templates:\n" + "".join(templates)


def submit(
    group: ResourceGroup,
    document: str,
    parameters: Mapping[str, str] | None = None,
    inputs: Mapping[str, Artifact] | None = None,
) -> Execution:
    """A PENDING execution of the document."""
    version = factories.catalog_version(group, text=document)
    bound = factories.configuration(
        group, version=version, parameters=dict(parameters or {}), inputs=dict(inputs or {})
    )
    return executions.create(system_scope(group), configuration=bound.pk)


def claim() -> Execution:
    """The oldest waiting execution, claimed by a new worker of this process."""
    now = timezone.now()
    worker = Worker.unscoped.create(
        id=uuid4(), host="here", pid=1, slots=1, started_at=now, seen_at=now, attempts=[]
    )
    row = attempts.claim(worker.pk)
    assert row is not None
    return row


@dataclass
class Ran:
    """An execution and what came of it."""

    execution: Execution

    @property
    def status(self) -> str:
        self.execution.refresh_from_db()
        return self.execution.status

    @property
    def steps(self) -> dict[str, StepRun]:
        """The rows of the newest attempt by name."""
        rows = StepRun.unscoped.filter(execution=self.execution, attempt=self.execution.attempt)
        return {row.name: row for row in rows}

    @property
    def statuses(self) -> dict[str, str]:
        """How each step ended."""
        return {name: row.status for name, row in self.steps.items()}

    def log(self, step: str) -> str:
        """What a step wrote."""
        scope = system_scope(self.execution)
        page = logs.lines(scope, self.execution, step=self.steps[step].index, attempt=self.execution.attempt)
        return "\n".join(line.text for line in page.lines)

    @property
    def message(self) -> str:
        self.execution.refresh_from_db()
        return self.execution.status_message


def carry_out(
    row: Execution, orders: Orders | None = None, meanwhile: Callable[[Ran], None] | None = None
) -> Ran:
    """Claim and carry out; meanwhile: called in this thread while it runs in another."""
    claimed = claim()
    assert claimed.pk == row.pk
    orders = orders or Orders()
    if meanwhile is None:
        runs.carry_out(claimed.pk, claimed.attempt, orders)
        return Ran(claimed)

    def work() -> None:
        runs.carry_out(claimed.pk, claimed.attempt, orders)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        meanwhile(Ran(claimed))
    finally:
        thread.join()
    return Ran(claimed)
