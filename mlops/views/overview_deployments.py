"""What the overview shows of deployments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from mlops.domain import overview_deployments
from mlops.domain.overview import Count, GroupFigures
from mlops.views.overview_bars import Failure, Segment, bars

# The name of a count, its status and its word.
_STATUSES = tuple((name, str(status), status.lower()) for name, status in overview_deployments.STATUSES)
_ACTIVE = ("serving", "deploying", "ending_deployments")
_FAILED = ("dead_deployments", "failed_updates")


class Deployments:
    """Figures of some groups. only: whether it is one group; url: of a page, by group, name and key."""

    def __init__(self, told: Sequence[GroupFigures], *, only: bool, url: Callable[..., str]) -> None:
        self._told = told
        self._only = only
        self._url = url

    def _total(self, *names: str) -> Count:
        return sum((one.counts[name] for one in self._told for name in names), Count())

    @property
    def active(self) -> Count:
        """How many serve, are about to, or end."""
        return self._total(*_ACTIVE)

    @property
    def pending(self) -> Count:
        """How many wait for a server."""
        return self._total("deploying")

    @property
    def dead(self) -> Count:
        """How many are dead."""
        return self._total("dead_deployments")

    @property
    def near_end(self) -> Count:
        """How many end within a day."""
        return self._total("near_end")

    @cached_property
    def troubled(self) -> list[Failure]:
        """Those that are dead or whose last update failed; one query, none where there are none."""
        if not self._total(*_FAILED):
            return []
        slugs = {one.group.pk: one.group.slug for one in self._told}
        found = overview_deployments.troubled([one.group for one in self._told])
        return [
            Failure(
                one,
                slugs[one.resource_group_id],
                self._url(slugs[one.resource_group_id], "mlops:deployments.detail", one.id),
            )
            for one in found
        ]

    @property
    def more_troubled(self) -> Count:
        """How many failed beyond those shown."""
        failed = self._total(*_FAILED)
        return Count(failed.value - len(self.troubled), failed.is_more)

    @property
    def by_group(self) -> list[tuple[GroupFigures, list[Segment], list[tuple[str, Count]]]]:
        """Each group that has any with them as a bar and, by status, as numbers."""
        return [
            (one, bar, [(status, one.counts[name]) for name, status, _ in _STATUSES])
            for one, bar in zip(self._told, bars(self._told, _STATUSES), strict=True)
            if bar
        ]

    @property
    def active_url(self) -> str:
        """The list of those that serve or are about to."""
        return self._list_url("?status=PENDING&status=RUNNING&status=STOPPING")

    @property
    def dead_url(self) -> str:
        """The list of those that are dead."""
        return self._list_url("?status=DEAD")

    @property
    def near_end_url(self) -> str:
        """The list of those that end soon."""
        return self._list_url("?ending=1")

    def _list_url(self, query: str) -> str:
        """Deployments of the one group looked at; of several groups, the table where each has its own."""
        if not self._only:
            return "#deployments-by-group"
        return f"{self._url(self._told[0].group.slug, 'mlops:deployments.index')}{query}"
