"""The `{{name}}` placeholders: which are known where, and how they are replaced."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from mlops.manifests.nodes import shown
from mlops.manifests.report import Report

# Ends at the next braces of either kind, so that a text full of openings is read once, not once for each.
_PATTERN = re.compile(r"\{\{(?!\{)((?:(?!\{\{|\}\}).)*)\}\}", re.DOTALL)
_TIME_FORMATS = frozenset("aAbBcCdDeFhHIjklmMnprRsStTuUVwWxXyYzZ") | {"RFC3339"}
_STEP = re.compile(r"steps\.([^.]+)\.(.+)", re.DOTALL)
STEP_FIELDS = ("status", "exitCode", "startedAt", "finishedAt", "id")
_WORKFLOW = frozenset(
    "workflow." + name
    for name in (
        "parameters",
        "parameters.json",
        "name",
        "uid",
        "namespace",
        "mainEntrypoint",
        "scheduledTime",
        "creationTimestamp",
    )
)
_STEP_OWN = frozenset(("steps.name", "node.name", "pod.name", "retries"))
_LATER = re.compile(
    r"item(\..+)?|tasks\..+|workflow\.(duration|status|failures|outputs\..+)|outputs\.parameters\..+"
    r"|steps\.[^.]+\.outputs\.(result|parameters\..+)|lastRetry\..+",
    re.DOTALL,
)
_CLUSTER = re.compile(r"workflow\.(serviceAccountName|priority)|steps\.[^.]+\.(ip|hostNodeName)")


def replace(text: str, lookup: Callable[[str], str]) -> str:
    """Text with every placeholder looked up, in one pass: what is put in is not looked at again."""
    return _PATTERN.sub(lambda match: lookup(match[1].strip()), text)


def names(text: str) -> Iterator[str]:
    """The names in a text's placeholders, blanks stripped."""
    return (match[1].strip() for match in _PATTERN.finditer(text))


def listed(pairs: Mapping[str, str]) -> str:
    """Parameters as JSON: a list of {name, value}."""
    return json.dumps([{"name": name, "value": value} for name, value in pairs.items()], ensure_ascii=False)


def timestamp(value: str, form: str) -> str:
    """An RFC 3339 time in UTC, by strftime letter, `s` for seconds since 1970, or RFC3339."""
    at = datetime.fromisoformat(value).astimezone(UTC)
    if form == "RFC3339":
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(int(at.timestamp())) if form == "s" else at.strftime(f"%{form}")


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that mean something at one place of a document.

    own: whether the place belongs to a step (a template's body or the arguments of a step); paths:
    artifact paths that are known, as `inputs.artifacts.<N>.path`; steps: the steps that ran before.
    """

    parameters: frozenset[str]
    labels: frozenset[str] = frozenset()
    annotations: frozenset[str] = frozenset()
    own: bool = False
    inputs: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()
    steps: frozenset[str] | None = None

    def check(self, text: str | None, path: str, report: Report) -> None:
        """Refuse every placeholder of text that means nothing here."""
        for name in dict.fromkeys(names(text or "")):
            if reason := self.complaint(name):
                report.error(path, f"{{{{{shown(name, 60)}}}}} {reason}")

    def complaint(self, name: str) -> str:
        """Why a placeholder cannot stand here; "" when it can."""
        if name.startswith("="):
            return "is an expression; only names are supported"
        if self._known(name):
            return ""
        if _LATER.fullmatch(name) or (name == "inputs.parameters" and self.own):
            return "is not supported yet"
        if _CLUSTER.fullmatch(name):
            return "has no meaning outside a cluster"
        if name.startswith("workflow.parameters."):
            return "is not declared in spec.arguments.parameters"
        if name.startswith("inputs.parameters."):
            return "is not among the inputs of this template"
        if match := _STEP.fullmatch(name):
            return self._step_complaint(*match.groups())
        return "is unknown here"

    def _known(self, name: str) -> bool:
        if name in _WORKFLOW or name in self.paths:
            return True
        for prefix, known in (
            ("workflow.parameters.", self.parameters),
            ("workflow.labels.", self.labels),
            ("workflow.annotations.", self.annotations),
            ("workflow.creationTimestamp.", _TIME_FORMATS),
        ):
            if name.startswith(prefix):
                return name.removeprefix(prefix) in known
        if self.own and name in _STEP_OWN:
            return True
        if name == "inputs.parameters":
            return self.own and self.steps is None
        if name.startswith("inputs.parameters."):
            return name.removeprefix("inputs.parameters.") in self.inputs
        match = _STEP.fullmatch(name)
        return bool(match and match[1] in (self.steps or ()) and match[2] in STEP_FIELDS)

    def _step_complaint(self, step: str, field: str) -> str:
        if self.steps is None:
            return "can stand in the arguments of a later step only; pass it on as an input parameter"
        if step not in self.steps:
            return f"means a step that does not run before this one: {shown(step)}"
        return f"is unknown; of a step there are {', '.join(STEP_FIELDS)}"
