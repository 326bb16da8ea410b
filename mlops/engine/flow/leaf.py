"""A node that runs a process: waits for its turn, is handed out, is tried again while its policy allows."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from mlops.engine.flow import retries
from mlops.engine.flow.filling import filled
from mlops.engine.flow.nodes import Made, Node, Report, Start
from mlops.engine.flow.units import Called, Given, Unit
from mlops.manifests.conditions import State
from mlops.manifests.spec import Template

if TYPE_CHECKING:
    from mlops.engine.flow.flow import Flow


class Leaf(Unit):
    """The machine of a node that runs a process, attempt by attempt."""

    def __init__(self, flow: Flow, node: Node, template: Template) -> None:
        super().__init__(flow, node)
        self.template = template
        self.called = Called(flow, template, node)
        self._is_out = False
        self._ready_at: datetime | None = None
        self._since: datetime | None = None
        self._closing: tuple[State, str] | None = None

    @property
    def is_out(self) -> bool:
        return self._is_out

    def begin(self, given: Given, now: datetime) -> None:
        self.node.is_begun = True
        self._ready_at = self._since = now
        self.flow.changed(self.node)
        try:
            self.called.take(given)
        except ValueError as error:
            self.end("Errored", str(error), now)

    def advance(self, now: datetime) -> None:
        if self.is_over or self.is_out or self._ready_at is None:
            return
        if self._ready_at > now:
            self.flow.wake(self._ready_at)
        else:
            self.flow.is_ready(self)

    def hand_out(self, now: datetime) -> Start | None:
        """What to run; None, and the end of it, when a placeholder stands for nothing."""
        self.node.tries += 1
        try:
            template = filled(self.template, self.called.value)
        except ValueError as error:
            self.end("Errored", str(error), now)
            return None
        self._is_out = True
        self.flow.changed(self.node)
        artifacts = {name: found for name, found in self.called.artifacts.items() if found is not None}
        until = self.flow.until
        return Start(self.node.index, self.node.name, self.node.tries - 1, template, artifacts, until)

    def reported(self, report: Report, now: datetime) -> None:
        """Take the end of the attempt that was handed out: the node ends with it, or another follows."""
        node = self.node
        self._is_out = False
        node.exit_code, node.cause = report.exit_code, report.cause
        node.started_at, node.ended_at = report.started_at or node.started_at, report.ended_at
        if self._closing is not None:
            node.cause = "deadline"
            self.end(*self._closing, now)
            return
        if report.state == "Succeeded":
            node.parameters, node.result = dict(report.parameters), report.result
            node.artifacts = {name: Made(node.index, name) for name in report.artifacts}
            self.flow.publish(self.template, node)
            self.end("Succeeded", "", now)
            return
        message = report.message
        try:
            wait = retries.delay(self.template.retry, node.tries - 1, self._since or now, now, report)
        except ValueError as error:
            wait, message = None, f"{message} The expression of its retryStrategy has no answer: {error}"
        if wait is None:
            self.end(report.state, message, now)
            return
        node.message = f"{message} Retry {node.tries} of {retries.limit(self.template.retry)}."
        self._ready_at = now + wait
        self.flow.changed(node)

    def close(self, state: State, message: str, now: datetime) -> None:
        if self.is_over:
            return
        if self.is_out:
            if self._closing is None:
                self._closing = (state, message)
                self.flow.must_stop(self.node.index)
        elif self.node.is_begun:
            self.end(state, message, now)
        else:
            self.skip("Omitted", message)
