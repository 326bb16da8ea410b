"""What asks, before a schedule is resumed, what becomes of the due times that it missed."""

from __future__ import annotations

from functools import cached_property
from uuid import UUID

from django.http import QueryDict

from launchpad.access import Scope
from launchpad.forms import attempt
from mlops.domain import schedules
from mlops.lifecycle import ScheduleStatus

CHOICES = (("none", "None of them"), ("last", "The last one"), ("all", "All of them, the newest ones up to"))
_LONGEST_NUMBER = 4


class ResumePage:
    """A schedule to be resumed. posted: the choice that was sent; what can be carried out then is.

    Raises NotFound, and what `schedules.resume` raises. resumed: the schedule, once it is active again.
    errors: by field, what keeps it from that.
    """

    def __init__(self, scope: Scope, schedule_id: UUID, posted: QueryDict | None) -> None:
        self.schedule = schedules.get(scope, schedule_id)
        self._posted = posted
        self.resumed = None
        self.errors: dict[str, str] = {}
        if posted is not None and (not self.missed or self.is_chosen):
            self.resumed, self.errors = attempt(
                lambda: schedules.resume(scope, schedule_id, catch_up=self.chosen, limit=self._limit)
            )

    @property
    def is_active(self) -> bool:
        """Whether there is nothing to resume."""
        return self.schedule.status == ScheduleStatus.ACTIVE

    @property
    def is_chosen(self) -> bool:
        """Whether what was sent says what becomes of them."""
        return bool(self._posted and self._posted.get("catch_up"))

    @property
    def chosen(self) -> str:
        """What was chosen, the schedule's own policy before."""
        return (self._posted or {}).get("catch_up", "") or self.schedule.catch_up

    @property
    def limit(self) -> str:
        """How many at most, as it was typed."""
        return (self._posted or {}).get("limit", str(self.schedule.catch_up_limit))

    @property
    def _limit(self) -> int:
        text = self.limit.strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER else 0

    @cached_property
    def missed(self) -> int:
        """How many due times have passed since it was paused."""
        return schedules.missed(self.schedule)

    @property
    def choices(self) -> list[tuple[str, str, str, bool]]:
        """Value, words, what it would start now, and whether it is chosen."""
        return [(value, words, self._starts(value), value == self.chosen) for value, words in CHOICES]

    def _starts(self, value: str) -> str:
        limit = self._limit or self.schedule.catch_up_limit
        count = schedules.would_start(self.schedule, catch_up=value, limit=limit, missed=self.missed)
        return "starts 1 run now" if count == 1 else f"starts {count} runs now" if count else "starts nothing"

    @property
    def limit_error(self) -> str:
        """What is wrong with the number; "" for nothing."""
        return self.errors.get("catch_up_limit", "")

    @property
    def error(self) -> str:
        """What else is wrong; "" for nothing."""
        return next((said for field, said in self.errors.items() if field != "catch_up_limit"), "")

    @property
    def outcome(self) -> str:
        """What became of what was missed, as a sentence."""
        if not self.missed:
            return "Nothing was missed."
        times = "1 missed due time" if self.missed == 1 else f"{self.missed:,} missed due times"
        return f"The ledger tells what became of {times}."
