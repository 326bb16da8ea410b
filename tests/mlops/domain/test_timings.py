"""Due times of every time zone through its changes of the clock, against an oracle that walks the minutes."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import example, given, settings
from hypothesis import strategies as st

from launchpad import zones
from launchpad.beats import EverySecond
from mlops.domain import timings
from mlops.domain.timings import CronError, Timing
from tests.mlops import due_times
from tests.mlops.due_times import DAY, HOUR, Walk

BEGIN, END = datetime(2024, 6, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
OFTEN = [
    "* * * * *",
    "*/15 * * * *",
    "7-59/13 * * * *",
    "0 * * * *",
    "30 */2 * * *",
    "15,45 0-3 * * *",
    "*/20 1,2,3 * * SUN,MON",
    "1-59/29 22-23,0-4 * * *",
]
SELDOM = [
    "30 2 * * *",
    "0 0 * * *",
    "59 23 * * *",
    "0 2 * * 1-5",
    "30 1 * * 7",
    "15 2 * MAR,OCT-NOV,4 *",
    "0 3 L * *",
    "0 0 LW * *",
    "0 12 29 2 *",
    "0 0 31 1-12/2 *",
    "5 2 * * MON#1",
    "30 2 * * SUN#2,SUN#5",
    "30 2 * * 0L",
    "10 2 1,15 * FRI",
    "10 2 */2 * FRI",
    "0 1 25-31 3,10 0",
]
# Days that were left out or came twice, half hours, two hours, and changes in the middle of a month.
ODD = [
    ("Pacific/Apia", 2011),
    ("Pacific/Fakaofo", 2011),
    ("Pacific/Kwajalein", 1993),
    ("Pacific/Enderbury", 1994),
    ("Antarctica/Troll", 2019),
    ("Antarctica/Casey", 2018),
    ("Australia/Lord_Howe", 1985),
    ("Africa/Casablanca", 2012),
    ("Africa/Cairo", 2014),
    ("Asia/Pyongyang", 2018),
    ("America/Caracas", 2016),
    ("Europe/Dublin", 1971),
    ("Europe/London", 1947),
    ("Europe/Lisbon", 1992),
    ("Europe/Volgograd", 2018),
    ("Asia/Gaza", 2023),
]


def changes(begin=BEGIN, end=END):
    """Every zone's changes of the clock, by zone; those of zones without any are left out."""
    found = {}
    for name in sorted(zones.names()):
        if of_zone := list(due_times.jumps(ZoneInfo(name), begin, end)):
            found[name] = of_zone
    return found


def unlike(every):
    """Of zones whose clocks show the same all the time, the first alone."""
    return {name: of_zone for of_zone, name in {tuple(of): one for one, of in [*every.items()][::-1]}.items()}


def agree(timing, begin, end, expected):
    """Every way of asking gives the expected due times, which are all there are from begin to end."""
    assert list(timing.between(begin, end)) == expected
    assert upto(timing.after(begin - INSTANT), end) == expected
    assert list(itertools.takewhile(lambda due: due >= begin, timing.until(end))) == expected[::-1]


def restarts(timing, expected, chosen):
    """Asked again from a due time, and from the moments beside it, the one before and after it are found."""
    for due in chosen:
        place = expected.index(due)
        assert timing.next(due - INSTANT) == due
        assert next(timing.until(due)) == next(timing.until(due + INSTANT)) == due
        for after in expected[place + 1 : place + 2]:
            assert timing.next(due) == timing.next(after - INSTANT) == after
            assert next(timing.until(after - INSTANT)) == due


def asked_in_between(timing, expected, change):
    """From moments that nothing is due at, also while the clock shows hours for the second time."""
    shown_twice = abs(change.after - change.before)
    probes = [change.at + part * shown_twice / 6 + timedelta(seconds=7) for part in range(-2, 7)]
    for probe in probes:
        before = [due for due in expected if due <= probe]
        after = [due for due in expected if due > probe]
        assert not before or next(timing.until(probe)) == before[-1]
        assert not after or timing.next(probe) == after[0]


def upto(found, end):
    return list(itertools.takewhile(lambda due: due <= end, found))


def around(change, hours):
    """The moments so many hours before and after a change of the clock."""
    return change.at - hours * HOUR, change.at + hours * HOUR


def check_changes(name, of_zone, choose, hours=4):
    for change in of_zone:
        begin, end = around(change, hours)
        walk = Walk(begin, end, ZoneInfo(name))
        for cron in choose():
            timing = Timing(cron, zone=name)
            expected = walk.due(cron)
            agree(timing, begin, end, expected)
            # Those within the hours that the clock passes or shows twice, and some before and after.
            near = [due for due in expected if abs(due - change.at) <= 2 * HOUR]
            asked_in_between(timing, expected, change)
            restarts(timing, expected, [due for due in near if due.minute % 5 in (0, 4)] or expected[:4])


def check_some(every):
    pick = random.Random(6)
    for name, of_zone in every.items():
        check_changes(name, of_zone, lambda: [pick.choice(OFTEN), *pick.sample(SELDOM, 2)])


def test_zones_that_are_unlike_through_three_years_of_changes():
    every = unlike(changes())
    assert len(every) > 25
    assert sum(map(len, every.values())) > 150
    check_some(every)


@pytest.mark.slow
def test_every_zone_through_three_years_of_changes():
    every = changes()
    assert len(every) > 150
    assert sum(map(len, every.values())) > 900
    check_some(every)


@pytest.mark.slow
def test_every_expression_through_three_years_of_changes():
    for name, of_zone in unlike(changes()).items():
        check_changes(name, of_zone, lambda: [*OFTEN, *SELDOM], hours=27)


@pytest.mark.parametrize(("name", "year"), ODD)
def test_odd_changes(name, year):
    begin = datetime(year, 1, 1, tzinfo=UTC)
    of_zone = list(due_times.jumps(ZoneInfo(name), begin, begin + 366 * DAY))
    assert of_zone
    longest = max(abs(change.after - change.before) for change in of_zone)
    check_changes(name, of_zone, lambda: [*OFTEN, *SELDOM], hours=26 if longest > 4 * HOUR else 4)


def test_what_is_seldom_due_through_three_years_in_every_zone():
    alike = {}
    for name in sorted(zones.names()):
        told = tuple(due_times.jumps(ZoneInfo(name), BEGIN, END))
        alike.setdefault((told, ZoneInfo(name).utcoffset(BEGIN.replace(tzinfo=None))), name)
    assert len(alike) > 60
    pick = random.Random(7)
    for name in alike.values():
        for cron in pick.sample(SELDOM, 2):
            expected = due_times.due_by_days(cron, ZoneInfo(name), BEGIN, END)
            assert expected or cron == "0 12 29 2 *"
            agree(Timing(cron, zone=name), BEGIN, END, expected)


def test_due_times_are_counted_as_they_are_listed():
    pick = random.Random(9)
    every = changes() | {"UTC": [due_times.Jump(BEGIN, HOUR, HOUR)], "America/Havana": []}
    every["America/Havana"] = list(due_times.jumps(ZoneInfo("America/Havana"), BEGIN, END))
    for name, of_zone in every.items():
        change = pick.choice(of_zone)
        begin = change.at - pick.choice([HOUR / 2, HOUR, 7 * HOUR, 50 * HOUR])
        end = change.at + pick.choice([timedelta(), HOUR / 2, 24 * HOUR, 100 * HOUR])
        for cron in (pick.choice(OFTEN), pick.choice(SELDOM)):
            bounds = (
                {"start": change.at - 30 * HOUR, "end": change.at + 60 * HOUR} if pick.random() < 0.3 else {}
            )
            timing = Timing(cron, zone=name, **bounds)
            listed = [due for due in upto(timing.after(begin - INSTANT), end) if due < end]
            assert timing.count(begin, end) == len(listed), (name, cron, begin, end, bounds)


@pytest.mark.parametrize(("name", "year"), ODD)
def test_odd_changes_are_counted_as_they_are_listed(name, year):
    begin = datetime(year, 1, 1, tzinfo=UTC)
    for change in due_times.jumps(ZoneInfo(name), begin, begin + 366 * DAY):
        for cron, hours in itertools.product((OFTEN[2], SELDOM[1], SELDOM[2]), (1, 30, 60)):
            begin, end = around(change, hours)
            timing = Timing(cron, zone=name)
            listed = [due for due in upto(timing.after(begin - INSTANT), end) if due < end]
            assert timing.count(begin, end) == len(listed), (cron, begin, end)


def test_years_are_counted_with_little_work():
    timing = Timing("* * * * *", zone="Europe/Berlin")
    with Looks() as looks:
        assert timing.count(BEGIN, BEGIN + 1000 * DAY) == 1000 * 24 * 60 - 3 * 60
    # Of the days on which the clock is put, each minute is looked at.
    assert looks.count < 50_000


def test_a_single_moment_is_counted_once():
    timing = Timing(once_at=BEGIN)
    counted = [timing.count(BEGIN - HOUR, BEGIN), timing.count(BEGIN, BEGIN + HOUR)]
    assert [*counted, timing.count(BEGIN + INSTANT, END)] == [0, 1, 0]


def test_a_day_that_is_left_out_is_due_at_the_moment_of_the_jump():
    # Samoa went from the end of 29 December straight to the 31st.
    timing = Timing("0 6,18 30 12 *", zone="Pacific/Apia")
    jump = datetime(2011, 12, 30, 10, tzinfo=UTC)
    assert list(timing.between(jump - DAY, jump + DAY)) == [jump]
    assert list(itertools.islice(timing.until(jump + DAY), 1)) == [jump]


@pytest.mark.parametrize("cron", ["0 0 * * *", "* * * * *", "0 12 29 2 *"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_the_ends_of_the_calendar_are_no_errors(cron, zone):
    timing = Timing(cron, zone=zone)
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert len(list(itertools.islice(timing.between(first, last), 3))) == 3
    assert all(due > last - 2 * DAY for due in timing.after(last - 2 * DAY))
    assert all(due <= first + 4 * DAY for due in timing.until(first + 4 * DAY))
    assert list(timing.after(last)) == []
    assert len(list(timing.until(first))) < 3 * 24 * 60


def test_start_and_end_are_due_themselves():
    begin = datetime(2026, 3, 29, 1, tzinfo=UTC)
    timing = Timing("0 * * * *", zone="Europe/Berlin", start=begin, end=begin + 2 * HOUR)
    expected = [begin, begin + HOUR, begin + 2 * HOUR]
    assert list(timing.after(begin - DAY)) == expected
    assert list(timing.until(begin + DAY)) == expected[::-1]
    assert timing.next(begin + 2 * HOUR) is None


FIELD = st.text("*/,-0123456789LW#JANSUMOFRI? \t\n", max_size=12)
CRONS = st.one_of(
    st.text(max_size=140),
    st.lists(FIELD, min_size=3, max_size=7).map(" ".join),
    st.tuples(
        *(
            st.lists(
                st.one_of(
                    st.just("*"),
                    st.integers(least, most).map(str),
                    st.tuples(st.integers(least, most), st.integers(least, most)).map(
                        lambda ends: f"{min(ends)}-{max(ends)}"
                    ),
                    st.integers(1, most).map("*/{}".format),
                    st.integers(least, most).map("{}/2".format),
                    *extra,
                ),
                min_size=1,
                max_size=3,
            ).map(",".join)
            for least, most, extra in (
                (0, 59, ()),
                (0, 23, ()),
                (1, 31, (st.sampled_from(["L", "LW"]),)),
                (1, 12, (st.sampled_from(["JAN", "FEB-MAR", "dec"]),)),
                (0, 7, (st.sampled_from(["5L", "MON#2", "6#5", "sun", "MON-FRI"]),)),
            )
        )
    ).map(" ".join),
)
# What looks at so many moments of the calendar at most cannot take long.
LOOKS = 60_000


@settings(max_examples=1500, deadline=None)
@example("0 0 29 2 MON#5")
@example("0 0 30 2 *")
@example("0 0 31 2,4,6,9,11 *")
@example("0 0 29 2 */7")
@example("* * * * 5L/2")
@example("* * L/3 * *")
@example("* * * * 7#5/9")
@example("1/" + "9" * 120 + " * * * *")
@example("٣ * * * *")
@example("* * * * frı")
@given(CRONS)
def test_whatever_is_typed_is_read_or_refused_in_words_with_little_work(text):
    with Looks() as looks:
        try:
            cron = timings.read_cron(text)
        except CronError as error:
            assert str(error).endswith((".", "*."))
            return
        finally:
            assert looks.count < LOOKS
    timing = Timing(cron, zone="Europe/Berlin")
    assert timings.in_words(timing)
    assert timings.recurring(timing) == timing
    assert timings.read_cron(cron) == cron
    looks.count = 0
    with looks:
        soon = list(itertools.islice(timing.after(BEGIN), 3))
        assert soon == sorted(set(soon))
        assert soon, cron
    assert looks.count < LOOKS


class Looks:
    """Counts how many days of the calendar cron's reader looks at."""

    count = 0

    def __enter__(self):
        self._usual = CronSim.match_day
        usual = self._usual

        def match_day(cron, day):
            self.count += 1
            return usual(cron, day)

        CronSim.match_day = match_day
        return self

    def __exit__(self, *_):
        CronSim.match_day = self._usual


class At(EverySecond):
    """The beat's rule with a clock that stands where the test puts it."""

    at: datetime

    def now(self):
        return self.at


def test_the_beat_is_due_once_in_each_second_just_after_it_began():
    rule = At()
    last = rule.at = datetime(2026, 3, 29, 0, 59, 58, 400_000, tzinfo=UTC)
    rung = []
    for _ in range(40):
        is_due, wait = rule.is_due(last)
        assert 0 < wait < 1.02
        if is_due:
            rung.append(last := rule.at)
        rule.at += timedelta(seconds=wait / 2)
        assert not rule.is_due(last)[0]
        rule.at += timedelta(seconds=wait / 2)
    whole = [moment.replace(microsecond=0) for moment in rung]
    assert whole == [whole[0] + timedelta(seconds=one) for one in range(len(whole))]
    assert len(rung) >= 39
    assert all(
        0 < (moment - second).total_seconds() < 0.05 for moment, second in zip(rung, whole, strict=True)
    )


@pytest.mark.parametrize("late", [0.0, 0.3, 0.95, 1.0, 4.2])
def test_a_beat_that_was_held_up_rings_once_and_is_back_on_the_second(late):
    rule = At()
    last = datetime(2026, 3, 29, 0, 59, 58, 30_000, tzinfo=UTC)
    rule.at = last + timedelta(seconds=1 + late)
    is_due, wait = rule.is_due(last)
    assert is_due
    after = rule.at + timedelta(seconds=wait)
    assert not rule.is_due(rule.at)[0]
    assert 20_000 <= after.microsecond < 40_000


def test_a_clock_that_is_put_back_rings_at_once():
    rule = At()
    last = datetime(2026, 3, 29, 1, 0, 5, 30_000, tzinfo=UTC)
    rule.at = last - HOUR
    assert rule.is_due(last)[0]
    assert not rule.is_due(rule.at)[0]
