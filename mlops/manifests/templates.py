"""The templates of a workflow, one by one."""

from __future__ import annotations

import re

from mlops.manifests.artifacts import read_inputs, read_outputs
from mlops.manifests.fields import Section
from mlops.manifests.limits import Limits, effective_plan, read_limits, refuse_on_steps
from mlops.manifests.parameters import read_parameters
from mlops.manifests.placeholders import Scope
from mlops.manifests.process import Process, read_process
from mlops.manifests.spec import InputArtifact, OutputArtifact, Parameter, Template, TemplateKind
from mlops.manifests.steps import read_steps

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_NAME_WORDS = "letters, digits, _ - and . are allowed, at most 128 in all"
_BODIES: tuple[TemplateKind, ...] = ("container", "script", "steps")
_REFUSED_BODIES = {"dag", "suspend", "containerSet", "resource", "data", "http", "plugin"}


def read_template(section: Section, scope: Scope, defaults: Limits) -> Template:
    """One item of `spec.templates`. scope: the names of the whole workflow."""
    kind = _kind(section)
    of_steps = kind == "steps"
    inputs, outputs = section.section("inputs", "inputs"), section.section("outputs", "outputs")
    parameters = read_parameters(inputs, scope)
    artifacts = read_inputs(inputs, of_steps=of_steps)
    results = read_outputs(outputs, of_steps=of_steps)
    own = _own_scope(scope, parameters, artifacts, results)
    for index, artifact in enumerate(artifacts):
        if artifact.source:
            own.check(artifact.source.raw, f"{inputs.at('artifacts')}[{index}].raw.data", section.report)
    process, limits, plan = Process(), read_limits(section), None
    if of_steps:
        refuse_on_steps(section)
        if limits.resource_plan:
            section.error(
                "metadata.labels", "a resource plan belongs to a template with a container or script"
            )
    else:
        limits = limits.over(defaults)
        plan = effective_plan(section, limits)
        if section.has(kind):
            process = read_process(section.section(kind, kind), own, script=kind == "script")
    return Template(
        name=section.name("name", _NAME, _NAME_WORDS),
        kind=kind,
        command=process.command,
        args=process.args,
        source=process.source,
        env=process.env,
        working_dir=process.working_dir,
        image=process.image,
        image_pull_policy=process.image_pull_policy,
        groups=tuple((step,) for step in read_steps(section)) if of_steps else (),
        parameters=parameters,
        inputs=artifacts,
        outputs=results,
        deadline_seconds=limits.deadline_seconds,
        retry=limits.retry,
        resource_plan=plan,
    )


def _kind(section: Section) -> TemplateKind:
    given = [body for body in _BODIES if section.has(body)]
    if len(given) > 1 or not (given or section.refused & _REFUSED_BODIES):
        section.report.error(section.path, "needs exactly one of container, script and steps")
    return given[0] if given else "container"


def _own_scope(
    scope: Scope,
    parameters: tuple[Parameter, ...],
    inputs: tuple[InputArtifact, ...],
    outputs: tuple[OutputArtifact, ...],
) -> Scope:
    """The names known in the body of a template."""
    paths = [f"inputs.artifacts.{item.name}.path" for item in inputs]
    paths += [f"outputs.artifacts.{item.name}.path" for item in outputs]
    return Scope(
        scope.parameters,
        scope.labels,
        scope.annotations,
        own=True,
        inputs=frozenset(item.name for item in parameters),
        paths=frozenset(paths),
    )
