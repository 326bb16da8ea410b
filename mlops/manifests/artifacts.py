"""Input and output artifacts of templates and of the arguments of steps."""

from __future__ import annotations

import posixpath
import re

from mlops.manifests.fields import Section, unique
from mlops.manifests.nodes import shown
from mlops.manifests.parameters import NAME, NAME_WORDS
from mlops.manifests.spec import Archive, ArtifactSource, InputArtifact, OutputArtifact

MAX_RAW = 256 * 1024
_FROM_STEP = re.compile(r"\{\{\s*steps\.([^.\s{}]+)\.outputs\.artifacts\.([^\s{}]+)\s*\}\}")
_FROM_INPUT = re.compile(r"\{\{\s*inputs\.artifacts\.([^\s{}]+)\s*\}\}")
_FROM_LATER = re.compile(r"\{\{\s*(tasks\.[^.\s{}]+|workflow)\.outputs\.artifacts\.[^\s{}]+\s*\}\}")


def read_inputs(inputs: Section, *, of_steps: bool) -> tuple[InputArtifact, ...]:
    """`inputs.artifacts` of a template; a template with steps only hands them on and needs no path."""
    sections = inputs.sections("artifacts", "input artifact")
    found = []
    for section in sections:
        sub_path = _sub_path(section)
        if of_steps and sub_path:
            section.error("subPath", "subPath on a template with steps is not supported yet")
        found.append(
            InputArtifact(
                name=section.name("name", NAME, NAME_WORDS),
                path=_path(section, required=not of_steps),
                optional=section.flag("optional"),
                sub_path=sub_path,
                source=read_source(section, of_argument=False),
            )
        )
    _distinct(sections, found, inputs)
    return tuple(found)


def read_outputs(outputs: Section, *, of_steps: bool) -> tuple[OutputArtifact, ...]:
    """`outputs.artifacts` of a template that runs something."""
    sections = outputs.sections("artifacts", "output artifact")
    if of_steps and sections:
        outputs.error("artifacts", "outputs of a template with steps are not supported yet")
    found = []
    for section in sections:
        global_name = None
        if section.has("globalName"):
            global_name = section.name("globalName", NAME, NAME_WORDS)
        found.append(
            OutputArtifact(
                name=section.name("name", NAME, NAME_WORDS),
                path=_path(section, required=not of_steps),
                global_name=global_name,
                archive=_archive(section, registered=global_name is not None),
                optional=section.flag("optional"),
            )
        )
    _distinct(sections, found, outputs)
    return tuple(found)


def read_source(section: Section, *, of_argument: bool) -> ArtifactSource | None:
    """`from` or `raw` of an input or an argument; None when neither is given."""
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
        if of_argument and "from" not in section.entries:
            section.error("from", "is missing: say where the artifact comes from")
        return None
    if match := _FROM_STEP.fullmatch(given.strip()):
        return ArtifactSource(step=match[1], output=match[2])
    match = _FROM_INPUT.fullmatch(given.strip())
    if match and of_argument:
        return ArtifactSource(input=match[1])
    if _FROM_LATER.fullmatch(given.strip()):
        section.error("from", f"{shown(given)} is not supported yet")
    else:
        section.error(
            "from", f"{shown(given)!r} must have the form {{{{steps.NAME.outputs.artifacts.NAME}}}}"
        )
    return None


def _path(section: Section, *, required: bool) -> str:
    path = section.required("path", limit=1000) if required else section.text("path", limit=1000) or ""
    if not path.strip():
        return ""
    if "{{" in path:
        section.error("path", "placeholders in a path are not supported yet")
    elif not path.startswith("/") or path.startswith("//"):
        section.error("path", f"{shown(path)!r} must be an absolute path such as /app/data")
    elif ".." in path.split("/") or any(not char.isprintable() for char in path):
        section.error("path", f"{shown(path)!r} must not hold .. or control characters")
    elif posixpath.normpath(path) == "/":
        section.error("path", "must not be the root folder")
    else:
        return posixpath.normpath(path)
    return ""


def _sub_path(section: Section) -> str | None:
    given = section.text("subPath", limit=1000)
    if not given:
        return None
    if "{{" in given:
        section.error("subPath", "placeholders in a path are not supported yet")
    elif given.startswith("/") or ".." in given.split("/") or any(not char.isprintable() for char in given):
        section.error("subPath", f"{shown(given)!r} must be a path inside the artifact, without ..")
    else:
        kept = posixpath.normpath(given)
        return None if kept == "." else kept
    return None


def _archive(section: Section, *, registered: bool) -> Archive:
    archive = section.section("archive", "archive")
    given: list[Archive] = [kind for kind in _KINDS if kind in archive.entries]
    if len(given) > 1:
        section.error("archive", "give one of none, tar and zip")
    for kind in given:
        archive.section(kind, f"archive {kind}")
    if registered and given in ([], ["tar"]):
        section.notice("archive", "stored as one .tgz file; most models want archive: {none: {}}")
    return given[0] if given else "tar"


_KINDS: tuple[Archive, ...] = ("none", "tar", "zip")


def _distinct(
    sections: list[Section], found: list[InputArtifact] | list[OutputArtifact], owner: Section
) -> None:
    for field in ("name", "path"):
        values = [getattr(item, field) for item in found]
        unique([(value, part.at(field)) for value, part in zip(values, sections, strict=True)], owner.report)
