"""The log of a deployment over the AI API: of all its revisions and servers, in the order of time."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from mlops.api import documents
from mlops.lifecycle import Status
from mlops.models import ReplicaLogChunk
from tests.mlops import deployed
from tests.mlops.api.clients import refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]
NOW = timezone.now().replace(microsecond=0)


@pytest.fixture
def row(red):
    return deployed.deployment(deployed.configuration(red, servers="2"), status=Status.RUNNING)


def write(row, minutes_ago, *lines, revision=1, server=0):
    """Lines a millisecond apart; those that begin with ! go to stderr."""
    ReplicaLogChunk.unscoped.create(
        deployment=row,
        attempt=revision,
        step=server,
        seq=ReplicaLogChunk.unscoped.count(),
        first_line=1,
        line_count=len(lines),
        at=NOW - timedelta(minutes=minutes_ago),
        text="\n".join(lines),
        offsets=list(range(len(lines))),
        stderr=[index for index, text in enumerate(lines) if text.startswith("!")],
    )


def read(client, row, **query):
    answer = client("GET", f"/lm/deployments/{row.pk}/logs?{urlencode(query)}")
    assert answer.status_code == 200, answer.content
    documents.RTALogCommonResponse.model_validate_json(answer.content)
    return [line["msg"] for line in answer.json()["data"]["result"]]


def test_a_line_says_when_and_where_it_was_written(row, viewing):
    write(row, 5, "one", "!two", revision=3, server=1)
    told = viewing("GET", f"/lm/deployments/{row.pk}/logs").json()["data"]["result"]
    assert told[1] == {
        "timestamp": (NOW - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S.001000Z"),
        "msg": "!two",
        "container": "server 2",
        "pod": f"{row.pk}-3",
        "stream": "stderr",
    }
    assert told[0]["stream"] == "stdout"


def test_the_last_hour_is_told_oldest_first_across_revisions_and_servers(row, viewing):
    write(row, 90, "long ago")
    write(row, 50, "first revision")
    write(row, 40, "second server", server=1)
    write(row, 30, "second revision", revision=2)
    write(row, 20, "the first still drains")
    lines = ["first revision", "second server", "second revision", "the first still drains"]
    assert read(viewing, row) == lines
    assert read(viewing, row, order="desc") == lines[::-1]
    assert read(viewing, row, **{"$top": 1}) == lines[:1]
    assert read(viewing, row, **{"$order": "desc", "top": 1}) == lines[-1:]


def test_a_span_of_time_is_told_on_request(row, viewing):
    for minutes in (200, 130, 90, 10):
        write(row, minutes, str(minutes))
    start, end = ((NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ") for minutes in (140, 80))
    assert read(viewing, row, start=start) == ["130", "90", "10"]
    assert read(viewing, row, start=start, end=end) == ["130", "90"]
    assert read(viewing, row, end=start) == ["200"]


def test_at_most_a_thousand_lines_are_told_unless_more_are_asked_for(row, viewing):
    write(row, 5, *(str(number) for number in range(5001)))
    assert len(read(viewing, row)) == 1000
    assert read(viewing, row, **{"$top": 5000})[-1] == "4999"


def test_one_without_a_log_has_an_empty_one(red, viewing):
    assert read(viewing, deployed.deployment(deployed.configuration(red))) == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("$top=0", "$top"),
        ("$top=5001", "$top"),
        ("$order=newest", "$order"),
        ("start=now", "start"),
        ("end=9999-12-31T23:59:59Z", "end"),
        ("start=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z", "end lies before the start"),
    ],
)
def test_a_span_that_is_none_is_refused(row, viewing, query, words):
    refused(viewing("GET", f"/lm/deployments/{row.pk}/logs?{query}"), 400, words)


def test_a_log_of_another_group_is_not_found(row, neighbouring, viewing):
    write(row, 5, "secret")
    address = f"/lm/deployments/{row.pk}/logs"
    refused(neighbouring("GET", address), 404, "Nothing here")
    for key in ("nowhere", "nul%00", "%ff", "e0123456789abcde"):
        refused(viewing("GET", f"/lm/deployments/{key}/logs"), 404)
        refused(viewing("GET", f"/lm/executions/{row.pk}/logs"), 404)
    refused(viewing("GET", address, ai_resource_group=None), 400, "AI-Resource-Group")
    refused(viewing("GET", address, authorization=None), 401)
    refused(viewing("POST", address, {}), 405)
