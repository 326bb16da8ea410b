"""A window on an execution's log: newest lines, one step of one attempt, or lines that hold a text."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from mlops.domain import logs
from mlops.lifecycle import FINAL

LINES = 500


class ExecutionLog:
    """query: `part` is "<attempt>.<step index>", `find` a text, `lines_before` a place a page gave out."""

    def __init__(self, scope: Scope, execution: Any, query: QueryDict) -> None:
        self._scope = scope
        self._execution = execution
        self.find = query.get("find", "").strip()[: logs.MAX_QUERY]
        attempt, _, step = query.get("part", "").partition(".")
        is_part = attempt.isdecimal() and step.isdecimal() and len(attempt + step) < 10
        self._place = {"attempt": int(attempt), "step": int(step)} if is_part else {}
        self.part = query["part"] if is_part else ""
        self._before = query.get("lines_before", "")

    @cached_property
    def page(self) -> logs.LogPage:
        """The lines shown, oldest first."""
        if self.find:
            found = logs.search(self._scope, self._execution, self.find, limit=logs.MAX_LINES)
            kept = [line for line in found.lines if self._holds(line)]
            return logs.LogPage(kept, "", more=found.more)
        return logs.lines(self._scope, self._execution, before=self._before, limit=LINES, **self._place)

    def _holds(self, line) -> bool:
        return not self._place or (line.attempt, line.step) == (self._place["attempt"], self._place["step"])

    @property
    def is_following(self) -> bool:
        """Whether new lines belong at the end of what is shown."""
        return self.is_tail and self._execution.status not in FINAL

    @property
    def is_tail(self) -> bool:
        """Whether the end of the log is what is shown."""
        return not (self.find or self._before)

    @cached_property
    def parts(self) -> list[tuple[str, str, int, bool]]:
        """Steps of attempts that wrote: value of `part`, label, lines, whether it is the one shown."""
        counts = logs.counts(self._scope, self._execution)
        chosen = (self._place.get("attempt"), self._place.get("step"))
        several = len({one.attempt for one in counts}) > 1
        return [
            (
                f"{one.attempt}.{one.step}",
                f"{one.name}, attempt {one.attempt}" if several else one.name,
                one.lines,
                (one.attempt, one.step) == chosen,
            )
            for one in counts
        ]

    @property
    def total(self) -> int:
        """Lines of the whole log."""
        return sum(lines for _value, _label, lines, _chosen in self.parts)
