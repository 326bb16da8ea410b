"""What the address of a list of executions asks for; what cannot be read is left out, and it is said."""

from __future__ import annotations

import re
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import FloatField
from django.http import QueryDict
from django.utils import timezone

from launchpad import zones
from launchpad.access import Scope
from launchpad.errors import Invalid
from mlops import paging
from mlops.domain import execution_notes, metric_thresholds
from mlops.domain.execution_filters import Filters
from mlops.domain.label_selection import Selector
from mlops.domain.limits import NAME_LIMIT, storable
from mlops.domain.metric_thresholds import Threshold
from mlops.lifecycle import Status
from mlops.views.list_query import MAX_TEXT, ListQuery

CLAUSES = 10
MEASURES = 5
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
WITHIN = {
    "24h": ("last 24 hours", timedelta(hours=24)),
    "7d": ("last 7 days", timedelta(days=7)),
    "30d": ("last 30 days", timedelta(days=30)),
}
# The order each heading asks for first.
SORTS = {
    "created": paging.NEWEST_FIRST,
    "duration": paging.Order("duration", descending=True),
    "name": paging.Order("name", descending=False),
    "status": paging.Order("status", descending=False, within="created_at"),
}
BY_METRIC = "metric:"
# Name in the address, heading, whether it is shown unless something else is chosen.
COLUMNS = (
    ("configuration", "Configuration", True),
    ("executable", "Executable", True),
    ("duration", "Duration", True),
    ("created", "Created", True),
    ("changed", "Changed", False),
    ("target", "Target status", False),
    ("by", "By", True),
    ("labels", "Labels", False),
    ("outputs", "Outputs", True),
)
_LABEL = re.compile(r"(?P<key>[^=!]+?)\s*(?P<not>!?)=\s*(?P<value>.*)\Z", re.DOTALL)
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,40}(/[A-Za-z0-9_+-]{1,40}){0,2}\Z")
_YEARS = range(1971, 2900)


class ExecutionQuery(ListQuery):
    """The filters, order and columns that one address asks for. measures: names of metrics shown."""

    noun, statuses, sorts, column_table = "execution", STATUSES, SORTS, COLUMNS

    def __init__(self, scope: Scope, query: QueryDict) -> None:
        super().__init__(scope, query)
        self.zone = self._zone()
        labels, metrics = self._labels(), self._metrics()
        self.filters = Filters(
            statuses=self._statuses(),
            q=self._text("q", MAX_TEXT),
            since=self._since(),
            until=self._day("to", timedelta(days=1)),
            scenario=self._text("scenario"),
            version=self._text("version"),
            executable=self._text("executable"),
            configuration=self._key("configuration"),
            schedule=self._key("schedule"),
            by=self._by(),
            labels=labels,
            metrics=metrics,
            archived=self._is_on("archived"),
        )
        self.sort, self.order = self._sort()
        self.measures = self._measures()

    def _zone(self) -> zoneinfo.ZoneInfo:
        name = self._query.get("zone", "").strip() or "UTC"
        if _ZONE.match(name) and name in zones.names():
            return zoneinfo.ZoneInfo(name)
        self.problems.append(f"“{name[:40]}” is no time zone; days are those of UTC.")
        return zoneinfo.ZoneInfo("UTC")

    def _since(self) -> datetime | None:
        within = self._query.get("within", "")
        if not within or self._query.get("from"):
            return self._day("from", timedelta(0))
        if within not in WITHIN:
            self.problems.append(f"“{within[:40]}” is none of {', '.join(WITHIN)} and was left out.")
            return None
        self._keep("within", within)
        return timezone.now() - WITHIN[within][1]

    def _day(self, name: str, later: timedelta) -> datetime | None:
        text = self._query.get(name, "").strip()
        if not text:
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = None
        if day is None or day.year not in _YEARS:
            self.problems.append(f"“{text[:40]}” is no day such as 2026-06-17 and was left out.")
            return None
        self._keep(name, day.isoformat())
        if self.zone.key != "UTC" and ("zone", self.zone.key) not in self.parts:
            self._keep("zone", self.zone.key)
        return datetime.combine(day + later, time(), self.zone).astimezone(UTC)

    def _clauses(self, name: str) -> list[str]:
        texts = list(dict.fromkeys(text.strip() for text in self._query.getlist(name) if text.strip()))
        if len(texts) > CLAUSES:
            self.problems.append(f"Only {CLAUSES} conditions on a {name} count; the rest was left out.")
        return texts[:CLAUSES]

    def _labels(self) -> tuple[Selector, ...]:
        found = []
        for text in self._clauses("label"):
            match = _LABEL.match(text) if storable(text) else None
            key = match["key"].strip() if match else ""
            if match is None or not execution_notes.KEY.match(key) or len(text) > 2 * NAME_LIMIT:
                self.problems.append(
                    f"“{text[:60]}” is no condition on a label and was left out. "
                    "Write key=value or key!=value."
                )
                continue
            found.append(Selector(key, match["value"].strip(), excluded=bool(match["not"])))
            self._keep("label", f"{key}{match['not']}={match['value'].strip()}")
        return tuple(found)

    def _metrics(self) -> tuple[Threshold, ...]:
        found = []
        for text in self._clauses("metric"):
            try:
                threshold = metric_thresholds.parse(text)
            except Invalid as error:
                self.problems.append(f"A condition on a metric was left out. {error.message}")
                continue
            found.append(threshold)
            self._keep("metric", str(threshold))
        return tuple(found)

    def _sort(self) -> tuple[str, paging.Order]:
        value = self._query.get("sort", "").strip()
        name = value.removeprefix("-")
        if name.startswith(BY_METRIC) and storable(name) and len(name) <= NAME_LIMIT:
            order = paging.Order("metric_value", descending=True, column=FloatField())
            return value, order.reverse if value.startswith("-") else order
        return self._usual_sort(" or a metric")

    @property
    def metric(self) -> str:
        """The metric that the list is sorted by, "" for none."""
        name = self.sort.removeprefix("-")
        return name.removeprefix(BY_METRIC) if name.startswith(BY_METRIC) else ""

    def _measures(self) -> list[str]:
        asked = [name.strip() for name in self._query.getlist("measure") if name.strip()]
        wrong = [name for name in asked if len(name) > NAME_LIMIT or not storable(name)]
        if wrong or len(asked) > MEASURES:
            self.problems.append(f"At most {MEASURES} metrics are shown, of up to {NAME_LIMIT} characters.")
        asked = [name for name in asked if name not in wrong][:MEASURES]
        sorted_by = [self.metric] if self.metric else []
        return list(dict.fromkeys([*asked, *sorted_by, *(one.name for one in self.filters.metrics)]))

    @property
    def shape(self) -> list[tuple[str, str]]:
        """Order and columns as parts of an address."""
        return super().shape + [("measure", name) for name in self._chosen_measures]

    @property
    def _chosen_measures(self) -> list[str]:
        asked = {name.strip() for name in self._query.getlist("measure")}
        return [name for name in self.measures if name in asked]
