"""When something is due, found the long way: an oracle for tests that shares no code with the product.

It reads a few forms of cron with a parser of its own and walks minute by minute, looking at the clock on the
wall. Of a zone it asks nothing but what that clock shows at a moment.
"""

from __future__ import annotations

import calendar
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_NAMES = {
    3: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    4: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
}
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
Wall = datetime


@dataclass(frozen=True)
class Jump:
    """A change of the clock on the wall. at: the first minute, in UTC, at which it shows the new time."""

    at: datetime
    before: timedelta
    after: timedelta


def _number(field: int, text: str) -> int:
    names = _NAMES.get(field, [])
    # Months count from one, days of the week from zero.
    return names.index(text) + (field == 3) if text in names else int(text)


@functools.cache
def _plain(field: int, text: str) -> frozenset[int]:
    """The numbers of a field, those parts left out that are none."""
    least, most = _RANGES[field]
    found: set[int] = set()
    for part in text.split(","):
        if "L" in part.removeprefix("JUL") or "#" in part:
            continue
        span, _, step = part.partition("/")
        if span == "*":
            first, last = least, most
        elif "-" in span:
            first, last = (_number(field, end) for end in span.split("-"))
        else:
            first = _number(field, span)
            last = most if step else first
        found |= set(range(first, last + 1, int(step or 1)))
    if field == 4:
        found = {number % 7 for number in found}
    return frozenset(found)


def _in_month(text: str, day: date) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    workdays = [one for one in range(1, last + 1) if date(day.year, day.month, one).weekday() < 5]
    special = {"L": last, "LW": workdays[-1]}
    return day.day in _plain(2, text) or day.day in {special.get(part) for part in text.split(",")}


def _in_week(text: str, day: date) -> bool:
    number = day.isoweekday() % 7
    if number in _plain(4, text):
        return True
    last = calendar.monthrange(day.year, day.month)[1]
    for part in text.split(","):
        name, sign, nth = part.partition("#")
        if sign and _number(4, name) % 7 == number and (day.day - 1) // 7 + 1 == int(nth):
            return True
        if part[-1] == "L" and _number(4, part[:-1]) % 7 == number and day.day > last - 7:
            return True
    return False


@functools.lru_cache(100_000)
def minutes(cron: str, day: date) -> frozenset[int]:
    """Minutes of a day on the wall at which an expression is true."""
    minute, hour, of_month, month, of_week = cron.split()
    if day.month not in _plain(3, month):
        return frozenset()
    fits = (_in_month(of_month, day), _in_week(of_week, day))
    # One that is restricted and one that is not: the first counts. Both: either will do.
    both = of_month.startswith("*") or of_week.startswith("*")
    if not (all(fits) if both else any(fits)):
        return frozenset()
    return frozenset(60 * h + m for h in _plain(1, hour) for m in _plain(0, minute))


def is_true(cron: str, wall: Wall) -> bool:
    """Whether an expression is true at a minute on the wall."""
    return 60 * wall.hour + wall.minute in minutes(cron, wall.date())


def wall(moment: datetime, zone: ZoneInfo) -> Wall:
    """What the clock shows."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def jumps(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[Jump]:
    """Changes of the clock between two moments, to the minute, as looking at it now and then shows them."""

    def offset(moment: datetime) -> timedelta:
        return wall(moment, zone) - moment.replace(tzinfo=None)

    at, known = begin, offset(begin)
    while at < end:
        later = at + DAY
        if (following := offset(later)) != known:
            early, late = at, later
            while late - early > MINUTE:
                middle = early + (late - early) // 2 // MINUTE * MINUTE
                early, late = (middle, late) if offset(middle) == known else (early, middle)
            yield Jump(late, known, following)
        at, known = later, following


@dataclass(frozen=True)
class Walk:
    """The wall seen from `begin` to `end`, minute by minute: what is new on it at which moment.

    What the clock jumps over is new at the moment of the jump; what it shows for the second time is not.
    """

    begin: datetime
    end: datetime
    zone: ZoneInfo

    @functools.cached_property
    def news(self) -> list[tuple[datetime, list[Wall]]]:
        """Moments, ascending, at which the wall shows what it never showed, and what that is."""
        highest = max(wall(self.begin - step * 15 * MINUTE, self.zone) for step in range(1, 4 * 30))
        highest = max(highest, wall(self.begin - MINUTE, self.zone))
        found = []
        moment = self.begin
        while moment <= self.end:
            shown = wall(moment, self.zone)
            if shown > highest:
                new = [highest + MINUTE * (1 + one) for one in range((shown - highest) // MINUTE)]
                found.append((moment, new))
                highest = shown
            moment += MINUTE
        return found

    def due(self, cron: str) -> list[datetime]:
        """Moments, ascending, at which an expression is due."""
        return [moment for moment, new in self.news if any(is_true(cron, shown) for shown in new)]


def due_by_days(cron: str, zone: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    """Moments from `begin` to `end`, ascending, at which an expression that is seldom true is due.

    Each time on the wall is looked for at all distances from UTC that the zone has in these days.
    """
    changes = list(jumps(zone, begin - 3 * DAY, end + 3 * DAY))
    usual = wall(begin, zone) - begin.replace(tzinfo=None)
    offsets = {usual, *(one.before for one in changes), *(one.after for one in changes)}
    found = set()
    day = begin.date() - 2 * DAY
    while day <= end.date() + 2 * DAY:
        for minute in minutes(cron, day):
            shown = datetime.combine(day, datetime.min.time()) + minute * MINUTE
            moments = [(shown - offset).replace(tzinfo=UTC) for offset in offsets]
            there = [moment for moment in moments if wall(moment, zone) == shown]
            found.add(min(there) if there else _passed(shown, changes))
        day += DAY
    return sorted(moment for moment in found if begin <= moment <= end)


def _passed(shown: Wall, changes: list[Jump]) -> datetime:
    """The jump that passes a time which does not exist."""
    (found,) = (
        one
        for one in changes
        if (one.at + one.before).replace(tzinfo=None) <= shown < (one.at + one.after).replace(tzinfo=None)
    )
    return found.at
