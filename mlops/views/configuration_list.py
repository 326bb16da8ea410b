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
from mlops.views.listing import TRIGRAM, Listing
from mlops.views.saved_view_tabs import Tab, Tabs

DRAFTS_SHOWN = 5
# From the widest to the narrowest, as they are chosen.
SOURCES = ("scenario", "version", "executable")


class ConfigurationList(Listing):
    """The list for one address; each query runs when a template first asks for its result.

    query: `q`, `scenario`, `version` (a label) and `executable` filter, `archived=1` shows the archive,
    `filter` offers what there is to choose from.
    """

    _saved_under = "configurations"

    def __init__(self, scope: Scope, query: QueryDict) -> None:
        self._scope = scope
        self._query = query
        self.q = query.get("q", "").strip()
        self.is_archive = query.get("archived") == "1"
        self.asked = {name: query.get(name, "").strip() for name in SOURCES}
        self.is_choosing = "filter" in query

    @cached_property
    def _everything(self) -> Any:
        return configuration_search.search(self._scope, archived=self.is_archive)

    @cached_property
    def _rows(self) -> Any:
        if not self.is_filtered:
            return self._everything
        found = configuration_search.search(self._scope, self.q, **self.asked, archived=self.is_archive)
        return found if self._is_indexed else paging.newest(found, self._everything)

    @property
    def _is_indexed(self) -> bool:
        """Whether an index leads to the few rows that the other filters look at."""
        return len(self.q) >= TRIGRAM

    @cached_property
    def page(self) -> paging.Page:
        """One page with counts of parameters, inputs and uses; one query."""
        return paging.page(self._rows, self._query)

    @property
    def found(self) -> Any:
        """All configurations that match, newest first, not read yet."""
        return self._rows

    @property
    def query(self) -> str:
        """Filters of this page as a query."""
        return self._address()

    @property
    def rows(self) -> list[tuple[Any, str]]:
        """The page's configurations with the number of their executions or deployments in words."""
        return [(row, self._uses(row.use_count or row.deployment_count)) for row in self.page.rows]

    @staticmethod
    def _uses(count: int) -> str:
        return f"{count:,}+" if count == configuration_search.COUNTED else f"{count:,}"

    @property
    def has_any(self) -> bool:
        """Whether there is any; while filters are chosen nothing is counted."""
        return self.is_choosing or bool(self.counts["all"])

    @property
    def is_windowed(self) -> bool:
        """Whether a filter may have left out rows that are too old to be read."""
        return not self.is_choosing and not self._is_indexed and super().is_windowed

    @property
    def label(self) -> str:
        """How many match, in words."""
        if self.is_choosing:
            return "Configurations, newest first"
        shown = self.counts["shown"]
        return f"{paging.capped(shown)} {'configuration' if shown == 1 else 'configurations'}"

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is on, the archive not counted as one."""
        return bool(self.q or any(self.asked.values()))

    @cached_property
    def drafts(self) -> list[Any]:
        """The person's own drafts, the one touched last first; none while something is looked for."""
        if self.is_filtered or self.is_choosing or self.is_archive or not self._scope.may_change:
            return []
        return list(configurations.drafts(self._scope)[:DRAFTS_SHOWN])

    @cached_property
    def choices(self) -> list[tuple[str, str, list[str], str]]:
        """What can be filtered by, as (key, words, values, the one that is on); one query.

        Versions and executables are those of the scenario chosen, versions those of the executable too.
        """
        found = configuration_search.sources(self._scope)
        scenario, executable = self.asked["scenario"], self.asked["executable"]
        own = [row for row in found if scenario in ("", row[0])]
        values = {
            "scenario": (row[0] for row in found),
            "version": (row[2] for row in own if executable in ("", row[1])),
            "executable": (row[1] for row in own),
        }
        return [(key, key, sorted(set(values[key])), self.asked[key]) for key in SOURCES]

    @property
    def tabs(self) -> Tabs:
        """All, the archive, then what was saved."""
        usual = [
            Tab("All", self._address(archived=""), not self.is_archive),
            Tab("Archive", self._address(archived="1"), self.is_archive),
        ]
        saved = [] if self.is_choosing else self._saved
        return Tabs(self._scope, "configurations", usual, saved, self.query)

    @property
    def choosing(self) -> str:
        """The query of this list with what can be filtered by."""
        return self._address(filter="1")

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What is on besides the text, by key, for the form of the text."""
        archived = [("archived", "1")] if self.is_archive else []
        return [*((key, value) for key, value in self.asked.items() if value), *archived]

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """Active filters besides the text, as (name, value, query without it)."""
        return [
            (key.capitalize(), value, self._address(**{key: ""}))
            for key, value in self.asked.items()
            if value
        ]

    @property
    def sought(self) -> str:
        """What was looked for, in words, for a list that is empty."""
        parts = [f"{key} {value}" for key, value in self.asked.items() if value]
        return " and ".join([*parts, f"“{self.q}” in its name or ID"] if self.q else parts)

    @property
    def api(self) -> api_calls.ApiUse:
        """The same list over the API, which knows no version labels and no archive."""
        filters = {"q": self.q, "scenario": self.asked["scenario"], "executable": self.asked["executable"]}
        return api_calls.configurations(self._scope, **filters)

    def _address(self, **changes: str) -> str:
        kept = {"q": self.q, **dict(self.kept)} | changes
        return "?" + urlencode({key: value for key, value in kept.items() if value})
