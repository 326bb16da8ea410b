"""What a list of artifacts shows: filters, the order and one page of versions."""

from __future__ import annotations

import re
import uuid
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from launchpad.access import Scope
from mlops import paging
from mlops.domain import artifact_files, artifact_search, flags
from mlops.domain.limits import NAME_LIMIT, storable
from mlops.views import api_calls, label_clauses
from mlops.views.column_choice import ColumnChoice
from mlops.views.listing import TRIGRAM, Listing
from mlops.views.nouns import Noun
from mlops.views.saved_view_tabs import Tab, Tabs

NAMES = "names"
# How many of the newest matches are sorted by anything but their age.
SORTED = 2_000
# The order each heading asks for first, and the words of its arrow.
SORTS = {
    "created": paging.Order("created_at", descending=True),
    "name": paging.Order("name", descending=False),
    "size": paging.Order("size_bytes", descending=True),
}
# Name in the address, heading, whether it is shown unless something else is chosen.
COLUMNS = (
    ("version", "Version", True),
    ("description", "Description", True),
    ("note", "Release notes", False),
    ("scenario", "Scenario", True),
    ("path", "Path", True),
    ("labels", "Labels", True),
    ("files", "Files", False),
    ("size", "Size", True),
    ("by", "Made by", True),
    ("created", "Created", True),
    ("changed", "Changed", False),
)
_EXECUTION = re.compile(r"e[0-9a-f]{15}\Z")


class ArtifactList(Listing):
    """The list for one address; each query runs when a template first asks for its result.

    query: `q`, `name`, `id`, `scenario`, `execution` and any number of `label` filter; `view=names` shows the
    newest version of each name; `sort` is created, name or size, with `-` for the other way; any number
    of `column` names what is shown. What cannot be read is left out, and `problems` says so.
    """

    def __init__(self, scope: Scope, noun: Noun, query: QueryDict) -> None:
        self._scope = scope
        self._query = query
        self.noun = noun
        self._saved_under = noun.plural
        self.problems: list[str] = []
        self.q = query.get("q", "").strip()
        self.name = self._text("name", query.get("name", ""), "a name")
        self.scenario = self._text("scenario", query.get("scenario", ""), "a scenario")
        self.execution = self._execution(query.get("execution", "").strip().lower())
        self.key = self._key(query.get("id", "").strip())
        self.selectors, unread = label_clauses.read(query.getlist("label"))
        self.problems += unread
        self.is_by_name = query.get("view") == NAMES
        self.sort, self.order = self._sort(query.get("sort", "").strip())
        self._column_choice = ColumnChoice(COLUMNS, query)
        self.columns = self._column_choice.shown

    def _text(self, name: str, value: str, what: str) -> str:
        value = value.strip()
        if len(value) <= NAME_LIMIT and storable(value):
            return value
        self.problems.append(f"The filter {name} is not {what} and was left out.")
        return ""

    def _execution(self, value: str) -> str:
        if not value or _EXECUTION.match(value):
            return value
        self.problems.append("The filter execution takes an execution's whole ID and was left out.")
        return ""

    def _key(self, value: str) -> uuid.UUID | None:
        try:
            return uuid.UUID(value) if value else None
        except ValueError:
            self.problems.append("The filter ID takes an artifact's whole ID and was left out.")
            return None

    def _sort(self, value: str) -> tuple[str, paging.Order]:
        if value and value.removeprefix("-") not in SORTS:
            self.problems.append("The list can be sorted by created, name or size; it is by created now.")
            value = ""
        order = SORTS[value.removeprefix("-") or "created"]
        return value, order.reverse if value.startswith("-") else order

    @cached_property
    def _everything(self) -> Any:
        return artifact_search.search(self._scope, kind=self.noun.kind)

    @cached_property
    def _rows(self) -> Any:
        if not self.is_filtered:
            return self._everything
        found = artifact_search.search(
            self._scope,
            key=self.key,
            kind=self.noun.kind,
            name=self.name,
            q=self.q,
            scenario=self.scenario,
            execution=self.execution,
            selectors=self.selectors,
            newest_only=self.is_by_name,
        )
        return found if self._is_indexed else paging.newest(found, self._everything)

    @property
    def _is_indexed(self) -> bool:
        """Whether an index leads to the few rows that the other filters look at."""
        is_labelled = any(not one.excluded for one in self.selectors)
        is_found = self.is_by_name or is_labelled or len(self.q) >= TRIGRAM
        return bool(self.key or self.name or self.execution) or is_found

    @property
    def _sortable(self) -> Any:
        if self.is_filtered and self.order.field != "created_at":
            return artifact_search.newest_matches(self._scope, self._rows, SORTED)
        return self._rows

    @cached_property
    def page(self) -> paging.Page:
        """One page of versions with their open flags; one query."""
        rows = self._sortable.annotate(open_flags=flags.column(self._scope, "artifacts"))
        return paging.page(rows, self._query, order=self.order)

    @cached_property
    def counts(self) -> dict[str, Any]:
        """As in every list; nothing is asked that the page told."""
        page = self.page
        if page.newer or page.older or len(page.rows) >= SORTED or not self.is_filtered:
            return self._told(all=self._everything, shown=self._rows)
        return self._told(all=self._everything) | {"shown": len(page.rows)}

    @property
    def found(self) -> Any:
        """All versions that match, in their order, not read yet."""
        return self._sortable.order_by(*self.order.names)

    @property
    def query(self) -> str:
        """Filters, order and columns of this page as a query."""
        return self._address(self._filters)

    @property
    def rows(self) -> list[tuple[Any, bool]]:
        """The page's versions with whether each shows its name; by creation, those of one name together."""
        if self.is_by_name or self.order.field != "created_at":
            return [(artifact, True) for artifact in self.page.rows]
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
        what = "name" if self.is_by_name else "version"
        return f"{paging.capped(shown)} {what if shown == 1 else f'{what}s'}"

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is on."""
        return bool(self._filters or self.is_by_name)

    @property
    def is_windowed(self) -> bool:
        """Whether a filter may have left out rows that are too old to be read."""
        return super().is_windowed and not self._is_indexed

    @property
    def is_sort_cut(self) -> bool:
        """Whether only the newest of the matches are in this order."""
        return self.is_filtered and self.order.field != "created_at" and self.counts["shown"] > SORTED

    @property
    def sorted_most(self) -> int:
        """How many these are."""
        return SORTED

    @property
    def _filters(self) -> list[tuple[str, str]]:
        """Active filters as parts of an address."""
        single = {
            "q": self.q,
            "name": self.name,
            "id": str(self.key or ""),
            "scenario": self.scenario,
            "execution": self.execution,
        }
        found = [(name, value) for name, value in single.items() if value]
        return found + [("label", label_clauses.write(one)) for one in self.selectors]

    @property
    def _view(self) -> list[tuple[str, str]]:
        return [("view", NAMES)] if self.is_by_name else []

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What a form that changes the text keeps of the address."""
        found = [pair for pair in self._filters if pair[0] != "q"] + self._view
        return found + self._sorted_by + self._column_choice.parts

    @property
    def kept_for_columns(self) -> list[tuple[str, str]]:
        """What a form that chooses columns keeps of the address."""
        return self._filters + self._view + self._sorted_by

    @property
    def _sorted_by(self) -> list[tuple[str, str]]:
        return [("sort", self.sort)] if self.sort else []

    @property
    def column_choices(self) -> list[tuple[str, str, bool]]:
        """Every column: name, heading, whether it is shown."""
        return self._column_choice.all

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """Active filters besides the text, as (name, value, query without it)."""
        words = {"name": "Name", "id": "ID", "scenario": "Scenario", "execution": "Made by", "label": "Label"}
        return [
            (words[pair[0]], pair[1], self._address([one for one in self._filters if one != pair]))
            for pair in self._filters
            if pair[0] != "q"
        ]

    def _address(
        self, filters: list[tuple[str, str]], *, view: bool | None = None, sort: str | None = None
    ) -> str:
        shown = self._view if view is None else [("view", NAMES)] if view else []
        order = self._sorted_by if sort is None else [("sort", sort)] if sort else []
        return "?" + urlencode(filters + shown + order + self._column_choice.parts)

    @property
    def tabs(self) -> Tabs:
        """All versions, the newest of each name, then what was saved."""
        usual = [
            Tab(label, self._address(self._filters, view=by_name), self.is_by_name == by_name, count)
            for label, by_name, count in (
                ("All versions", False, self.counts["all"]),
                ("Newest of each name", True, None),
            )
        ]
        return Tabs(self._scope, self.noun.plural, usual, self._saved, self.query)

    @property
    def sorts(self) -> dict[str, tuple[str, str]]:
        """For each column that sorts: the query that sorts by it, or turns it, and its `aria-sort`."""
        found = {}
        for name, first in SORTS.items():
            is_on = (self.sort.removeprefix("-") or "created") == name
            turned = f"-{name}" if is_on and self.order == first else name
            state = ("descending" if self.order.descending else "ascending") if is_on else ""
            found[name] = (self._address(self._filters, sort="" if turned == "created" else turned), state)
        return found

    @property
    def is_full_of_labels(self) -> bool:
        """Whether no further condition on labels counts."""
        return len(self.selectors) >= label_clauses.CLAUSES

    @property
    def api(self) -> api_calls.ApiUse:
        """The same list over the API."""
        return api_calls.artifacts(self._scope, kind=self.noun.kind, q=self.q, scenario=self.scenario)

    @property
    def addresses(self) -> list[str]:
        """What lies in the object store, for a group that has none of these yet."""
        return artifact_files.addresses(self._scope)
