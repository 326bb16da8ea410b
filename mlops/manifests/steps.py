"""The steps of a template: which templates it calls, in which order, with which arguments."""

from __future__ import annotations

import re

from mlops.manifests.artifacts import read_source
from mlops.manifests.fields import Section, unique
from mlops.manifests.nodes import Items, Node
from mlops.manifests.spec import ArtifactSource, Step

STEP_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,127}")
STEP_NAME_WORDS = "letters, digits, _ and - are allowed, at most 128 in all"


def read_steps(template: Section) -> tuple[Step, ...]:
    """The steps in running order; what they refer to is checked by `references`.

    The n-th step is the only item of the n-th inner list, so that its path is `steps[n][0]`.
    """
    outer = template.nodes("steps")
    if not outer and template.has("steps"):
        template.error("steps", "has no steps")
    found = [_step(node, template) for node in outer]
    names = [(step.name, f"{template.at('steps')}[{index}][0].name") for index, step in enumerate(found)]
    unique(names, template.report)
    return tuple(found)


def _step(node: Node, template: Section) -> Step:
    report = template.report
    if not isinstance(node, Items) or not node.items:
        report.error(node.path, "must be a list with the one step that runs at this point")
        return Step("", "")
    if len(node.items) > 1:
        report.error(node.path, "steps that run together (an inner list of several) are not supported yet")
        for other in node.items[1:]:
            _one(Section(other, other.path, "step", report))
    return _one(Section(node.items[0], node.items[0].path, "step", report))


def _one(section: Section) -> Step:
    arguments = section.section("arguments", "step arguments")
    return Step(
        name=section.name("name", STEP_NAME, STEP_NAME_WORDS),
        template=section.required("template"),
        parameters=_parameters(arguments),
        artifacts=_artifacts(arguments),
    )


def _parameters(arguments: Section) -> tuple[tuple[str, str], ...]:
    sections = arguments.sections("parameters", "argument")
    found = []
    for section in sections:
        value = section.verbatim("value", limit=100_000)
        if value is None and "value" not in section.entries:
            section.error("value", "is missing")
        found.append((section.required("name"), value or ""))
    _distinct([name for name, _ in found], sections, arguments)
    return tuple(found)


def _artifacts(arguments: Section) -> tuple[tuple[str, ArtifactSource], ...]:
    sections = arguments.sections("artifacts", "artifact argument")
    found = []
    for section in sections:
        source = read_source(section, of_argument=True) or ArtifactSource()
        found.append((section.required("name"), source))
    _distinct([name for name, _ in found], sections, arguments)
    return tuple(found)


def _distinct(names: list[str], sections: list[Section], arguments: Section) -> None:
    paths = [section.at("name") for section in sections]
    unique(list(zip(names, paths, strict=True)), arguments.report)
