"""Steps and tasks: which templates a template calls, when, how often and with which arguments."""

from __future__ import annotations

import json
import re
from typing import Any

from mlops.manifests.artifacts import Noun, read_source
from mlops.manifests.conditions import parse_depends, parse_when
from mlops.manifests.fields import Section, scalar, unique
from mlops.manifests.loops import MAX_ITEMS
from mlops.manifests.nodes import Items, Map, Node, shown
from mlops.manifests.spec import ArtifactSource, Loop, Sequence, Step

STEP_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,127}")
STEP_NAME_WORDS = "letters, digits, _ and - are allowed, at most 128 in all"
MAX_TEXT = 100_000
_LOOPS = ("withItems", "withParam", "withSequence")
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,15})?")


def read_steps(template: Section) -> tuple[tuple[Step, ...], ...]:
    """The steps, those of an inner list together; what they refer to is checked by `references`."""
    outer = template.nodes("steps")
    if not outer and template.has("steps"):
        template.error("steps", "has no steps")
    groups = []
    names: list[tuple[str, str]] = []
    for node in outer:
        group = []
        if not isinstance(node, Items) or not node.items:
            template.report.error(node.path, "must be a list of the steps that run together at this point")
        else:
            for item in node.items:
                section = Section(item, item.path, "step", template.report)
                group.append(_call(section, "steps"))
                names.append((group[-1].name, section.at("name")))
        groups.append(tuple(group))
    unique(names, template.report)
    return tuple(groups)


def read_tasks(dag: Section) -> tuple[Step, ...]:
    """The tasks in document order; what they refer to is checked by `references`."""
    sections = dag.sections("tasks", "task")
    if not sections and (not dag.has("tasks") or not dag.nodes("tasks")):
        dag.error("tasks", "is missing or empty")
    tasks = tuple(_call(section, "tasks") for section in sections)
    names = [(task.name, section.at("name")) for task, section in zip(tasks, sections, strict=True)]
    unique(names, dag.report)
    return tasks


def read_target(dag: Section) -> tuple[str, ...]:
    """The names of the tasks that a dag is run for; (): all of them."""
    return tuple(dict.fromkeys((dag.text("target", limit=MAX_TEXT) or "").split()))


def _call(section: Section, noun: Noun) -> Step:
    arguments = section.section("arguments", "step arguments")
    after = section.section("continueOn", "continueOn")
    return Step(
        name=section.name("name", STEP_NAME, STEP_NAME_WORDS),
        template=section.required("template"),
        parameters=_parameters(arguments),
        artifacts=_artifacts(arguments, noun),
        when=_when(section),
        loop=_loop(section),
        continue_on_failed=after.flag("failed"),
        continue_on_error=after.flag("error"),
        depends=_depends(section),
        on_exit=section.required("onExit") or None if section.has("onExit") else None,
    )


def _when(section: Section) -> str | None:
    text = section.text("when", limit=MAX_TEXT)
    if text is None:
        return None
    try:
        parse_when(text)
    except ValueError as error:
        section.error("when", str(error))
    return text


def _depends(section: Section) -> str | None:
    """`depends` as it is, `dependencies` as one that names them all."""
    if section.has("depends") and section.has("dependencies"):
        section.error("dependencies", "give depends or dependencies, not both")
    if section.has("depends"):
        text = section.required("depends", limit=MAX_TEXT)
        try:
            parse_depends(text)
        except ValueError as error:
            section.error("depends", str(error))
        return text
    names = section.texts("dependencies")
    for index, name in enumerate(names):
        if not STEP_NAME.fullmatch(name):
            section.error(f"dependencies[{index}]", f"{shown(name)!r} is no name of a task")
    return " && ".join(dict.fromkeys(names)) or None


def _loop(section: Section) -> Loop | None:
    given = [key for key in _LOOPS if section.has(key)]
    for key in given[1:]:
        section.error(key, f"give one of {', '.join(_LOOPS)}")
    if not given:
        return None
    if given[0] == "withParam":
        return Loop(param=section.required("withParam", limit=MAX_TEXT))
    if given[0] == "withSequence":
        return Loop(sequence=_sequence(section.section("withSequence", "withSequence")))
    nodes = section.nodes("withItems")
    if isinstance(section.entries["withItems"], Items) and not 1 <= len(nodes) <= MAX_ITEMS:
        section.error("withItems", f"has {len(nodes)} items; from 1 to {MAX_ITEMS} are allowed")
    return Loop(items=tuple(_json(_item(node, section)) for node in nodes))


def _sequence(section: Section) -> Sequence:
    if section.has("count") == section.has("end"):
        section.error("count", "give count or end, one of them")
    return Sequence(
        count=section.text("count"),
        start=section.text("start"),
        end=section.text("end"),
        format=section.text("format"),
    )


def _item(node: Node, section: Section) -> Any:
    """An item in JSON types; numbers that JSON writes otherwise stay the texts that they are in YAML."""
    if isinstance(node, Items):
        return [_item(part, section) for part in node.items]
    if isinstance(node, Map):
        for key, part in node.entries.items():
            if "{{" in key:
                section.report.error(part.path, "must be fixed: placeholders cannot stand in a key")
        return {key: _item(part, section) for key, part in node.entries.items()}
    text = scalar(node, section.report, MAX_TEXT) or ""
    if node.type == "null":
        section.report.error(node.path, "is empty: an item is a value")
    elif node.type == "bool" and text in ("true", "false"):
        return text == "true"
    elif node.type in ("int", "float") and _JSON_NUMBER.fullmatch(text):
        number = int(text) if text.lstrip("-").isdigit() else float(text)
        return number if _json(number) == text else text
    return text


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _parameters(arguments: Section) -> tuple[tuple[str, str], ...]:
    sections = arguments.sections("parameters", "argument")
    found = []
    for section in sections:
        value = section.verbatim("value", limit=MAX_TEXT)
        if value is None and "value" not in section.entries:
            section.error("value", "is missing")
        found.append((section.required("name"), value or ""))
    _distinct([name for name, _ in found], sections, arguments)
    return tuple(found)


def _artifacts(arguments: Section, noun: Noun) -> tuple[tuple[str, ArtifactSource], ...]:
    sections = arguments.sections("artifacts", "artifact argument")
    found = []
    for section in sections:
        source = read_source(section, of=noun) or ArtifactSource()
        found.append((section.required("name"), source))
    _distinct([name for name, _ in found], sections, arguments)
    return tuple(found)


def _distinct(names: list[str], sections: list[Section], arguments: Section) -> None:
    paths = [section.at("name") for section in sections]
    unique(list(zip(names, paths, strict=True)), arguments.report)
