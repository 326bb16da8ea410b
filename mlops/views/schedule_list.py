"""What the list of schedules shows."""

from __future__ import annotations

from functools import cached_property

from django.http import QueryDict

from launchpad.access import Scope
from mlops import paging
from mlops.domain import schedules


class ScheduleList:
    """The list for one address; each query runs when a template first asks for its result."""

    def __init__(self, scope: Scope, query: QueryDict) -> None:
        self._scope = scope
        self._query = query

    @cached_property
    def page(self) -> paging.Page:
        """One page of schedules, newest first; one query."""
        return paging.page(schedules.every(self._scope), self._query)
