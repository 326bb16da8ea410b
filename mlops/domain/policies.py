"""What a schedule does when its runs overlap, are missed or fail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mlops.domain.limits import Check
from mlops.models import Schedule

CATCH_UP_LIMIT = 100
RETRIES_LIMIT = 10
PAUSE_LIMIT = timedelta(days=1)
SHORTEST_RUN, LONGEST_RUN = timedelta(seconds=1), timedelta(days=30)
FAILURES_LIMIT = 100


@dataclass(frozen=True)
class Policies:
    """overlap: of `Schedule.Overlap`; catch_up: of `Schedule.CatchUp`, catch_up_limit of those of ALL.

    retries: how often a failed run is tried again, each retry_pause after its end. time_limit: how long a run
    may take from its start, None for ever. pause_after: after how many failures in a row it pauses itself,
    None for never.
    """

    overlap: str = Schedule.Overlap.SKIP
    catch_up: str = Schedule.CatchUp.LAST
    catch_up_limit: int = 10
    retries: int = 0
    retry_pause: timedelta = timedelta()
    time_limit: timedelta | None = None
    pause_after: int | None = None

    def check(self, check: Check) -> None:
        """Note what breaks its rule at the field of the same name."""
        for field, choices in (("overlap", Schedule.Overlap), ("catch_up", Schedule.CatchUp)):
            if getattr(self, field) not in choices.values:
                check.refuse(field, f"Choose one of: {', '.join(choices.values)}.")
        self._within(check, "catch_up_limit", 1, CATCH_UP_LIMIT)
        self._within(check, "retries", 0, RETRIES_LIMIT)
        if self.pause_after is not None:
            self._within(check, "pause_after", 1, FAILURES_LIMIT)
        if not timedelta() <= self.retry_pause <= PAUSE_LIMIT:
            check.refuse("retry_pause", "Wait at most one day before a run is tried again.")
        if self.time_limit is not None and not SHORTEST_RUN <= self.time_limit <= LONGEST_RUN:
            check.refuse("time_limit", "A run may take from one second to 30 days.")

    def _within(self, check: Check, field: str, least: int, most: int) -> None:
        if not least <= getattr(self, field) <= most:
            check.refuse(field, f"Choose a number from {least} to {most}.")


def of(schedule: Schedule) -> Policies:
    """Those of a schedule."""
    return Policies(
        overlap=schedule.overlap,
        catch_up=schedule.catch_up,
        catch_up_limit=schedule.catch_up_limit,
        retries=schedule.retries,
        retry_pause=schedule.retry_pause,
        time_limit=schedule.time_limit,
        pause_after=schedule.pause_after,
    )
