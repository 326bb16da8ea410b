"""Lines between two times come in the order of time, whatever chunks they lie in, and few chunks are read."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from launchpad.access import system_scope
from launchpad.errors import Invalid
from mlops.domain import log_times, log_writers, logs
from mlops.domain.log_writers import CHUNK_SECONDS
from mlops.models import LogChunk
from tests.mlops import running

pytestmark = [pytest.mark.django_db, pytest.mark.database]
START = datetime(2026, 1, 31, 12, tzinfo=UTC)


def at(seconds):
    return START + timedelta(seconds=seconds)


@pytest.fixture
def run():
    row = running.execution(running.group())
    return system_scope(row), row


def chunk(row, step, seq, *seconds, attempt=1):
    """A chunk whose lines were written so many seconds after the start; each says step and second."""
    LogChunk.unscoped.create(
        execution=row,
        attempt=attempt,
        step=step,
        seq=seq,
        first_line=seq * 100 + 1,
        line_count=len(seconds),
        at=at(seconds[0]),
        text="\n".join(f"{step}:{one}" for one in seconds),
        offsets=[round((one - seconds[0]) * 1000) for one in seconds],
    )


def read(run, start, end, **wanted):
    scope, row = run
    return [line.text for line in log_times.between(scope, row, start=at(start), end=at(end), **wanted)]


def test_lines_of_all_steps_and_attempts_come_in_the_order_of_time(run):
    _scope, row = run
    chunk(row, 0, 0, 0, 10, 20)
    chunk(row, 1, 0, 5, 15, 25)
    chunk(row, 0, 0, 30, 40, attempt=2)
    assert read(run, 0, 99) == ["0:0", "1:5", "0:10", "1:15", "0:20", "1:25", "0:30", "0:40"]
    assert read(run, 0, 99, newest_first=True) == read(run, 0, 99)[::-1]


def test_both_ends_belong_to_the_span(run):
    _scope, row = run
    chunk(row, 0, 0, 0, 10, 20)
    assert read(run, 10, 20) == ["0:10", "0:20"]
    assert read(run, 0, 0) == ["0:0"]
    assert read(run, 11, 19) == []
    with pytest.raises(Invalid, match="end lies before the start"):
        read(run, 20, 10)


def test_the_limit_keeps_the_lines_nearest_to_where_one_begins(run):
    _scope, row = run
    chunk(row, 0, 0, 0, 30, 58)
    chunk(row, 1, 0, 1, 2, 3)
    chunk(row, 0, 1, 59, 60)
    assert read(run, 0, 99, limit=3) == ["0:0", "1:1", "1:2"]
    assert read(run, 0, 99, limit=3, newest_first=True) == ["0:60", "0:59", "0:58"]


def test_a_chunk_that_began_before_the_span_reaches_into_it(run):
    _scope, row = run
    chunk(row, 0, 0, 0, 50)
    chunk(row, 1, 0, 10, 55)
    chunk(row, 1, 1, 56)
    for newest_first in (False, True):
        found = read(run, 45, 99, newest_first=newest_first)
        assert sorted(found) == ["0:50", "1:55", "1:56"]
    assert read(run, 45, 99, limit=1, newest_first=True) == ["1:56"]
    assert read(run, 0, 99, limit=2, newest_first=True) == ["1:56", "1:55"]


spans = st.lists(st.floats(0, 40).map(lambda number: round(number, 3)), min_size=1, max_size=6).map(sorted)


# Each example empties the log first.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    steps=st.lists(st.lists(spans, max_size=6), min_size=1, max_size=3),
    start=st.integers(0, 120),
    length=st.integers(0, 200),
    limit=st.integers(1, 40),
)
def test_any_log_reads_as_if_all_its_lines_were_sorted(run, steps, start, length, limit):
    _scope, row = run
    LogChunk.unscoped.all().delete()
    everything = []
    for step, bursts in enumerate(steps):
        base = 0.0
        for seq, burst in enumerate(bursts):
            seconds = [round(base + one, 3) for one in burst]
            chunk(row, step, seq, *seconds)
            everything += [(one, step, f"{step}:{one}") for one in seconds]
            base = seconds[-1]
    inside = sorted(one for one in everything if start <= one[0] <= start + length)
    times = [one[0] for one in inside]
    found = read(run, start, start + length, limit=limit)
    assert [float(text.split(":")[1]) for text in found] == times[:limit]
    found = read(run, start, start + length, limit=limit, newest_first=True)
    assert [float(text.split(":")[1]) for text in found] == times[::-1][:limit]


def test_a_long_log_is_read_where_it_is_asked_only(run):
    scope, row = run
    rows = [
        LogChunk(
            execution=row,
            attempt=1,
            step=0,
            seq=seq,
            first_line=seq * 10 + 1,
            line_count=10,
            at=at(seq * 10),
            text="\n".join(["x" * 50] * 10),
            offsets=list(range(0, 10_000, 1000)),
        )
        for seq in range(3000)
    ]
    random.Random(1).shuffle(rows)
    LogChunk.unscoped.bulk_create(rows)
    for newest_first in (False, True):
        with CaptureQueriesContext(connection) as queries:
            found = log_times.between(
                scope, row, start=at(9_999), end=at(20_000), limit=25, newest_first=newest_first
            )
        assert len(found) == 25
        assert len(queries) <= 5
    assert found[0].at == at(20_000)


def test_a_chunk_spans_a_minute_at_most(run):
    scope, row = run
    writer = log_writers.LogWriter(row.pk, 1, 0)
    lines = [
        log_writers._Said(at(CHUNK_SECONDS * part), str(part), "stderr") for part in (0, 0.5, 1, 1.5, 2.1)
    ]
    writer.write([*lines, log_writers._Said(at(130), "out")])
    assert writer.flush(force=True)
    assert [(one.line_count, one.at) for one in logs.chunks(scope, row)] == [(3, at(0)), (3, at(90))]
    streams = {line.text: line.stream for line in logs.lines(scope, row).lines}
    assert streams == {
        "0": "stderr",
        "0.5": "stderr",
        "1": "stderr",
        "1.5": "stderr",
        "2.1": "stderr",
        "out": "stdout",
    }
