"""Collects the findings of one document, each with its line."""

from __future__ import annotations

from typing import Literal

from mlops.manifests.spec import Finding


class Report:
    """lines: field path to line from 1, filled while the YAML is converted; blocks: a text of several lines
    to the line on which it begins."""

    def __init__(self, file: str, first_line: int) -> None:
        self.file = file
        self.first_line = first_line
        self.lines: dict[str, int] = {}
        self.blocks: dict[str, int] = {}
        self._findings: dict[Finding, None] = {}

    @property
    def failed(self) -> bool:
        """Whether there is an error among the findings."""
        return any(finding.severity == "error" for finding in self._findings)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """In the order of the file's lines, repeats left out."""
        return tuple(sorted(self._findings, key=lambda finding: finding.line))

    def error(self, path: str, reason: str, line: int | None = None) -> None:
        """Refuse what is at path; without line it is the path's own or its nearest parent's."""
        self._add("error", path, reason, line)

    def notice(self, path: str, reason: str) -> None:
        """Say that what is at path is accepted and ignored, or taken otherwise than written."""
        self._add("notice", path, reason, None)

    def line_of(self, path: str) -> int:
        """The line of what is at path, or of its nearest parent that has one."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path, self.first_line)

    def _add(self, severity: Literal["error", "notice"], path: str, reason: str, line: int | None) -> None:
        found = Finding(severity, self.file, line or self.line_of(path), path or "document", reason)
        self._findings[found] = None
