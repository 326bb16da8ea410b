"""What will be due next, in words and in three clocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice, pairwise

from django.utils import timezone

from mlops.domain import timings
from mlops.domain.timings import Run, Shift, Timing

SHOWN = 10
OFTEN = timedelta(minutes=5)


@dataclass(frozen=True)
class Row:
    """One due time. at: in UTC; local: in the schedule's zone, in words; remark: why it is not as asked."""

    at: datetime
    local: str
    utc: str
    remark: str


class Upcoming:
    """The next `count` due times after `now` of a timing that can be read."""

    def __init__(self, timing: Timing, now: datetime, *, count: int = SHOWN) -> None:
        self._timing = timing
        self._now = now
        self._count = count

    @property
    def words(self) -> str:
        """The rule as a sentence: `At 06:00 every day.`"""
        return f"{timings.in_words(self._timing)}."

    @property
    def zone(self) -> str:
        """The time zone that the rule is read in."""
        return self._timing.zone

    @property
    def reader_zone(self) -> str:
        """The time zone of the reader's browser, UTC while it is not known."""
        return timezone.get_current_timezone_name()

    @cached_property
    def _found(self) -> list[Run]:
        return list(islice(self._timing.runs_after(self._now), self._count))

    @property
    def runs(self) -> list[Row]:
        """The due times, the next one first."""
        return [
            Row(run.at, told(run.local), told(run.at.astimezone(UTC)), remark(run)) for run in self._found
        ]

    @property
    def is_last(self) -> bool:
        """Whether nothing is due after those shown."""
        return len(self._found) < self._count

    @property
    def warning(self) -> str:
        """What may not be meant, "" for nothing."""
        spans = (later.at - sooner.at for sooner, later in pairwise(self._found))
        if min(spans, default=OFTEN) < OFTEN:
            return "It runs more often than every 5 minutes."
        return ""


def told(moment: datetime) -> str:
    """A time of a clock: `Sun 29 Mar 2026, 03:00 CEST`."""
    seconds = ":%S" if moment.second else ""
    return moment.strftime(f"%a {moment.day} %b %Y, %H:%M{seconds} %Z")


def remark(run: Run) -> str:
    """What the clock does to a time that was asked for, as a sentence; "" for nothing."""
    if run.shift == Shift.JUMPED:
        return (
            f"{run.wall:%H:%M} does not exist: the clock jumps forward. It fires at the moment of the jump."
        )
    if run.shift == Shift.TWICE:
        return f"{run.wall:%H:%M} comes twice: the clock is put back. It fires once, the first time."
    return ""
