"""Lists of any length: short ones as they are, long ones spooled, and both the same in what they say."""

import json

import pytest

from mlops.api import answers
from mlops.lifecycle import Status
from mlops.models import Execution
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def many(red):
    """More executions than a plain list holds, oldest first."""
    first = factories.execution(factories.configuration(red), status=Status.COMPLETED)
    fields = {field.attname: getattr(first, field.attname) for field in Execution._meta.concrete_fields}
    rows = [Execution(**fields | {"id": f"e{number:015}"}) for number in range(answers.PLAIN + 5)]
    Execution.unscoped.bulk_create(rows)
    return [row.pk for row in rows]


def test_a_long_list_is_spooled_and_says_the_same(red, many, viewing):
    short = viewing("GET", f"/lm/executions?top={answers.PLAIN}")
    assert not short.streaming
    long = viewing("GET", "/lm/executions")
    assert long.streaming
    assert long["Content-Type"] == "application/json"
    told = json.loads(b"".join(long.streaming_content))
    assert told["count"] == len(told["resources"]) == answers.PLAIN + 6
    assert told["resources"][: answers.PLAIN] == short.json()["resources"]
    assert {one["id"] for one in told["resources"]} >= set(many)


def test_a_long_list_has_an_end_and_a_beginning(many, viewing):
    whole = viewing("GET", "/lm/executions")
    keys = [one["id"] for one in json.loads(b"".join(whole.streaming_content))["resources"]]
    for query, expected in (
        (f"top={answers.PLAIN + 2}&skip=2", keys[2 : answers.PLAIN + 4]),
        ("skip=1000", keys[1000:]),
        (f"skip={len(keys) - 1}", keys[-1:]),
        (f"skip={len(keys)}", []),
        ("top=0&skip=3", []),
    ):
        answer = viewing("GET", f"/lm/executions?{query}")
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        told = json.loads(body)
        assert [one["id"] for one in told["resources"]] == expected
        assert told["count"] == len(expected)
