"""What the overview shows of schedules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from mlops.domain import overview_schedules
from mlops.domain.overview import Count, GroupFigures
from mlops.domain.overview_schedules import Soon
from mlops.views.overview_bars import Failure


@dataclass(frozen=True)
class Upcoming:
    """A schedule on the timeline. slug: of its executable; group: where; url: its page."""

    name: str
    slug: str
    group: str
    url: str
    times: tuple[datetime, ...]
    goes_on: bool


class Schedules:
    """Schedules of some groups. url: of a page, by group, name and key."""

    def __init__(self, told: Sequence[GroupFigures], now: datetime, *, url: Callable[..., str]) -> None:
        self._told = told
        self._now = now
        self._url = url

    @cached_property
    def _slugs(self) -> dict[Any, str]:
        return {one.group.pk: one.group.slug for one in self._told}

    @cached_property
    def _soon(self) -> Soon:
        return overview_schedules.soon([one.group for one in self._told], self._now)

    def _page(self, row: Any) -> str:
        return self._url(self._slugs[row.resource_group_id], "mlops:schedules.detail", row.id)

    @property
    def upcoming(self) -> list[Upcoming]:
        """Those that are due in the next hours, the next one first."""
        return [
            Upcoming(
                *(row.name, row.slug, self._slugs[row.resource_group_id], self._page(row)),
                *(row.times, row.goes_on),
            )
            for row in self._soon.upcoming
        ]

    @property
    def is_cut(self) -> bool:
        """Whether more are due than are shown."""
        return self._soon.is_cut

    @cached_property
    def refused(self) -> list[Failure]:
        """Those that are due within a day and will start nothing, because their configuration is archived."""
        return [self._failure(row) for row in self._soon.refused]

    @cached_property
    def paused(self) -> list[Failure]:
        """Those that paused themselves after failures; one query, none where there are none."""
        if not self._paused:
            return []
        return [self._failure(row) for row in overview_schedules.paused([one.group for one in self._told])]

    @property
    def more_paused(self) -> Count:
        """How many paused themselves beyond those shown."""
        return Count(self._paused.value - len(self.paused), self._paused.is_more)

    @property
    def _paused(self) -> Count:
        return sum((one.counts["paused_schedules"] for one in self._told), Count())

    def _failure(self, row: Any) -> Failure:
        return Failure(row, self._slugs[row.resource_group_id], self._page(row))
