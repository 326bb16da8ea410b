"""What the filtered lists of the catalog pages share."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from launchpad.access import Scope
from mlops import paging
from mlops.domain import catalog, saved_views

# An index of trigrams finds nothing shorter.
TRIGRAM = 3


class Listing:
    """Counts, saved views and choices of one list.

    A list gives `_everything`, `_rows`, `is_filtered` and the noun that views are saved under.
    """

    _scope: Scope
    _everything: Any
    _rows: Any
    is_filtered: Any
    _saved_under: str

    @cached_property
    def counts(self) -> dict[str, Any]:
        """How many there are and how many match, capped, and the saved views; one query."""
        return self._told(all=self._everything, shown=self._rows)

    def _told(self, **rows: Any) -> dict[str, Any]:
        return paging.counts(rows, views=saved_views.column(self._scope, self._saved_under))

    @property
    def _saved(self) -> list[saved_views.View]:
        return saved_views.read(self._scope, self.counts.get("views"))

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
