"""The body of a WorkflowTemplate, and the slots of its executable."""

from __future__ import annotations

import dataclasses

from mlops.manifests.durations import read_limit
from mlops.manifests.fields import Section, unique
from mlops.manifests.metadata import Metadata
from mlops.manifests.parameters import read_parameters
from mlops.manifests.placeholders import Scope
from mlops.manifests.references import check_references
from mlops.manifests.report import Report
from mlops.manifests.spec import (
    Archive,
    OutputArtifact,
    Parameter,
    Template,
    Volume,
    Workflow,
)
from mlops.manifests.templates import read_defaults, read_parallelism, read_template
from mlops.manifests.volumes import read_claims, read_volumes


def read_workflow(spec: Section, metadata: Metadata) -> tuple[Workflow, tuple[Parameter, ...]]:
    """`spec` with everything checked that can be known without a walk, and the parameters."""
    parameters = read_parameters(spec.section("arguments", "spec arguments"), None)
    defaults = read_defaults(spec)
    sections = spec.sections("templates", "template")
    if not sections and (not spec.has("templates") or not spec.nodes("templates")):
        spec.error("templates", "is missing or empty")
    read = [read_template(section, defaults) for section in sections]
    templates = tuple(template for template, _ in read)
    names = [(item.name, section.at("name")) for item, section in zip(templates, sections, strict=True)]
    unique(names, spec.report)
    workflow = Workflow(
        entrypoint=spec.required("entrypoint"),
        templates=templates,
        deadline_seconds=read_limit(spec, "activeDeadlineSeconds", durations=False),
        labels=metadata.all_labels,
        annotations=metadata.all_annotations,
        image_pull_secrets=read_pull_secrets(spec),
        parallelism=read_parallelism(spec),
        on_exit=spec.required("onExit") or None if spec.has("onExit") else None,
        volumes=_volumes(spec),
    )
    scope = Scope(
        frozenset(parameter.name for parameter in parameters),
        frozenset(key for key, _ in metadata.all_labels),
        frozenset(key for key, _ in metadata.all_annotations),
    )
    check_references(workflow, parameters, [texts for _, texts in read], scope, spec.report)
    return workflow, parameters


def read_pull_secrets(owner: Section) -> tuple[str, ...]:
    """Names of `imagePullSecrets`."""
    secrets = owner.sections("imagePullSecrets", "image pull secret")
    for secret in secrets:
        owner.report.notice(secret.path, "recorded: only container runners use it")
    return tuple(secret.required("name") for secret in secrets)


def with_archives(workflow: Workflow, report: Report) -> Workflow:
    """The workflow with what groups pass up packed as its maker says. References must be right."""
    templates = {template.name: template for template in workflow.templates}

    def packed(template: Template, place: int) -> Template:
        outputs = []
        for index, output in enumerate(template.outputs):
            if output.source is not None:
                output = dataclasses.replace(output, archive=_archive(template, output, templates))
                if output.global_name and output.archive == "tar":
                    path = f"spec.templates[{place}].outputs.artifacts[{index}]"
                    reason = "stored as one .tgz file; most models want archive: {none: {}} where it is made"
                    report.notice(path, reason)
            outputs.append(output)
        return dataclasses.replace(template, outputs=tuple(outputs))

    made = tuple(packed(template, place) for place, template in enumerate(workflow.templates))
    return dataclasses.replace(workflow, templates=made)


def _archive(template: Template, output: OutputArtifact, templates: dict[str, Template]) -> Archive:
    """How the template packs it that makes what others pass up."""
    while output.source is not None:
        source = output.source
        step = next((each for each in template.calls if each.name == source.step), None)
        maker = templates.get(step.template) if step else None
        found = next((each for each in maker.outputs if each.name == source.output), None) if maker else None
        if maker is None or found is None:
            break
        template, output = maker, found
    return output.archive


def _volumes(spec: Section) -> tuple[Volume, ...]:
    volumes, claims = read_volumes(spec), read_claims(spec)
    taken = {volume.name for volume in volumes}
    for index, claim in enumerate(claims):
        if claim.name and claim.name in taken:
            spec.error(f"volumeClaimTemplates[{index}].metadata.name", f"{claim.name} is given twice")
    return (*volumes, *claims)
