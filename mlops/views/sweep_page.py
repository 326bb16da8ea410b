"""What the page of executions started together shows."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from launchpad.access import Scope
from mlops.domain import comparisons, sweeps
from mlops.lifecycle import ACTIVE


class SweepPage:
    """One sweep. Raises NotFound when made for one of another group."""

    def __init__(self, scope: Scope, sweep_id: Any) -> None:
        self._scope = scope
        self.sweep = sweeps.get(scope, sweep_id)

    @property
    def names(self) -> list[str]:
        """The parameters that were varied."""
        return [axis["name"] for axis in self.sweep.axes]

    @cached_property
    def _executions(self) -> list[Any]:
        return list(sweeps.executions(self._scope, self.sweep))

    @property
    def rows(self) -> list[tuple[Any, list[str]]]:
        """Each execution with its values of what was varied."""
        found = []
        for row in self._executions:
            values = {one.key: one.value for one in row.configuration.parameters.all()}
            found.append((row, [values.get(name, "") for name in self.names]))
        return found

    @property
    def is_live(self) -> bool:
        """Whether one of them still moves by itself."""
        return any(row.status in ACTIVE for row in self._executions)

    @property
    def can_compare(self) -> bool:
        """Whether there are enough of them."""
        return len(self._executions) > 1

    @property
    def is_too_many(self) -> bool:
        """Whether not all can be compared at once."""
        return len(self._executions) > comparisons.LIMIT

    @property
    def compare_query(self) -> str:
        """The part of the address that compares them, the first as the baseline."""
        return urlencode([("id", row.pk) for row in self._executions[: comparisons.LIMIT]])
