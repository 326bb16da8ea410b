"""What templates say about each other: entrypoint, calls, arguments, passing of artifacts."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.manifests.nodes import shown
from mlops.manifests.placeholders import STEP_FIELDS, Scope, names
from mlops.manifests.report import Report
from mlops.manifests.spec import ArtifactSource, Parameter, Step, Template, Workflow

MAX_STEPS = 500
MAX_NESTING = 10
MAX_STEP_NAME = 200
_AT = "spec.templates"


def check_references(
    workflow: Workflow, parameters: tuple[Parameter, ...], scope: Scope, report: Report
) -> None:
    """Report every reference that leads nowhere. scope: the names of the whole workflow."""
    templates = {template.name: template for template in workflow.templates if template.name}
    entry = templates.get(workflow.entrypoint)
    if workflow.entrypoint and entry is None:
        report.error("spec.entrypoint", f"no template is named {shown(workflow.entrypoint)}")
    for index, template in enumerate(workflow.templates):
        _Calls(template, f"{_AT}[{index}]", workflow, scope, report).check()
    if entry is None:
        return
    at = f"{_AT}[{workflow.templates.index(entry)}]"
    _check_entry(entry, at, parameters, report)
    sizes = _sizes(entry, templates)
    if sizes is None:
        report.error(at, f"templates call each other in a circle or more than {MAX_NESTING} deep")
    elif sizes > MAX_STEPS:
        report.error(at, f"comes to {sizes:,} steps; at most {MAX_STEPS} are allowed")
    reached = _reached(entry, templates)
    for index, template in enumerate(workflow.templates):
        if template.name and template.name not in reached:
            report.notice(f"{_AT}[{index}]", f"ignored: the entrypoint never reaches {shown(template.name)}")


class _Calls:
    """Checks the steps of one template in their order."""

    def __init__(self, template: Template, at: str, workflow: Workflow, scope: Scope, report: Report) -> None:
        self.template = template
        self.at = at
        self.workflow = workflow
        self.templates = {each.name: each for each in workflow.templates if each.name}
        self.scope = scope
        self.report = report
        self.earlier: dict[str, Template | None] = {}

    def check(self) -> None:
        for index, step in enumerate(self.template.calls):
            at = f"{self.at}.steps[{index}][0]"
            called = self.templates.get(step.template)
            if step.template and called is None:
                self.report.error(f"{at}.template", f"no template is named {shown(step.template)}")
            self._parameters(step, called, at)
            self._artifacts(step, called, at)
            if step.name:
                self.earlier[step.name] = called

    def _parameters(self, step: Step, called: Template | None, at: str) -> None:
        scope = Scope(
            self.scope.parameters,
            self.scope.labels,
            self.scope.annotations,
            own=True,
            inputs=frozenset(parameter.name for parameter in self.template.parameters),
            steps=frozenset(self.earlier),
        )
        declared = {parameter.name: parameter for parameter in called.parameters} if called else {}
        for index, (name, value) in enumerate(step.parameters):
            path = f"{at}.arguments.parameters[{index}]"
            if called and name and name not in declared:
                self.report.error(f"{path}.name", f"the template {called.name} has no input {shown(name)}")
            scope.check(value, f"{path}.value", self.report)
            self._no_groups(value, f"{path}.value")
        for index, (_, source) in enumerate(step.artifacts):
            scope.check(source.raw, f"{at}.arguments.artifacts[{index}].raw.data", self.report)
            self._no_groups(source.raw or "", f"{at}.arguments.artifacts[{index}].raw.data")
        for name in declared.keys() - dict(step.parameters).keys():
            if declared[name].default is None:
                self.report.error(
                    f"{at}.arguments.parameters", f"the input {name} has no default and is not given"
                )

    def _no_groups(self, text: str, path: str) -> None:
        """A step that is itself a group of steps has no exit code or times of its own yet."""
        for name in names(text):
            step, _, field = name.removeprefix("steps.").partition(".")
            of = self.earlier.get(step) if name.startswith("steps.") else None
            if of and of.kind == "steps" and field in STEP_FIELDS:
                reason = f"{{{{{name}}}}} is not supported yet: {step} has steps of its own"
                self.report.error(path, reason)

    def _artifacts(self, step: Step, called: Template | None, at: str) -> None:
        declared = {artifact.name: artifact for artifact in called.inputs} if called else {}
        for index, (name, source) in enumerate(step.artifacts):
            path = f"{at}.arguments.artifacts[{index}]"
            if called and name and name not in declared:
                self.report.error(f"{path}.name", f"the template {called.name} has no input {shown(name)}")
            self._source(source, f"{path}.from")
        given = dict(step.artifacts)
        for index, artifact in enumerate(called.inputs if called else ()):
            if called and artifact.source and artifact.source.step and artifact.name not in given:
                position = self.workflow.templates.index(called)
                self._source(artifact.source, f"{_AT}[{position}].inputs.artifacts[{index}].from")

    def _source(self, source: ArtifactSource, path: str) -> None:
        if source.input is not None and source.input not in [each.name for each in self.template.inputs]:
            self.report.error(path, f"this template has no input artifact {shown(source.input)}")
        if source.step is None:
            return
        if source.step not in self.earlier:
            reason = f"no step named {shown(source.step)} runs before this one"
            self.report.error(path, reason)
            return
        maker = self.earlier[source.step]
        if maker and source.output not in [each.name for each in maker.outputs]:
            reason = f"the template {maker.name} has no output {shown(source.output or '')}"
            self.report.error(path, reason)


def _check_entry(entry: Template, at: str, parameters: tuple[Parameter, ...], report: Report) -> None:
    """The entry template's inputs come from the parameters of the same name or their defaults."""
    declared = {parameter.name for parameter in parameters}
    for index, parameter in enumerate(entry.parameters):
        if parameter.name and parameter.default is None and parameter.name not in declared:
            reason = "has no default, and no parameter of the executable has its name"
            report.error(f"{at}.inputs.parameters[{index}]", reason)
    for index, artifact in enumerate(entry.inputs):
        if artifact.source and artifact.source.step:
            report.error(f"{at}.inputs.artifacts[{index}].from", "no step runs before the entry template")


def _reached(entry: Template, templates: Mapping[str, Template]) -> set[str]:
    reached: set[str] = set()
    waiting = [entry.name]
    while waiting:
        name = waiting.pop()
        if name in templates and name not in reached:
            reached.add(name)
            waiting += [step.template for step in templates[name].calls]
    return reached


def _sizes(entry: Template, templates: Mapping[str, Template]) -> int | None:
    """How many steps the entry template comes to; None for a circle or too deep a nesting.

    Counts level by level, so that a few templates that call each other often cost nothing.
    """
    total, level = 0, {entry.name: 1}
    for _ in range(MAX_NESTING + 1):
        below: dict[str, int] = {}
        for name, count in level.items():
            template = templates.get(name)
            if template is None or template.kind != "steps":
                total += count
                continue
            for step in template.calls:
                below[step.template] = below.get(step.template, 0) + count
        level = below
        if not level:
            return total
    return None
