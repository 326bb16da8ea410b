"""What the list of executions shows: tabs with counts, filters and one page of rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from launchpad.templatetags.launchpad import short
from mlops import paging
from mlops.domain import execution_filters, flags, saved_views
from mlops.lifecycle import ACTIVE, EXECUTION_DELETABLE, FINAL, STOPPABLE, Status
from mlops.views import api_calls
from mlops.views.enactment_list import EnactmentList
from mlops.views.execution_editors import EDITORS
from mlops.views.execution_query import BY_METRIC, STATUSES, ExecutionQuery
from mlops.views.list_query import ME
from mlops.views.saved_view_tabs import Tabs

# Label, what filters, and the name of its count.
VIEWS: tuple[tuple[str, tuple[tuple[str, str], ...], str], ...] = (
    ("All", (), "all"),
    ("Active", tuple(("status", status.value) for status in STATUSES if status in ACTIVE), "active"),
    ("Mine", (("by", ME),), "mine"),
    ("Completed", (("status", "COMPLETED"),), "COMPLETED"),
    ("Dead", (("status", "DEAD"),), "DEAD"),
    ("Archived", (("archived", "1"),), "archived"),
)


@dataclass(frozen=True)
class Row:
    """One line of the table. measured: a value for each metric that is shown, None where there is none.

    flags: how many open ones it has. short: the beginning of its key. Asked often: a page has 50 of them.
    """

    execution: Any
    short: str
    outputs: list[Any]
    measured: list[float | None]
    flags: int = 0

    @property
    def is_stoppable(self) -> bool:
        """Whether it can be stopped now."""
        return self.execution.status in STOPPABLE

    @property
    def is_archivable(self) -> bool:
        """Whether it can go into the archive."""
        return self.execution.status in FINAL and self.execution.archived_at is None

    @property
    def is_deletable(self) -> bool:
        """Whether it can be deleted now."""
        return self.execution.status in EXECUTION_DELETABLE


class ExecutionList(EnactmentList):
    """The list for one address; each query runs when a template first asks for its result."""

    def __init__(self, scope: Scope, query: QueryDict) -> None:
        super().__init__(scope, query, ExecutionQuery(scope, query), EDITORS)

    @cached_property
    def _hits(self) -> list[str] | None:
        """Keys of the few executions that the text is found in, None when they are many; one query."""
        return execution_filters.hits(self._scope, self.q) if self.q else None

    @property
    def _is_bounded(self) -> bool:
        """Whether only the newest executions are looked at."""
        return not self.filters.is_indexed or bool(self.q and self._hits is None)

    @cached_property
    def _found(self) -> Any:
        """What the filters leave, newest first."""
        rows = execution_filters.find(self._scope, self.filters, self._hits, apart_from=self.asked.metric)
        everything = execution_filters.everything(self._scope, archived=self.filters.archived)
        return paging.newest(rows, everything) if self._is_bounded else rows

    @property
    def is_sort_cut(self) -> bool:
        """Whether only the newest of the matches may be in this order."""
        return self._is_sorted_by_hand and not self._is_whole

    @property
    def _is_sorted_by_hand(self) -> bool:
        return self._is_bounded and self.asked.order.field != "created_at"

    @cached_property
    def _rows(self) -> Any:
        """The same, of those that have what they are sorted by."""
        rows, field = self._found, self.asked.order.field
        needed = {"duration": {"duration__isnull": False}, "name": {"name__gt": ""}}
        rows = rows.filter(**needed.get(field, {}))
        if self._is_sorted_by_hand:
            rows = execution_filters.newest_matches(self._scope, rows, paging.COUNT_CAP)
        if self.asked.metric:
            return execution_filters.by_metric(self._scope, rows, self.asked.metric, self.filters.metrics)
        return rows

    @cached_property
    def page(self) -> paging.Page:
        """The rows with their outputs, metrics and open flags; one query."""
        rows = execution_filters.for_list(
            self._scope, self._rows, metrics=self.asked.measures, with_outputs="outputs" in self.columns
        )
        rows = rows.annotate(flags=flags.column(self._scope, "executions"))
        return paging.page(rows, self._query, order=self.asked.order)

    @property
    def found(self) -> Any:
        """All executions that match with their metrics shown, in their order, not read yet."""
        rows = execution_filters.for_list(
            self._scope, self._rows, metrics=self.asked.measures, with_outputs=False
        )
        return rows.order_by(*self.asked.order.names)

    @property
    def rows(self) -> list[Row]:
        """The lines of the table."""
        places = range(len(self.asked.measures))
        with_outputs = "outputs" in self.columns
        return [
            Row(
                row,
                short(row.pk),
                execution_filters.outputs(row) if with_outputs else [],
                [getattr(row, f"measured_{place}") for place in places],
                row.flags or 0,
            )
            for row in self.page.rows
        ]

    @cached_property
    def _told(self) -> dict[str, Any]:
        """Counts of the tabs and of what is shown, and the saved views; one query."""
        everything = execution_filters.everything(self._scope)
        wanted = {"all": everything}
        # By status, because an index counts one status at a time.
        counted = {*sorted(ACTIVE), Status.COMPLETED, Status.DEAD, *self._only_statuses}
        wanted |= {status: everything.filter(status=status) for status in sorted(counted)}
        wanted["archived"] = execution_filters.everything(self._scope, archived=True)
        if self._scope.user is not None:
            wanted["mine"] = everything.filter(created_by=self._scope.user)
        if self._is_counted and not self._only_statuses and (self.is_filtered or self.asked.sort):
            # Nearly all have run to their end: filters find them sooner than the order of durations does.
            is_sooner = self.is_filtered and self.asked.order.field == "duration"
            order = paging.NEWEST_FIRST if is_sooner else self.asked.order
            wanted["shown"] = self._rows.order_by(*order.names)
        views = saved_views.column(self._scope, "executions")
        return paging.counts(wanted, views=views, among=execution_filters.anything(self._scope))

    @property
    def _is_counted(self) -> bool:
        """Whether counting what is shown costs little: an index leads to each."""
        by_hand = self._is_bounded or self._is_sorted_by_hand
        return not (by_hand or self.filters.metrics or self.asked.metric)

    @property
    def _only_statuses(self) -> tuple[str, ...]:
        """The statuses asked for when nothing else decides what is shown."""
        names = {name for name, _ in self.asked.parts}
        is_all = self.asked.order.field in ("created_at", "status") and not self.asked.metric
        return self.filters.statuses if names == {"status"} and is_all else ()

    def _count(self, name: str) -> int:
        if name == "active":
            return sum(self._told[status] for status in ACTIVE)
        if name == "shown" and self._only_statuses:
            return sum(self._told[status] for status in self._only_statuses)
        return self._told.get(name, 0)

    @property
    def tabs(self) -> Tabs:
        """All, the sets people ask for most, then what they saved; a text stays on when one is chosen."""
        saved = saved_views.read(self._scope, self._told.get("views"))
        return self._tabs([(label, pairs, self._count(name)) for label, pairs, name in VIEWS], saved)

    @property
    def label(self) -> str:
        """How many match, in words; of what is not counted, how many this page shows."""
        if not self._is_counted and not self._is_whole:
            return f"{len(self.page.rows)} executions on this page"
        if self._is_counted:
            count = self._count("shown" if "shown" in self._told or self._only_statuses else "all")
        else:
            count = len(self.page.rows)
        return "1 execution" if count == 1 else f"{paging.capped(count)} executions"

    @property
    def is_empty(self) -> bool:
        """Whether the group has no execution at all."""
        return not self._count("all") and not self._count("archived")

    @property
    def is_windowed(self) -> bool:
        """Whether a filter may have left out executions that are too old to be read."""
        among = "archived" if self.filters.archived else "all"
        return self._is_bounded and self._count(among) > paging.COUNT_CAP

    @property
    def left_out(self) -> str:
        """What those executions lack that the order leaves out, "" where it leaves out none."""
        if self.asked.metric:
            return f"report {self.asked.metric}"
        return {"duration": "have run to their end", "name": "have a name"}.get(self.asked.order.field, "")

    @property
    def nothing(self) -> str:
        """Why no row is shown."""
        wishes = [f"{name.lower()} {value}"[:80] for name, value, _ in self.chips]
        text = f"“{self.q}” is nowhere in ID, name, notes, labels or configuration" if self.q else ""
        meets = f"no execution is left by {', '.join(wishes)}" if wishes else ""
        order = f"only executions that {self.left_out} are in this order" if self.left_out else ""
        said = "; ".join(part for part in (text, meets, order) if part)
        return f"{said[:1].upper()}{said[1:]}."

    @property
    def measures(self) -> list[tuple[str, tuple[str, str]]]:
        """The metrics shown, each with what sorts by it."""
        first = paging.Order("metric_value")
        return [(name, self._sorting(f"{BY_METRIC}{name}", first)) for name in self.asked.measures]

    @property
    def api(self) -> api_calls.ApiUse:
        """The same list over the API."""
        statuses = [Status(status) for status in self.filters.statuses]
        return api_calls.executions(self._scope, statuses=statuses, is_filtered=bool(self._others))

    @property
    def _others(self) -> list[tuple[str, str]]:
        return [pair for pair in self.asked.parts if pair[0] != "status"]
