"""Output parameters: the text of a file, or what a step or task of one's own gave."""

from __future__ import annotations

import re

from mlops.manifests.artifacts import Noun
from mlops.manifests.fields import Section, unique
from mlops.manifests.nodes import shown
from mlops.manifests.parameters import NAME, NAME_WORDS
from mlops.manifests.paths import absolute_path
from mlops.manifests.spec import OutputParameter

MAX_DEFAULT = 256 * 1024
_ONE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")


def read_output_parameters(outputs: Section, *, noun: Noun | None) -> tuple[OutputParameter, ...]:
    """`outputs.parameters` of a template that runs something (noun None), or of steps or tasks."""
    sections = outputs.sections("parameters", "output parameter")
    found = tuple(_parameter(section, noun) for section in sections)
    names = [(item.name, section.at("name")) for item, section in zip(found, sections, strict=True)]
    unique(names, outputs.report)
    return found


def _parameter(section: Section, noun: Noun | None) -> OutputParameter:
    origin = section.section("valueFrom", "output source")
    path = source = None
    if not origin.present:
        section.error("valueFrom", "is missing: say where the value comes from")
    elif noun is None and origin.has("parameter"):
        origin.error("parameter", "refused: only templates with steps or a dag pass parameters up")
    elif noun and origin.has("path"):
        origin.error(
            "path", "refused: only templates with a container or script leave a file; give parameter"
        )
    elif noun:
        source = _source(origin, noun)
    else:
        path = absolute_path(origin, "path") or None
    global_name = None
    if section.has("globalName"):
        global_name = section.name("globalName", NAME, NAME_WORDS)
    return OutputParameter(
        name=section.name("name", NAME, NAME_WORDS),
        path=path,
        default=origin.verbatim("default", limit=MAX_DEFAULT),
        source=source,
        global_name=global_name,
    )


def _source(origin: Section, noun: Noun) -> str | None:
    given = origin.required("parameter", limit=1000)
    match = _ONE.fullmatch(given.strip())
    if given.strip() and match is None:
        form = f"{{{{{noun}.NAME.outputs.parameters.NAME}}}}"
        origin.error("parameter", f"{shown(given)!r} must be one placeholder such as {form}")
    return match[1] if match else None
