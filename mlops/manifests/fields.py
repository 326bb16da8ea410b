"""Typed reading of one mapping: every field gets its verdict, every value its check."""

from __future__ import annotations

import re

from mlops.manifests.nodes import Items, Map, Node, Text, shown
from mlops.manifests.report import Report
from mlops.manifests.verdicts import verdict

MAX_DESCRIPTION = 5000
MAX_VALUE = 5000
MAX_NAME = 256
MAX_ITEMS = 1000
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")


class Section:
    """A mapping at a place known to `verdicts`; an absent one reads as empty.

    Every reading method reports what is wrong and returns the best value it can, so that one pass over
    a document finds everything that is wrong with it.
    """

    def __init__(self, node: Node | None, path: str, place: str, report: Report) -> None:
        self.path = path
        self.report = report
        self.present = False
        self.entries: dict[str, Node] = {}
        self.refused: set[str] = set()
        if node is None or (isinstance(node, Text) and node.type == "null"):
            return
        self.present = True
        if not isinstance(node, Map):
            report.error(path, "must be a mapping of fields to values")
            return
        for key, value in node.entries.items():
            found = verdict(place, key)
            if found.kind == "read":
                self.entries[key] = value
            elif found.kind == "notice":
                report.notice(value.path, found.reason)
            else:
                self.refused.add(key)
                report.error(value.path, found.reason)

    def at(self, key: str) -> str:
        """The path of a field, present or not."""
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        """Whether the field is given with anything but null."""
        node = self.entries.get(key)
        return node is not None and not (isinstance(node, Text) and node.type == "null")

    def error(self, key: str, reason: str) -> None:
        self.report.error(self.at(key), reason)

    def notice(self, key: str, reason: str) -> None:
        self.report.notice(self.at(key), reason)

    def text(self, key: str, *, limit: int = MAX_NAME) -> str | None:
        """A text of at most limit characters; None when absent, null, or not a text."""
        if not self.has(key):
            return None
        return scalar(self.entries[key], self.report, limit)

    def required(self, key: str, *, limit: int = MAX_NAME) -> str:
        """A text that must be there and not blank; "" after an error."""
        value = self.text(key, limit=limit) if self.has(key) else ""
        if value is not None and not value.strip():
            self.error(key, "is missing or empty")
        return value or ""

    def name(self, key: str, pattern: re.Pattern[str], words: str) -> str:
        """A required text that matches pattern, described by words; "" after an error."""
        value = self.required(key)
        if value.strip() and not pattern.fullmatch(value):
            self.error(key, f"{shown(value)!r} is no valid name: {words}")
            return ""
        return value

    def verbatim(self, key: str, *, limit: int = MAX_VALUE) -> str | None:
        """A value taken as it is written, whatever YAML takes it for; None when absent."""
        node = self.entries.get(key)
        if isinstance(node, Text) and node.type == "null" and node.text:
            self.notice(key, f"is YAML's null; kept as the text {node.text}, quote it to say so")
        return None if node is None else scalar(node, self.report, limit)

    def flag(self, key: str) -> bool:
        """true or false; absent is false."""
        if not self.has(key):
            return False
        node = self.entries[key]
        if not isinstance(node, Text) or node.type != "bool":
            self.error(key, "must be true or false")
            return False
        return node.text.lower() in ("true", "yes", "on")

    def number(self, key: str, *, least: int, most: int) -> int | None:
        """A whole number, also as text; None when absent or wrong."""
        value = self.text(key)
        if value is None:
            return None
        if not _NUMBER.fullmatch(value) or not least <= int(value) <= most:
            self.error(key, f"{shown(value)!r} must be a whole number from {least} to {most:,}")
            return None
        return int(value)

    def section(self, key: str, place: str) -> Section:
        return Section(self.entries.get(key), self.at(key), place, self.report)

    def nodes(self, key: str) -> tuple[Node, ...]:
        """The items of a list; () when absent or not a list."""
        if not self.has(key):
            return ()
        node = self.entries[key]
        if not isinstance(node, Items):
            self.error(key, "must be a list")
            return ()
        if len(node.items) > MAX_ITEMS:
            self.error(key, f"has more than {MAX_ITEMS:,} items")
        return node.items[:MAX_ITEMS]

    def sections(self, key: str, place: str) -> list[Section]:
        """The items of a list of mappings."""
        return [Section(node, node.path, place, self.report) for node in self.nodes(key)]

    def texts(self, key: str, *, limit: int = MAX_VALUE) -> tuple[str, ...]:
        """The items of a list of values, each as it is written."""
        return tuple(scalar(node, self.report, limit) or "" for node in self.nodes(key))

    def pairs(self, key: str) -> dict[str, Text]:
        """A mapping of free keys to texts, in document order."""
        if not self.has(key):
            return {}
        node = self.entries[key]
        if not isinstance(node, Map):
            self.error(key, "must be a mapping of names to texts")
            return {}
        found: dict[str, Text] = {}
        for name, value in node.entries.items():
            if not isinstance(value, Text):
                self.report.error(value.path, "must be a text")
            elif len(name) > MAX_NAME:
                self.report.error(value.path, f"its name is longer than {MAX_NAME} characters")
            else:
                found[name] = value
        return found


def scalar(node: Node, report: Report, limit: int) -> str | None:
    """The node's text; None after an error when it is none or is longer than limit."""
    if not isinstance(node, Text):
        report.error(node.path, "must be a text, not a list or a mapping")
        return None
    if len(node.text) > limit:
        report.error(node.path, f"is {len(node.text):,} characters long; at most {limit:,} are allowed")
        return None
    return node.text


def unique(names: list[tuple[str, str]], report: Report) -> None:
    """Refuse the second of two equal (name, path); empty names have their error already."""
    seen: set[str] = set()
    for name, path in names:
        if name and name in seen:
            report.error(path, f"{shown(name)} is given twice")
        seen.add(name)
