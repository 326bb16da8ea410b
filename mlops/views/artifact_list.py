"""What a list of artifacts shows: filters and one page of versions, those of one name together."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from launchpad.access import Scope
from mlops import paging
from mlops.domain import artifact_search, artifacts
from mlops.views import api_calls
from mlops.views.listing import Listing
from mlops.views.nouns import Noun


class ArtifactList(Listing):
    """The list for one address; each query runs when a template first asks for its result.

    query: `q` and `scenario` filter, `filter` offers the scenarios to choose from.
    """

    def __init__(self, scope: Scope, noun: Noun, query: QueryDict) -> None:
        self._scope = scope
        self._query = query
        self.noun = noun
        self.q = query.get("q", "").strip()
        self.scenario = query.get("scenario", "")
        self.is_choosing = "filter" in query

    @cached_property
    def _everything(self) -> Any:
        return artifact_search.search(self._scope, kind=self.noun.kind)

    @cached_property
    def _rows(self) -> Any:
        if not self.is_filtered:
            return self._everything
        found = artifact_search.search(self._scope, kind=self.noun.kind, q=self.q, scenario=self.scenario)
        return paging.newest(found, self._everything)

    @cached_property
    def page(self) -> paging.Page:
        """One page of versions, newest first; one query."""
        return paging.page(self._rows, self._query)

    @property
    def rows(self) -> list[tuple[Any, bool]]:
        """The page's versions with whether each is the first of its name; names in order of their newest."""
        names: dict[str, list[Any]] = {}
        for artifact in self.page.rows:
            names.setdefault(artifact.name, []).append(artifact)
        return [
            (artifact, place == 0)
            for versions in names.values()
            for place, artifact in enumerate(sorted(versions, key=lambda one: -one.version))
        ]

    @property
    def label(self) -> str:
        """How many match, in words."""
        shown = self.counts["shown"]
        return f"{paging.capped(shown)} {'version' if shown == 1 else 'versions'}"

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is on."""
        return bool(self.q or self.scenario)

    @property
    def api(self) -> api_calls.ApiUse:
        """The same list over the API."""
        return api_calls.artifacts(self._scope, kind=self.noun.kind, q=self.q, scenario=self.scenario)

    @property
    def addresses(self) -> list[str]:
        """What lies in the object store, for a group that has none of these yet."""
        return artifacts.addresses(self._scope)

    @property
    def without_scenario(self) -> str:
        """The query of this list without the filter by scenario."""
        return "?" + urlencode({"q": self.q} if self.q else {})

    @property
    def choosing(self) -> str:
        """The query of this list with the scenarios offered."""
        return "?" + urlencode({"q": self.q, "filter": "scenario"} if self.q else {"filter": "scenario"})
