"""One call of a template by a group: its condition, its loop, what it runs, and what runs after it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from mlops.engine.flow import items
from mlops.engine.flow.filling import unknown
from mlops.engine.flow.nodes import Node, status, timestamp
from mlops.engine.flow.units import Given, Unit
from mlops.manifests.conditions import Outcome, State, parse_when
from mlops.manifests.nodes import shown
from mlops.manifests.placeholders import replace
from mlops.manifests.spec import Step

if TYPE_CHECKING:
    from mlops.engine.flow.groups import Group

_ITEM = re.compile(r"item(\..+)?", re.DOTALL)
_RAN: frozenset[State] = frozenset(("Succeeded", "Failed", "Errored"))


class Call:
    """A step, a task, or one item of either. exit: what runs after it.

    item: None unless the step is a loop.
    """

    def __init__(self, owner: Group, step: Step, name: str, label: str, item: items.Item | None) -> None:
        self.owner = owner
        self.step = step
        self.item = item
        self.is_started = False
        self.unit: Unit
        self.exit: Unit | None = None
        self._name, self._label = name, label

    def build(self, parent: int | None, after: tuple[int, ...]) -> None:
        """Make its nodes; those of a loop's items come when the items are known."""
        flow, step = self.owner.flow, self.step
        if step.loop is not None and self.item is None:
            self.unit = flow.make_loop(self, self._name, self._label, parent, after)
            return
        self.unit = flow.make(step.template, self._name, self._label, parent, after)
        if step.on_exit:
            waits = (self.unit.node.index,)
            name = f"{self._name}:onExit"
            self.exit = flow.make(step.on_exit, name, f"{self._label}:onExit", parent, waits, is_exit=True)

    @property
    def node(self) -> Node:
        return self.unit.node

    @property
    def units(self) -> list[Unit]:
        return [self.unit] if self.exit is None else [self.unit, self.exit]

    @property
    def is_over(self) -> bool:
        return all(unit.is_over for unit in self.units)

    @property
    def is_active(self) -> bool:
        """Whether it takes one of the group's places; a loop takes none beside its items'."""
        return self.is_started and not self.is_over and not self._is_loop

    @property
    def _is_loop(self) -> bool:
        return self.step.loop is not None and self.item is None

    @property
    def state(self) -> State | None:
        """How it ended, what runs after it included; None before."""
        if not self.is_over:
            return None
        if self.exit is not None and self.node.state == "Succeeded" and self.exit.node.state != "Omitted":
            return self.exit.node.state
        return self.node.state

    @property
    def outcome(self) -> Outcome:
        """How it ended, for conditions; only once it is over."""
        assert self.state is not None
        return Outcome(self.state, self.unit.states(), goes_on=self.goes_on)

    @property
    def goes_on(self) -> bool:
        """Whether its failure is to be overlooked."""
        return (self.state == "Failed" and self.step.continue_on_failed) or (
            self.state == "Errored" and self.step.continue_on_error
        )

    @property
    def has_failed(self) -> bool:
        """Whether it failed and that is not overlooked."""
        return self.state in ("Failed", "Errored") and not self.goes_on

    @property
    def message(self) -> str:
        """Why it failed, naming the leaf."""
        node = self.node if self.node.state in ("Failed", "Errored") else None
        if node is None and self.exit is not None:
            node = self.exit.node
        return self.owner.flow.told(node or self.node)

    def advance(self, now: datetime) -> None:
        """Begin it if there is a place for it, and go on with it."""
        if not self.is_started:
            if not self._is_loop and not self.owner.has_place:
                return
            self.is_started = True
            self._start(now)
            self.owner.taken += self.is_active
        self.unit.advance(now)
        if self.exit is None or not self.unit.is_over:
            return
        if not self.exit.node.is_begun and not self.exit.is_over:
            if self.node.state in _RAN and not self.owner.is_closing:
                self.exit.begin(self.owner.flow.arguments(self.exit), now)
            else:
                self.exit.skip("Omitted", f"There was nothing to run it after: {self.node.name} did not run.")
        self.exit.advance(now)

    def omit(self, message: str) -> None:
        """Never begin it."""
        self.is_started = True
        for unit in self.units:
            unit.skip("Omitted", message)

    def close(self, state: State, message: str, now: datetime) -> None:
        """End it soon."""
        self.is_started = True
        for unit in self.units:
            unit.close(state, message, now)

    def _start(self, now: datetime) -> None:
        try:
            if not self._is_wanted():
                return
            given = Given() if self._is_loop else self._arguments()
        except ValueError as error:
            self.node.is_begun = True
            self.unit.end("Errored", str(error), now)
            for unit in self.unit.below():
                unit.skip("Omitted", str(error))
            return
        self.unit.begin(given, now)

    def _is_wanted(self) -> bool:
        """Whether its condition holds; a loop's that speaks of items is left to them."""
        if self.step.when is None:
            return True
        condition = parse_when(self.step.when)
        if self._is_loop and any(_ITEM.fullmatch(name) for name in condition.names):
            return True
        if not self._is_loop and self.item is not None and not any(map(_ITEM.fullmatch, condition.names)):
            # The loop has asked already.
            return True
        if condition.holds(self.value):
            return True
        told = shown(replace(self.step.when, self._shown), 200)
        self.unit.skip("Skipped", f"Its condition is false: {told}")
        return False

    def _shown(self, name: str) -> str:
        try:
            return self.value(name)
        except ValueError:
            return f"{{{{{name}}}}}"

    def _arguments(self) -> Given:
        given = {key: replace(text, self.value) for key, text in self.step.parameters}
        artifacts = {key: self.owner.resolve(source, self.value) for key, source in self.step.artifacts}
        return Given(given, artifacts, self.owner)

    def expand(self) -> list[items.Item]:
        """The items of its loop. Raises ValueError."""
        assert self.step.loop is not None
        return items.expand(self.step.loop, self.value)

    def value(self, name: str) -> str:
        """What a placeholder among its arguments and conditions stands for. Raises ValueError."""
        if self.item is not None and name == "item":
            return self.item.text
        if self.item is not None and name.startswith("item."):
            return self.item.field(name.removeprefix("item."))
        return self.owner.value(name)

    def told(self, field: str) -> str:
        """What it lets others know, as `outputs.parameters.<name>`. Raises ValueError."""
        node, name = self.node, f"{self._label}.{field}"
        if not self.is_over:
            raise ValueError(f"{shown(name, 80)} is not known yet: {self._label} has not ended.")
        if field.startswith("outputs.parameters."):
            key = field.removeprefix("outputs.parameters.")
            found = node.parameters.get(key, self.owner.flow.default(self.step.template, key))
            if found is not None and (key in node.parameters or node.state not in _RAN):
                return found
        elif field == "outputs.parameters" and node.listed is not None:
            return node.listed
        elif field == "outputs.result" and node.result is not None:
            return node.result
        elif field in _FIELDS:
            return _FIELDS[field](node)
        if node.state in ("Skipped", "Omitted"):
            raise ValueError(f"{shown(name, 80)} has no value: {self._label} did not run.")
        raise unknown(name)


def _exit_code(node: Node) -> str:
    if node.exit_code is not None:
        return str(node.exit_code)
    return {"Succeeded": "0", "Failed": "-1", "Errored": "-1"}.get(node.state or "", "")


_FIELDS: Mapping[str, Callable[[Node], str]] = {
    "id": lambda node: node.name,
    "status": lambda node: status(node.state),
    "exitCode": _exit_code,
    "startedAt": lambda node: timestamp(node.started_at),
    "finishedAt": lambda node: timestamp(node.ended_at),
}
