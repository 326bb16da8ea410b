"""What the list of executions shows: tabs with counts, filters and one page of rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from django.http import QueryDict

from launchpad.access import Scope
from mlops import paging
from mlops.domain import executions
from mlops.lifecycle import ACTIVE, STORED, Status
from mlops.views import api_calls

# In the order of a life, as people look for them.
STATUSES = (
    Status.PENDING,
    Status.RUNNING,
    Status.STOPPING,
    Status.COMPLETED,
    Status.STOPPED,
    Status.DEAD,
    Status.DELETING,
)
VIEWS = (
    ("All", frozenset()),
    ("Active", ACTIVE),
    ("Completed", frozenset({Status.COMPLETED})),
    ("Stopped", frozenset({Status.STOPPED})),
    ("Dead", frozenset({Status.DEAD})),
)
MAX_QUERY = 200


@dataclass(frozen=True)
class Tab:
    """A saved set of statuses. query: the address part that shows it."""

    label: str
    count: int
    query: str
    current: bool


class ExecutionList:
    """The list for one address; each query runs when a template first asks for its result."""

    def __init__(self, scope: Scope, query: QueryDict) -> None:
        self._scope = scope
        self._query = query
        self.q = query.get("q", "").replace("\x00", "").strip()[:MAX_QUERY]
        self.statuses = [status for status in STATUSES if status in set(query.getlist("status")) & STORED]

    @cached_property
    def _rows(self):
        rows = executions.search(self._scope, statuses=self.statuses, q=self.q)
        return paging.newest(rows, executions.search(self._scope)) if self.q else rows

    @cached_property
    def page(self) -> paging.Page:
        """The rows with their outputs; two queries."""
        return paging.page(self._rows, self._query, related=("outputs",))

    @cached_property
    def _counts(self) -> dict[str, int]:
        """By status, because an index counts one status at a time; and of all, and of what a text leaves."""
        wanted = {"all": executions.search(self._scope)}
        wanted |= {status: executions.search(self._scope, statuses=[status]) for status in STATUSES}
        return paging.counts(wanted | {"shown": self._rows} if self.q else wanted)

    def _count(self, statuses: Collection[Status]) -> int:
        """How many have one of the statuses, of all when none is given, whatever the text."""
        return sum(self._counts[status] for status in statuses) if statuses else self._counts["all"]

    @property
    def tabs(self) -> list[Tab]:
        """All, then the sets people ask for most; a text filter stays on when one is chosen."""
        return [
            Tab(
                label,
                self._count(statuses),
                self._address(statuses, self.q),
                set(self.statuses) == set(statuses),
            )
            for label, statuses in VIEWS
        ]

    @property
    def label(self) -> str:
        """How many match, in words."""
        count = self._counts["shown"] if self.q else self._count(self.statuses)
        return "1 execution" if count == 1 else f"{paging.capped(count)} executions"

    @property
    def is_empty(self) -> bool:
        """Whether the group has no execution at all."""
        return not self._counts["all"]

    @property
    def is_windowed(self) -> bool:
        """Whether the text filter may have left out executions that are too old to be read."""
        return bool(self.q) and self._counts["all"] > paging.COUNT_CAP

    @property
    def window(self) -> int:
        """How many of the newest executions a text filter reads."""
        return paging.WINDOW

    @property
    def is_live(self) -> bool:
        """Whether a row on this page still moves by itself."""
        return any(row.status in ACTIVE for row in self.page.rows)

    @property
    def choices(self) -> list[tuple[Status, bool]]:
        """Every status with whether it is asked for."""
        return [(status, status in self.statuses) for status in STATUSES]

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """Active filters as (name, value, address without it)."""
        without = [
            ("Status", status.capitalize(), self._address([s for s in self.statuses if s != status], self.q))
            for status in self.statuses
        ]
        return [*without, ("Text", self.q, self._address(self.statuses, ""))] if self.q else without

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is on."""
        return bool(self.q or self.statuses)

    @property
    def here(self) -> str:
        """The address part of this very page, cursor and all, for polling."""
        return f"?{self._query.urlencode()}"

    @property
    def api(self) -> api_calls.ApiUse:
        """The same list over the API."""
        return api_calls.executions(self._scope, statuses=self.statuses, q=self.q)

    def _address(self, statuses, q: str) -> str:
        pairs = [("status", str(status)) for status in STATUSES if status in statuses]
        return "?" + urlencode([*pairs, ("q", q)] if q else pairs)
