"""The API against its own OpenAPI document: what fits it and what does not, for every operation."""

from __future__ import annotations

import contextlib
import json

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from launchpad.wsgi import application
from tests.aiapi import shapes
from tests.mlops.api.world import World

pytestmark = pytest.mark.django_db
# For each operation and each of the two modes; more are in nobody's interest on every run.
EXAMPLES = 10


@pytest.fixture
def world(red, blue, green):
    return World(red, blue, green)


@contextlib.contextmanager
def one_connection():
    """Requests leave the test's connection open, whose transaction they run in."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def document(db):
    """What the API tells of itself."""
    answer = Client().get("/v2/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def faults(response):
    """What is wrong with an answer; [] when nothing is."""
    status = response.status_code
    kind = response.headers.get("content-type", [""])[0]
    if status >= 500 or 300 <= status < 400:
        return [f"status {status}"]
    if "text/html" in kind:
        return ["HTML"]
    if status < 400:
        return []
    if kind != "application/json":
        return [f"{status} as {kind!r}"]
    return shapes.faults("Error", json.loads(response.content))


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=str)
def test_every_operation_of_the_document_keeps_the_contract(world, document, mode):
    schema = schemathesis.openapi.from_dict(document)
    schema.app = application
    sent = {"Authorization": f"Bearer {world.tokens['admin']}", "AI-Resource-Group": "red"}
    wrong = []
    count = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in ("/v2/docs", "/v2/openapi.json"):
            continue
        count += 1

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(mode))
        def try_one(case):

            with one_connection(), transaction.atomic():
                response = case.call(headers=sent)
                transaction.set_rollback(True)
            wrong.extend(f"{case.as_curl_command()}: {fault}" for fault in faults(response))

        try_one()
    assert count >= 89
    assert wrong == [], "\n".join(wrong[:20])
