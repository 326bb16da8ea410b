"""What the list of deployments shows: tabs with counts, filters, the person's drafts and one page of rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from launchpad.templatetags.launchpad import short
from mlops import paging
from mlops.domain import deployment_drafts, deployment_filters, deployments, saved_views
from mlops.lifecycle import (
    ACTIVE,
    DEPLOYMENT_DELETABLE,
    DEPLOYMENT_REPOINTABLE,
    DEPLOYMENT_RESTARTABLE,
    STOPPABLE,
    Status,
)
from mlops.views import api_calls
from mlops.views.deployment_query import EDITORS, STATUSES, DeploymentQuery
from mlops.views.enactment_list import EnactmentList, Pairs
from mlops.views.list_query import ME
from mlops.views.saved_view_tabs import Tabs

DRAFTS_SHOWN = 5
# Label, what filters, and the name of its count.
VIEWS: tuple[tuple[str, Pairs, str], ...] = (
    ("All", (), "all"),
    ("Active", tuple(("status", status.value) for status in STATUSES if status in ACTIVE), "active"),
    ("Near their end", (("ending", "1"),), "ending"),
    ("Mine", (("by", ME),), "mine"),
    ("Dead", (("status", "DEAD"),), "DEAD"),
    ("Put away", (("archived", "1"),), "archived"),
)


@dataclass(frozen=True)
class Health:
    """How the servers of a deployment fare. ready of wanted; None of one that has none to run."""

    ready: int
    wanted: int | None

    @property
    def words(self) -> str:
        """`2 of 2 ready`; "" for none."""
        return f"{self.ready} of {self.wanted} ready" if self.wanted else ""

    @property
    def is_short(self) -> bool:
        """Whether fewer answer than are wanted."""
        return bool(self.wanted) and self.ready < (self.wanted or 0)


@dataclass(frozen=True)
class Row:
    """One line of the table. short: the beginning of its key; left: what is left of a life near its end."""

    deployment: Any
    short: str
    left: timedelta | None

    @property
    def health(self) -> Health:
        """How its servers fare."""
        return Health(self.deployment.ready, self.deployment.wanted)

    @property
    def is_off_target(self) -> bool:
        """Whether it is wished to be something else than it is."""
        return self.deployment.target_status != self.deployment.status

    @property
    def update(self) -> str:
        """How the newest revision fares while another one serves, in words; "" once it serves itself."""
        one = self.deployment
        if one.status not in STOPPABLE or one.serving in (None, one.newest):
            return ""
        state = "failed" if one.newest_status == Status.DEAD else "on its way"
        return f"revision {one.newest} {state}"

    @property
    def is_update_failed(self) -> bool:
        """Whether it serves another revision than the one it was updated to."""
        return bool(self.update) and self.deployment.newest_status == Status.DEAD

    @property
    def is_stoppable(self) -> bool:
        """Whether it can be stopped, or be given another end, now."""
        return self.deployment.status in STOPPABLE

    @property
    def is_updatable(self) -> bool:
        """Whether another configuration can be rolled in now."""
        return self.deployment.status in DEPLOYMENT_REPOINTABLE

    @property
    def is_restartable(self) -> bool:
        """Whether it can be started again now."""
        return self.deployment.status in DEPLOYMENT_RESTARTABLE

    @property
    def is_deletable(self) -> bool:
        """Whether it can be deleted now."""
        return self.deployment.status in DEPLOYMENT_DELETABLE


class DeploymentList(EnactmentList):
    """The list for one address; each query runs when a template first asks for its result."""

    def __init__(self, scope: Scope, query: QueryDict) -> None:
        super().__init__(scope, query, DeploymentQuery(scope, query), EDITORS)

    @cached_property
    def _rows(self) -> Any:
        rows = deployment_filters.find(self._scope, self.filters)
        everything = deployment_filters.everything(self._scope, archived=self.filters.archived)
        return rows if self.filters.is_indexed else paging.newest(rows, everything)

    @cached_property
    def page(self) -> paging.Page:
        """The rows with how their servers fare; one query."""
        return paging.page(
            deployment_filters.for_list(self._scope, self._rows), self._query, order=self.asked.order
        )

    @property
    def found(self) -> Any:
        """All deployments that match, in their order, not read yet."""
        rows = deployment_filters.for_list(self._scope, self._rows)
        return rows.order_by(*self.asked.order.names)

    @cached_property
    def rows(self) -> list[Row]:
        """The lines of the table."""
        return [Row(row, short(row.pk), deployments.soon(row)) for row in self.page.rows]

    @cached_property
    def _told(self) -> dict[str, Any]:
        """Counts of the tabs and of what is shown, and the saved views; one query."""
        everything = deployment_filters.everything(self._scope)
        wanted = {"all": everything}
        # By status, because an index counts one status at a time.
        wanted |= {status: everything.filter(status=status) for status in sorted({*ACTIVE, Status.DEAD})}
        wanted["ending"] = deployment_filters.near_end(everything)
        wanted["archived"] = deployment_filters.everything(self._scope, archived=True)
        if self._scope.user is not None:
            wanted["mine"] = everything.filter(created_by=self._scope.user)
        if self.is_filtered:
            wanted["shown"] = self._rows
        views = saved_views.column(self._scope, "deployments")
        return paging.counts(wanted, views=views, among=deployment_filters.anything(self._scope))

    def _count(self, name: str) -> int:
        if name == "active":
            return sum(self._told[status] for status in ACTIVE)
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
        return "1 deployment" if count == 1 else f"{paging.capped(count)} deployments"

    @property
    def is_empty(self) -> bool:
        """Whether the group has no deployment at all."""
        return not self._count("all") and not self._count("archived")

    @property
    def is_windowed(self) -> bool:
        """Whether a filter may have left out deployments that are too old to be read."""
        among = "archived" if self.filters.archived else "all"
        return not self.filters.is_indexed and self._count(among) > paging.COUNT_CAP

    @property
    def nothing(self) -> str:
        """Why no row is shown."""
        wishes = [f"{name.lower()} {value}"[:80] for name, value, _ in self.chips]
        text = f"“{self.q}” is nowhere in ID or configuration" if self.q else ""
        meets = f"no deployment is left by {', '.join(wishes)}" if wishes else ""
        said = "; ".join(part for part in (text, meets) if part) or "all are put away"
        return f"{said[:1].upper()}{said[1:]}."

    @property
    def api(self) -> api_calls.ApiUse:
        """The same list over the API."""
        statuses = [Status(status) for status in self.filters.statuses]
        others = [pair for pair in self.asked.parts if pair[0] != "status"]
        return api_calls.deployments(self._scope, statuses=statuses, is_filtered=bool(others))

    @cached_property
    def drafts(self) -> list[tuple[Any, str]]:
        """The person's own drafts and what each is of, the one touched last first.

        None while something is looked for.
        """
        if self.is_filtered or not self._scope.may_change:
            return []
        found = deployment_drafts.every(self._scope)[:DRAFTS_SHOWN]
        return [(one, self._about(one.data)) for one in found]

    @staticmethod
    def _about(data: dict[str, str]) -> str:
        """The executable that a draft has come to, else its scenario."""
        server = data.get("executable", "").partition(":")[0]
        return server or data.get("scenario", "") or "Nothing chosen yet"
