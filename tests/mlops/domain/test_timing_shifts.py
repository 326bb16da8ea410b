"""What the clock does to times on the wall, beside the moments they are due."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from mlops.domain import timings
from mlops.domain.timings import Shift, Timing


def runs(cron, zone, begin, count):
    found = Timing(cron, zone=zone).runs_after(datetime(*begin, tzinfo=UTC))
    return [(run.local.strftime("%d %H:%M"), run.shift) for run in islice(found, count)]


def test_a_jump_moves_all_that_it_passes_to_one_moment():
    assert runs("0,30 1-3 * * *", "Europe/Berlin", (2026, 3, 29, 0, 29), 3) == [
        ("29 01:30", Shift.NONE),
        ("29 03:00", Shift.JUMPED),
        ("29 03:30", Shift.NONE),
    ]


def test_what_comes_twice_is_due_the_first_time():
    assert runs("0 1-3 * * *", "Europe/Berlin", (2026, 10, 24, 22), 3) == [
        ("25 01:00", Shift.NONE),
        ("25 02:00", Shift.TWICE),
        ("25 03:00", Shift.NONE),
    ]


def test_a_jump_of_half_an_hour():
    assert runs("15 2 * * *", "Australia/Lord_Howe", (2026, 10, 3, 12), 2) == [
        ("04 02:30", Shift.JUMPED),
        ("05 02:15", Shift.NONE),
    ]


@pytest.mark.parametrize(
    ("wall", "utc", "shift"),
    [
        ((2026, 3, 29, 2, 30), (2026, 3, 29, 1, 0), Shift.JUMPED),
        ((2026, 10, 25, 2, 30), (2026, 10, 25, 0, 30), Shift.TWICE),
        ((2026, 7, 1, 2, 30), (2026, 7, 1, 0, 30), Shift.NONE),
    ],
)
def test_a_time_that_a_person_types(wall, utc, shift):
    typed = datetime(*wall, tzinfo=UTC).replace(tzinfo=None)
    run = timings.read(typed, ZoneInfo("Europe/Berlin"))
    assert (run.at, run.shift) == (datetime(*utc, tzinfo=UTC), shift)


def test_a_single_moment_may_be_the_second_of_two():
    once = Timing(once_at=datetime(2026, 10, 25, 1, 30, tzinfo=UTC), zone="Europe/Berlin")
    found = list(once.runs_after(datetime(2026, 1, 1, tzinfo=UTC)))
    assert [(run.at, run.shift) for run in found] == [(once.once_at, Shift.NONE)]


def test_rare_due_times_have_no_shortest_distance():
    assert Timing("0 0 29 2 *").shortest is None
    assert Timing("0 0 1 1 *").shortest in (timedelta(days=365), timedelta(days=366))
    assert Timing("1,3 6 * * *").shortest == timedelta(minutes=2)
