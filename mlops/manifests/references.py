"""What the parts of a workflow say about each other: entrypoint, calls, sizes, volumes, placeholders."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from mlops.manifests import loops
from mlops.manifests.calls import AT, Calls, Document
from mlops.manifests.nodes import shown
from mlops.manifests.placeholders import Scope, Texts
from mlops.manifests.report import Report
from mlops.manifests.spec import Loop, Parameter, Template, Workflow

MAX_STEPS = 500
MAX_RUNS = 10_000
MAX_NESTING = 10


def check_references(
    workflow: Workflow,
    parameters: tuple[Parameter, ...],
    texts: Sequence[Texts],
    scope: Scope,
    report: Report,
) -> None:
    """Report every reference that leads nowhere. texts: of each template; scope: of the whole workflow."""
    templates = {template.name: template for template in workflow.templates if template.name}
    places = {template.name: f"{AT}[{index}]" for index, template in enumerate(workflow.templates)}
    roots = []
    for field, name in (("entrypoint", workflow.entrypoint), ("onExit", workflow.on_exit)):
        if name and name not in templates:
            report.error(f"spec.{field}", f"no template is named {shown(name)}")
        elif name:
            roots.append(templates[name])
            _check_root(templates[name], places[name], parameters, report)
    early = _reached([workflow.entrypoint], templates)
    late = _reached([workflow.on_exit or ""], templates)
    everything = [*early, *late]
    scope = dataclasses.replace(
        scope,
        outputs=frozenset(
            each.global_name
            for name in everything
            for each in templates[name].output_parameters
            if each.global_name
        ),
    )
    artifacts = {
        each.global_name for name in everything for each in templates[name].outputs if each.global_name
    }
    document = Document(templates, places, artifacts, report)
    for index, template in enumerate(workflow.templates):
        at = f"{AT}[{index}]"
        here = dataclasses.replace(scope, ending=template.name in late and template.name not in early)
        for text, path in texts[index]:
            _body_scope(template, here).check(text, path, report)
        _check_retry(template, at, here, report)
        _check_sources(template, at, document)
        _check_mounts(template, workflow, at, report)
        Calls(template, at, document, here).check()
        if template.name and workflow.entrypoint in templates and template.name not in everything:
            report.notice(at, f"ignored: the entrypoint never reaches {shown(template.name)}")
    if roots and workflow.entrypoint in templates:
        _check_sizes(roots, places[workflow.entrypoint], templates, report)


def _check_root(root: Template, at: str, parameters: tuple[Parameter, ...], report: Report) -> None:
    """Inputs of a template that no step calls come from the parameters of the same name or their defaults."""
    declared = {parameter.name for parameter in parameters}
    for index, parameter in enumerate(root.parameters):
        if parameter.name and parameter.default is None and parameter.name not in declared:
            reason = "has no default, and no parameter of the executable has its name"
            report.error(f"{at}.inputs.parameters[{index}]", reason)
    for index, artifact in enumerate(root.inputs):
        if artifact.source and artifact.source.step:
            report.error(f"{at}.inputs.artifacts[{index}].from", "no step runs before this template")


def _body_scope(template: Template, scope: Scope) -> Scope:
    """The names known in the body of a template."""
    paths = [f"inputs.artifacts.{item.name}.path" for item in template.inputs]
    paths += [f"outputs.artifacts.{item.name}.path" for item in template.outputs]
    paths += [f"outputs.parameters.{item.name}.path" for item in template.output_parameters if item.path]
    return dataclasses.replace(
        scope,
        own=True,
        inputs=frozenset(item.name for item in template.parameters),
        paths=frozenset(paths),
        retried=template.retry is not None and template.kind in ("container", "script"),
    )


def _check_retry(template: Template, at: str, scope: Scope, report: Report) -> None:
    """The placeholders of a retry expression, where `lastRetry` is known whatever is retried."""
    if template.retry and template.retry.expression:
        known = dataclasses.replace(_body_scope(template, scope), retried=True)
        known.check(template.retry.expression, f"{at}.retryStrategy.expression", report)


def _check_sources(template: Template, at: str, document: Document) -> None:
    """Inputs that are taken from the whole workflow; those of steps are checked where they are called."""
    for index, artifact in enumerate(template.inputs):
        name = artifact.source.global_name if artifact.source else None
        if name is not None and name not in document.artifacts:
            reason = f"no output has the globalName {shown(name)}"
            document.report.error(f"{at}.inputs.artifacts[{index}].from", reason)


def _check_mounts(template: Template, workflow: Workflow, at: str, report: Report) -> None:
    """Every mount has its volume and a place of its own."""
    everywhere = {volume.name for volume in workflow.volumes}
    for index, volume in enumerate(template.volumes):
        if volume.name and volume.name in everywhere:
            report.error(f"{at}.volumes[{index}].name", f"{volume.name} is a volume of the workflow already")
    known = everywhere | {volume.name for volume in template.volumes}
    taken = {item.path for item in template.inputs} | {item.path for item in template.outputs}
    for index, mount in enumerate(template.volume_mounts):
        path = f"{at}.{template.kind}.volumeMounts[{index}]"
        if mount.volume and mount.volume not in known:
            report.error(f"{path}.name", f"there is no volume {shown(mount.volume)}")
        if mount.path and mount.path in taken:
            report.error(f"{path}.mountPath", f"{shown(mount.path)} is the path of an artifact already")


def _reached(names: Iterable[str], templates: Mapping[str, Template]) -> dict[str, None]:
    """Names of the templates that these and all they call come to, in order."""
    reached: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in templates and name not in reached:
            reached[name] = None
            waiting += [
                called
                for step in templates[name].calls
                for called in (step.template, step.on_exit)
                if called is not None
            ]
    return reached


def _check_sizes(
    roots: Iterable[Template], at: str, templates: Mapping[str, Template], report: Report
) -> None:
    """Bound the steps of a run: as they are written, and with every loop run to its end."""
    sizes = _sizes(roots, templates)
    if sizes is None:
        report.error(at, f"templates call each other in a circle or more than {MAX_NESTING} deep")
    elif sizes[0] > MAX_STEPS:
        report.error(at, f"comes to {sizes[0]:,} steps; at most {MAX_STEPS} are allowed")
    elif sizes[1] > MAX_RUNS:
        reason = f"comes to {sizes[1]:,} steps when all loops run; at most {MAX_RUNS:,} are allowed"
        report.error(at, f"{reason} (a loop whose items are not known yet counts as {loops.MAX_ITEMS})")


def _sizes(roots: Iterable[Template], templates: Mapping[str, Template]) -> tuple[int, int] | None:
    """How many steps the templates come to, loops counted once and with all their items.

    None for a circle or too deep a nesting. Counts level by level, so that a few templates that call
    each other often cost nothing.
    """
    written = run = 0
    level = {root.name: (1, 1) for root in roots}
    for _ in range(MAX_NESTING + 1):
        below: dict[str, tuple[int, int]] = {}
        for name, (once, all_in_all) in level.items():
            template = templates.get(name)
            if template is None or template.kind not in ("steps", "dag"):
                written, run = written + once, run + all_in_all
                continue
            for step in template.calls:
                times = all_in_all * _length(step.loop)
                for called in (step.template, step.on_exit):
                    if called is not None:
                        had = below.get(called, (0, 0))
                        below[called] = (had[0] + once, had[1] + times)
        level = below
        if not level:
            return written, run
    return None


def _length(loop: Loop | None) -> int:
    """How many calls a step comes to; the most there can be when that is known at run time only."""
    if loop is None:
        return 1
    if loop.items is not None:
        return len(loop.items)
    try:
        return len(loops.items(loop, _not_known))
    except ValueError:
        return loops.MAX_ITEMS


def _not_known(name: str) -> str:
    raise ValueError(name)
