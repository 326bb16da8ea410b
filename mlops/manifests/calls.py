"""Checks what the steps or tasks of one template say of others: templates, arguments, order, loops."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from mlops.manifests import loops
from mlops.manifests.nodes import shown
from mlops.manifests.order import Order
from mlops.manifests.placeholders import LoopItem, Scope, names
from mlops.manifests.report import Report
from mlops.manifests.spec import ArtifactSource, Loop, Step, Template

AT = "spec.templates"
_STATE = ("id", "status", "startedAt", "finishedAt")


@dataclass(frozen=True, slots=True)
class Document:
    """What a template may refer to. places: a template's name to its path; artifacts: the globalNames."""

    templates: Mapping[str, Template]
    places: Mapping[str, str]
    artifacts: Container[str]
    report: Report

    def find(self, name: str, path: str) -> Template | None:
        """The template of that name; None after an error."""
        if name and name not in self.templates:
            self.report.error(path, f"no template is named {shown(name)}")
        return self.templates.get(name)


class Calls:
    """The calls of one template. scope: the names of the whole workflow; at: the template's path."""

    def __init__(self, template: Template, at: str, document: Document, scope: Scope) -> None:
        self.template = template
        self.at = at
        self.document = document
        self.report = document.report
        noun = "tasks" if template.kind == "dag" else "steps"
        self.called = {step.name: document.templates.get(step.template) for step in template.calls}
        self.looped = {step.name for step in template.calls if step.loop}
        self.scope = dataclasses.replace(
            scope,
            own=True,
            inputs=frozenset(parameter.name for parameter in template.parameters),
            noun=noun,
            calls=_known_of_all(template.calls, self.called),
        )

    def check(self) -> None:
        """Every call, and what the template takes from them as its own outputs."""
        if self.template.kind == "dag":
            self._tasks()
        else:
            before: frozenset[str] = frozenset()
            for outer, group in enumerate(self.template.groups):
                for inner, step in enumerate(group):
                    self._call(step, f"{self.at}.steps[{outer}][{inner}]", before)
                before |= {step.name for step in group}
        self._outputs()

    def _tasks(self) -> None:
        tasks, at = self.template.tasks, f"{self.at}.dag"
        known = {task.name for task in tasks}
        order = Order.of(tasks)
        if order.circle:
            listed = shown(", ".join(order.circle), 200)
            self.report.error(f"{at}.tasks", f"tasks wait for each other in a circle: {listed}")
        for name in self.template.target:
            if name not in known:
                self.report.error(f"{at}.target", f"no task is named {shown(name)}")
        wanted = order.needed(self.template.target)
        for index, task in enumerate(tasks):
            here = f"{at}.tasks[{index}]"
            for name in order.waits.get(task.name, ()):
                if name not in known:
                    self.report.error(f"{here}.depends", f"no task is named {shown(name)}")
            if task.name and task.name not in wanted:
                self.report.notice(here, "ignored: no target needs it")
            self._call(task, here, known if order.circle else order.before(task.name))

    def _call(self, step: Step, at: str, before: Container[str]) -> None:
        called = self.document.find(step.template, f"{at}.template")
        scope = dataclasses.replace(self.scope, before=before)
        if step.loop is not None:
            self._loop(step.loop, at, scope)
            scope = dataclasses.replace(scope, item=_item(step.loop))
        scope.check(step.when, f"{at}.when", self.report)
        self._parameters(step, called, at, scope)
        self._artifacts(step, called, at, scope)
        if step.on_exit is not None:
            self._on_exit(step.on_exit, f"{at}.onExit")

    def _loop(self, loop: Loop, at: str, scope: Scope) -> None:
        """The texts of a loop; one that holds no placeholders has to come to items."""
        field, texts = _loop_texts(loop)
        for path, text in texts:
            scope.check(text, f"{at}.{path}", self.report)
        if not any(name for _, text in texts for name in names(text)):
            try:
                loops.items(loop, str)
            except ValueError as error:
                self.report.error(f"{at}.{field}", str(error))

    def _parameters(self, step: Step, called: Template | None, at: str, scope: Scope) -> None:
        declared = {parameter.name: parameter for parameter in called.parameters} if called else {}
        for index, (name, value) in enumerate(step.parameters):
            path = f"{at}.arguments.parameters[{index}]"
            if called and name and name not in declared:
                self.report.error(f"{path}.name", f"the template {called.name} has no input {shown(name)}")
            scope.check(value, f"{path}.value", self.report)
        for name in declared.keys() - dict(step.parameters).keys():
            if declared[name].default is None:
                reason = f"the input {name} has no default and is not given"
                self.report.error(f"{at}.arguments.parameters", reason)

    def _artifacts(self, step: Step, called: Template | None, at: str, scope: Scope) -> None:
        declared = {artifact.name for artifact in called.inputs} if called else set()
        for index, (name, source) in enumerate(step.artifacts):
            path = f"{at}.arguments.artifacts[{index}]"
            if called and name and name not in declared:
                self.report.error(f"{path}.name", f"the template {called.name} has no input {shown(name)}")
            scope.check(source.raw, f"{path}.raw.data", self.report)
            self._source(source, f"{path}.from", scope.before)
        given = dict(step.artifacts)
        for index, artifact in enumerate(called.inputs if called else ()):
            if called and artifact.source and artifact.source.step and artifact.name not in given:
                path = f"{self.document.places[called.name]}.inputs.artifacts[{index}].from"
                self._source(artifact.source, path, scope.before)

    def _source(self, source: ArtifactSource, path: str, before: Container[str]) -> None:
        if source.input is not None and source.input not in [each.name for each in self.template.inputs]:
            self.report.error(path, f"this template has no input artifact {shown(source.input)}")
        if source.global_name is not None and source.global_name not in self.document.artifacts:
            self.report.error(path, f"no output has the globalName {shown(source.global_name)}")
        if source.step is None:
            return
        if source.step not in before:
            self.report.error(path, f"no step named {shown(source.step)} runs before this one")
            return
        maker = self.called.get(source.step)
        if maker and source.output not in [each.name for each in maker.outputs]:
            reason = f"the template {maker.name} has no output {shown(source.output or '')}"
            self.report.error(path, reason)
        elif source.step in self.looped:
            reason = f"{shown(source.step)} is a loop, which leaves an artifact for each item, not one"
            self.report.error(path, reason)

    def _on_exit(self, name: str, path: str) -> None:
        """A template at the end of a step is given nothing."""
        template = self.document.find(name, path)
        for parameter in template.parameters if template else ():
            if parameter.default is None:
                reason = f"is called without arguments, and its input {parameter.name} has no default"
                self.report.error(path, f"{shown(name)} {reason}")
        for artifact in template.inputs if template else ():
            if artifact.source and artifact.source.step:
                reason = f"is called without arguments, and its input {artifact.name} wants one of a step"
                self.report.error(path, f"{shown(name)} {reason}")

    def _outputs(self) -> None:
        scope = dataclasses.replace(self.scope, before=self.called.keys())
        for index, parameter in enumerate(self.template.output_parameters):
            if parameter.source:
                path = f"{self.at}.outputs.parameters[{index}].valueFrom.parameter"
                scope.check_names((parameter.source,), path, self.report)
        for index, artifact in enumerate(self.template.outputs):
            if artifact.source:
                self._source(artifact.source, f"{self.at}.outputs.artifacts[{index}].from", scope.before)


def _known_of_all(steps: Iterable[Step], called: Mapping[str, Template | None]) -> dict[str, frozenset[str]]:
    """What later calls may ask of each; found once for all calls of one template."""
    kinds: dict[tuple[str, bool], frozenset[str]] = {}
    known = {}
    for step in steps:
        kind = (step.template, step.loop is None)
        if kind not in kinds:
            kinds[kind] = _known_of(step, called[step.name])
        known[step.name] = kinds[kind]
    return known


def _known_of(step: Step, called: Template | None) -> frozenset[str]:
    """What later calls may ask of a call; of a loop, outputs are JSON lists in the order of its items."""
    known = {*_STATE}
    runs = called is None or called.kind in ("container", "script")
    if runs:
        known.add("outputs.result")
    if runs and step.loop is None:
        known.add("exitCode")
    if step.loop is not None:
        known.add("outputs.parameters")
    known |= {f"outputs.parameters.{each.name}" for each in (called.output_parameters if called else ())}
    return frozenset(known)


def _loop_texts(loop: Loop) -> tuple[str, list[tuple[str, str]]]:
    """The field of a loop, and its texts by their path."""
    if loop.sequence is not None:
        parts = {key: getattr(loop.sequence, key) for key in ("count", "start", "end", "format")}
        return "withSequence", [(f"withSequence.{key}", text) for key, text in parts.items() if text]
    if loop.param is not None:
        return "withParam", [("withParam", loop.param)]
    return "withItems", [(f"withItems[{index}]", item) for index, item in enumerate(loop.items or ())]


def _item(loop: Loop) -> LoopItem:
    if loop.param is not None:
        return LoopItem(None)
    values = [json.loads(item) for item in loop.items or ()]
    if not values or not all(isinstance(value, dict) for value in values):
        return LoopItem(frozenset())
    return LoopItem(frozenset.intersection(*(frozenset(value) for value in values)))
