"""Carries one claimed attempt out: prepares, supervises its steps one after the other, and ends it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

from launchpad.access import system_scope
from launchpad.errors import LaunchpadError
from mlops.domain import attempts, catalog, deliveries, enactments, logs, placements, workplaces
from mlops.domain.orders import Abandoned, Orders
from mlops.engine import environments
from mlops.engine.spec import Observation, RunSpec
from mlops.lifecycle import Status
from mlops.manifests import StepPlan
from mlops.models import Execution, StepRun

log = logging.getLogger(__name__)
T = TypeVar("T")

_SPILL_BYTES = 16 * 1024 * 1024


class Failed(Exception):
    """The attempt cannot go on; the text is for people."""


def carry_out(execution_id: str, attempt: int, orders: Orders) -> None:
    """Run every step of a claimed attempt on this host and record how it ended.

    Holds no database connection between writes, and goes on through database outages. Blocks until no
    process of the attempt lives any more. Raises nothing of the user's making; a mistake of ours ends the
    attempt too, and is raised.
    """
    try:
        execution = persist(orders, lambda: _load(execution_id))
        _Run(execution, attempt, orders).go()
    except Abandoned:
        log.info("Attempt %s of %s is no longer ours; its processes are gone.", attempt, execution_id)


def _load(execution_id: str) -> Execution:
    return Execution.unscoped.select_related(
        "resource_group__workspace", "configuration", "executable_version__executable", "worker"
    ).get(pk=execution_id)


def persist(orders: Orders, write: Callable[[], T]) -> T:
    """Do a database write, waiting out any outage; the connection is given back afterwards.

    Raises Abandoned when the attempt stops being ours while it waits.
    """
    pause = 0.1
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError) as error:
            log.warning("Waiting for the database: %s", error)
        finally:
            if not connection.in_atomic_block:
                connection.close()
        if orders.abandoned:
            raise Abandoned
        threading.Event().wait(pause)
        pause = min(pause * 2, 5.0)


class _Run:
    """The state of one attempt while it is carried out."""

    def __init__(self, execution: Execution, attempt: int, orders: Orders) -> None:
        self.execution = execution
        self.attempt = attempt
        self.orders = orders
        self.actor = f"worker {execution.worker}"
        self.scope = system_scope(execution, actor=self.actor)
        self.placement: placements.Placement | None = None

    def go(self) -> None:
        """Carry out; whatever happens, the attempt gets its end."""
        try:
            place = workplaces.make(self.execution.pk, self.attempt)
            try:
                self._carry_out(place)
            finally:
                workplaces.remove(place)
        except Abandoned:
            raise
        except (Failed, LaunchpadError, OSError, ValueError) as error:
            self._end_badly(str(error) or type(error).__name__)
        except Exception as error:
            self._end_badly(f"Launchpad itself failed; the worker's log tells more. {error!r}")
            raise

    def _carry_out(self, place: Path) -> None:
        """Prepare, run the steps, deliver."""
        self.runner = placements.runner()
        plan = catalog.plan(self.execution.executable_version)
        rows = persist(self.orders, lambda: attempts.steps(self.execution.pk, self.attempt))
        tree, environment = self._prepare(rows[0])
        self.placement = persist(
            self.orders,
            lambda: placements.Placement.of(self.execution, self.attempt, place, tree, environment),
        )
        for row, step in zip(rows, plan, strict=True):
            self._step(row, step)
        self._complete()

    def _prepare(self, row: StepRun) -> tuple[Path, Path | None]:
        """Source tree and environment, their making told in the first step's log."""
        version = self.execution.executable_version
        tree = persist(self.orders, lambda: catalog.materialise(version, workplaces.sources()))
        requirements = tree / "requirements.txt"
        if not requirements.exists():
            return tree, None
        writer = logs.LogWriter(self.execution.pk, self.attempt, row.index)

        def tell(line: str) -> None:
            writer.say(line)
            self._flush(writer)

        self._move(row, Status.PENDING)
        try:
            environment = environments.ensure(
                requirements,
                cache=workplaces.environments(),
                on_line=tell,
                stopped=lambda: self.orders.must_end,
            )
        except environments.EnvironmentFailed as error:
            writer.say(f"ERROR {error}")
            raise Failed(f"The environment could not be made: {error}") from error
        except environments.Stopped as error:
            raise Failed("Ended while the environment was being made.") from error
        finally:
            persist(self.orders, lambda: writer.flush(force=True))
        return tree, environment

    def _step(self, row: StepRun, step: StepPlan) -> None:
        """Run one step, again while its retry limit allows."""
        assert self.placement is not None
        writer = logs.LogWriter(self.execution.pk, self.attempt, row.index)
        persist(self.orders, writer.resume)
        for tries in range(step.retry_limit + 1):
            if self.orders.must_end:
                raise Failed("Ended before the step began.")
            self._move(row, Status.PENDING, tries=tries)
            spec = self.placement.enter(step, tries)
            if self.orders.must_end:
                # Bringing the inputs may have taken long; what has not started can be tried elsewhere.
                raise Failed("Ended before the step began.")
            seen = self._supervise(row, spec, writer)
            missing = self.placement.leave(step, tries) if seen.cause == "completed" else ""
            if seen.cause == "completed" and not missing:
                self._move(row, Status.COMPLETED, ended_at=seen.ended_at, exit_code=0, cause=seen.cause)
                self.placement.tell_ended(step, Status.COMPLETED, seen)
                return
            message = missing or seen.message
            if self.orders.must_end or tries == step.retry_limit:
                ended = Status.STOPPED if self.orders.must_end else Status.DEAD
                writer.say(f"ERROR {message}")
                persist(self.orders, lambda: writer.flush(force=True))
                self._move(
                    row,
                    ended,
                    ended_at=seen.ended_at,
                    exit_code=seen.exit_code,
                    cause=seen.cause,
                    message=message[:1024],
                )
                raise Failed(f"Step {step.name}: {message}")
            writer.say(f"WARN {message} Retry {tries + 1} of {step.retry_limit}.")

    def _supervise(self, row: StepRun, spec: RunSpec, writer: logs.LogWriter) -> Observation:
        """Start the step and see it through to the proven end of its process tree."""
        handle = self.runner.start(spec)
        started = told = False
        try:
            while True:
                seen = self.runner.wait(handle, 0.2)
                if writer.pending_bytes < _SPILL_BYTES:
                    writer.write(self.runner.logs(handle))
                if seen.started and not started:
                    started = True
                    self._started(row, seen)
                self._flush(writer)
                if self.orders.abandoned:
                    # Closing kills within a second; a stop would leave the whole grace to a step that is
                    # perhaps run elsewhere already.
                    raise Abandoned
                if self.orders.must_end and not told:
                    told = True
                    self.runner.stop(handle)
                if not seen.running:
                    break
            while lines := self.runner.logs(handle):
                writer.write(lines)
                if writer.pending_bytes >= _SPILL_BYTES:
                    persist(self.orders, lambda: writer.flush(force=True))
            persist(self.orders, lambda: writer.flush(force=True))
            return seen
        finally:
            self.runner.close(handle)

    def _started(self, row: StepRun, seen: Observation) -> None:
        notices = self.placement.notices if self.placement else []
        self._move(row, Status.RUNNING, started_at=seen.started_at)
        persist(
            self.orders,
            lambda: attempts.say(
                self.execution.pk,
                self.attempt,
                f"Running step {row.name}",
                user_code_started=True,
                notices=notices,
            ),
        )

    def _flush(self, writer: logs.LogWriter) -> None:
        """Write what is due; a database that is away is tried again with the next lines."""
        try:
            writer.flush()
        except (OperationalError, InterfaceError) as error:
            log.warning("Log lines wait for the database: %s", error)
        finally:
            if not connection.in_atomic_block:
                connection.close()

    def _move(self, row: StepRun, to: Status, **changes: object) -> None:
        persist(self.orders, lambda: enactments.move_step(row.pk, to, attempt=self.attempt, **changes))

    def _complete(self) -> None:
        """Upload the outputs, then register them and complete in one short transaction."""
        assert self.placement is not None
        if self.orders.must_end:
            raise Failed("Ended after the last step, before its outputs were registered.")
        persist(self.orders, lambda: attempts.say(self.execution.pk, self.attempt, "Storing the outputs"))
        delivered = deliveries.upload(self.execution, self.attempt, self.placement)
        status = persist(
            self.orders,
            lambda: attempts.finish(
                self.execution.pk,
                self.attempt,
                Status.COMPLETED,
                actor=self.actor,
                reason="Completed.",
                register=lambda: deliveries.register(self.scope, self.execution, delivered),
            ),
        )
        if status is not Status.COMPLETED:
            deliveries.discard(self.execution, delivered)

    def _end_badly(self, message: str) -> None:
        """STOPPED when asked to stop, a retry or DEAD when the worker leaves, else DEAD."""
        if self.orders.abandoned:
            raise Abandoned
        pk, attempt, actor = self.execution.pk, self.attempt, self.actor
        if self.orders.stopping:
            persist(
                self.orders,
                lambda: attempts.stopped(
                    pk,
                    attempt,
                    actor=actor,
                    reason="Stopped; no process of it is left.",
                    evidence={"last": message},
                ),
            )
        elif self.orders.leaving:
            persist(self.orders, lambda: self._leave(message))
        else:
            persist(
                self.orders,
                lambda: attempts.finish(pk, attempt, Status.DEAD, actor=actor, reason=message),
            )

    def _leave(self, message: str) -> None:
        row = Execution.unscoped.select_related("executable_version", "worker").get(pk=self.execution.pk)
        if row.attempt == self.attempt and row.worker is not None:
            attempts.lost(
                row,
                actor=self.actor,
                reason="The worker was shut down.",
                evidence={"host": row.worker.host, "pid": row.worker.pid, "last": message},
            )
