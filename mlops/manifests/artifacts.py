"""Input and output artifacts of templates and of the arguments of steps."""

from __future__ import annotations

import re
from typing import Literal

from mlops.manifests.fields import Section, unique
from mlops.manifests.nodes import shown
from mlops.manifests.parameters import NAME, NAME_WORDS
from mlops.manifests.paths import absolute_path, inner_path
from mlops.manifests.spec import Archive, ArtifactSource, InputArtifact, OutputArtifact

MAX_RAW = 256 * 1024
Noun = Literal["steps", "tasks"]
_FROM_CALL = re.compile(r"\{\{\s*(steps|tasks)\.([^.\s{}]+)\.outputs\.artifacts\.([^\s{}]+)\s*\}\}")
_FROM_INPUT = re.compile(r"\{\{\s*inputs\.artifacts\.([^\s{}]+)\s*\}\}")
_FROM_WORKFLOW = re.compile(r"\{\{\s*workflow\.outputs\.artifacts\.([^\s{}]+)\s*\}\}")


def read_inputs(inputs: Section, *, runs: bool) -> tuple[InputArtifact, ...]:
    """`inputs.artifacts` of a template; one that runs nothing only hands them on and needs no path."""
    sections = inputs.sections("artifacts", "input artifact")
    found = []
    for section in sections:
        sub_path = inner_path(section, "subPath")
        if not runs and sub_path:
            section.error("subPath", "refused: give it on the input of the template that is called")
        found.append(
            InputArtifact(
                name=section.name("name", NAME, NAME_WORDS),
                path=_path(section, required=runs),
                optional=section.flag("optional"),
                sub_path=sub_path,
                source=read_source(section, of="input"),
            )
        )
    _distinct(sections, found, inputs)
    return tuple(found)


def read_outputs(outputs: Section, *, noun: Noun | None) -> tuple[OutputArtifact, ...]:
    """`outputs.artifacts` of a template that runs something (noun None), or of steps or tasks."""
    sections = outputs.sections("artifacts", "output artifact")
    found = []
    for section in sections:
        global_name = None
        if section.has("globalName"):
            global_name = section.name("globalName", NAME, NAME_WORDS)
        found.append(
            OutputArtifact(
                name=section.name("name", NAME, NAME_WORDS),
                path=_path(section, required=noun is None),
                global_name=global_name,
                archive=_archive(section, registered=global_name is not None, made_here=noun is None),
                optional=section.flag("optional"),
                source=_passed_up(section, noun),
            )
        )
    _distinct(sections, found, outputs)
    return tuple(found)


def read_source(section: Section, *, of: Literal["input"] | Noun) -> ArtifactSource | None:
    """`from` or `raw` of an input, or of an argument of steps or tasks; None when neither is given."""
    raw = section.section("raw", "raw")
    if raw.present and section.has("from"):
        section.error("from", "give from or raw, not both")
    if raw.present:
        data = raw.verbatim("data", limit=MAX_RAW)
        if data is None:
            raw.error("data", "is missing")
        return ArtifactSource(raw=data or "")
    given = section.text("from", limit=1000)
    if given is None:
        if of != "input" and "from" not in section.entries:
            section.error("from", "is missing: say where the artifact comes from")
        return None
    noun = "steps" if of == "input" else of
    if match := _FROM_CALL.fullmatch(given.strip()):
        if of in ("input", match[1]):
            return ArtifactSource(step=match[2], output=match[3])
    elif match := _FROM_WORKFLOW.fullmatch(given.strip()):
        return ArtifactSource(global_name=match[1])
    elif of != "input" and (match := _FROM_INPUT.fullmatch(given.strip())):
        return ArtifactSource(input=match[1])
    section.error("from", f"{shown(given)!r} must have the form {{{{{noun}.NAME.outputs.artifacts.NAME}}}}")
    return None


def _path(section: Section, *, required: bool) -> str:
    return absolute_path(section, "path") if required or section.text("path", limit=1000) else ""


def _passed_up(section: Section, noun: Noun | None) -> ArtifactSource | None:
    """The `from` of an output: a template that runs something makes its outputs itself."""
    if noun is None:
        if section.has("from"):
            section.error("from", "refused: only templates with steps or a dag pass outputs up")
        return None
    given = section.required("from", limit=1000).strip()
    match = _FROM_CALL.fullmatch(given)
    if match and match[1] == noun:
        return ArtifactSource(step=match[2], output=match[3])
    if given:
        form = f"{{{{{noun}.NAME.outputs.artifacts.NAME}}}}"
        section.error("from", f"{shown(given)!r} must have the form {form}")
    return None


def _archive(section: Section, *, registered: bool, made_here: bool) -> Archive:
    archive = section.section("archive", "archive")
    given: list[Archive] = [kind for kind in _KINDS if kind in archive.entries]
    if len(given) > 1:
        section.error("archive", "give one of none, tar and zip")
    for kind in given:
        archive.section(kind, f"archive {kind}")
    if not made_here:
        if given:
            section.notice("archive", "ignored: the template that makes the output chooses")
    elif registered and given in ([], ["tar"]):
        section.notice("archive", "stored as one .tgz file; most models want archive: {none: {}}")
    return given[0] if given else "tar"


_KINDS: tuple[Archive, ...] = ("none", "tar", "zip")


def _distinct(
    sections: list[Section], found: list[InputArtifact] | list[OutputArtifact], owner: Section
) -> None:
    for field in ("name", "path"):
        values = [getattr(item, field) for item in found]
        unique([(value, part.at(field)) for value, part in zip(values, sections, strict=True)], owner.report)
