"""Templates that call others: steps in turn, tasks by their dependencies."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mlops.engine.flow import retries
from mlops.engine.flow.calls import Call
from mlops.engine.flow.filling import unknown
from mlops.engine.flow.nodes import Artifact, Node, Report, Text
from mlops.engine.flow.units import Called, Given, Unit
from mlops.manifests.conditions import State, parse_depends
from mlops.manifests.nodes import shown
from mlops.manifests.placeholders import replace
from mlops.manifests.spec import ArtifactSource, Step, Template

if TYPE_CHECKING:
    from mlops.engine.flow.flow import Flow

_OF_CALL = re.compile(r"(?:steps|tasks)\.([^.]+)\.(.+)", re.DOTALL)
_NOT_STARTED = "Not started: another step failed before."


class Group(Unit):
    """What steps and graphs share. stops_early: nothing of it begins any more; is_closing: it has to end.

    taken: how many of its calls run, as `step` counts them before it looks at each.
    """

    def __init__(self, flow: Flow, node: Node, template: Template) -> None:
        super().__init__(flow, node)
        self.template = template
        self.called = Called(flow, template, node)
        self.calls: dict[str, Call] = {}
        self.stops_early = False
        self.taken = 0
        self._closing: tuple[State, str] | None = None
        self._given = Given()
        self._since: datetime | None = None
        self._deadline: datetime | None = None
        self._again_at: datetime | None = None
        self._is_final = False

    def build(self) -> None:
        """Make the nodes of its calls, of the newest try."""
        path = self.node.name if self.node.tries < 2 else f"{self.node.name}[{self.node.tries - 1}]"
        parent = None if self.node is self.flow.root.node else self.node.index
        self.calls = {}
        for step, waits in self.order():
            name = f"{path}.{step.name}" if path else step.name
            call = self.calls[step.name] = Call(self, step, name, step.name, None)
            call.build(parent, tuple(self.calls[each].node.index for each in waits if each in self.calls))

    def order(self) -> list[tuple[Step, tuple[str, ...]]]:
        """Its calls in document order, each with those it waits for."""
        raise NotImplementedError

    def step(self, now: datetime) -> None:
        """Go on with its calls and end when they have."""
        raise NotImplementedError

    @property
    def is_closing(self) -> bool:
        return self._closing is not None

    @property
    def has_place(self) -> bool:
        """Whether one more of its calls may begin."""
        most = self.template.parallelism
        return most is None or self.taken < most

    def count(self) -> int:
        """Count the places that are taken; return how many of its calls are over.

        Once for all of them: five hundred calls that each counted the others would take seconds.
        """
        calls = self.every_call()
        self.taken = sum(call.is_active for call in calls)
        return sum(call.is_over for call in calls)

    def every_call(self) -> list[Call]:
        """Its calls and those of their items."""
        found = list(self.calls.values())
        return found + [item for call in found for item in self.flow.items_of(call)]

    def begin(self, given: Given, now: datetime) -> None:
        self._given, self._since = given, now
        self.node.is_begun, self.node.tries, self.node.started_at = True, 1, now
        self.flow.changed(self.node)
        self._limit(now)
        try:
            self.called.take(given)
        except ValueError as error:
            for call in self.calls.values():
                call.omit(str(error))
            self.end("Errored", str(error), now)

    def _limit(self, now: datetime) -> None:
        seconds = self.template.deadline_seconds
        self._deadline = None if seconds is None else now + timedelta(seconds=seconds)

    def advance(self, now: datetime) -> None:
        if self.is_over or not self.node.is_begun:
            return
        if self._again_at is not None:
            if now < self._again_at:
                self.flow.wake(self._again_at)
                return
            self._again(now)
            if self.is_over:
                return
        if self._deadline is not None and not self.is_closing:
            if now >= self._deadline:
                seconds = self.template.deadline_seconds
                self._close("Failed", f"It ran longer than its time limit of {seconds} s.", now)
            else:
                self.flow.wake(self._deadline)
        if self._closing is None:
            self.step(now)
            return
        for call in self.calls.values():
            call.advance(now)
        if all(call.is_over for call in self.calls.values()):
            self.finish(*self._closing, now)

    def finish(self, state: State, message: str, now: datetime) -> None:
        """End the try; when it failed and its policy allows, another follows."""
        if state == "Succeeded":
            try:
                self._pass_up()
            except ValueError as error:
                state, message = "Errored", str(error)
        if state != "Succeeded" and not self._is_final:
            report = Report(state, message, started_at=self.node.started_at, ended_at=now)
            try:
                wait = retries.delay(
                    self.template.retry, self.node.tries - 1, self._since or now, now, report
                )
            except ValueError as error:
                wait, message = None, f"{message} The expression of its retryStrategy has no answer: {error}"
            if wait is not None:
                self._again_at = now + wait
                self.node.message = message
                self.flow.changed(self.node)
                self.flow.wake(self._again_at)
                return
        self.end(state, message, now)

    def _again(self, now: datetime) -> None:
        self._again_at = self._closing = None
        self.stops_early = False
        self.node.tries += 1
        self.flow.changed(self.node)
        self._limit(now)
        try:
            self.build()
        except ValueError as error:
            for call in self.calls.values():
                call.omit(str(error))
            self.end("Errored", str(error), now)

    def close(self, state: State, message: str, now: datetime) -> None:
        if self.is_over:
            return
        if not self.node.is_begun:
            self.skip("Omitted", message)
            return
        self._is_final = True
        if self._again_at is not None:
            self.end(state, message, now)
            return
        self._close(state, message, now)

    def _close(self, state: State, message: str, now: datetime) -> None:
        self._closing = self._closing or (state, message)
        for call in self.calls.values():
            call.close(state, message, now)

    def below(self) -> list[Unit]:
        return [unit for call in self.calls.values() for unit in call.units]

    def value(self, name: str) -> str:
        """What a placeholder among the arguments of its calls stands for. Raises ValueError."""
        match = _OF_CALL.fullmatch(name)
        if match is None or name in ("steps.name", "tasks.name"):
            return self.called.value(name)
        call = self.calls.get(match[1])
        if call is None:
            raise unknown(name)
        return call.told(match[2])

    def resolve(self, source: ArtifactSource, value: Callable[[str], str] | None = None) -> Artifact | None:
        """The artifact that a source among the arguments of its calls means; None when there is none."""
        if source.input is not None:
            return self.called.artifacts.get(source.input)
        if source.step is not None:
            call = self.calls.get(source.step)
            return call.node.artifacts.get(source.output or "") if call is not None else None
        if source.raw is not None:
            return Text(replace(source.raw, value or self.value))
        return self.flow.resolve(source)

    def _pass_up(self) -> None:
        """Its outputs, from what its calls left. Raises ValueError for one that is not there."""
        for each in self.template.output_parameters:
            try:
                text = self.value(each.source) if each.source is not None else None
            except ValueError:
                if each.default is None:
                    raise
                text = None
            text = each.default if text is None else text
            if text is None:
                raise ValueError(f"Its output {each.name} has no value.")
            self.node.parameters[each.name] = text
        for artifact in self.template.outputs:
            found = self.resolve(artifact.source) if artifact.source is not None else None
            if found is not None:
                self.node.artifacts[artifact.name] = found
            elif not artifact.optional:
                raise ValueError(f"Its output {artifact.name} is missing.")
        self.flow.publish(self.template, self.node)


class Steps(Group):
    """Inner groups in turn; the steps of one run together."""

    def __init__(self, flow: Flow, node: Node, template: Template) -> None:
        super().__init__(flow, node, template)
        self._at = 0

    def order(self) -> list[tuple[Step, tuple[str, ...]]]:
        self._at = 0
        groups = self.template.groups
        return [
            (step, tuple(each.name for each in groups[at - 1]) if at else ())
            for at, group in enumerate(groups)
            for step in group
        ]

    def step(self, now: datetime) -> None:
        while self._at < len(self.template.groups):
            calls = [self.calls[step.name] for step in self.template.groups[self._at]]
            over = -1
            # An end may make room for one that stands before it.
            while over != (over := self.count()):
                self._see_failures(self.every_call())
                for call in calls:
                    if self.stops_early and not call.is_started:
                        call.omit(_NOT_STARTED)
                    call.advance(now)
                    self._see_failures([call])
            if not all(call.is_over for call in calls):
                return
            if failed := [call for call in calls if call.has_failed]:
                self._fail(failed, now)
                return
            self._at += 1
        self.finish("Succeeded", "", now)

    def _see_failures(self, calls: list[Call]) -> None:
        if self.template.fail_fast and not self.stops_early:
            self.stops_early = any(call.has_failed for call in calls)

    def _fail(self, failed: list[Call], now: datetime) -> None:
        for call in self.calls.values():
            if not call.is_started:
                call.omit(f"Not reached: {failed[0].node.name} failed.")
        states = [call.state for call in failed]
        self.finish("Failed" if "Failed" in states else "Errored", failed[0].message, now)


class Graph(Group):
    """Tasks, each as soon as what it depends on has ended so that its condition holds."""

    def __init__(self, flow: Flow, node: Node, template: Template) -> None:
        super().__init__(flow, node, template)
        self._depends = {
            task.name: parse_depends(task.depends) for task in template.tasks if task.depends is not None
        }
        self._targets = self._find_targets()
        self._wanted = self._find_wanted()

    def _names(self, task: str) -> tuple[str, ...]:
        return self._depends[task].names if task in self._depends else ()

    def _find_targets(self) -> list[str]:
        """The tasks whose ends decide: those named, else those that no other waits for."""
        if self.template.target:
            return list(self.template.target)
        needed = {name for task in self.template.tasks for name in self._names(task.name)}
        return [task.name for task in self.template.tasks if task.name not in needed]

    def _find_wanted(self) -> set[str]:
        wanted: set[str] = set()
        waiting = list(self._targets)
        while waiting:
            if (name := waiting.pop()) not in wanted:
                wanted.add(name)
                waiting += self._names(name)
        return wanted

    def order(self) -> list[tuple[Step, tuple[str, ...]]]:
        """In an order in which no task comes before what it waits for, so that those have nodes already."""
        left, found = list(self.template.tasks), []
        placed: set[str] = set()
        while left:
            ready = [task for task in left if placed.issuperset(self._names(task.name))] or left
            for task in ready:
                found.append((task, self._names(task.name)))
                placed.add(task.name)
            left = [task for task in left if task.name not in placed]
        return found

    def step(self, now: datetime) -> None:
        over = -1
        while over != (over := self.count()):
            self.stops_early = self.stops_early or (
                self.template.fail_fast and any(self._is_lost(name, set()) for name in self._targets)
            )
            for call in self.calls.values():
                if call.is_over:
                    continue
                if not call.is_started:
                    self._decide(call)
                if call.is_started or self._may_begin(call):
                    call.advance(now)
        if all(call.is_over for call in self.calls.values()):
            self._end_graph(now)

    def _known(self, names: tuple[str, ...]) -> dict[str, Call]:
        return {name: self.calls[name] for name in names if self.calls[name].is_over}

    def _may_begin(self, call: Call) -> bool:
        names = self._names(call.step.name)
        return len(self._known(names)) == len(names)

    def _decide(self, call: Call) -> None:
        """Omit a task that will not run."""
        name = call.step.name
        if name not in self._wanted:
            call.omit("Not needed for the target of its graph.")
        elif self.stops_early:
            call.omit(_NOT_STARTED)
        elif name in self._depends:
            known = {key: each.outcome for key, each in self._known(self._names(name)).items()}
            if not self._depends[name].may_hold(known):
                told = ", ".join(f"{key} {_WORDS[outcome.state]}" for key, outcome in known.items())
                needs = shown(call.step.depends or "", 200)
                call.omit(f"What it depends on ended otherwise: {told}; it needs {needs}.")

    def _is_lost(self, name: str, seen: set[str]) -> bool:
        """Whether the branch that leads to a task has failed: the task, or what it was omitted after."""
        call = self.calls[name]
        if name in seen or not call.is_over:
            return False
        seen.add(name)
        if call.state in ("Skipped", "Omitted"):
            return any(self._is_lost(each, seen) for each in self._names(name))
        return call.has_failed

    def _end_graph(self, now: datetime) -> None:
        if any(self._is_lost(name, set()) for name in self._targets):
            failed = [call for call in self.calls.values() if call.has_failed]
            states = [call.state for call in failed]
            self.finish("Failed" if "Failed" in states else "Errored", failed[0].message, now)
        else:
            self.finish("Succeeded", "", now)


_WORDS = {
    "Succeeded": "succeeded",
    "Failed": "failed",
    "Errored": "could not be run",
    "Skipped": "was skipped",
    "Omitted": "was left out",
}
