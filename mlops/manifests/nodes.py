"""YAML text to nodes that know their line and field path, with guards against hostile documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from mlops.manifests.masking import Mask
from mlops.manifests.report import Report

MAX_NODES = 20_000
MAX_DEPTH = 50
_TOO_MANY = f"more than {MAX_NODES:,} values, aliases counted each time they are used"
_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = frozenset(
    _TAG + name for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)
_MARKER = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar: its text as written and its YAML type (str, int, null …)."""

    path: str
    text: str
    type: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    path: str
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Map:
    """A mapping; keys are texts and unique."""

    path: str
    entries: dict[str, Node]


Node = Text | Items | Map


class _Refused(Exception):
    """A document that is not converted further; line from 0."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


class _Loader(yaml.SafeLoader):
    """Counts nodes and depth while composing, so that no document can exhaust stack or memory."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.depth = 0
        self.count = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        self.count += 1
        if self.depth > MAX_DEPTH:
            raise _Refused(self.line, f"nested more than {MAX_DEPTH} deep")
        if self.count > MAX_NODES:
            raise _Refused(self.line, _TOO_MANY)
        made: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return made


def documents(text: str) -> Iterator[tuple[int, str]]:
    """The documents of a file that hold anything, as (first line from 1, exact text).

    YAML forbids `---` at the start of a line anywhere else, so that splitting there is exact and a
    syntax error in one document leaves the others readable.
    """
    starts = [0, *(match.start() for match in _MARKER.finditer(text))]
    head, line, head_line = "", 1, 1
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        chunk, first = text[start:end], line
        line += chunk.count("\n")
        body = _MARKER.sub("", chunk, count=1)
        lines = [each.strip() for each in body.splitlines()]
        if not head and all(not each or each[0] == "#" or each == "..." for each in lines):
            continue
        if body == chunk and all(not each or each[0] in "%#" for each in lines):
            head, head_line = chunk, first
            continue
        yield (head_line if head else first), head + chunk
        head = ""
    if head:
        yield head_line, head


def compose(
    text: str, report: Report, first_line: int, path: str = "", *, masked: bool = False
) -> Map | None:
    """The document's nodes, None when it cannot be read; then report has the error.

    path: where the text itself stands, when it is a part of a document. masked: whether placeholders may
    stand where YAML would take them for something else.
    """
    mask = Mask(text if masked else "")
    text = mask.text if masked else text
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position)
        report.error(path, f"the character U+{error.character:04X} is not allowed", first_line + line)
        return None
    try:
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            report.error(path, "is not a mapping of fields to values", first_line)
            return None
        node = _Conversion(report, first_line, mask).convert(root, path, 0)
    except _Refused as error:
        report.error(path, str(error), first_line + error.line)
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        report.error(
            path, f"not valid YAML: {mask.lift(_problem(error))}", first_line + (mark.line if mark else 0)
        )
        return None
    except (ValueError, OverflowError):
        report.error(path, "not valid YAML: a number is out of range", first_line + loader.line)
        return None
    finally:
        loader.dispose()
    return node if isinstance(node, Map) else None


def _problem(error: yaml.MarkedYAMLError) -> str:
    said = ", ".join(part for part in (error.context, error.problem) if part)
    if "'\\t'" in said:
        return "a tab is used where YAML wants blanks"
    return said.replace("\x00", "the end")[:300]


class _Conversion:
    """Turns composed nodes into ours, filling the report's lines."""

    def __init__(self, report: Report, first_line: int, mask: Mask) -> None:
        self.report = report
        self.first_line = first_line
        self.mask = mask
        self.count = 0

    def convert(self, node: yaml.Node, path: str, depth: int) -> Node:
        line = node.start_mark.line
        self.count += 1
        if self.count > MAX_NODES:
            raise _Refused(line, _TOO_MANY)
        if depth > MAX_DEPTH:
            raise _Refused(line, f"nested more than {MAX_DEPTH} deep, or an alias inside its own anchor")
        self.report.lines.setdefault(path, self.first_line + line)
        if isinstance(node, yaml.ScalarNode) and node.tag in _PLAIN_TAGS:
            if found := _FORBIDDEN.search(node.value):
                self.report.error(path, f"the character U+{ord(found[0]):04X} is not allowed")
            if node.style in ("|", ">"):
                self.report.blocks[path] = self.first_line + line + 1
            return Text(path, self.mask.lift(node.value), node.tag.removeprefix(_TAG))
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            items = (self.convert(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(node.value))
            return Items(path, tuple(items))
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._map(node, path, depth)
        self.report.error(path, f"the YAML tag {shown(node.tag.replace(_TAG, '!!'))} is not read")
        return Text(path, "", "null")

    def _map(self, node: yaml.MappingNode, path: str, depth: int) -> Map:
        entries: dict[str, Node] = {}
        for key_node, value in node.value:
            line = self.first_line + key_node.start_mark.line
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag not in _PLAIN_TAGS:
                self.report.error(path, "a key is not a text", line)
                continue
            key = self.mask.lift(key_node.value)
            child = f"{path}.{shown(key)}" if path else shown(key)
            if key_node.tag == _TAG + "merge":
                self.report.error(child, "merge keys are not read; write the fields out", line)
            elif key_node.tag in (_TAG + "null", _TAG + "value") or _FORBIDDEN.search(key):
                self.report.error(child, "a key is not a text", line)
            elif key in entries:
                self.report.error(child, "given twice", line)
            else:
                self.report.lines.setdefault(child, line)
                entries[key] = self.convert(value, child, depth + 1)
        return Map(path, entries)


def shown(text: str, limit: int = 80) -> str:
    """A stranger's text made safe for one line of a message."""
    plain = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return plain if len(plain) <= limit else plain[: limit - 1] + "…"
