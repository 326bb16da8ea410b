"""A whole workflow as it is carried out: which leaves to start now, and what follows from their ends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mlops.engine.flow.calls import Call
from mlops.engine.flow.filling import workflow_value
from mlops.engine.flow.groups import Graph, Steps
from mlops.engine.flow.leaf import Leaf
from mlops.engine.flow.loop import Loop
from mlops.engine.flow.nodes import Artifact, Kind, Made, Node, Report, Start, status, timestamp
from mlops.engine.flow.units import Given, Unit
from mlops.manifests.conditions import State
from mlops.manifests.spec import Archive, ArtifactSource, ExecutableTemplate, OutputArtifact, Template

MAX_NODES = 800


@dataclass(frozen=True, slots=True)
class Export:
    """What is to be registered. index: of the node that left it last; archive: as its maker declares."""

    index: int
    artifact: Artifact
    archive: Archive


class Flow:
    """One attempt at a workflow. Times are aware; `now` never goes back.

    values: what the placeholders of the whole workflow stand for. most: leaves at once, the workflow's own
    bound comes on top. begun_at, deadline: of the whole run. nodes: those known so far, by index: from the
    beginning all that the template tells, with the items of loops added when they are known.
    """

    def __init__(
        self,
        template: ExecutableTemplate,
        values: Mapping[str, str],
        *,
        most: int,
        begun_at: datetime,
        deadline: datetime | None = None,
    ) -> None:
        workflow = template.batch
        self.values = dict(values)
        self.artifacts: dict[str, Artifact] = {}
        self.exports: dict[str, Export] = {}
        self.nodes: list[Node] = []
        self.most = most if workflow.parallelism is None else min(most, workflow.parallelism)
        self._templates = {each.name: each for each in workflow.templates}
        self._parameters = {each.name for each in template.parameters}
        self._begun_at, self._deadline = begun_at, deadline
        self._limit = workflow.deadline_seconds
        self._exit_deadline: datetime | None = None
        self._units: dict[int, Unit] = {}
        self._changed: dict[int, Node] = {}
        self._ready: dict[int, Leaf] = {}
        self._stops: list[int] = []
        self._main_told = False
        self.wake_at: datetime | None = None
        self.root = self._make_root(self._templates[workflow.entrypoint])
        self.exit: Unit | None = None
        if workflow.on_exit:
            self.exit = self.make(workflow.on_exit, "workflow:onExit", "onExit", None, (), is_exit=True)

    @classmethod
    def outline(cls, template: ExecutableTemplate) -> list[Node]:
        """The nodes that the template tells before anything runs, by index."""
        return cls(template, {}, most=1, begun_at=datetime.min.replace(tzinfo=UTC)).nodes

    def _make_root(self, entry: Template) -> Unit:
        """The entry template's unit. Where it calls others it has no node of its own in the picture."""
        if entry.kind not in ("steps", "dag"):
            return self.make(entry.name, entry.name, entry.name, None, ())
        node = Node(-1, "", entry.name, Kind(entry.kind), entry.name)
        self.root = Steps(self, node, entry) if entry.kind == "steps" else Graph(self, node, entry)
        self.root.build()
        return self.root

    # What the driver asks and tells.

    @property
    def is_over(self) -> bool:
        """Whether nothing is to be done any more."""
        return self.root.is_over and (self.exit is None or self.exit.is_over)

    @property
    def outcome(self) -> tuple[State, str]:
        """How the whole ended and why it failed; only once it is over."""
        state, message = self._main_outcome()
        if state == "Succeeded" and self.exit is not None and self.exit.node.state != "Succeeded":
            return (
                "Failed",
                f"All steps ended well, but what runs at the end failed: {self.told(self.exit.node)}",
            )
        return state, message

    def advance(self, now: datetime) -> list[Start]:
        """Everything that is due now; return the leaves to be started.

        wake_at then says when to call again though nothing was reported; None when there is no such time.
        """
        while True:
            self.wake_at = None
            self._ready = {}
            self._go_on(now)
            free = self.most - sum(unit.is_out for unit in self._units.values())
            ready = [self._ready[index] for index in sorted(self._ready)][: max(0, free)]
            starts = [leaf.hand_out(now) for leaf in ready]
            if all(start is not None for start in starts):
                return [start for start in starts if start is not None]
            # A leaf ended for want of a value: more may be due, and what was handed out stays so.
            found = [start for start in starts if start is not None]
            return found + self.advance(now)

    def reported(self, index: int, report: Report, now: datetime) -> None:
        """Tell how the attempt of a leaf that was handed out has ended."""
        leaf = self._units[index]
        if not isinstance(leaf, Leaf) or not leaf.is_out:
            raise ValueError(f"Node {index} does not run.")
        self._keep_time(now)
        leaf.reported(report, now)

    def changes(self) -> list[Node]:
        """The nodes that changed since the last call, in the order of their first change."""
        changed, self._changed = list(self._changed.values()), {}
        return changed

    def stops(self) -> list[int]:
        """Leaves that must be stopped, each told once."""
        stops, self._stops = self._stops, []
        return [index for index in stops if self._units[index].is_out]

    # What units ask and tell.

    @property
    def until(self) -> datetime | None:
        """When what runs now has to be over."""
        return self._exit_deadline if self._main_told else self._deadline

    def _go_on(self, now: datetime) -> None:
        self.values["workflow.duration"] = f"{(now - self._begun_at).total_seconds():.6f}"
        self._keep_time(now)
        if not self.root.node.is_begun and not self.root.is_over:
            self.root.begin(self.arguments(self.root), now)
        self.root.advance(now)
        if self.exit is None or not self.root.is_over:
            return
        if not self._main_told:
            self._main_told = True
            self._exit_deadline = now + timedelta(seconds=self._limit) if self._limit else None
            self.values["workflow.status"] = status(self._main_outcome()[0])
            self.values["workflow.failures"] = self._failures()
            self.exit.begin(self.arguments(self.exit), now)
            self._keep_time(now)
        self.exit.advance(now)

    def _keep_time(self, now: datetime) -> None:
        """Close what has run out of time; what runs at the end gets as long again."""
        late = f"The time limit of the whole run, {self._limit} s, is over."
        for unit, deadline in ((self.root, self._deadline), (self.exit, self._exit_deadline)):
            if unit is None or deadline is None or unit.is_over:
                continue
            if now < deadline:
                self.wake(deadline)
            else:
                unit.close("Failed", late, now)

    def _main_outcome(self) -> tuple[State, str]:
        node = self.root.node
        assert node.state is not None
        if node.state in ("Failed", "Errored"):
            return node.state, self.told(node)
        return "Succeeded", ""

    def _failures(self) -> str:
        failed = [
            node for node in self.nodes if node.kind == Kind.LEAF and node.state in ("Failed", "Errored")
        ]
        return json.dumps(
            [
                {
                    "displayName": node.label,
                    "message": node.message,
                    "templateName": node.template,
                    "phase": status(node.state),
                    "podName": node.name,
                    "finishedAt": timestamp(node.ended_at),
                }
                for node in failed
            ],
            ensure_ascii=False,
        )

    def told(self, node: Node) -> str:
        """Why a node failed, naming it unless its message names the one inside already."""
        if node.index < 0 or node.message.startswith("Step "):
            return node.message
        return f"Step {node.name}: {node.message}"

    def make(
        self,
        template: str,
        name: str,
        label: str,
        parent: int | None,
        after: tuple[int, ...],
        *,
        is_exit: bool = False,
    ) -> Unit:
        """The unit of one call of a template, with its nodes. Raises ValueError when there are too many."""
        found = self._templates[template]
        if found.kind not in ("steps", "dag"):
            return self._keep(Leaf(self, self._node(Kind.LEAF, name, label, template, parent, after), found))
        node = self._node(Kind.EXIT if is_exit else Kind(found.kind), name, label, template, parent, after)
        group = Steps(self, node, found) if found.kind == "steps" else Graph(self, node, found)
        self._keep(group)
        group.build()
        return group

    def make_loop(
        self, call: Call, name: str, label: str, parent: int | None, after: tuple[int, ...]
    ) -> Unit:
        """The unit of a call that is made for each item of a list."""
        node = self._node(Kind.LOOP, name, label, call.step.template, parent, after)
        return self._keep(Loop(self, node, call))

    def _node(
        self, kind: Kind, name: str, label: str, template: str, parent: int | None, after: tuple[int, ...]
    ) -> Node:
        if len(self.nodes) >= MAX_NODES:
            raise ValueError(f"The run would come to more than {MAX_NODES:,} steps.")
        node = Node(len(self.nodes), name, label, kind, template, parent, after)
        self.nodes.append(node)
        self.changed(node)
        return node

    def _keep(self, unit: Unit) -> Unit:
        self._units[unit.node.index] = unit
        return unit

    @staticmethod
    def items_of(call: Call) -> list[Call]:
        """The calls of a loop's items; none of any other call."""
        return call.unit.calls if isinstance(call.unit, Loop) else []

    def arguments(self, unit: Unit) -> Given:
        """What a template that no step calls is called with: the parameters of the executable."""
        prefix = "workflow.parameters."
        given = {
            name: self.values[prefix + name] for name in self._parameters if prefix + name in self.values
        }
        return Given(given)

    def changed(self, node: Node) -> None:
        if node.index >= 0:
            self._changed[node.index] = node

    def wake(self, at: datetime) -> None:
        self.wake_at = at if self.wake_at is None else min(self.wake_at, at)

    def is_ready(self, leaf: Leaf) -> None:
        self._ready[leaf.node.index] = leaf

    def must_stop(self, index: int) -> None:
        self._stops.append(index)

    def value(self, name: str) -> str:
        """What a placeholder of the whole workflow stands for. Raises ValueError."""
        return workflow_value(name, self.values)

    def resolve(self, source: ArtifactSource) -> Artifact | None:
        """What was left under a globalName."""
        return self.artifacts.get(source.global_name or "")

    def default(self, template: str, parameter: str) -> str | None:
        """The default of a template's output parameter."""
        outputs = self._templates[template].output_parameters
        return next((each.default for each in outputs if each.name == parameter), None)

    def outputs_of(self, template: str) -> list[str]:
        """The names of a template's output parameters."""
        return [each.name for each in self._templates[template].output_parameters]

    def _archive(self, found: Artifact, declared: OutputArtifact) -> Archive:
        """How an artifact is stored: that is said where it is made, not where it is passed up."""
        unit = self._units.get(found.index) if isinstance(found, Made) else None
        outputs = unit.template.outputs if isinstance(unit, Leaf) else ()
        own = next(
            (each for each in outputs if isinstance(found, Made) and each.name == found.output), declared
        )
        return own.archive

    def publish(self, template: Template, node: Node) -> None:
        """Make known to the whole workflow what a node leaves under a globalName."""
        for each in template.output_parameters:
            if each.global_name and each.name in node.parameters:
                self.values[f"workflow.outputs.parameters.{each.global_name}"] = node.parameters[each.name]
        for artifact in template.outputs:
            if artifact.global_name and artifact.name in node.artifacts:
                self.artifacts[artifact.global_name] = node.artifacts[artifact.name]
                found = node.artifacts[artifact.name]
                made = Export(node.index, found, self._archive(found, artifact))
                before = self.exports.get(artifact.global_name, made)
                # Of several items of a loop the last one in order counts, whichever ended last.
                self.exports[artifact.global_name] = max(made, before, key=lambda export: export.index)
