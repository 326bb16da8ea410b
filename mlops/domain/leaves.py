"""One attempt of one step: brought to its place, supervised to the proven end of its processes, reported."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from launchpad.errors import Conflict, LaunchpadError
from mlops.domain import attempts, enactments, step_volumes, workplaces
from mlops.domain.log_writers import LogWriter
from mlops.domain.orders import Abandoned, Orders
from mlops.domain.persistence import flush, persist
from mlops.domain.placements import Placement, Stay, runner
from mlops.domain.step_paths import Refused
from mlops.engine.flow import Report, Start
from mlops.engine.spec import Observation
from mlops.lifecycle import Status

log = logging.getLogger(__name__)

_SPILL_BYTES = 16 * 1024 * 1024
_WATCH_SECONDS = 2.0
# What the host did, which another host or a later moment may not do.
_TRANSIENT = ("lost", "worker_lost")
_ERRORS = (*_TRANSIENT, "not_started")


@dataclass
class Leaf:
    """What one step's supervisor works with. row: the key of its StepRun; writer: of its log alone.

    stop: set when the flow wants it to end. report: how it ended, once `go` has called `then`; None when the
    attempt was abandoned, or by a mistake of ours.
    """

    start: Start
    row: int
    writer: LogWriter
    placement: Placement
    orders: Orders
    stop: threading.Event = field(default_factory=threading.Event)
    report: Report | None = None

    def go(self, then: Callable[[Leaf], None]) -> None:
        """Run it and call `then`, whatever happens; blocks until no process of it lives any more."""
        try:
            self.report = self._run()
        except Abandoned:
            log.info("Step %s is given up with its attempt.", self.start.name)
        except (LaunchpadError, OSError, ValueError) as error:
            # A Conflict is what a store says that fails.
            is_transient = isinstance(error, OSError | Conflict)
            self.report = Report(
                "Errored", str(error) or type(error).__name__, "not_started", is_transient=is_transient
            )
        finally:
            then(self)

    @property
    def _must_end(self) -> bool:
        return self.orders.must_end or self.stop.is_set()

    def _run(self) -> Report:
        persist(self.orders, self.writer.resume)
        if self._must_end:
            return Report("Errored", "Ended before the step began.", "stopped")
        stay, report = self.placement.enter(self.start), None
        try:
            if self._must_end:
                # Bringing the inputs may have taken long; what has not started can be tried elsewhere.
                return Report("Errored", "Ended before the step began.", "stopped")
            report = self._supervise(stay)
            return report
        finally:
            if report is not None and report.state == "Succeeded":
                step_volumes.forget_secrets(stay.paths.folder)
            else:
                # Twenty retries would otherwise keep twenty copies of the inputs.
                workplaces.remove(stay.paths.folder)

    def _supervise(self, stay: Stay) -> Report:
        """Start the step and see it through to the proven end of its process tree."""
        engine = runner()
        handle = engine.start(stay.spec)
        watch = _Watch(stay.limits)
        started = told = False
        try:
            while True:
                seen = engine.wait(handle, 0.2)
                if self.writer.pending_bytes < _SPILL_BYTES:
                    self.writer.write(engine.logs(handle))
                if seen.started and not started:
                    started = True
                    self._tell_started(seen)
                flush(self.writer)
                if self.orders.abandoned:
                    # Closing kills within a second; a stop would leave the whole grace to a step that is
                    # perhaps run elsewhere already.
                    raise Abandoned
                if (self._must_end or watch.look()) and not told:
                    told = True
                    engine.stop(handle)
                if not seen.running:
                    break
            while lines := engine.logs(handle):
                self.writer.write(lines)
                if self.writer.pending_bytes >= _SPILL_BYTES:
                    persist(self.orders, lambda: self.writer.flush(force=True))
            persist(self.orders, lambda: self.writer.flush(force=True))
            watch.look(at_end=True)
            return self._ended(stay, seen, engine.result(handle), watch.complaint)
        finally:
            engine.close(handle)

    def _tell_started(self, seen: Observation) -> None:
        execution, attempt = self.placement.execution, self.placement.attempt
        persist(
            self.orders,
            lambda: enactments.move_step(
                self.row, Status.RUNNING, attempt=attempt, started_at=seen.started_at
            ),
        )
        persist(
            self.orders,
            lambda: attempts.say(
                execution.pk,
                attempt,
                f"Running step {self.start.name}",
                user_code_started=True,
                notices=list(dict.fromkeys(self.placement.notices)),
            ),
        )

    def _ended(self, stay: Stay, seen: Observation, result: str, complaint: str) -> Report:
        """The report, with what it left taken where it went well."""
        bare = Report(
            "Failed", seen.message, seen.cause, seen.exit_code, seen.started_at, seen.ended_at, result=result
        )
        if complaint and not self.orders.must_end:
            return replace(bare, message=complaint, cause="volume")
        if seen.cause in _ERRORS:
            return replace(bare, state="Errored", is_transient=seen.cause in _TRANSIENT)
        if seen.cause != "completed":
            return bare
        try:
            parameters, artifacts = self.placement.leave(self.start, stay)
        except Refused as refused:
            return replace(bare, message=str(refused))
        return replace(bare, state="Succeeded", message="", parameters=parameters, artifacts=artifacts)


class _Watch:
    """Looks now and then whether volumes are larger than they may be; complaint: which one, in a sentence."""

    def __init__(self, limits: list[step_volumes.Limit]) -> None:
        self.complaint = ""
        self._limits = limits
        self._next = time.monotonic() + _WATCH_SECONDS

    def look(self, *, at_end: bool = False) -> bool:
        """Whether one is too large; measures only when the last time is long enough ago."""
        begun = time.monotonic()
        if self.complaint or not self._limits or (begun < self._next and not at_end):
            return bool(self.complaint)
        for limit in self._limits:
            size = step_volumes.size(limit.folder)
            if size > limit.size_bytes:
                self.complaint = (
                    f"Its volume {limit.name} holds {size / 1024**2:,.1f} MiB; "
                    f"at most {limit.size_bytes / 1024**2:,.1f} MiB are allowed."
                )
        # A volume of a million files takes seconds to measure; that must not become all that happens here.
        now = time.monotonic()
        self._next = now + max(_WATCH_SECONDS, 20 * (now - begun))
        return bool(self.complaint)
