"""The body of a WorkflowTemplate, and the slots of its executable."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.manifests.fields import Section, unique
from mlops.manifests.limits import Limits, read_limits, read_retry, spec_deadline
from mlops.manifests.metadata import ArtifactNotes, Metadata
from mlops.manifests.parameters import read_parameters
from mlops.manifests.placeholders import Scope
from mlops.manifests.plan import StepPlan
from mlops.manifests.references import check_references
from mlops.manifests.report import Report
from mlops.manifests.spec import ArtifactSlot, OutputSlot, Parameter, Workflow
from mlops.manifests.templates import read_template


def read_workflow(spec: Section, metadata: Metadata) -> tuple[Workflow, tuple[Parameter, ...]]:
    """`spec` with everything checked that can be known without a plan, and the parameters."""
    parameters = read_parameters(spec.section("arguments", "spec arguments"), None)
    scope = Scope(
        frozenset(parameter.name for parameter in parameters),
        frozenset(key for key, _ in metadata.all_labels),
        frozenset(key for key, _ in metadata.all_annotations),
    )
    defaults = read_limits(spec.section("templateDefaults", "templateDefaults"))
    defaults = defaults.over(Limits(retry=read_retry(spec)))
    sections = spec.sections("templates", "template")
    if not sections and (not spec.has("templates") or not spec.nodes("templates")):
        spec.error("templates", "is missing or empty")
    templates = tuple(read_template(section, scope, defaults) for section in sections)
    names = [(item.name, section.at("name")) for item, section in zip(templates, sections, strict=True)]
    unique(names, spec.report)
    secrets = spec.sections("imagePullSecrets", "image pull secret")
    for secret in secrets:
        spec.report.notice(secret.path, "recorded: only container runners use it")
    workflow = Workflow(
        entrypoint=spec.required("entrypoint"),
        templates=templates,
        deadline_seconds=spec_deadline(spec),
        labels=metadata.all_labels,
        annotations=metadata.all_annotations,
        image_pull_secrets=tuple(secret.required("name") for secret in secrets),
    )
    check_references(workflow, parameters, scope, spec.report)
    return workflow, parameters


def input_slots(
    workflow: Workflow, steps: Iterable[StepPlan], notes: dict[str, ArtifactNotes]
) -> tuple[ArtifactSlot, ...]:
    """The artifacts a configuration binds, in order of use; those the entry template declares first.

    A slot is optional when every step that reads it calls it optional.
    """
    entry = next(each for each in workflow.templates if each.name == workflow.entrypoint)
    uses = [(each.name, each.optional) for each in entry.inputs if each.source is None]
    if entry.kind == "steps":
        uses += [(each.slot, each.optional) for step in steps for each in step.inputs if each.slot]
    optional: dict[str, bool] = {}
    for name, may_miss in uses:
        optional[name] = optional.get(name, True) and may_miss
    return tuple(
        ArtifactSlot(name, about.kind, about.description, about.labels, may_miss)
        for name, may_miss in optional.items()
        for about in [notes.get(name, ArtifactNotes())]
    )


def output_slots(
    workflow: Workflow, notes: dict[str, ArtifactNotes], reached: set[str]
) -> tuple[OutputSlot, ...]:
    """The outputs that are registered, in the order of the templates that the plan uses."""
    return tuple(
        OutputSlot(
            name=output.global_name,
            kind=about.kind,
            registered_name=about.name or output.global_name,
            description=about.description,
            suffix=about.suffix,
            labels=about.labels,
        )
        for template in workflow.templates
        if template.name in reached
        for output in template.outputs
        if output.global_name
        for about in [notes.get(output.global_name, ArtifactNotes())]
    )


def check_annotations(
    metadata: Metadata, inputs: tuple[ArtifactSlot, ...], outputs: tuple[OutputSlot, ...], report: Report
) -> None:
    """Note annotations about artifacts that do not exist or that say nothing of an input."""
    inward, outward = {slot.name for slot in inputs}, {slot.name for slot in outputs}
    for artifact, about in metadata.artifacts.items():
        for aspect, path in about.paths.items():
            if artifact not in inward | outward:
                report.notice(
                    path, "ignored: the template has no such input, nor an output with this globalName"
                )
            elif artifact not in outward and aspect in ("name", "suffix"):
                report.notice(path, f"ignored: only an output has a {aspect}")


def check_outputs(steps: tuple[StepPlan, ...], paths: dict[tuple[str, str], str], report: Report) -> None:
    """Refuse two steps that would register under one globalName. paths: (template, output) to field."""
    makers: dict[str, str] = {}
    for step in steps:
        for output in step.outputs:
            name = output.global_name
            if name and name in makers:
                reason = f"{name} would be registered twice: by the steps {makers[name]} and {step.name}"
                report.error(paths[step.template, output.name], reason)
            elif name:
                makers[name] = step.name
