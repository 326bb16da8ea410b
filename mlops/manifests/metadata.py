"""Metadata of a template: ids, names, labels, and the annotations about artifacts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from mlops.manifests.fields import MAX_DESCRIPTION, MAX_NAME, MAX_VALUE, Section
from mlops.manifests.nodes import Text, shown
from mlops.manifests.spec import Label, Pairs

ID = re.compile(r"[A-Za-z0-9_.-]{4,64}")
_ID_WORDS = "4 to 64 letters, digits, _ - and . are allowed"
_SCENARIO, _EXECUTABLE = "scenarios.ai.sap.com/", "executables.ai.sap.com/"
_EXTENSION, _ARTIFACTS = "ext.ai.sap.com/", "artifacts.ai.sap.com/"
_VERSION = "ai.sap.com/version"
_IGNORED = "ignored: Launchpad does not know it"
KINDS = ("dataset", "model", "resultset", "other")


@dataclass(slots=True)
class ArtifactNotes:
    """What annotations say about one artifact; paths: aspect to the annotation's path."""

    kind: str = "model"
    name: str | None = None
    description: str = ""
    suffix: str = ""
    labels: tuple[Label, ...] = ()
    paths: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Metadata:
    """The metadata of one document, best effort where there are errors."""

    executable_id: str = ""
    name: str = ""
    description: str = ""
    scenario_id: str = ""
    scenario_name: str = ""
    scenario_description: str = ""
    version: str = ""
    scenario_labels: tuple[Label, ...] = ()
    labels: tuple[Label, ...] = ()
    all_labels: Pairs = ()
    all_annotations: Pairs = ()
    artifacts: dict[str, ArtifactNotes] = field(default_factory=dict)
    cascade_update: bool = False


def read_metadata(section: Section, *, serving: bool) -> Metadata:
    """`metadata` of a document; serving: of a ServingTemplate."""
    found = Metadata(executable_id=section.name("name", ID, _ID_WORDS))
    _labels(section, found)
    _annotations(section, found, serving=serving)
    return found


def _labels(section: Section, found: Metadata) -> None:
    labels = section.pairs("labels")
    found.all_labels = tuple(sorted((key, node.text) for key, node in labels.items()))
    found.scenario_id = _required(section, labels, "labels", _SCENARIO + "id")
    if found.scenario_id and not ID.fullmatch(found.scenario_id):
        reason = f"{shown(found.scenario_id)!r} is no valid id: {_ID_WORDS}"
        section.report.error(labels[_SCENARIO + "id"].path, reason)
    found.version = _required(section, labels, "labels", _VERSION)
    if found.version and labels[_VERSION].type != "str":
        taken = _article(labels[_VERSION].type)
        reason = f"not quoted, so YAML takes it for {taken}; kept as the text {shown(found.version)}"
        section.report.notice(labels[_VERSION].path, reason)
    for key, node in sorted(labels.items()):
        if key in (_SCENARIO + "id", _VERSION):
            continue
        if key == _EXECUTABLE + "id":
            _redundant_id(section, node, found.executable_id)
        elif key.startswith(_SCENARIO) and _short(section, node, MAX_VALUE):
            found.scenario_labels += (Label(key, node.text),)
        elif key.startswith(_EXTENSION) and _short(section, node, MAX_VALUE):
            found.labels += (Label(key, node.text),)
        elif not key.startswith((_SCENARIO, _EXTENSION)):
            section.report.notice(node.path, _IGNORED)


def _annotations(section: Section, found: Metadata, *, serving: bool) -> None:
    annotations = section.pairs("annotations")
    found.all_annotations = tuple(sorted((key, node.text) for key, node in annotations.items()))
    found.scenario_name = _required(section, annotations, "annotations", _SCENARIO + "name")
    found.name = _required(section, annotations, "annotations", _EXECUTABLE + "name")
    for key, node in annotations.items():
        if key == _SCENARIO + "description" and _short(section, node, MAX_DESCRIPTION):
            found.scenario_description = node.text
        elif key == _EXECUTABLE + "description" and _short(section, node, MAX_DESCRIPTION):
            found.description = node.text
        elif key == _EXECUTABLE + "cascade-update-deployments" and serving:
            found.cascade_update = node.text == "true"
            if node.text not in ("true", "false"):
                section.report.error(node.path, f'{shown(node.text)!r} must be "true" or "false"')
        elif key == _EXECUTABLE + "cascade-update-deployments":
            section.report.notice(node.path, "ignored: it means something on a ServingTemplate only")
        elif key.startswith(_ARTIFACTS) and key.rpartition(".")[2] in _ASPECTS:
            artifact, _, aspect = key.removeprefix(_ARTIFACTS).rpartition(".")
            notes = found.artifacts.setdefault(artifact, ArtifactNotes())
            notes.paths[aspect] = node.path
            _aspect(section, notes, aspect, node)
        elif key.rpartition("/")[0] + "/" not in (_SCENARIO, _EXECUTABLE) or not key.endswith(
            ("/name", "/description")
        ):
            section.report.notice(node.path, _IGNORED)


_ASPECTS = ("kind", "name", "description", "suffix", "labels")


def _aspect(section: Section, notes: ArtifactNotes, aspect: str, node: Text) -> None:
    text, report = node.text, section.report
    if not _short(section, node, MAX_NAME if aspect in ("name", "suffix") else MAX_DESCRIPTION):
        return
    if aspect == "kind":
        if text not in KINDS:
            report.error(node.path, f"{shown(text)!r} is none of {', '.join(KINDS)}")
        notes.kind = text
    elif aspect == "name":
        if not text.strip():
            report.error(node.path, "is empty")
        notes.name = text
    elif aspect == "description":
        notes.description = text
    elif aspect == "suffix":
        if ".." in text or text.startswith("/") or text.endswith("/") or not _plain(text):
            report.error(node.path, f"{shown(text)!r} must not hold .. or \\ nor begin or end with /")
        notes.suffix = text
    else:
        notes.labels = _artifact_labels(section, node)


def _artifact_labels(section: Section, node: Text) -> tuple[Label, ...]:
    try:
        given = json.loads(node.text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        said = "nested too deep" if isinstance(error, RecursionError) else shown(str(error), 200)
        section.report.error(node.path, f"is not valid JSON: {said}")
        return ()
    if not isinstance(given, dict):
        section.report.error(node.path, "must be a JSON object of labels")
        return ()
    for key, value in given.items():
        if not key.startswith(_EXTENSION) or len(key) > MAX_NAME or not _plain(key):
            reason = f"the label {shown(key)!r} must begin with {_EXTENSION}, at most {MAX_NAME} characters"
            section.report.error(node.path, reason)
        elif not isinstance(value, str) or len(value) > MAX_VALUE:
            reason = f"the value of {shown(key)} must be a text of at most {MAX_VALUE:,} characters"
            section.report.error(node.path, reason)
    return tuple(Label(key, value) for key, value in sorted(given.items()) if isinstance(value, str))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a label is given twice")
    return made


def _required(section: Section, pairs: dict[str, Text], group: str, key: str) -> str:
    node = pairs.get(key)
    if node is None or node.type == "null" or not node.text.strip():
        section.error(f"{group}.{key}", "is missing or empty")
        return ""
    return node.text if _short(section, node, MAX_NAME) else ""


def _redundant_id(section: Section, node: Text, executable_id: str) -> None:
    if node.text == executable_id:
        section.report.notice(node.path, "redundant: metadata.name is the executable's id")
    else:
        reason = f"{shown(node.text)!r} differs from metadata.name, which is the executable's id"
        section.report.error(node.path, reason)


def _short(section: Section, node: Text, limit: int) -> bool:
    if len(node.text) > limit:
        section.report.error(
            node.path, f"is {len(node.text):,} characters long; at most {limit:,} are allowed"
        )
    return len(node.text) <= limit


def _plain(text: str) -> bool:
    return text.isprintable() and "\\" not in text


def _article(kind: str) -> str:
    return {"int": "a number", "float": "a number", "bool": "true or false", "timestamp": "a date"}.get(
        kind, "no text"
    )
