"""Log lines are numbered by one writer, fenced by the attempt, and read from any place."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection

from launchpad.access import system_scope
from launchpad.errors import Invalid
from mlops.domain import log_writers, logs, run_tokens, watching
from mlops.domain.log_lines import Line, level
from mlops.domain.log_position import Position
from mlops.domain.log_search import Wanted, search
from mlops.engine.flow.flow import MAX_NODES
from mlops.lifecycle import Status
from mlops.models import Execution, LogChunk
from tests.mlops import running

pytestmark = pytest.mark.database
START = datetime(2026, 1, 31, 12, tzinfo=UTC)


@dataclass
class Said:
    at: datetime
    text: str
    stream: str = "stdout"


def said(*texts):
    return [Said(START + timedelta(milliseconds=10 * index), text) for index, text in enumerate(texts)]


@pytest.fixture
def run(db):
    row = running.execution(running.group())
    return system_scope(row), row


def write(row, *texts, attempt=1, step=0):
    writer = log_writers.LogWriter(row.pk, attempt, step)
    writer.write(said(*texts))
    assert writer.flush(force=True)


def texts(page):
    return [line.text for line in page.lines]


def test_lines_come_back_with_number_time_step_and_level(run):
    scope, row = run
    write(row, "one", "WARN two")
    first, second = logs.lines(scope, row).lines
    assert (first.attempt, first.step, first.name, first.number, first.text) == (1, 0, "prepare", 1, "one")
    assert (second.number, second.at, second.level) == (2, START + timedelta(milliseconds=10), "WARN")
    assert second.key == "L1-0-2"


def test_lines_wait_for_time_or_size(run, settings):
    scope, row = run
    settings.LOG_FLUSH_SECONDS = 3600
    writer = log_writers.LogWriter(row.pk, 1, 0)
    writer.write(said("waits"))
    assert writer.flush()
    assert not LogChunk.unscoped.exists()
    writer.write(said("x" * 16_000, *["y" * 16_000] * 4))
    assert writer.flush()
    assert [chunk.line_count for chunk in logs.chunks(scope, row)] == [5]
    settings.LOG_FLUSH_SECONDS = 0
    writer.write(said("late"))
    assert writer.flush()
    assert [(chunk.seq, chunk.first_line) for chunk in logs.chunks(scope, row)] == [(0, 1), (1, 6)]
    assert writer.pending_bytes == 0


def test_a_later_writer_of_the_step_goes_on_numbering(run):
    scope, row = run
    write(row, "a", "b")
    write(row, "c")
    assert [line.number for line in logs.lines(scope, row).lines] == [1, 2, 3]


def test_launchpads_own_lines_are_part_of_the_log(run):
    scope, row = run
    writer = log_writers.LogWriter(row.pk, 1, 0)
    writer.say("ERROR it failed")
    assert writer.flush(force=True)
    assert texts(logs.lines(scope, row)) == ["ERROR it failed"]


def test_what_databases_cannot_hold_is_replaced(run):
    scope, row = run
    write(row, "a\x00b", "c\ud800d", "two\nlines", "")
    assert texts(logs.lines(scope, row)) == ["a\ufffdb", "c?d", "two", "lines", ""]


def test_the_attempts_own_token_never_gets_into_the_log(run):
    scope, row = run
    token = run_tokens.issue(row.pk, 1)
    write(row, f"PATCH http://web/runs/{token}/api/v1/metrics", f"{token}{token}")
    assert texts(logs.lines(scope, row)) == [
        "PATCH http://web/runs/[run token]/api/v1/metrics",
        "[run token][run token]",
    ]


def test_a_replaced_attempt_writes_no_more(run):
    scope, row = run
    writer = log_writers.LogWriter(row.pk, 1, 0)
    writer.write(said("in time"))
    assert writer.flush(force=True)
    Execution.unscoped.filter(pk=row.pk).update(attempt=2)
    writer.write(said("too late"))
    assert not writer.flush(force=True)
    assert writer.pending_bytes == 0
    assert texts(logs.lines(scope, row)) == ["in time"]


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.DEAD, Status.STOPPED])
def test_an_ended_execution_takes_no_lines(db, status):
    row = running.execution(running.group(), status=status)
    writer = log_writers.LogWriter(row.pk, 1, 0)
    writer.write(said("too late"))
    assert not writer.flush(force=True)
    assert not LogChunk.unscoped.exists()


def breaking(execute, sql, params, many, context):
    if "INSERT" in sql:
        raise DatabaseError("the connection was lost")
    return execute(sql, params, many, context)


@pytest.mark.parametrize("is_in", [False, True])
def test_a_chunk_of_unknown_fate_is_neither_lost_nor_doubled(run, is_in):
    """The connection breaks at the COMMIT: the writer cannot know whether the chunk is in."""
    scope, row = run
    writer = log_writers.LogWriter(row.pk, 1, 0)
    writer.write(said("one"))
    with connection.execute_wrapper(breaking), pytest.raises(DatabaseError):
        writer.flush(force=True)
    if is_in:
        write(row, "one")
    writer.write(said("two"))
    assert writer.flush(force=True)
    assert [(line.number, line.text) for line in logs.lines(scope, row).lines] == [(1, "one"), (2, "two")]


def test_the_tail_comes_first_and_older_pages_join_it(run):
    scope, row = run
    for start in range(0, 100, 10):
        write(row, *(f"line {number}" for number in range(start, start + 10)))
    page = logs.lines(scope, row, limit=25)
    found, before = texts(page), page.before
    assert found == [f"line {number}" for number in range(75, 100)]
    while before:
        page = logs.lines(scope, row, limit=33, before=before)
        found, before = texts(page) + found, page.before
    assert found == [f"line {number}" for number in range(100)]


def test_following_from_a_cursor_gives_every_line_once_across_steps_and_attempts(run):
    scope, row = run
    write(row, "a1", "a2")
    cursor = logs.lines(scope, row).cursor
    assert logs.lines(scope, row, after=cursor).lines == []
    write(row, "b1", step=1)
    write(row, "a3")
    page = logs.lines(scope, row, after=cursor)
    assert texts(page) == ["a3", "b1"]
    Execution.unscoped.filter(pk=row.pk).update(attempt=2)
    write(row, "again", attempt=2)
    page = logs.lines(scope, row, after=page.cursor)
    assert texts(page) == ["again"]
    assert logs.lines(scope, row, after=page.cursor).lines == []
    assert [(one.attempt, one.step, one.lines) for one in logs.counts(scope, row)] == [
        (1, 0, 3),
        (1, 1, 1),
        (2, 0, 1),
    ]


@pytest.mark.parametrize(
    "place",
    [
        Position(),
        Position(1),
        Position(1, ((0, 1),)),
        Position(1, ((3, 1),)),
        Position(1, ((1, 2), (3, 0))),
        Position(2, ((0, 1), (1, 2), (3, 2))),
        Position(2, ((0, 2), (1, 2), (2, 2), (3, 2))),
        Position(3),
    ],
    ids=str,
)
def test_who_asks_for_many_executions_finds_of_each_what_its_reader_would(run, place):
    scope, row = run
    other = running.execution(row.resource_group)
    for attempt in (1, 2):
        Execution.unscoped.filter(pk=row.pk).update(attempt=attempt)
        for step in (0, 1, 2, 3):
            for text in ("one", "two"):
                write(row, text, attempt=attempt, step=step)
    write(other, "other")
    seen = watching.poll({row.pk: place, other.pk: Position(1, ((0, 0),))})
    expected = [(one.attempt, one.step, one.seq) for one in logs.follow(scope, row, place)]
    assert [(one.attempt, one.step, one.seq) for one in seen[row.pk].pieces] == expected
    assert [line.text for one in seen[other.pk].pieces for line in one.lines] == ["other"]


def test_following_says_when_there_is_more(run):
    scope, row = run
    for number in range(5):
        write(row, f"line {number}")
    page = logs.lines(scope, row, after="0:", limit=3)
    assert (texts(page), page.more) == (["line 0", "line 1", "line 2"], True)
    page = logs.lines(scope, row, after=page.cursor, limit=3)
    assert (texts(page), page.more) == (["line 3", "line 4"], False)


def test_the_tail_can_be_of_one_step_or_attempt(run):
    scope, row = run
    write(row, "a", step=0)
    write(row, "b", step=1)
    assert texts(logs.lines(scope, row, step=0)) == ["a"]
    assert texts(logs.lines(scope, row, attempt=1)) == ["a", "b"]
    assert texts(logs.lines(scope, row, attempt=2)) == []


@pytest.mark.parametrize("cursor", ["x", "1", "1:0", "1:0.1,", "1:0.1;DROP", "١:0.1", "9" * 40 + ":"])
def test_a_forged_cursor_is_refused(run, cursor):
    scope, row = run
    with pytest.raises(Invalid, match="Reload"):
        logs.lines(scope, row, after=cursor)
    with pytest.raises(Invalid, match="Reload"):
        logs.lines(scope, row, before=cursor)


def test_two_hundred_thousand_lines_are_no_strain(run, django_assert_max_num_queries):
    scope, row = run
    writer = log_writers.LogWriter(row.pk, 1, 0)
    for start in range(0, 200_000, 20_000):
        writer.write(said(*(f"line {number} of very many" for number in range(start, start + 20_000))))
        assert writer.flush(force=True)
    with django_assert_max_num_queries(8):
        page = logs.lines(scope, row)
    assert (len(page.lines), page.lines[-1].number) == (500, 200_000)
    with django_assert_max_num_queries(8):
        assert logs.lines(scope, row, before=page.before, limit=1).lines[0].number == 199_500
    with django_assert_max_num_queries(8):
        assert logs.counts(scope, row)[0].lines == 200_000
    found = search(scope, row, Wanted("LINE 123456 OF"), seconds=60)
    assert texts(found) == ["line 123456 of very many"]
    assert sum(part.count("\n") for part in logs.text(scope, row)) == 200_000


def test_the_download_names_step_and_attempt(run):
    scope, row = run
    write(row, "one")
    Execution.unscoped.filter(pk=row.pk).update(attempt=2)
    write(row, "two", attempt=2, step=1)
    assert "".join(logs.text(scope, row)) == (
        "2026-01-31T12:00:00.000Z [prepare] one\n2026-01-31T12:00:00.000Z attempt 2 [train] two\n"
    )


def test_another_groups_log_is_empty(run):
    _scope, row = run
    write(row, "secret")
    stranger = system_scope(running.group("blue"))
    assert logs.lines(stranger, row).lines == []
    assert "".join(logs.text(stranger, row)) == ""
    assert logs.counts(stranger, row) == []


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("epoch 3 loss 0.2", "INFO"),
        ("2026-01-31 12:00:00,000 DEBUG cache hit", "DEBUG"),
        ("[WARNING] slow", "WARN"),
        ("WARN slow", "WARN"),
        ("ERROR: no", "ERROR"),
        ("CRITICAL:root:no", "ERROR"),
        ("Traceback (most recent call last):", "ERROR"),
        ("ValueError: bad value", "ERROR"),
        ("numpy.linalg.LinAlgError: Singular matrix", "ERROR"),
        ("KeyboardInterruptError", "ERROR"),
        ("/app/train.py:3: UserWarning: look", "WARN"),
        ("train.py: error: argument --rate: not a number", "ERROR"),
        ("src/a.c:3:1: fatal error: no such file", "ERROR"),
        ("error rate 0.12", "INFO"),
        ("mean error: 0.12", "INFO"),
        ("no INFORMATION", "INFO"),
        ("x" * 100 + " ERROR", "INFO"),
    ],
)
def test_levels_are_guessed_from_the_first_words(text, guess):
    assert level(text) == guess


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("INFO epoch 1/3", "epoch 1/3"),
        ("ERROR: no", "no"),
        ("[WARNING] slow", "slow"),
        ("WARNING:root:slow", "root:slow"),
        ("INFO", "INFO"),
        ("INFORMATION at hand", "INFORMATION at hand"),
        ("CRITICAL no", "CRITICAL no"),
        ("12:00 INFO begins", "12:00 INFO begins"),
        ("  INFO indented", "  INFO indented"),
    ],
)
def test_a_level_that_begins_a_line_is_not_said_twice(text, said):
    line = Line(1, 0, "train", 1, START, level(text), text)
    assert (line.said, line.text) == (said, text)


def test_positions_survive_their_text_form():
    place = Position().after(2, 1, 4).after(2, 0, 7)
    assert str(place) == "2:0.8,1.5"
    assert Position.parse(str(place)) == place
    assert place.after(1, 0, 9) == place
    assert str(place.after(3, 0, 0)) == "3:0.1"
    assert [place.next_of(*pair) for pair in ((1, 0), (2, 0), (2, 5), (3, 0))] == [None, 8, 0, 0]


def test_a_reader_can_be_anywhere_in_a_run_of_as_many_steps_as_there_may_be(run):
    scope, row = run
    place = Position(1, tuple((step, 10**6) for step in range(MAX_NODES)))
    assert Position.parse(str(place)) == place
    assert logs.follow(scope, row, place) == []
