"""The log of an execution over the AI API: the last hour by default, a span of time on request."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from mlops.api import documents
from mlops.domain import log_writers
from mlops.lifecycle import Status
from mlops.models import LogChunk
from tests.mlops import running
from tests.mlops.api.clients import refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]
NOW = timezone.now().replace(microsecond=0)


@pytest.fixture
def row(red):
    return running.execution(red, attempt=2)


def write(row, minutes_ago, *lines, attempt=2, step=0):
    """Lines a millisecond apart; those that begin with ! go to stderr."""
    LogChunk.unscoped.create(
        execution=row,
        attempt=attempt,
        step=step,
        seq=LogChunk.unscoped.count(),
        first_line=1,
        line_count=len(lines),
        at=NOW - timedelta(minutes=minutes_ago),
        text="\n".join(lines),
        offsets=list(range(len(lines))),
        stderr=[index for index, text in enumerate(lines) if text.startswith("!")],
    )


def read(client, row, **query):
    answer = client("GET", f"/lm/executions/{row.pk}/logs?{urlencode(query)}")
    assert answer.status_code == 200, answer.content
    documents.RTALogCommonResponse.model_validate_json(answer.content)
    return [line["msg"] for line in answer.json()["data"]["result"]]


def test_a_line_says_when_and_where_it_was_written(row, viewing):
    write(row, 5, "one", "!two", step=1)
    told = viewing("GET", f"/lm/executions/{row.pk}/logs").json()["data"]["result"]
    assert told[1] == {
        "timestamp": (NOW - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S.001000Z"),
        "msg": "!two",
        "container": "train",
        "pod": f"{row.pk}-2",
        "stream": "stderr",
    }
    assert told[0]["stream"] == "stdout"


def test_the_last_hour_is_told_oldest_first_across_attempts_and_steps(row, viewing):
    write(row, 90, "long ago", attempt=1)
    write(row, 50, "first try", attempt=1)
    write(row, 40, "second step", step=1)
    write(row, 30, "later")
    assert read(viewing, row) == ["first try", "second step", "later"]
    assert read(viewing, row, order="desc") == ["later", "second step", "first try"]
    assert read(viewing, row, **{"$order": "asc", "$top": 1}) == ["first try"]
    assert read(viewing, row, **{"$order": "desc", "top": 1}) == ["later"]


def test_a_span_of_time_is_told_on_request(row, viewing):
    for minutes in (200, 130, 90, 10):
        write(row, minutes, str(minutes))
    start, end = ((NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ") for minutes in (140, 80))
    assert read(viewing, row, start=start) == ["130", "90", "10"]
    assert read(viewing, row, start=start, end=end) == ["130", "90"]
    assert read(viewing, row, end=end) == ["130", "90"]
    assert read(viewing, row, end=start) == ["200"]


def test_at_most_a_thousand_lines_are_told_unless_more_are_asked_for(row, viewing):
    write(row, 5, *(str(number) for number in range(5001)))
    assert len(read(viewing, row)) == 1000
    assert read(viewing, row, **{"$top": 5000})[-1] == "4999"


def test_what_is_written_reads_back(row, viewing):
    writer = log_writers.LogWriter(row.pk, 2, 0)
    writer.say("Hällo \x1b NUL \0")
    assert writer.flush(force=True)
    (line,) = read(viewing, row)
    assert line.startswith("Hällo")


def test_an_execution_without_a_log_has_an_empty_one(red, viewing):
    assert read(viewing, running.execution(red, status=Status.PENDING)) == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("$top=0", "$top"),
        ("$top=5001", "$top"),
        ("$order=newest", "$order"),
        ("start=now", "start"),
        ("end=9999-12-31T23:59:59Z", "end"),
        ("start=0001-01-01T00:00:00Z", "start"),
        ("start=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z", "end lies before the start"),
    ],
)
def test_a_span_that_is_none_is_refused(row, viewing, query, words):
    refused(viewing("GET", f"/lm/executions/{row.pk}/logs?{query}"), 400, words)


def test_a_log_of_another_group_is_not_found(row, blue, neighbouring, viewing):
    write(row, 5, "secret")
    refused(neighbouring("GET", f"/lm/executions/{row.pk}/logs"), 404, "Nothing here")
    for key in ("nowhere", "nul%00", "%ff"):
        refused(viewing("GET", f"/lm/executions/{key}/logs"), 404)
    refused(viewing("GET", f"/lm/executions/{row.pk}/logs", ai_resource_group=None), 400, "AI-Resource-Group")
    refused(viewing("GET", f"/lm/executions/{row.pk}/logs", authorization=None), 401)
    refused(viewing("POST", f"/lm/executions/{row.pk}/logs", {}), 405)
