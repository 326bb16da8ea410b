"""Carries one claimed replica out: prepares, starts its server, watches it, and ends it."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from django.conf import settings

from launchpad.access import system_scope
from launchpad.errors import LaunchpadError
from mlops import storage
from mlops.domain import (
    catalog,
    placements,
    replica_placements,
    replicas,
    servings,
    step_secrets,
    step_volumes,
    workplaces,
)
from mlops.domain.log_writers import ReplicaLogWriter
from mlops.domain.orders import Abandoned, Orders
from mlops.domain.persistence import flush, persist
from mlops.domain.replica_placements import Bound, Stay
from mlops.engine import environments, orphans
from mlops.engine.probes import Probe, free_port
from mlops.engine.spec import LogLine, Observation
from mlops.engine.step import Step
from mlops.models import Deployment, Replica, Revision

log = logging.getLogger(__name__)

_SPILL_BYTES = 16 * 1024 * 1024
_LOOK_SECONDS = 0.05
_MEASURE_SECONDS = 10.0
_PORT_REST_SECONDS = 60.0
# Of the last line of a server that failed; its deployment's message has room for 256 characters.
_WORDS = 150


class Failed(Exception):
    """The server cannot go on; the text is for people."""


class _Ended(Exception):
    """It has been told to end."""


def carry_out(replica_id: str, attempt: int, orders: Orders) -> None:
    """Serve a claimed replica on this host until it is told to end or fails, and record how it ended.

    Holds no database connection between writes, and goes on through database outages. Blocks until no
    process of the replica lives any more. Raises nothing of the user's making; a mistake of ours ends the
    attempt too, and is raised.
    """
    try:
        replica = persist(orders, lambda: _load(replica_id))
        _Run(replica, attempt, orders).go()
    except Abandoned:
        log.info("Attempt %s of replica %s is no longer ours; its processes are gone.", attempt, replica_id)


def _load(replica_id: str) -> Replica:
    return Replica.unscoped.select_related(
        "deployment__resource_group__workspace", "revision__executable_version", "worker"
    ).get(pk=replica_id)


def _bound(replica: Replica) -> Bound:
    """What the revision's configuration says, and the secrets. Raises Conflict, Invalid."""
    revision: Revision = replica.revision
    deployment: Deployment = replica.deployment
    template = catalog.describe(revision.executable_version)
    configuration = revision.configuration
    plan = servings.plan(template, {row.key: row.value for row in configuration.parameters.all()})
    artifacts = {row.key: row.artifact for row in configuration.inputs.select_related("artifact")}
    names = {storage.parse_url(artifact.url).store for artifact in artifacts.values()}
    stores = {name: storage.open_store(deployment.resource_group, name) for name in names}
    secrets = step_secrets.of(deployment, plan.volumes)
    return Bound(replica, deployment, revision, plan, artifacts, stores, secrets)


class _Ports:
    """Ports that servers of this process have been given, so that two that start at once get two.

    One that is given back rests for a while: web processes may still know it as another deployment's.
    """

    _lock = threading.Lock()
    # Port to when it may be taken again, by this process's monotonic clock.
    _held: ClassVar[dict[int, float]] = {}

    @classmethod
    def take(cls) -> int:
        with cls._lock:
            now = time.monotonic()
            while cls._held.get(port := free_port(""), 0.0) > now:
                continue
            cls._held[port] = math.inf
            return port

    @classmethod
    def give_back(cls, port: int) -> None:
        with cls._lock:
            cls._held[port] = time.monotonic() + _PORT_REST_SECONDS


class _Run:
    """The state of one attempt of a replica while it is carried out."""

    def __init__(self, replica: Replica, attempt: int, orders: Orders) -> None:
        self.replica, self.attempt, self.orders = replica, attempt, orders
        self.scope = system_scope(replica.deployment, actor=f"worker {replica.worker}")
        self.writer = ReplicaLogWriter(replica, attempt, replica.revision.number)
        self.was_ready = self.is_ready = False
        # By stream.
        self.last_words: dict[str, str] = {}

    def go(self) -> None:
        """Carry out; whatever happens, the attempt gets its end."""
        port = _Ports.take()
        try:
            place = workplaces.make(f"{self.replica.deployment_id}-{self.replica.pk}", self.attempt)
            try:
                self._serve(place, port)
            finally:
                workplaces.remove(place)
        except Abandoned:
            raise
        except _Ended:
            self._end("Stopped; no process of it is left.")
        except (Failed, LaunchpadError, OSError, ValueError) as error:
            self._end(str(error) or type(error).__name__)
        except Exception as error:
            self._end(f"Launchpad itself failed; the worker's log tells more. {error!r}")
            raise
        finally:
            _Ports.give_back(port)

    def _serve(self, place: Path, port: int) -> None:
        runner = placements.runner()
        persist(self.orders, self.writer.resume)
        bound = persist(self.orders, lambda: _bound(self.replica))
        tree = persist(
            self.orders,
            lambda: catalog.materialise(self.replica.revision.executable_version, workplaces.sources()),
        )
        environment = self._environment(replica_placements.requirements(bound, tree, place))
        self._heed()
        self._say("Fetching the model" if bound.model else "Starting")
        stay = replica_placements.enter(bound, place, tree, environment, port)
        self._heed()
        self._say("Starting", notices=list(runner.notices))
        handle = runner.start(stay.spec)
        probe = Probe(stay.checks)
        try:
            self._watch(handle, probe, stay)
        finally:
            probe.close()
            runner.close(handle)
            step_volumes.forget_secrets(stay.spec.folder)

    def _environment(self, requirements: Path | None) -> Path | None:
        """The environment, its making told in the replica's log."""
        if requirements is None:
            return None

        def tell(line: str) -> None:
            self.writer.say(line)
            flush(self.writer)

        try:
            return environments.ensure(
                requirements,
                cache=workplaces.environments(),
                on_line=tell,
                stopped=lambda: self.orders.must_end,
            )
        except environments.EnvironmentFailed as error:
            self.writer.say(f"ERROR {error}")
            raise Failed(f"The environment could not be made: {error}") from error
        except environments.Stopped as error:
            raise _Ended from error
        finally:
            persist(self.orders, lambda: self.writer.flush(force=True))

    def _heed(self) -> None:
        if self.orders.abandoned:
            raise Abandoned
        if self.orders.must_end:
            raise _Ended

    def _say(self, message: str, **changes: object) -> None:
        persist(self.orders, lambda: replicas.say(self.replica, self.attempt, message, **changes))

    def _watch(self, handle: Step, probe: Probe, stay: Stay) -> None:
        """See the server through to the proven end of its process tree. Raises _Ended, Failed, Abandoned."""
        runner = placements.runner()
        begun = time.monotonic()
        started = told = steady = False
        complaint, measured = "", begun
        while True:
            seen = runner.wait(handle, _LOOK_SECONDS if not self.is_ready else 0.25)
            if self.writer.pending_bytes < _SPILL_BYTES:
                self._write(runner.logs(handle))
            flush(self.writer)
            if self.orders.abandoned:
                raise Abandoned
            if not seen.running:
                break
            now = time.monotonic()
            if seen.started and not started:
                started = True
                self._say("Waiting until it is ready", user_code_started=True)
            self._tell(probe, stay)
            if not complaint:
                complaint = self._complaint(probe, now - begun)
            if (self.orders.must_end or complaint) and not told:
                told = True
                runner.stop(handle)
            if self.is_ready and not steady and now - begun >= settings.DEPLOYMENT_STEADY_SECONDS:
                steady = True
                persist(self.orders, lambda: replicas.tell_steady(self.replica, self.attempt))
            if now - measured >= _MEASURE_SECONDS:
                measured = now
                self._measure(stay)
        while lines := runner.logs(handle):
            self._write(lines)
        if complaint and not self.orders.must_end:
            self.writer.say(f"ERROR {complaint}")
        persist(self.orders, lambda: self.writer.flush(force=True))
        if self.orders.must_end:
            raise _Ended
        raise Failed(complaint or self._verdict(seen))

    def _write(self, lines: Sequence[LogLine]) -> None:
        self.writer.write(lines)
        self.last_words |= {line.stream: line.text for line in lines if line.text.strip()}

    def _tell(self, probe: Probe, stay: Stay) -> None:
        """Tell whether it may get requests when that has changed."""
        if probe.is_ready == self.is_ready or self.orders.must_end:
            return
        self.is_ready = probe.is_ready
        if self.is_ready:
            self.was_ready = True
            persist(
                self.orders,
                lambda: replicas.tell_ready(self.replica, self.attempt, address=stay.address),
            )
        else:
            said = f"Not ready: {probe.told}"
            self.writer.say(f"WARN {said}")
            persist(self.orders, lambda: replicas.tell_unready(self.replica, self.attempt, message=said))

    def _complaint(self, probe: Probe, seconds: float) -> str:
        """Why a server that runs has to be ended; "" for none."""
        if not probe.is_live:
            return f"It does not answer any more. {probe.told}"
        if not self.was_ready and seconds > settings.DEPLOYMENT_START_SECONDS:
            limit = settings.DEPLOYMENT_START_SECONDS
            return f"It was not ready within {limit:g} s. {probe.told} It must listen on the port in PORT."
        return ""

    def _verdict(self, seen: Observation) -> str:
        """How a server that ended by itself ended."""
        if seen.cause == "completed":
            return "It ended by itself with exit code 0; a server must not end."
        told = seen.message or "It ended by itself."
        # What cannot be served says why before it ends.
        words = " ".join((self.last_words.get("stderr") or self.last_words.get("stdout", "")).split())
        if seen.cause != "exit" or not words:
            return told
        return f"{told} It said: “{words[:_WORDS]}{'…' * (len(words) > _WORDS)}”."

    def _measure(self, stay: Stay) -> None:
        """Note how much memory the replica's processes hold; one that ends meanwhile is left out."""
        total = 0
        for pid in orphans.marked(stay.spec.id):
            with suppress(OSError, ValueError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) * 1024
        if total:
            persist(self.orders, lambda: replicas.tell_memory(self.replica, self.attempt, total))

    def _end(self, message: str) -> None:
        """Stopped when asked to stop, up again elsewhere when the worker leaves, else failed."""
        if self.orders.abandoned:
            raise Abandoned
        if self.orders.stopping:
            persist(self.orders, lambda: replicas.stopped(self.replica, self.attempt, message=message))
        elif self.orders.leaving:
            evidence = {"last": message}
            self.replica.attempt = self.attempt
            persist(
                self.orders,
                lambda: replicas.lost(
                    self.replica,
                    actor=self.scope.actor,
                    reason="Its worker was shut down.",
                    evidence=evidence,
                ),
            )
        else:
            self.writer.say(f"ERROR {message}")
            persist(self.orders, lambda: self.writer.flush(force=True))
            persist(self.orders, lambda: replicas.failed(self.replica, self.attempt, message=message))
