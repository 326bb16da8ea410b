"""A call that is made once for each item of a list."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from mlops.engine.flow.calls import Call
from mlops.engine.flow.items import collected
from mlops.engine.flow.nodes import Node
from mlops.engine.flow.units import Given, Unit
from mlops.manifests.conditions import State

if TYPE_CHECKING:
    from mlops.engine.flow.flow import Flow


class Loop(Unit):
    """calls: one for each item, from its begin on."""

    def __init__(self, flow: Flow, node: Node, call: Call) -> None:
        super().__init__(flow, node)
        self._call = call
        self._closing: tuple[State, str] | None = None
        self.calls: list[Call] = []

    def begin(self, given: Given, now: datetime) -> None:
        self.node.is_begun = True
        self.node.started_at = now
        self.flow.changed(self.node)
        call, name = self._call, self.node.name
        try:
            for number, item in enumerate(call.expand()):
                label = f"({number}:{item.label})"
                made = Call(call.owner, call.step, f"{name}{label}", f"{self.node.label}{label}", item)
                made.build(self.node.index, ())
                self.calls.append(made)
        except ValueError as error:
            for made in self.calls:
                made.omit(str(error))
            self.end("Errored", str(error), now)

    def advance(self, now: datetime) -> None:
        if self.is_over or not self.node.is_begun:
            return
        for call in self.calls:
            if self._call.owner.stops_early and not call.is_started:
                call.omit("Not started: another step failed before.")
            call.advance(now)
        if all(call.is_over for call in self.calls):
            self._finish(now)

    def _finish(self, now: datetime) -> None:
        self._collect()
        if self._closing is not None:
            self.end(*self._closing, now)
            return
        states = [call.state for call in self.calls]
        failed = next((call for call in self.calls if call.state in ("Failed", "Errored")), None)
        if failed is not None:
            self.end("Failed" if "Failed" in states else "Errored", failed.message, now)
        elif "Succeeded" in states:
            self.end("Succeeded", "", now)
        else:
            self.node.cause = "skipped"
            why = "none of its items met its condition" if states else "its list is empty"
            self.end("Skipped", f"Nothing to do: {why}.", now)

    def _collect(self) -> None:
        """What the items gave, each as a list in their order; those that did not run are left out."""
        ran = [call.node for call in self.calls if call.state == "Succeeded"]
        names = dict.fromkeys(name for node in ran for name in node.parameters)
        self.node.parameters = {
            name: collected(node.parameters[name] for node in ran if name in node.parameters)
            for name in names or self.flow.outputs_of(self.node.template)
        }
        self.node.listed = json.dumps([node.parameters for node in ran], ensure_ascii=False)
        results = [node.result for node in ran if node.result is not None]
        self.node.result = collected(results)

    def states(self) -> tuple[State, ...]:
        return tuple(call.state for call in self.calls if call.state is not None)

    def below(self) -> list[Unit]:
        return [unit for call in self.calls for unit in call.units]

    def close(self, state: State, message: str, now: datetime) -> None:
        if not self.node.is_begun:
            self.skip("Omitted", message)
            return
        self._closing = self._closing or (state, message)
        for call in self.calls:
            call.close(state, message, now)
