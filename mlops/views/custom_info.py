"""Custom info of a run as people read it: a confusion matrix, a table, or the text as it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlops.domain import metrics

ROWS = 200
COLUMNS = 30
_BYTES = 256 * 1024
_CELL = 500


@dataclass(frozen=True)
class CustomInfo:
    """One of them. What cannot be read as JSON or as a Python literal, or is too large, stays text."""

    name: str
    text: str

    @cached_property
    def matrix(self) -> metrics.Matrix | None:
        """The confusion matrix that it is, if it is one."""
        return metrics.confusion_matrix(self.text)

    @cached_property
    def _value(self) -> Any:
        is_readable = len(self.text) <= _BYTES and self.text.lstrip()[:1] in ("[", "{")
        return metrics.parsed(self.text.strip()) if is_readable else None

    @cached_property
    def columns(self) -> list[str]:
        """Headings of the table that it is; empty where it is none."""
        value = self._value
        if isinstance(value, dict) and value:
            return ["Name", "Value"]
        if not isinstance(value, list) or not value:
            return []
        if all(isinstance(row, dict) for row in value):
            names = list(dict.fromkeys(str(name) for row in value for name in row))
            return names if len(names) <= COLUMNS else []
        if all(isinstance(row, list | tuple) for row in value):
            width = max(len(row) for row in value)
            return [str(number) for number in range(1, width + 1)] if 0 < width <= COLUMNS else []
        return ["Value"]

    @cached_property
    def _rows(self) -> list[list[Any]]:
        value = self._value
        if isinstance(value, dict):
            return [[str(name), member] for name, member in value.items()]
        if self.columns == ["Value"] and not isinstance(value[0], dict):
            return [[member] for member in value]
        if isinstance(value[0], dict):
            named = [{str(name): member for name, member in row.items()} for row in value]
            return [[row.get(name) for name in self.columns] for row in named]
        return [[*row, *[None] * (len(self.columns) - len(row))] for row in value]

    @property
    def rows(self) -> list[list[tuple[str, bool]]]:
        """Cells as text, each with whether it is a number; the first ROWS rows."""
        return [[_cell(member) for member in row] for row in self._rows[:ROWS]] if self.columns else []

    @property
    def left_out(self) -> int:
        """How many rows the table does not show."""
        return max(0, len(self._rows) - ROWS) if self.columns else 0


def _cell(value: Any) -> tuple[str, bool]:
    if value is None:
        return "", False
    if isinstance(value, bool | str):
        return str(value)[:_CELL], False
    if isinstance(value, int | float):
        return str(value)[:_CELL], True
    return json.dumps(value, ensure_ascii=False, default=str)[:_CELL], False
