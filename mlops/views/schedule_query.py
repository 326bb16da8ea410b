"""What the address of a list of schedules asks for; what cannot be read is left out, and it is said."""

from __future__ import annotations

from django.http import QueryDict

from launchpad.access import Scope
from mlops import paging
from mlops.domain.schedule_filters import Filters
from mlops.lifecycle import ScheduleStatus
from mlops.views.filter_editors import Editors
from mlops.views.list_query import MAX_TEXT, ListQuery

EDITORS = Editors(
    {"source": "Scenario, executable, version", "configuration": "Configuration"},
    "workflow",
    {"failing": "failing"},
)


class ScheduleQuery(ListQuery):
    """The filters that one address asks for."""

    noun, statuses, sorts, column_table = "schedule", (), {"created": paging.NEWEST_FIRST}, ()

    def __init__(self, scope: Scope, query: QueryDict) -> None:
        super().__init__(scope, query)
        self.filters = Filters(
            status=self._status(),
            failing=self._is_on("failing"),
            q=self._text("q", MAX_TEXT),
            scenario=self._text("scenario"),
            executable=self._text("executable"),
            version=self._text("version"),
            configuration=self._key("configuration"),
        )
        self.sort, self.order = self._usual_sort()

    def _status(self) -> str:
        value = self._query.get("status", "").strip().upper()
        if value and value not in list(ScheduleStatus):
            self.problems.append(f"“{value[:40]}” is no status of a schedule and was left out.")
            return ""
        return self._keep("status", value) if value else ""
