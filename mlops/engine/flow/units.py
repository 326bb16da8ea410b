"""What stands behind a node: begins, goes on, and ends in exactly one state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from mlops.engine.flow.filling import unknown
from mlops.engine.flow.nodes import Artifact, Node, Slot, Text
from mlops.manifests.conditions import State
from mlops.manifests.placeholders import listed, replace
from mlops.manifests.spec import Template

if TYPE_CHECKING:
    from mlops.engine.flow.flow import Flow
    from mlops.engine.flow.groups import Group


@dataclass(frozen=True, slots=True)
class Given:
    """What a template is called with. caller: whose steps its own inputs may refer to."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, Artifact | None] = field(default_factory=dict)
    caller: Group | None = None


class Unit:
    """The machine of one node. Ended ones stay as they are."""

    def __init__(self, flow: Flow, node: Node) -> None:
        self.flow = flow
        self.node = node

    @property
    def is_over(self) -> bool:
        return self.node.state is not None

    def begin(self, given: Given, now: datetime) -> None:
        """Take what it is called with; it may end at once, as Errored, when something is missing."""
        raise NotImplementedError

    def advance(self, now: datetime) -> None:
        """Do what is due; harmless when nothing is."""
        raise NotImplementedError

    def close(self, state: State, message: str, now: datetime) -> None:
        """End as soon as nothing of it runs any more, in this state; one that has not begun is omitted."""
        raise NotImplementedError

    def below(self) -> list[Unit]:
        """The units inside."""
        return []

    @property
    def is_out(self) -> bool:
        """Whether it was handed out to be run and has not been reported."""
        return False

    def states(self) -> tuple[State, ...]:
        """Of a loop, how its calls ended."""
        return ()

    def skip(self, state: State, message: str) -> None:
        """End without having begun, with all inside."""
        if self.is_over:
            return
        self.node.state, self.node.message = state, message
        self.node.cause = state.lower()
        self.flow.changed(self.node)
        for unit in self.below():
            unit.skip("Omitted", message)

    def end(self, state: State, message: str, now: datetime) -> None:
        """End what has begun."""
        self.node.state, self.node.message = state, message
        self.node.ended_at = self.node.ended_at or now
        self.flow.changed(self.node)


class Called:
    """The inputs of one call of a template, and the names that mean something inside."""

    def __init__(self, flow: Flow, template: Template, node: Node) -> None:
        self.flow = flow
        self.template = template
        self.node = node
        self.parameters: dict[str, str] = {}
        self.artifacts: dict[str, Artifact | None] = {}

    def take(self, given: Given) -> None:
        """Fill the template's inputs from what is given and their defaults. Raises ValueError."""
        for each in self.template.parameters:
            if each.name in given.parameters:
                self.parameters[each.name] = given.parameters[each.name]
            elif each.default is not None:
                self.parameters[each.name] = replace(each.default, self.flow.value)
            else:
                raise ValueError(f"The input {each.name} has no value and no default.")
        for artifact in self.template.inputs:
            if artifact.name in given.artifacts:
                found = given.artifacts[artifact.name]
            elif artifact.source is None:
                found = Slot(artifact.name)
            elif artifact.source.raw is not None:
                found = Text(replace(artifact.source.raw, self.value))
            elif given.caller is not None:
                found = given.caller.resolve(artifact.source)
            else:
                found = self.flow.resolve(artifact.source)
            self.artifacts[artifact.name] = found

    def value(self, name: str) -> str:
        """What a placeholder in the template's own texts stands for. Raises ValueError."""
        if name.startswith("inputs.parameters."):
            key = name.removeprefix("inputs.parameters.")
            if key in self.parameters:
                return self.parameters[key]
            raise unknown(name)
        match name:
            case "inputs.parameters":
                return listed(self.parameters)
            case "steps.name" | "tasks.name":
                return self.node.label
            case "node.name" | "pod.name":
                return self.node.name
            case "retries":
                return str(max(0, self.node.tries - 1))
        return self.flow.value(name)
