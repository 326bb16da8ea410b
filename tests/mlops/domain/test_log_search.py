"""A log is searched literally, whatever the case, from any place on, in bounded time, in its group only."""

from datetime import UTC, datetime, timedelta

import pytest

from launchpad.access import system_scope
from launchpad.errors import Invalid
from mlops.domain import logs
from mlops.domain.log_position import Place
from mlops.domain.log_search import Wanted, around, resolve, search, step_to
from mlops.models import Execution, LogChunk
from tests.mlops import running

pytestmark = pytest.mark.database
START = datetime(2026, 1, 31, 12, tzinfo=UTC)
ERRORS = frozenset({"ERROR"})


@pytest.fixture
def run(db):
    row = running.execution(running.group())
    return system_scope(row), row


def write(row, *texts, attempt=1, step=0, seq=0, first=1, at=START):
    """One chunk, a line every second."""
    LogChunk.unscoped.create(
        execution=row,
        attempt=attempt,
        step=step,
        seq=seq,
        first_line=first,
        line_count=len(texts),
        at=at,
        text="\n".join(texts),
        offsets=[1000 * index for index in range(len(texts))],
    )


def long_log(row, chunks, size=10, step=0):
    """Chunks of so many lines: `line 1 of many`, `line 2 of many` …"""
    LogChunk.unscoped.bulk_create(
        LogChunk(
            execution=row,
            attempt=1,
            step=step,
            seq=seq,
            first_line=1 + seq * size,
            line_count=size,
            at=START + timedelta(seconds=seq),
            text="\n".join(f"line {1 + seq * size + index} of many" for index in range(size)),
            offsets=[0] * size,
        )
        for seq in range(chunks)
    )


def texts(found):
    return [line.text for line in found.lines]


def test_it_is_literal_and_ignores_case(run):
    scope, row = run
    write(row, "100% done", "1000 done", "ÄRGER mit_x", "mitax")
    assert texts(search(scope, row, Wanted("0% D"))) == ["100% done"]
    assert texts(search(scope, row, Wanted("ärger"))) == ["ÄRGER mit_x"]
    assert texts(search(scope, row, Wanted("mit_"))) == ["ÄRGER mit_x"]
    assert texts(search(scope, row, Wanted("1000|mitax"))) == []
    with pytest.raises(Invalid, match="200"):
        Wanted("x" * 201)


def test_it_stops_when_it_has_enough_and_counts_on_from_there(run):
    scope, row = run
    long_log(row, 100)
    found = search(scope, row, Wanted("LINE"), limit=5)
    assert [line.number for line in found.lines] == [1, 2, 3, 4, 5]
    assert (found.count, found.read, found.rest, found.is_whole) == (10, 10, Place(1, 0, 10), False)
    more = search(scope, row, Wanted("line"), after=found.rest, limit=1, seconds=9, is_count=True)
    assert (more.count, more.read, more.is_whole) == (990, 990, True)
    assert search(scope, row, Wanted("LINE 7"), seconds=9, is_count=True).count == 1 + 10 + 100
    within = search(scope, row, Wanted("line"), after=Place(1, 0, 13), limit=2)
    assert [line.number for line in within.lines] == [14, 15]


def test_it_stops_when_its_time_is_up_and_goes_on_later(run):
    scope, row = run
    long_log(row, 40)
    read, rest, hits = 0, None, 0
    for _ in range(41):
        found = search(scope, row, Wanted("line 39"), after=rest, seconds=0)
        read, rest, hits = read + found.read, found.rest, hits + found.count
        if rest is None:
            break
    assert (read, rest, hits) == (400, None, 11)


def test_it_goes_through_steps_and_attempts_in_order(run):
    scope, row = run
    write(row, "a needle", step=0)
    write(row, "b needle", step=1)
    Execution.unscoped.filter(pk=row.pk).update(attempt=2)
    write(row, "c needle", attempt=2, step=1)
    assert texts(search(scope, row, Wanted("needle"))) == ["a needle", "b needle", "c needle"]
    assert texts(search(scope, row, Wanted("needle", attempt=1, step=1))) == ["b needle"]
    assert texts(search(scope, row, Wanted("needle"), after=Place(1, 0, 1))) == ["b needle", "c needle"]
    assert texts(search(scope, row, Wanted("needle"), after=Place(1, 0, 99))) == ["b needle", "c needle"]


def test_levels_and_times(run):
    scope, row = run
    write(row, "DEBUG a", "b", "WARN c", "ValueError: d", "INFO the ERROR_RATE is 0")
    assert texts(search(scope, row, Wanted(levels=ERRORS))) == ["ValueError: d"]
    worse = frozenset({"WARN", "ERROR"})
    assert texts(search(scope, row, Wanted(levels=worse))) == ["WARN c", "ValueError: d"]
    most = frozenset({"INFO", "WARN", "ERROR"})
    assert len(search(scope, row, Wanted(levels=most)).lines) == 4
    second = timedelta(seconds=1)
    span = Wanted(start=START + second, end=START + 2 * second)
    assert texts(search(scope, row, span)) == ["b", "WARN c"]
    assert texts(search(scope, row, Wanted(levels=worse, end=START + 2 * second))) == ["WARN c"]
    assert texts(search(scope, row, Wanted(start=START + timedelta(hours=1)))) == []


def test_hits_are_stepped_through_both_ways(run):
    scope, row = run
    long_log(row, 200)
    write(row, "other step: line 777", step=1)
    wanted = Wanted("line 777")
    assert step_to(scope, row, wanted).number == 777
    second = step_to(scope, row, wanted, after=Place(1, 0, 777))
    assert (second.step, second.number) == (1, 1)
    assert step_to(scope, row, wanted, after=Place(1, 1, 1)) is None
    back = step_to(scope, row, wanted, before=Place(1, 1, 1))
    assert (back.step, back.number) == (0, 777)
    assert step_to(scope, row, wanted, before=Place(1, 0, 777)) is None


@pytest.mark.parametrize("number", [1, 2, 9, 10, 11, 995, 1999, 2000])
def test_the_surroundings_of_any_line(run, number, django_assert_max_num_queries):
    scope, row = run
    long_log(row, 200)
    with django_assert_max_num_queries(25):
        page = around(scope, row, Place(1, 0, number), limit=40, older=10)
    numbers = [line.number for line in page.lines]
    assert numbers == list(range(max(1, number - 10), min(2000, number + 29) + 1))
    assert page.before == (f"1.0.{numbers[0]}" if numbers[0] > 1 else "")
    assert page.more == (numbers[-1] < 2000)


def test_lines_from_a_place_on_lead_back(run):
    scope, row = run
    long_log(row, 20)
    page = around(scope, row, Place(1, 0, 51), limit=40, older=0)
    assert ([line.number for line in page.lines][:2], page.before) == ([51, 52], "1.0.51")


def test_an_address_names_a_line(run):
    scope, row = run
    write(row, "a", "b")
    write(row, "c", step=1)
    assert resolve(scope, row, "1.1.1") == Place(1, 1, 1)
    assert resolve(scope, row, "2") == Place(1, 0, 2)
    for nothing in ("3", "0", "", "-1", "1.1", "٣", "1" * 30, "L1-0-1"):
        assert resolve(scope, row, nothing) is None


def test_another_groups_log_is_empty(run):
    _scope, row = run
    write(row, "secret")
    stranger = system_scope(running.group("blue"))
    assert search(stranger, row, Wanted("secret")).lines == []
    assert around(stranger, row, Place(1, 0, 1)).lines == []
    assert step_to(stranger, row, Wanted("secret")) is None


@pytest.mark.slow
def test_five_million_lines(run):
    """Whatever of it is asked for, the time does not follow its length."""
    scope, row = run
    long_log(row, 6250, size=800)
    LogChunk.unscoped.filter(execution=row, seq=5000).update(text="\n".join(["ERROR needle"] * 800))
    at_once = search(scope, row, Wanted("needle"))
    assert (at_once.lines, at_once.is_whole) == ([], False)
    found = search(scope, row, Wanted("needle"), seconds=60, is_count=True)
    assert (found.count, found.read, found.is_whole, found.lines[0].number) == (
        800,
        5_000_000,
        True,
        4_000_001,
    )
    assert step_to(scope, row, Wanted(levels=ERRORS), seconds=60).number == 4_000_001
    page = around(scope, row, Place(1, 0, 3_000_000))
    assert (page.lines[0].number, len(page.lines)) == (2_999_900, 500)
    assert logs.lines(scope, row).lines[-1].number == 5_000_000
