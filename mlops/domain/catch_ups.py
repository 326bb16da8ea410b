"""What is to become of due times that have passed: which are started, which are skipped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile

from mlops.domain.timings import Timing
from mlops.models import Schedule

# Missed due times beyond the newest of these are told in one row.
ROWS = 100
# More than so many are not told apart.
COUNTED = 1_000_000


@dataclass(frozen=True)
class Many:
    """Due times that are told together. first, last: the outermost; count: how many, COUNTED at most."""

    first: datetime
    last: datetime
    count: int


@dataclass(frozen=True)
class Plan:
    """Due times of a stretch of time, each in one place, ascending.

    on_time: not missed; caught_up: started although missed; skipped: missed for good; older: further ones,
    before all others, that are skipped too.
    """

    on_time: tuple[datetime, ...]
    caught_up: tuple[datetime, ...]
    skipped: tuple[datetime, ...]
    older: Many | None

    @property
    def missed(self) -> int:
        """How many were missed."""
        return len(self.caught_up) + len(self.skipped) + (self.older.count if self.older else 0)


def plan(
    timing: Timing, begin: datetime, now: datetime, *, tolerance: timedelta | None, catch_up: str, limit: int
) -> Plan:
    """What becomes of the due times from `begin` to `now`, both included.

    tolerance: how late something is still on time, None when all of it was missed. catch_up: of
    `Schedule.CatchUp`; what is on time counts as the last one. limit: of ALL.
    """
    newest = _newest(timing, begin, now)
    kept = list(islice(newest, ROWS + limit))[::-1]
    older = _older(timing, begin, kept[0]) if next(newest, None) else None
    on_time = [due for due in kept if tolerance is not None and now - due <= tolerance]
    missed = kept[: len(kept) - len(on_time)]
    if catch_up == Schedule.CatchUp.ALL:
        started = missed[-limit:]
    elif catch_up == Schedule.CatchUp.LAST and not on_time:
        started = missed[-1:]
    else:
        started = []
    skipped = missed[: len(missed) - len(started)]
    return Plan(tuple(on_time), tuple(started), tuple(skipped), older)


def _newest(timing: Timing, begin: datetime, now: datetime) -> Iterator[datetime]:
    return takewhile(lambda due: due >= begin, timing.until(now))


def _older(timing: Timing, begin: datetime, end: datetime) -> Many:
    """Those from `begin` to before `end`, of which there is at least one."""
    instant = timedelta(microseconds=1)
    first, last = next(timing.after(begin - instant)), next(timing.until(end - instant))
    return Many(first, last, min(timing.count(begin, end), COUNTED))
