"""The `{{name}}` placeholders: which are known where, and how they are replaced."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from mlops.manifests.nodes import shown
from mlops.manifests.report import Report

# Ends at the next braces of either kind, so that a text full of openings is read once, not once for each.
_PATTERN = re.compile(r"\{\{(?!\{)((?:(?!\{\{|\}\}).)*)\}\}", re.DOTALL)
_TIME_FORMATS = frozenset("aAbBcCdDeFhHIjklmMnprRsStTuUVwWxXyYzZ") | {"RFC3339"}
_CALL = re.compile(r"(steps|tasks)\.([^.]+)\.(.+)", re.DOTALL)
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
        "duration",
    )
)
_ENDING = frozenset(("workflow.status", "workflow.failures"))
_OWN = frozenset(("steps.name", "tasks.name", "node.name", "pod.name", "retries", "inputs.parameters"))
LAST_RETRY = frozenset(f"lastRetry.{field}" for field in ("exitCode", "status", "duration", "message"))
_CLUSTER = re.compile(r"workflow\.(serviceAccountName|priority)|(steps|tasks)\.[^.]+\.(ip|hostNodeName)")
Texts = list[tuple[str, str]]
"""Texts that may hold placeholders, each with its field path."""


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
class LoopItem:
    """The item that a call of a loop is made for. fields: those that every item has; None: not known."""

    fields: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that mean something at one place of a document.

    outputs: output parameters that are known to the whole workflow; ending: whether all else has ended
    here; own: whether the place belongs to a step (a template's body or the arguments of a step); paths:
    as `inputs.artifacts.<N>.path`; retried: whether `lastRetry` is known. calls: the steps or tasks
    beside this place with what is known of each, None in a template's body; before: those that have
    ended here.
    """

    parameters: frozenset[str]
    labels: frozenset[str] = frozenset()
    annotations: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    ending: bool = False
    own: bool = False
    inputs: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()
    retried: bool = False
    noun: str = "steps"
    calls: Mapping[str, frozenset[str]] | None = None
    before: Container[str] = frozenset()
    item: LoopItem | None = None

    def check(self, text: str | None, path: str, report: Report) -> None:
        """Refuse every placeholder of text that means nothing here."""
        self.check_names(names(text or ""), path, report)

    def check_names(self, names: Iterable[str], path: str, report: Report) -> None:
        """Refuse every name that means nothing here."""
        for name in dict.fromkeys(names):
            if reason := self.complaint(name):
                report.error(path, f"{{{{{shown(name, 60)}}}}} {reason}")

    def complaint(self, name: str) -> str:
        """Why a placeholder cannot stand here; "" when it can."""
        if name.startswith("="):
            return "is an expression; only names are supported"
        if self._known(name):
            return ""
        if _CLUSTER.fullmatch(name):
            return "has no meaning outside a cluster"
        if name in _ENDING:
            return "is known at the end only: in templates that nothing but spec.onExit leads to"
        if name in LAST_RETRY:
            return "has a meaning in a container or script with a retryStrategy only"
        if name == "item" or name.startswith("item."):
            return self._item_complaint(name)
        for prefix, reason in _PREFIXES.items():
            if name.startswith(prefix):
                return reason
        if match := _CALL.fullmatch(name):
            return self._call_complaint(*match.groups())
        return "is unknown here"

    def _known(self, name: str) -> bool:
        if name in _WORKFLOW or name in self.paths:
            return True
        if name in _ENDING:
            return self.ending
        for prefix, known in (
            ("workflow.parameters.", self.parameters),
            ("workflow.labels.", self.labels),
            ("workflow.annotations.", self.annotations),
            ("workflow.outputs.parameters.", self.outputs),
            ("workflow.creationTimestamp.", _TIME_FORMATS),
            ("inputs.parameters.", self.inputs),
        ):
            if name.startswith(prefix):
                return name.removeprefix(prefix) in known
        if name in _OWN:
            return self.own
        if name in LAST_RETRY:
            return self.retried
        if name == "item":
            return self.item is not None
        if name.startswith("item.") and self.item is not None:
            return self.item.fields is None or name.removeprefix("item.") in self.item.fields
        match = _CALL.fullmatch(name)
        return bool(
            match
            and match[1] == self.noun
            and match[2] in self.before
            and match[3] in (self.calls or {}).get(match[2], frozenset())
        )

    def _item_complaint(self, name: str) -> str:
        if self.item is None:
            return "has a meaning in a step with a loop only; pass it on as an input parameter"
        return f"is no field of every item: {shown(name.removeprefix('item.'), 60)}"

    def _call_complaint(self, noun: str, call: str, field: str) -> str:
        if self.calls is None:
            return "can stand in the arguments of a later step only; pass it on as an input parameter"
        if noun != self.noun:
            return f"means nothing here: this template has {self.noun}"
        if call not in self.calls or call not in self.before:
            return f"means a step that does not run before this one: {shown(call)}"
        if field.startswith("outputs.artifacts."):
            return "is an artifact: pass it on with from"
        return f"is unknown; of {shown(call, 60)} there are {', '.join(sorted(self.calls[call]))}"


_PREFIXES = {
    "workflow.parameters.": "is not declared in spec.arguments.parameters",
    "workflow.outputs.parameters.": "is the globalName of no output parameter",
    "workflow.outputs.artifacts.": "is an artifact: pass it on with from",
    "inputs.parameters.": "is not among the inputs of this template",
}
