"""What the page of one schedule shows; each query runs when a template first asks for its result."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils import timezone

from launchpad import zones
from launchpad.access import Scope
from launchpad.places import place_url
from mlops.domain import backfills, schedule_filters, schedule_runs, schedules, ticks
from mlops.lifecycle import ScheduleStatus
from mlops.views import api_calls, schedule_facts, schedule_words
from mlops.views.schedule_ledger import Ledger, Row
from mlops.views.schedule_preview import Upcoming

TABS = (
    ("overview", "Overview"),
    ("ticks", "Ticks"),
    ("executions", "Executions"),
    ("backfills", "Backfills"),
)
# Fragment to the template that holds it.
FRAGMENTS = {
    "schedule-head": "page",
    "schedule-upcoming": "detail",
    "schedule-recent": "detail",
    "schedule-ticks": "ledger",
    "schedule-executions": "executions",
    "schedule-backfills": "backfills",
}
RECENT, RUNS, BACKFILLS = 8, 20, 50
_TEMPLATES = {"overview": "detail", "ticks": "ledger"}


class SchedulePage:
    """One schedule in a scope. Raises NotFound when made for one of another group.

    query: `tab` names what is shown; the ledger's own choices are its to read. fragment: the one asked for,
    if any. template: holds that fragment, or the tab.
    """

    def __init__(self, scope: Scope, schedule_id: UUID, query: QueryDict, *, fragment: str | None) -> None:
        self._scope = scope
        self._query = query
        wanted = query.get("tab", "")
        self.tab = wanted if wanted in dict(TABS) else "overview"
        name = FRAGMENTS.get(fragment or "") or _TEMPLATES.get(self.tab, self.tab)
        self.template = f"mlops/schedules/{name}.html"
        self.schedule = schedules.detail(scope, schedule_id)

    @property
    def url(self) -> str:
        """The address of the page itself."""
        return place_url(self._scope, "mlops:schedules.detail", self.schedule.pk)

    @property
    def here(self) -> str:
        """The address part of this page, for refreshing its fragments."""
        return f"?{self._query.urlencode()}"

    @property
    def tabs(self) -> list[tuple[str, str, bool]]:
        """Key, label, and whether it is the one shown."""
        return [(key, label, key == self.tab) for key, label in TABS]

    @property
    def is_active(self) -> bool:
        """Whether it will be due."""
        return self.schedule.status == ScheduleStatus.ACTIVE

    @property
    def is_paused(self) -> bool:
        """Whether something would be due if it were active."""
        return not self.is_active and self.schedule.missed_from is not None

    @property
    def trouble(self) -> str:
        """What keeps it from being decided, a sentence; "" for nothing."""
        if self.schedule.trouble:
            return f"What is due could not be decided: {self.schedule.trouble}"
        return f"{said}." if (said := schedule_facts.trouble(self.schedule)) else ""

    @cached_property
    def is_live(self) -> bool:
        """Whether the page still changes by itself."""
        return self.is_active or schedule_filters.is_moving(self._scope, self.schedule)

    @property
    def zone(self) -> ZoneInfo:
        """The clock that its due times are of."""
        return schedule_facts.zone(self.schedule)

    @property
    def rule(self) -> str:
        """When it is due, in words."""
        return schedule_facts.rule(self.schedule)

    @property
    def policies(self) -> list[str]:
        """What it does when runs overlap, are missed or fail; a sentence each."""
        return schedule_words.policies(schedules.policy(self.schedule))

    @property
    def clock_rule(self) -> str:
        """What summer time does to due times."""
        return schedule_facts.CLOCK_RULE

    @cached_property
    def upcoming(self) -> Upcoming | None:
        """What is due next; None while nothing is, or by a clock that this machine does not know."""
        if not self.is_active or self.schedule.zone not in zones.names():
            return None
        return Upcoming(ticks.timing(self.schedule), timezone.now())

    @property
    def api(self) -> api_calls.ApiUse:
        """The same schedule over the API."""
        return api_calls.schedule(self._scope, self.schedule.pk, is_active=self.is_active)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger as this page shows it."""
        return Ledger(self._scope, self.schedule, self._query)

    @cached_property
    def recent(self) -> list[Row]:
        """The newest rows of the ledger."""
        return [Row(tick) for tick in schedules.ledger(self._scope, self.schedule)[:RECENT]]

    @cached_property
    def runs(self) -> list[Any]:
        """Its newest executions."""
        return list(schedule_runs.every(self._scope, self.schedule)[:RUNS])

    @property
    def runs_url(self) -> str:
        """All of its executions, in the list of executions."""
        return f"{place_url(self._scope, 'mlops:executions.index')}?schedule={self.schedule.pk}"

    @cached_property
    def backfills(self) -> list[Any]:
        """Its newest backfills."""
        return list(backfills.every(self._scope, self.schedule)[:BACKFILLS])
