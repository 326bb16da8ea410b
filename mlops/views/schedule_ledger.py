"""Rows of a schedule's ledger as pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from mlops import paging
from mlops.domain import schedule_filters
from mlops.lifecycle import Outcome
from mlops.views.schedule_facts import OUTCOMES

ORDER = paging.Order("fire_at")


@dataclass(frozen=True)
class Row:
    """One row. tick: with its execution."""

    tick: Any

    @property
    def word(self) -> str:
        """What became of the due time."""
        return OUTCOMES[Outcome(self.tick.outcome)]

    @property
    def is_skipped(self) -> bool:
        """Whether nothing was started for it."""
        return self.tick.outcome == Outcome.SKIPPED

    @property
    def is_by_hand(self) -> bool:
        """Whether it is none of the clock's."""
        return self.tick.outcome == Outcome.BY_HAND

    @property
    def status(self) -> str:
        """Of its newest execution, or how that ended where it is gone; "" for none."""
        return self.tick.execution.status if self.tick.execution else self.tick.result

    @property
    def tries(self) -> int:
        """How often it was tried, where that is worth telling; else 0."""
        return self.tick.tries if self.tick.tries > 1 else 0


class Ledger:
    """One page of a ledger, newest first. outcome: the only one shown, "" for any."""

    def __init__(self, scope: Scope, schedule: Any, query: QueryDict) -> None:
        self._scope = scope
        self._schedule = schedule
        self._query = query
        wanted = query.get("outcome", "").upper()
        self.outcome = wanted if wanted in list(Outcome) else ""

    @cached_property
    def page(self) -> paging.Page:
        """The rows with their executions; one query."""
        rows = schedule_filters.ledger(self._scope, self._schedule, self.outcome)
        return paging.page(rows, self._query, order=ORDER)

    @property
    def rows(self) -> list[Row]:
        """The lines of the table."""
        return [Row(tick) for tick in self.page.rows]

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """Every outcome, any first: value in the address, word, whether it is chosen."""
        every = [("", "All"), *((one.value, word) for one, word in OUTCOMES.items())]
        return [(value.lower(), word, value == self.outcome) for value, word in every]

    @property
    def window(self) -> int:
        """How many of the newest rows are looked at for one outcome."""
        return schedule_filters.LEDGER_WINDOW
