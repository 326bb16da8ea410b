"""Carries one claimed attempt out: prepares, drives its flow with steps side by side, and ends it."""

from __future__ import annotations

import logging
import queue
import threading
import time
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from launchpad.access import system_scope
from launchpad.errors import LaunchpadError
from mlops import storage
from mlops.domain import (
    attempts,
    catalog,
    deliveries,
    enactments,
    log_writers,
    placements,
    run_environments,
    signatures,
    step_rows,
    workplaces,
)
from mlops.domain.leaves import Leaf
from mlops.domain.orders import Abandoned, Orders
from mlops.domain.persistence import flush, persist
from mlops.domain.step_rows import StepRows
from mlops.engine import environments
from mlops.engine.flow import Flow, Kind, Node, Report, Start
from mlops.lifecycle import Status
from mlops.models import Execution, StepRun

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.2


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


class _Clock:
    """The time of day as it was at the beginning, going on evenly from there."""

    def __init__(self) -> None:
        self._at, self._since = timezone.now(), time.monotonic()

    def now(self) -> datetime:
        return self._at + timedelta(seconds=time.monotonic() - self._since)


class _Run:
    """The state of one attempt while it is carried out.

    Its own thread alone tells the flow and writes the rows; each leaf has a thread that supervises it.
    """

    def __init__(self, execution: Execution, attempt: int, orders: Orders) -> None:
        self.execution = execution
        self.attempt = attempt
        self.orders = orders
        self.actor = f"worker {execution.worker}"
        self.scope = system_scope(execution, actor=self.actor)
        self._writers: dict[int, log_writers.LogWriter] = {}
        self._live: dict[int, Leaf] = {}
        self._ended: queue.SimpleQueue[Leaf] = queue.SimpleQueue()
        self._clock = _Clock()

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
        placements.runner()
        rows = persist(self.orders, lambda: step_rows.of(self.execution.pk, self.attempt))
        tree, environment = self._prepare(rows)
        self.placement = persist(
            self.orders,
            lambda: placements.Placement.of(self.execution, self.attempt, place, tree, environment),
        )
        persist(
            self.orders,
            lambda: run_environments.record(
                self.scope,
                self.execution,
                self.attempt,
                python_env=environment,
                mode=placements.runner().mode,
            ),
        )
        self.flow = Flow(
            self.placement.template,
            self.placement.values,
            most=settings.STEP_PARALLELISM,
            begun_at=self.execution.started_at or self._clock.now(),
            deadline=self.placement.deadline,
        )
        if [row.name for row in rows] != [node.name[:1024] for node in self.flow.nodes]:
            raise Failed("Its steps were planned by another version of Launchpad. Run it again.")
        self.rows = StepRows(self.execution.pk, self.attempt, rows)
        try:
            self._drive()
        finally:
            self._end_leaves()
        state, message = self.flow.outcome
        if state != "Succeeded":
            raise Failed(message)
        self._complete()

    def _prepare(self, rows: list[StepRun]) -> tuple[Path, Path | None]:
        """Source tree and environment, their making told in the first step's log."""
        version = self.execution.executable_version
        tree = persist(self.orders, lambda: catalog.materialise(version, workplaces.sources()))
        requirements = tree / "requirements.txt"
        if not requirements.exists():
            return tree, None
        row = next((each for each in rows if each.kind == Kind.LEAF), rows[0])
        writer = self._writer(row.index)

        def tell(line: str) -> None:
            writer.say(line)
            flush(writer)

        persist(self.orders, lambda: enactments.move_step(row.pk, Status.PENDING, attempt=self.attempt))
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

    def _writer(self, index: int) -> log_writers.LogWriter:
        """The writer of one step's log: the only one, also over several tries."""
        if index not in self._writers:
            self._writers[index] = log_writers.LogWriter(self.execution.pk, self.attempt, index)
        return self._writers[index]

    def _drive(self) -> None:
        """Do what the flow says until it is over. Raises Failed when all has to end before."""
        while True:
            starts = self.flow.advance(self._clock.now())
            self._write(self.flow.changes())
            for start in starts:
                self._begin(start)
            for index in self.flow.stops():
                self._live[index].stop.set()
            if self.flow.is_over:
                return
            self._await()

    def _await(self) -> None:
        """Wait for the end of a leaf, for what is due, or for an order."""
        wake_at, leaf = self.flow.wake_at, None
        while leaf is None and not self.orders.must_end:
            left = _LOOK_SECONDS
            if wake_at is not None and (left := (wake_at - self._clock.now()).total_seconds()) <= 0:
                return
            with suppress(queue.Empty):
                leaf = self._ended.get(timeout=min(left, _LOOK_SECONDS))
        if self.orders.must_end:
            if leaf is not None:
                self._ended.put(leaf)
            self._give_up()
        elif leaf is not None:
            self._take(leaf)

    def _begin(self, start: Start) -> None:
        """Start a leaf in a thread of its own."""
        row, writer = self.rows.keys[start.index], self._writer(start.index)
        leaf = Leaf(start, row, writer, self.placement, self.orders)
        self._live[start.index] = leaf
        name = f"step-{self.execution.pk}-{start.index}"
        threading.Thread(target=leaf.go, args=(self._ended.put,), name=name, daemon=False).start()

    def _take(self, leaf: Leaf) -> None:
        """Tell the flow how a leaf has ended, and the leaf's log what follows from it."""
        del self._live[leaf.start.index]
        if leaf.report is None:
            # Abandoned would have been seen before; its thread has told the worker's log what happened.
            raise RuntimeError(f"the supervision of step {leaf.start.name} broke off")
        self.flow.reported(leaf.start.index, leaf.report, self._clock.now())
        node = self.flow.nodes[leaf.start.index]
        if node.state != "Succeeded":
            said = f"ERROR {node.message}" if node.state else f"WARN {node.message}"
            leaf.writer.say(said)
            persist(self.orders, lambda: leaf.writer.flush(force=True))

    def _write(self, nodes: list[Node]) -> None:
        if nodes and not persist(self.orders, lambda: self.rows.write(nodes)):
            self.orders.abandon()
            raise Abandoned

    def _end_leaves(self) -> list[Leaf]:
        """End what still runs and wait for it; those leaves."""
        for leaf in self._live.values():
            leaf.stop.set()
        ended = [self._ended.get() for _ in range(len(self._live))]
        self._live = {}
        return ended

    def _give_up(self) -> None:
        """End everything because the attempt has to. Raises Failed, or Abandoned."""
        message = "Ended before the step began."
        for leaf in self._end_leaves():
            report = leaf.report
            if report is None or self.orders.abandoned:
                continue
            self._tell_end(leaf, report)
            if report.state != "Succeeded":
                message = f"Step {leaf.start.name}: {report.message}"
        if self.orders.abandoned:
            raise Abandoned
        raise Failed(message)

    def _tell_end(self, leaf: Leaf, report: Report) -> None:
        if report.state == "Succeeded":
            persist(self.orders, lambda: self.rows.end(leaf.start.index, Status.COMPLETED, report))
            return
        leaf.writer.say(f"ERROR {report.message}")
        persist(self.orders, lambda: leaf.writer.flush(force=True))
        persist(self.orders, lambda: self.rows.end(leaf.start.index, Status.STOPPED, report))

    def _complete(self) -> None:
        """Upload the outputs, then register them and complete in one short transaction."""
        if self.orders.must_end:
            raise Failed("Ended after the last step, before its outputs were registered.")
        persist(self.orders, lambda: attempts.say(self.execution.pk, self.attempt, "Storing the outputs"))
        told = [node.parameters.get(signatures.NAME) for node in self.flow.nodes if node.kind == Kind.LEAF]
        signed = signatures.read(text for text in told if text is not None)
        group = self.execution.resource_group
        store = persist(self.orders, lambda: storage.open_store(group))
        exports = self.flow.exports
        delivered = deliveries.upload(store, self.execution, self.attempt, self.placement, exports, signed)
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
            deliveries.discard(store, delivered)

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
