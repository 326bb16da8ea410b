"""Declared parameters: of the executable and of single templates."""

from __future__ import annotations

import re

from mlops.manifests.fields import MAX_DESCRIPTION, Section, unique
from mlops.manifests.nodes import shown
from mlops.manifests.placeholders import Texts, names
from mlops.manifests.spec import Parameter

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
NAME_WORDS = "letters, digits, _ - and . are allowed, and it begins with a letter, a digit or _"


def read_parameters(owner: Section, texts: Texts | None, place: str = "parameter") -> tuple[Parameter, ...]:
    """The `parameters` list of a template's `inputs` (texts gets the defaults, which may hold
    placeholders), or, with None, of an executable, where defaults are taken as they are. Order as written."""
    sections = owner.sections("parameters", place)
    found = tuple(_parameter(section, texts) for section in sections)
    unique(
        [(item.name, section.at("name")) for item, section in zip(found, sections, strict=True)], owner.report
    )
    return found


def _parameter(section: Section, texts: Texts | None) -> Parameter:
    name = section.name("name", NAME, NAME_WORDS)
    if name == "json":
        section.error("name", "json is taken: {{workflow.parameters.json}} stands for all parameters")
    key = "value" if "value" in section.entries else "default"
    default = section.verbatim(key)
    if key == "value" and section.has("default"):
        section.notice("default", "ignored: value is given too and is the default")
    if texts is not None:
        texts.append((default or "", section.at(key)))
    elif any(names(default or "")):
        section.notice(key, "taken as it is: placeholders in the default of an executable are not replaced")
    enum = section.texts("enum")
    if section.has("enum") and not enum:
        section.error("enum", "has no values; leave it out or list some")
    if enum and default is not None and default not in enum and not any(names(default)):
        section.error(key, f"{shown(default)!r} is not one of the values of enum")
    return Parameter(
        name=name,
        default=default,
        description=section.text("description", limit=MAX_DESCRIPTION) or "",
        enum=enum,
    )
