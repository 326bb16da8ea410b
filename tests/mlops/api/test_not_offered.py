"""Deployments and execution schedules: every address answers 501 to whoever may ask, and nothing made up."""

import pytest

from mlops.api import deployments, execution_schedules
from tests.mlops import factories
from tests.mlops.api.clients import refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]
DEPLOYMENT = "/lm/deployments/d0123456789abcde"
SCHEDULE = "/lm/executionSchedules/1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"
READING = [
    *(
        ("GET", path)
        for path in ("/lm/deployments", "/lm/deployments/$count", DEPLOYMENT, f"{DEPLOYMENT}/logs")
    ),
    *(("GET", path) for path in ("/lm/executionSchedules", "/lm/executionSchedules/$count", SCHEDULE)),
]
WRITING = [
    *((method, "/lm/deployments") for method in ("POST", "PATCH")),
    *((method, DEPLOYMENT) for method in ("PATCH", "DELETE")),
    ("POST", "/lm/configurations/1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed/deployments"),
    ("POST", "/lm/executionSchedules"),
    *((method, SCHEDULE) for method in ("PATCH", "DELETE")),
]


@pytest.mark.parametrize(("method", "path"), READING + WRITING)
def test_it_is_not_offered(red, editing, method, path):
    words = "does not schedule" if "Schedules" in path else "does not deploy"
    for body in ({"configurationId": "x"}, "{", None):
        error = refused(editing(method, path, body), 501, words, "/v2/lm/meta")
        assert error["code"] == "01010501"


@pytest.mark.parametrize(("method", "path"), READING + WRITING)
def test_first_of_all_one_has_to_be_someone(red, editing, viewing, method, path):
    refused(editing(method, path, authorization=None), 401)
    refused(editing(method, path, ai_resource_group=None), 400, "AI-Resource-Group")
    refused(editing(method, path, ai_resource_group="blue"), 404)
    refused(viewing(method, path), 501 if method == "GET" else 403)


def test_what_no_operation_has_is_not_allowed(red, editing):
    refused(editing("DELETE", "/lm/deployments"), 405)
    refused(editing("PUT", SCHEDULE), 405)


def test_every_address_of_both_is_asked_here(red):
    known = {
        (method, path.replace("{deployment_id}", "*").replace("{schedule_id}", "*"))
        for noun in (deployments, execution_schedules)
        for path, view in noun.operation.router.path_operations.items()
        for one in view.operations
        for method in one.methods
    }
    assert len(known) == len(READING + WRITING)


def test_nothing_was_made(red, editing):
    bound = factories.configuration(red)
    refused(editing("POST", f"/lm/configurations/{bound.pk}/deployments"), 501)
    assert editing("GET", "/lm/executions").json() == {"count": 0, "resources": []}
