"""What the filtered lists of the catalog pages share."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from launchpad.access import Scope
from mlops import paging
from mlops.domain import catalog


class Listing:
    """Counts and choices of one list; a list gives `_everything`, `_rows` and `is_filtered`."""

    _scope: Scope
    _everything: Any
    _rows: Any
    is_filtered: Any

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many there are and how many match, capped; one query."""
        return paging.counts({"all": self._everything, "shown": self._rows})

    @property
    def is_windowed(self) -> bool:
        """Whether a filter may have left out rows that are too old to be read."""
        return self.is_filtered and self.counts["all"] > paging.COUNT_CAP

    @property
    def window(self) -> int:
        """How many of the newest rows a filter reads."""
        return paging.WINDOW

    @property
    def scenarios(self) -> list[Any]:
        """The workspace's scenarios, to filter by; one query."""
        return list(catalog.scenarios(self._scope))
