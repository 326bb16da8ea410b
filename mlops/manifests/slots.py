"""What an executable takes and leaves: the slots of its configuration, and the outputs it registers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from mlops.manifests.metadata import ArtifactNotes, Metadata
from mlops.manifests.nodes import shown
from mlops.manifests.report import Report
from mlops.manifests.spec import ArtifactSlot, OutputSlot, Template, Workflow
from mlops.manifests.walk import Visit

MAX_STEP_NAME = 200


def input_slots(
    workflow: Workflow, calls: Sequence[Visit], notes: dict[str, ArtifactNotes]
) -> tuple[ArtifactSlot, ...]:
    """The artifacts a configuration binds, in order of use; those the entry template declares first.

    A slot is optional when every step that reads it calls it optional.
    """
    entry = next(each for each in workflow.templates if each.name == workflow.entrypoint)
    uses = [(each.name, each.optional) for each in entry.inputs if each.source is None]
    uses += [
        (slot, artifact.optional)
        for call in calls
        if call.is_leaf
        for artifact in call.template.inputs
        for slot in [call.slots[artifact.name]]
        if slot is not None
    ]
    optional: dict[str, bool] = {}
    for name, may_miss in uses:
        optional[name] = optional.get(name, True) and may_miss
    return bound_slots(optional, notes, optional=[name for name, may_miss in optional.items() if may_miss])


def bound_slots(
    names: Iterable[str], notes: Mapping[str, ArtifactNotes], *, optional: Collection[str] = ()
) -> tuple[ArtifactSlot, ...]:
    """Slots of these names with what annotations say of them."""
    return tuple(
        ArtifactSlot(name, about.kind, about.description, about.labels, name in optional)
        for name in names
        for about in [notes.get(name, ArtifactNotes())]
    )


def output_slots(
    workflow: Workflow, calls: Sequence[Visit], notes: dict[str, ArtifactNotes]
) -> tuple[OutputSlot, ...]:
    """The outputs that are registered, each once, in the order of the templates that are reached."""
    reached = {call.template.name for call in calls}
    names = dict.fromkeys(
        output.global_name
        for template in workflow.templates
        if template.name in reached
        for output in template.outputs
        if output.global_name
    )
    return tuple(
        OutputSlot(
            name=name,
            kind=about.kind,
            registered_name=about.name or name,
            description=about.description,
            suffix=about.suffix,
            labels=about.labels,
        )
        for name in names
        for about in [notes.get(name, ArtifactNotes())]
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


def check_calls(workflow: Workflow, calls: Sequence[Visit], report: Report) -> None:
    """Refuse too long names of nested steps, and a globalName that more than one call would use.

    Calls each with a condition of its own may share one: what ends last is what is registered.
    """
    places = {template.name: f"spec.templates[{t}].outputs" for t, template in enumerate(workflow.templates)}
    makers: dict[tuple[str, str], Visit] = {}
    told: set[str] = set()
    for call in calls:
        if len(call.name) > MAX_STEP_NAME:
            reason = f"the nested step {shown(call.name)} has a name of more than {MAX_STEP_NAME} characters"
            report.error("spec.templates", reason)
        for field, name in _global_names(call.template):
            kind, path = field.partition("[")[0], f"{places[call.template.name]}.{field}.globalName"
            other = makers.setdefault((kind, name), call)
            apart = call.conditions - other.conditions and other.conditions - call.conditions
            if path in told:
                # The first of many calls says enough.
                continue
            if call.looped:
                reason = f"{name} would be given once for each item of a loop: by the step {call.name}"
                report.error(path, reason)
                told.add(path)
            elif other is not call and not apart:
                first, second = other.name or other.template.name, call.name or call.template.name
                report.error(path, f"{name} would be registered twice: by the steps {first} and {second}")
                told.add(path)


def _global_names(template: Template) -> Iterator[tuple[str, str]]:
    """Each globalName of a template's outputs with its field."""
    for index, artifact in enumerate(template.outputs):
        if artifact.global_name:
            yield f"artifacts[{index}]", artifact.global_name
    for index, parameter in enumerate(template.output_parameters):
        if parameter.global_name:
            yield f"parameters[{index}]", parameter.global_name
