"""The rows of an attempt's steps: planned from the template, and kept in step with its flow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db import transaction

from mlops.domain import enactments
from mlops.engine.flow import Flow, Kind, Node, Report
from mlops.lifecycle import LEASED, Status
from mlops.manifests import ExecutableTemplate
from mlops.models import Execution, StepRun

SHOWN_CHARACTERS = 2000
_ENDS = {
    "Succeeded": Status.COMPLETED,
    "Failed": Status.DEAD,
    "Errored": Status.DEAD,
    "Skipped": Status.SKIPPED,
    "Omitted": Status.SKIPPED,
}


def plan(execution: Execution, attempt: int, template: ExecutableTemplate) -> None:
    """Insert the attempt's rows as far as the template tells, all UNKNOWN: none has been reached."""
    plan_all([(execution, template)], attempt)


def plan_all(wanted: Iterable[tuple[Execution, ExecutableTemplate]], attempt: int) -> None:
    """As `plan`, for executions with their templates."""
    StepRun.unscoped.bulk_create(
        _row(execution.pk, attempt, node) for execution, template in wanted for node in Flow.outline(template)
    )


def of(execution_id: str, attempt: int) -> list[StepRun]:
    """The attempt's rows in the order of their arrival."""
    return list(StepRun.unscoped.filter(execution_id=execution_id, attempt=attempt).order_by("index"))


def _row(execution_id: str, attempt: int, node: Node) -> StepRun:
    return StepRun(
        execution_id=execution_id,
        attempt=attempt,
        index=node.index,
        name=node.name[:1024],
        kind=node.kind,
        template=node.template,
        parent=node.parent,
        after=list(node.after),
        status=Status.UNKNOWN,
    )


class StepRows:
    """Writes what a flow tells of its nodes to the rows of one attempt. Not for several threads.

    Every write may be repeated: the answer to the first one may have been lost.
    """

    def __init__(self, execution_id: str, attempt: int, rows: Sequence[StepRun]) -> None:
        self._execution_id, self._attempt = execution_id, attempt
        self.keys = {row.index: row.pk for row in rows}

    def write(self, nodes: Collection[Node]) -> bool:
        """Bring the rows of these nodes up to date in one transaction.

        False, and nothing is written, when the attempt is no longer the newest. That a leaf runs is told by
        whoever sees it start.
        """
        with transaction.atomic():
            row = Execution.unscoped.select_for_update(no_key=True).filter(
                pk=self._execution_id, attempt=self._attempt, status__in=LEASED
            )
            if not row.values_list("pk", flat=True).first():
                return False
            self._insert([node for node in nodes if node.index not in self.keys])
            for node in nodes:
                self._bring(node)
        return True

    def end(self, index: int, to: Status, report: Report) -> None:
        """End the row of a leaf that was ended together with its attempt."""
        if to is Status.COMPLETED:
            self._move(index, Status.RUNNING, started_at=report.started_at)
        self._move(
            index,
            to,
            ended_at=report.ended_at,
            exit_code=report.exit_code,
            cause=report.cause[:16],
            message=report.message[:1024],
        )

    def _insert(self, nodes: Sequence[Node]) -> None:
        if not nodes:
            return
        StepRun.unscoped.bulk_create(
            (_row(self._execution_id, self._attempt, node) for node in nodes), ignore_conflicts=True
        )
        rows = StepRun.unscoped.filter(
            execution_id=self._execution_id, attempt=self._attempt, index__in=[node.index for node in nodes]
        )
        self.keys |= dict(rows.values_list("index", "pk"))

    def _bring(self, node: Node) -> None:
        index = node.index
        told = {"message": node.message[:1024], "cause": node.cause[:16], "ended_at": node.ended_at}
        if node.kind == Kind.LEAF and node.tries and node.state is None:
            self._move(index, Status.PENDING, tries=node.tries, message=node.message[:1024])
        elif node.kind != Kind.LEAF and node.is_begun:
            self._move(index, Status.PENDING)
            self._move(index, Status.RUNNING, started_at=node.started_at, tries=node.tries)
        if node.state is None:
            return
        if node.state in ("Failed", "Errored") and node.started_at is None:
            self._move(index, Status.PENDING, tries=node.tries)
        elif node.state == "Succeeded":
            # A leaf's start was told before its end; this is for a write that was lost.
            self._move(index, Status.RUNNING, started_at=node.started_at)
        ended = told | {"exit_code": node.exit_code, "outputs": _shown(node.parameters)}
        if node.state == "Skipped" and node.is_begun:
            # An empty loop.
            self._move(index, Status.PENDING)
        self._move(index, _ENDS[node.state], **ended)

    def _move(self, index: int, to: Status, **changes: object) -> None:
        enactments.move_step(self.keys[index], to, attempt=self._attempt, **changes)


def _shown(parameters: Mapping[str, str]) -> dict[str, str]:
    """Output parameters as the page shows them, long ones cut."""
    return {
        name: text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
        for name, text in parameters.items()
    }
