"""What the lists of executions and of deployments share: address, chips, columns, order, tabs."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from mlops import paging
from mlops.domain import configuration_search, schedule_runs
from mlops.domain.saved_views import View
from mlops.lifecycle import ACTIVE
from mlops.views.filter_editors import Editors
from mlops.views.saved_view_tabs import Tab, Tabs

Pairs = tuple[tuple[str, str], ...]


class EnactmentList:
    """One address of such a list. A list gives `page`, its rows, and a query of its own in `asked`."""

    page: Any

    def __init__(self, scope: Scope, query: QueryDict, asked: Any, editors: Editors) -> None:
        self._scope = scope
        self._query = query
        self._editors = editors
        self.asked = asked
        self.filters = asked.filters
        self.q = self.filters.q
        self.editor = editors.chosen(scope, asked, query.get("filter", ""), query.get("find", ""))

    def _tabs(self, usual: Sequence[tuple[str, Pairs, int]], saved: Sequence[View]) -> Tabs:
        """Label, what filters and count of each usual view, then what was saved; a text stays on."""
        text = (("q", self.q),) if self.q else ()
        address, parts = self.asked.address, [pair for pair in self.asked.parts if pair[0] != "q"]
        first = [
            Tab(
                label,
                address(without=self.asked.parts, plus=(*pairs, *text)),
                sorted(parts) == sorted(pairs),
                count,
            )
            for label, pairs, count in usual
        ]
        return Tabs(self._scope, f"{self.asked.noun}s", first, saved, address())

    @property
    def _is_whole(self) -> bool:
        """Whether this page shows all there is."""
        return not (self.page.newer or self.page.older)

    @property
    def window(self) -> int:
        """How many of the newest rows such a filter reads."""
        return paging.WINDOW

    @property
    def is_live(self) -> bool:
        """Whether a row on this page still moves by itself."""
        return any(row.status in ACTIVE for row in self.page.rows)

    @property
    def columns(self) -> list[str]:
        """Names of the columns that are shown."""
        return self.asked.columns

    @property
    def column_choices(self) -> list[tuple[str, str, bool]]:
        """Every column: name, heading, whether it is shown."""
        return self.asked.column_choice.all

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What a form that changes the text keeps of the address."""
        return [pair for pair in self.asked.parts + self.asked.shape if pair[0] != "q"]

    @property
    def kept_for_columns(self) -> list[tuple[str, str]]:
        """What a form that chooses columns keeps of the address."""
        shape = [pair for pair in self.asked.shape if pair[0] == "sort"]
        return self.asked.parts + shape

    @property
    def sorts(self) -> dict[str, tuple[str, str]]:
        """For each column that sorts: the query that sorts by it, or turns it, and its `aria-sort`."""
        return {name: self._sorting(name, first) for name, first in self.asked.sorts.items()}

    def _sorting(self, name: str, first: paging.Order) -> tuple[str, str]:
        is_on = (self.asked.sort.removeprefix("-") or "created") == name
        turned = f"-{name}" if is_on and self.asked.order == first else name
        state = ("descending" if self.asked.order.descending else "ascending") if is_on else ""
        plus = () if turned == "created" else (("sort", turned),)
        return self.asked.address(drop="sort", plus=plus), state

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """Active filters besides the text, as (name, value, address without it)."""
        return [
            (*self._words(name, value), self.asked.address(without=[(name, value)]))
            for name, value in self.asked.parts
            if name not in ("q", "zone")
        ]

    def _words(self, name: str, value: str) -> tuple[str, str]:
        label, said = self._editors.words(name, value)
        if name == "schedule":
            return label, schedule_runs.name_of(self._scope, uuid.UUID(value)) or said
        return label, self._configuration_name or said if name == "configuration" else said

    @cached_property
    def _configuration_name(self) -> str:
        """Of the one filtered by, from its first row; where no row is shown, one query."""
        if self.page.rows:
            return self.page.rows[0].configuration_name
        key = self.filters.configuration
        return configuration_search.name_of(self._scope, key) if key else ""

    @property
    def additions(self) -> list[tuple[str, str]]:
        """Filters to add: label, address that offers it."""
        return [
            (label, self.asked.address(plus=[("filter", name)]))
            for name, label in self._editors.kinds.items()
        ]

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is on."""
        return bool(self.asked.parts)

    @property
    def here(self) -> str:
        """The address part of this very page, cursor and all, for polling."""
        return f"?{self._query.urlencode()}"

    @property
    def address(self) -> str:
        """The query of the first page of what is shown."""
        return self.asked.address()
