"""What the list of schedules shows: tabs with counts, filters and one page of rows with their last ticks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from mlops import paging
from mlops.domain import saved_views, schedule_drafts, schedule_filters
from mlops.lifecycle import ScheduleStatus
from mlops.views import api_calls, schedule_facts
from mlops.views.enactment_list import EnactmentList, Pairs
from mlops.views.saved_view_tabs import Tabs
from mlops.views.schedule_query import EDITORS, ScheduleQuery
from mlops.views.schedule_strip import Strip

DRAFTS_SHOWN = 5
# Label, what filters, and the name of its count.
VIEWS: tuple[tuple[str, Pairs, str], ...] = (
    ("All", (), "all"),
    ("Active", (("status", "ACTIVE"),), "active"),
    ("Inactive", (("status", "INACTIVE"),), "inactive"),
    ("Failing", (("failing", "1"),), "failing"),
)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    schedule: Any
    strip: Strip

    @property
    def rule(self) -> str:
        """When it is due, in words."""
        return schedule_facts.rule(self.schedule)

    @property
    def trouble(self) -> str:
        """What keeps it from being decided, in a few words; "" for nothing."""
        return schedule_facts.trouble(self.schedule)

    @property
    def is_active(self) -> bool:
        """Whether it will be due."""
        return self.schedule.status == ScheduleStatus.ACTIVE

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is due any more, as opposed to one that is paused."""
        return not self.is_active and self.schedule.missed_from is None


class ScheduleList(EnactmentList):
    """The list for one address; each query runs when a template first asks for its result."""

    def __init__(self, scope: Scope, query: QueryDict) -> None:
        super().__init__(scope, query, ScheduleQuery(scope, query), EDITORS)

    @cached_property
    def _rows(self) -> Any:
        rows = schedule_filters.find(self._scope, self.filters)
        if self.filters.is_indexed:
            return rows
        return paging.newest(rows, schedule_filters.everything(self._scope))

    @cached_property
    def page(self) -> paging.Page:
        """The schedules with the newest rows of their ledgers; one query."""
        rows = schedule_filters.for_list(self._scope, self._rows)
        return paging.page(rows, self._query, order=self.asked.order)

    @cached_property
    def rows(self) -> list[Row]:
        """The lines of the table with their strips."""
        return [Row(one, Strip(schedule_filters.strip(one))) for one in self.page.rows]

    @property
    def is_live(self) -> bool:
        """Whether something on this page will be due, or runs."""
        return any(row.is_active or row.strip.is_moving for row in self.rows)

    @cached_property
    def _told(self) -> dict[str, Any]:
        """Counts of the tabs and of what is shown, and the saved views; one query."""
        everything = schedule_filters.everything(self._scope)
        wanted = {
            "all": everything,
            "active": schedule_filters.active(everything),
            "inactive": schedule_filters.inactive(everything),
            "failing": schedule_filters.failing(everything),
        }
        if self.is_filtered:
            wanted["shown"] = self._rows
        return paging.counts(wanted, views=saved_views.column(self._scope, "schedules"))

    def _count(self, name: str) -> int:
        return self._told.get(name, 0)

    @property
    def tabs(self) -> Tabs:
        """All, the sets people ask for most, then what they saved; a text stays on when one is chosen."""
        saved = saved_views.read(self._scope, self._told.get("views"))
        return self._tabs([(label, pairs, self._count(name)) for label, pairs, name in VIEWS], saved)

    @property
    def label(self) -> str:
        """How many match, in words."""
        count = self._count("shown" if self.is_filtered else "all")
        return "1 schedule" if count == 1 else f"{paging.capped(count)} schedules"

    @property
    def is_empty(self) -> bool:
        """Whether the group has no schedule at all."""
        return not self._count("all")

    @property
    def is_windowed(self) -> bool:
        """Whether a filter may have left out schedules that are too old to be read."""
        return not self.filters.is_indexed and self._count("all") > paging.COUNT_CAP

    @property
    def nothing(self) -> str:
        """Why no row is shown."""
        wishes = [f"{name.lower()} {value}"[:80] for name, value, _ in self.chips]
        text = f"“{self.q}” is nowhere in name or ID" if self.q else ""
        meets = f"no schedule is left by {', '.join(wishes)}" if wishes else ""
        said = "; ".join(part for part in (text, meets) if part) or "no schedule is left"
        return f"{said[:1].upper()}{said[1:]}."

    @property
    def api(self) -> api_calls.ApiUse:
        """The same list over the API."""
        asked = self.filters
        is_filtered = any(name not in ("status", "configuration") for name, _value in self.asked.parts)
        return api_calls.schedules(
            self._scope,
            status=asked.status,
            configuration=str(asked.configuration or ""),
            is_filtered=is_filtered,
        )

    @cached_property
    def drafts(self) -> list[tuple[Any, str]]:
        """The person's own drafts and what each is of, the one touched last first.

        None while something is looked for.
        """
        if self.is_filtered or not self._scope.may_change:
            return []
        found = schedule_drafts.every(self._scope)[:DRAFTS_SHOWN]
        return [(one, self._about(one.data)) for one in found]

    @staticmethod
    def _about(data: dict[str, str]) -> str:
        """The name that a draft has, else how far it has come."""
        source = data.get("executable", "").partition(":")[0] or data.get("scenario", "")
        return data.get("name", "") or source or "Nothing chosen yet"
