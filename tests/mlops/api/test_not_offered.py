"""Execution schedules: every address answers 501 to whoever may ask, and nothing made up."""

import pytest

from mlops.api import execution_schedules
from tests.mlops import factories
from tests.mlops.api.clients import refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]
SCHEDULE = "/lm/executionSchedules/1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"
READING = [("GET", path) for path in ("/lm/executionSchedules", "/lm/executionSchedules/$count", SCHEDULE)]
WRITING = [("POST", "/lm/executionSchedules"), *((method, SCHEDULE) for method in ("PATCH", "DELETE"))]


@pytest.mark.parametrize(("method", "path"), READING + WRITING)
def test_it_is_not_offered(red, editing, method, path):
    for body in ({"configurationId": "x"}, "{", None):
        error = refused(editing(method, path, body), 501, "does not schedule", "/v2/lm/meta")
        assert error["code"] == "01010501"


@pytest.mark.parametrize(("method", "path"), READING + WRITING)
def test_first_of_all_one_has_to_be_someone(red, editing, viewing, method, path):
    refused(editing(method, path, authorization=None), 401)
    refused(editing(method, path, ai_resource_group=None), 400, "AI-Resource-Group")
    refused(editing(method, path, ai_resource_group="blue"), 404)
    refused(viewing(method, path), 501 if method == "GET" else 403)


def test_what_no_operation_has_is_not_allowed(red, editing):
    refused(editing("DELETE", "/lm/executionSchedules"), 405)
    refused(editing("PUT", SCHEDULE), 405)


def test_every_address_is_asked_here(red):
    known = {
        (method, path)
        for path, view in execution_schedules.operation.router.path_operations.items()
        for one in view.operations
        for method in one.methods
    }
    assert len(known) == len(READING + WRITING)


def test_nothing_was_made(red, editing):
    body = {"name": "nightly", "cron": "0 3 * * *", "configurationId": str(factories.configuration(red).pk)}
    refused(editing("POST", "/lm/executionSchedules", body), 501)
    assert editing("GET", "/lm/executions").json() == {"count": 0, "resources": []}
