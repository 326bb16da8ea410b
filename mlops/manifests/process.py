"""Containers and scripts: what a template runs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlops.manifests.fields import Section, unique
from mlops.manifests.placeholders import Scope
from mlops.manifests.spec import Pairs

MAX_ARGUMENT = 100_000
MAX_SOURCE = 1024 * 1024
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Process:
    """The fields of `spec.Template` that a container or script fills."""

    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    source: str | None = None
    env: Pairs = ()
    working_dir: str | None = None
    image: str | None = None
    image_pull_policy: str | None = None


def read_process(section: Section, scope: Scope, *, script: bool) -> Process:
    """A container or script; its placeholders are checked against scope."""
    command = section.texts("command", limit=MAX_ARGUMENT)
    if not section.has("command") or (not command and not section.nodes("command")):
        what = "the interpreter" if script else "the program"
        section.error("command", f"is missing: name {what}, there is no image to take it from")
    elif command and not command[0].strip():
        section.error("command", "its first item, the program, is empty")
    args = section.texts("args", limit=MAX_ARGUMENT)
    source = section.text("source", limit=MAX_SOURCE) if script else None
    if script and not source and not section.has("source"):
        section.error("source", "is missing: it holds the script's text")
    working_dir = section.text("workingDir", limit=1000) or None
    image = section.text("image", limit=1000)
    for key, texts in (("command", command), ("args", args)):
        for index, text in enumerate(texts):
            scope.check(text, f"{section.at(key)}[{index}]", section.report)
    for key, single in (("source", source), ("workingDir", working_dir), ("image", image)):
        scope.check(single, section.at(key), section.report)
    return Process(
        command=command,
        args=args,
        source=source,
        env=_env(section, scope),
        working_dir=working_dir,
        image=image,
        image_pull_policy=section.text("imagePullPolicy"),
    )


def _env(owner: Section, scope: Scope) -> Pairs:
    found: list[tuple[str, str]] = []
    sections = owner.sections("env", "env")
    for section in sections:
        name = section.name("name", _VARIABLE, "letters, digits, _ - and . are allowed, no digit first")
        value = section.verbatim("value", limit=MAX_ARGUMENT)
        if section.has("valueFrom") and not section.section("valueFrom", "env source").refused:
            section.error("valueFrom", "names no source")
        scope.check(value, section.at("value"), section.report)
        found.append((name, value or ""))
    unique([(name, part.at("name")) for (name, _), part in zip(found, sections, strict=True)], owner.report)
    return tuple(found)
