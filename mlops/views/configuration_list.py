"""What the list of configurations shows: filters, the person's drafts and one page of rows."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from launchpad.access import Scope
from mlops import paging
from mlops.domain import configuration_search, configurations
from mlops.views import api_calls
from mlops.views.listing import Listing

DRAFTS_SHOWN = 5


class ConfigurationList(Listing):
    """The list for one address; each query runs when a template first asks for its result.

    query: `q`, `scenario` and `executable` filter, `filter` offers the scenarios to choose from.
    """

    def __init__(self, scope: Scope, query: QueryDict) -> None:
        self._scope = scope
        self._query = query
        self.q = query.get("q", "").strip()
        self.scenario = query.get("scenario", "")
        self.executable = query.get("executable", "")
        self.is_choosing = "filter" in query

    @cached_property
    def _everything(self) -> Any:
        return configuration_search.search(self._scope)

    @cached_property
    def _rows(self) -> Any:
        if not self.is_filtered:
            return self._everything
        found = configuration_search.search(self._scope, self.q, self.scenario, self.executable)
        return paging.newest(found, self._everything)

    @cached_property
    def page(self) -> paging.Page:
        """One page with counts of parameters, inputs and executions; one query."""
        return paging.page(self._rows, self._query)

    @property
    def rows(self) -> list[tuple[Any, str]]:
        """The page's configurations with the number of their executions in words."""
        return [(row, self._uses(row.use_count)) for row in self.page.rows]

    @staticmethod
    def _uses(count: int) -> str:
        return f"{count:,}+" if count == configuration_search.COUNTED else f"{count:,}"

    @property
    def label(self) -> str:
        """How many match, in words."""
        shown = self.counts["shown"]
        return f"{paging.capped(shown)} {'configuration' if shown == 1 else 'configurations'}"

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is on."""
        return bool(self.q or self.scenario or self.executable)

    @cached_property
    def drafts(self) -> list[Any]:
        """The person's own drafts, the one touched last first; none while something is looked for."""
        if self.is_filtered or self.is_choosing or not self._scope.may_change:
            return []
        return list(configurations.drafts(self._scope)[:DRAFTS_SHOWN])

    @property
    def choosing(self) -> str:
        """The query of this list with the scenarios offered."""
        return self._address(filter="scenario")

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """Active filters besides the text, as (name, value, query without it)."""
        found = []
        if self.scenario:
            found.append(("Scenario", self.scenario, self._address(scenario="")))
        if self.executable:
            found.append(("Executable", self.executable, self._address(executable="")))
        return found

    @property
    def api(self) -> api_calls.ApiUse:
        """The same list over the API."""
        filters = {"q": self.q, "scenario": self.scenario, "executable": self.executable}
        return api_calls.configurations(self._scope, **filters)

    def _address(self, **changes: str) -> str:
        kept = {"q": self.q, "scenario": self.scenario, "executable": self.executable} | changes
        return "?" + urlencode({key: value for key, value in kept.items() if value})
