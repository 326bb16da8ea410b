"""When something is due: cron expressions in a time zone, and single moments.

Cron tells times of a clock on the wall. Where that clock jumps forward, a time that does not exist is due at
the moment of the jump; where it jumps back, a time that comes twice is due once, the first time. What falls
on the same moment is due once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from launchpad import zones
from mlops.domain.limits import Check

CRON_LIMIT = 128
# Of times that people give: far enough from the calendar's ends for the due times after them, by any clock.
FIRST_YEAR, LAST_YEAR = 1900, 9900
_INSTANT, _SECOND, _DAY = timedelta(microseconds=1), timedelta(seconds=1), timedelta(days=1)
# Of two due times of any expression.
_SHORTEST = timedelta(minutes=1)
# No clock was ever put back by more at once, and none is twice within this time by more than an hour.
_LONGEST_FOLD_HOURS = 26
# How far ahead the shortest distance between two due times is looked for: what is due less often than once a
# year is not too often, and looking for it would take long.
_PROBED, _PROBED_FOR = 400, timedelta(days=370)
# In no zone is the day before it none of the calendar.
_BEGINNING = datetime(1, 1, 3, tzinfo=UTC)
# Reading an expression asks for a day to begin with.
_ANY_DAY = datetime(2024, 1, 1, tzinfo=UTC)


class CronError(Exception):
    """The expression cannot be read, or never comes true; its text is a sentence."""


class Shift(StrEnum):
    """What the clock does to a time on the wall. JUMPED: it does not exist; TWICE: it comes twice."""

    NONE = ""
    JUMPED = "jumped"
    TWICE = "twice"


@dataclass(frozen=True)
class Run:
    """A due time. at: in UTC; wall: the time on the wall that was asked for; zone: where the wall is."""

    at: datetime
    wall: datetime
    zone: tzinfo

    @property
    def local(self) -> datetime:
        """What the clock in its zone shows then."""
        return self.at.astimezone(self.zone)

    @property
    def shift(self) -> Shift:
        """Whether the time asked for is no plain one."""
        local = self.local
        if local.replace(tzinfo=None, fold=0) != self.wall:
            return Shift.JUMPED
        if local.fold:
            # A single moment can be the second time; that one was asked for.
            return Shift.NONE
        first, second = (self.wall.replace(tzinfo=self.zone, fold=fold).utcoffset() for fold in (0, 1))
        return Shift.NONE if first == second else Shift.TWICE


@dataclass(frozen=True)
class Timing:
    """When a schedule is due. cron: five fields, "" for `once_at`. start, end: aware, both inclusive."""

    cron: str = ""
    once_at: datetime | None = None
    zone: str = "UTC"
    start: datetime | None = None
    end: datetime | None = None

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Due times after a moment, ascending, in UTC; ends with `end` or when nothing comes any more."""
        return (run.at for run in self.runs_after(moment))

    def runs_after(self, moment: datetime) -> Iterator[Run]:
        """The same with the times on the wall that they come from."""
        if self.start is not None and moment < self.start:
            moment = self.start.astimezone(UTC) - _INSTANT
        for run in self._once(moment) if self.once_at else self._after(moment.astimezone(UTC)):
            if self.end is not None and run.at > self.end:
                return
            yield run

    def next(self, moment: datetime) -> datetime | None:
        """The first due time after a moment; None when there is none."""
        return next(self.after(moment), None)

    def until(self, moment: datetime) -> Iterator[datetime]:
        """Due times up to a moment, itself included, descending, in UTC; ends with `start`."""
        if self.end is not None:
            moment = min(moment, self.end)
        moment = max(moment, _BEGINNING).astimezone(UTC)
        found = iter([self.once_at.astimezone(UTC)] if self.once_at else self._until(moment))
        for due in found:
            if self.start is not None and due < self.start:
                return
            if due <= moment:
                yield due

    def between(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        """Due times from a moment to another, both included, ascending, whatever start and end say."""
        free = Timing(self.cron, self.once_at, self.zone)
        for due in free.after(max(begin, _BEGINNING) - _INSTANT):
            if due > end:
                return
            yield due

    def count(self, begin: datetime, end: datetime) -> int:
        """How many due times there are from a moment to before another; years take not much longer than days.

        Of days on which nobody puts the clock it is enough to know that it is true on them.
        """
        if self.once_at is not None:
            return self._walked(begin, end)
        zone, rule, found = self._zone(), self._walk(_ANY_DAY), 0
        at = max(begin, self.start or begin).astimezone(UTC)
        end = min(end, self.end + _INSTANT if self.end else end)
        day = datetime.combine(at.astimezone(zone).date(), time())
        while at < end:
            tomorrow = day + _DAY
            until = min(instant(tomorrow, zone), end)
            # What a jump to midnight passed on the day before is due at midnight.
            if until - at == _DAY and instant(day, zone) == at and _steady(at - _SECOND, until, zone):
                is_true = day.month in rule.months and rule.match_day(day.date())
                found += len(rule.hours) * len(rule.minutes) if is_true else 0
            else:
                found += self._walked(at, until)
            at, day = until, tomorrow
        return found

    def _walked(self, begin: datetime, end: datetime) -> int:
        found = 0
        for due in self.after(begin - _INSTANT):
            if due >= end:
                break
            found += 1
        return found

    @property
    def shortest(self) -> timedelta | None:
        """The shortest distance between two of the next due times; None for less than two."""
        due = islice(self.after(datetime.now(UTC)), _PROBED)
        first = next(due, None)
        if first is None:
            return None
        soon = [first, *takewhile(lambda moment: moment - first <= _PROBED_FOR, due)]
        return min((later - sooner for sooner, later in pairwise(soon)), default=None)

    def _once(self, moment: datetime) -> Iterator[Run]:
        if self.once_at is not None and self.once_at > moment:
            zone = self._zone()
            wall = self.once_at.astimezone(zone).replace(tzinfo=None, fold=0)
            yield Run(self.once_at.astimezone(UTC), wall, zone)

    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise CronError(
                f"This machine does not know the time zone {self.zone} any more. Choose another one."
            ) from error

    def _walk(self, begin: datetime, reverse: bool = False) -> CronSim:
        try:
            return CronSim(self.cron, begin, reverse=reverse)
        except CronSimError as error:
            raise CronError(f"{self.cron} cannot be read as cron. Choose other times.") from error

    def _after(self, moment: datetime) -> Iterator[Run]:
        zone = self._zone()
        last = moment
        try:
            for wall in self._walk(moment.astimezone(zone).replace(tzinfo=None)):
                due = instant(wall, zone)
                if due > last:
                    last = due
                    yield Run(due, wall, zone)
        except OverflowError:
            return

    def _until(self, moment: datetime) -> Iterator[datetime]:
        zone = self._zone()
        begin = moment.astimezone(zone).replace(tzinfo=None) + _put_back(moment, zone) + _SECOND
        last = moment + _SECOND
        try:
            for wall in self._walk(begin, reverse=True):
                due = instant(wall, zone)
                if due <= moment and due < last:
                    last = due
                    yield due
        except OverflowError:
            return


@dataclass(frozen=True)
class Change:
    """What is to be different in a timing; what is None stays. cron: of UTC, takes the place of `once_at`."""

    cron: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    def of(self, check: Check, timing: Timing) -> Timing:
        """The timing with the change in it, unchecked; what it cannot have is noted at start and end."""
        if self.cron is not None:
            timing = Timing(self.cron, None, "UTC", timing.start, timing.end)
        if timing.once_at is None:
            return replace(timing, start=self.start or timing.start, end=self.end or timing.end)
        for name, at in (("start", self.start), ("end", self.end)):
            if at is not None:
                check.refuse(name, f"It runs once and has no {name}. Give it a cron expression too.")
        return timing


def read(wall: datetime, zone: tzinfo) -> Run:
    """What a time on the wall is read as. wall: without a zone."""
    return Run(instant(wall, zone), wall.replace(fold=0), zone)


def instant(wall: datetime, zone: tzinfo) -> datetime:
    """The moment, in UTC, at which a time on the wall is due in a zone. wall: without a zone."""
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == wall:
        return first
    # It does not exist: the clock jumps over it somewhere between its two readings.
    before, after = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), first
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after


def _steady(begin: datetime, end: datetime, zone: tzinfo) -> bool:
    """Whether the clock is as far from UTC at the end as at the beginning."""
    return begin.astimezone(zone).utcoffset() == end.astimezone(zone).utcoffset()


def _put_back(moment: datetime, zone: tzinfo) -> timedelta:
    """By how much at most the clock was put back shortly before a moment."""
    now = moment.astimezone(zone).utcoffset() or timedelta()
    hours = (timedelta(hours=hours) for hours in range(1, _LONGEST_FOLD_HOURS + 1))
    before = ((moment - past).astimezone(zone).utcoffset() or timedelta() for past in hours)
    return max(timedelta(), max(before) - now)


def read_cron(text: str) -> str:
    """The expression with single blanks; raises CronError unless it has five fields and comes true."""
    fields = text.split()
    if len(text) > CRON_LIMIT:
        raise CronError(f"A cron expression has at most {CRON_LIMIT} characters.")
    if len(fields) != 5:
        raise CronError(
            f"A cron expression has five fields: minute, hour, day of month, month and day of week. "
            f"This one has {len(fields)}."
        )
    cron = " ".join(fields).upper()
    try:
        next(CronSim(cron, _ANY_DAY))
    except StopIteration as error:
        raise CronError("This never comes true: there is no such day.") from error
    except (CronSimError, ValueError, AssertionError) as error:
        if str(error) == "Bad day-of-month" and _reads_without_month(fields):
            raise CronError("This never comes true: no such month has that many days.") from error
        raise CronError(_what_is_wrong(str(error))) from error
    return cron


def _reads_without_month(fields: list[str]) -> bool:
    try:
        CronSim(" ".join([*fields[:3], "*", fields[4]]), _ANY_DAY)
    except (CronSimError, ValueError, AssertionError):
        return False
    return True


_FIELDS = {
    "minute": "The first field, the minute, is 0 to 59",
    "hour": "The second field, the hour, is 0 to 23",
    "day-of-month": "The third field, the day of the month, is 1 to 31 or L for the last one",
    "month": "The fourth field, the month, is 1 to 12 or JAN to DEC",
    "day-of-week": "The fifth field, the day of the week, is 0 to 7 or SUN to SAT",
}


def _what_is_wrong(said: str) -> str:
    rule = _FIELDS.get(said.removeprefix("Bad "))
    return (
        f"{rule}; also lists (1,2), ranges (1-5), steps (*/5) and *."
        if rule
        else "It cannot be read as cron."
    )


def in_words(timing: Timing) -> str:
    """When it is due, in a sentence without its end, such as `At 06:00 every day`."""
    if timing.once_at is not None:
        return "Once"
    return CronSim(timing.cron, _ANY_DAY).explain()


def recurring(timing: Timing) -> Timing:
    """The same by cron: of a single moment, its minute in UTC, with start and end around it."""
    if timing.once_at is None:
        return timing
    at = timing.once_at.astimezone(UTC)
    return Timing(
        f"{at.minute} {at.hour} {at.day} {at.month} *", start=at.replace(second=0, microsecond=0), end=at
    )


def checked(check: Check, timing: Timing, *, now: datetime, minimum: timedelta) -> Timing:
    """The timing as it is kept; breaches are noted at the fields cron, once_at, zone, start and end.

    Asks that something is due after `now` and that two due times are at least `minimum` apart.
    """
    if timing.zone not in zones.names():
        check.refuse("zone", f"There is no time zone {timing.zone[:64]}. Choose one such as Europe/Berlin.")
    for name in ("once_at", "start", "end"):
        at = getattr(timing, name)
        if at is not None and not FIRST_YEAR <= at.year <= LAST_YEAR:
            check.refuse(name, f"Choose a time within the years {FIRST_YEAR} to {LAST_YEAR}.")
    if timing.end and timing.end <= now:
        check.refuse("end", "The end has passed; nothing would be due any more.")
    if timing.start and timing.end and timing.end < timing.start:
        check.refuse("end", "The end is before the start.")
    if timing.once_at is not None:
        if timing.once_at <= now:
            check.refuse("once_at", "This time has passed; choose one in the future.")
        return Timing(once_at=timing.once_at, zone=timing.zone)
    try:
        timing = Timing(read_cron(timing.cron), None, timing.zone, timing.start, timing.end)
    except CronError as error:
        check.refuse("cron", str(error))
        return timing
    if not check.fields.keys() & {"zone", "end", "start"}:
        _check_due(check, timing, now, minimum)
    return timing


def _check_due(check: Check, timing: Timing, now: datetime, minimum: timedelta) -> None:
    if timing.next(now) is None:
        field = "end" if timing.end else "cron"
        check.refuse(field, "Nothing is due between start and end." if timing.end else "It is never due.")
    elif minimum > _SHORTEST and (shortest := timing.shortest) is not None and shortest < minimum:
        check.refuse(
            "cron",
            f"Two runs are only {_minutes(shortest)} apart; at least {_minutes(minimum)} are asked for here.",
        )


def _minutes(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    return f"{minutes:g} minute{'' if minutes == 1 else 's'}"
