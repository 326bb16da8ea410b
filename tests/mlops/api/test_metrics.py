"""Runs report over HTTP with their token, and every refusal has the AI API's envelope."""

import json

import pytest
from django.test import Client

from launchpad.access import system_scope
from mlops.domain import metrics, run_tokens
from mlops.lifecycle import Status
from mlops.models import Execution
from tests.mlops import running

pytestmark = [pytest.mark.django_db, pytest.mark.database]
ADDRESS = "/v2/lm/metrics"
MERGE = "application/merge-patch+json"


@pytest.fixture
def row(db):
    return running.execution(running.group())


@pytest.fixture
def token(row):
    return run_tokens.issue(row.pk, 1)


def send(body, *, address=ADDRESS, token="", media=MERGE, method="patch", **headers):
    """The answer to a request as a client inside a run sends it: no session, CSRF checks on."""
    if token:
        headers["Authorization"] = f"Bearer {token}"
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    client = Client(enforce_csrf_checks=True)
    return client.generic(method.upper(), address, text, content_type=media, headers=headers)


def refused(response, status, *words):
    """The envelope, checked."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    error = response.json()["error"]
    assert set(error) == {"code", "message", "requestId", "target", "details"}
    assert len(error["code"]) == 8 and error["code"].isdigit()
    assert error["requestId"] == response["X-Request-ID"]
    assert all(set(one) == {"code", "message"} for one in error["details"])
    for word in words:
        assert word in error["message"]
    return error


def report(row, **parts):
    return {"executionId": row.pk, **parts}


@pytest.mark.parametrize("media", [MERGE, "application/json", "application/json; charset=utf-8"])
def test_a_report_is_kept(row, token, media):
    body = report(
        row,
        metrics=[
            {"name": "Error Rate", "value": 0.5, "timestamp": "2026-11-21T06:09:53.123456789Z", "step": 3},
            {"name": "f1", "value": 1, "timestamp": None, "labels": [{"name": "fold", "value": "1"}]},
        ],
        tags=[{"name": "stage", "value": "test"}],
        customInfo=[{"name": "report", "value": "long"}],
        createdAt="ignored",
    )
    response = send(body, token=token, media=media)
    assert (response.status_code, response.content) == (204, b"")
    scope = system_scope(row)
    rate, f1 = metrics.series(scope, row)
    assert (rate.name, rate.last, rate.last_step) == ("Error Rate", 0.5, 3)
    assert rate.last_at.isoformat() == "2026-11-21T06:09:53.123456+00:00"
    assert (f1.title, f1.last_step) == ("f1 (fold=1)", None)
    assert metrics.tags(scope, row) == [("stage", "test")]
    assert metrics.custom_info(scope, row) == [("report", "long")]


def test_the_runs_own_address_needs_no_header(row, token):
    body = report(row, metrics=[{"name": "loss", "value": 0.5}])
    address = f"/runs/{token}/api/v1/metrics"
    headers = {"Authorization": "", "AI-RESOURCE-GROUP": "whatever", "AI-MAIN-TENANT": "x"}
    assert send(body, address=address, **headers).status_code == 204
    assert metrics.series(system_scope(row), row)[0].count == 1


@pytest.mark.parametrize("word", ['"NaN"', '"Infinity"', '"-Infinity"', "NaN", "Infinity", "-Infinity"])
def test_values_that_json_cannot_say_are_taken(row, token, word):
    text = f'{{"executionId": "{row.pk}", "metrics": [{{"name": "loss", "value": {word}}}]}}'
    assert send(text, token=token).status_code == 204
    assert metrics.series(system_scope(row), row)[0].nan_count == 1


@pytest.mark.parametrize("parts", [{}, {"metrics": []}, {"metrics": None, "tags": None, "customInfo": None}])
def test_an_empty_report_is_no_error(row, token, parts):
    assert send(report(row, **parts), token=token).status_code == 204


@pytest.mark.parametrize(
    ("metric", "place"),
    [
        ({"value": 1}, "metrics.0.name"),
        ({"name": "loss"}, "metrics.0.value"),
        ({"name": "loss", "value": "high"}, "metrics.0.value"),
        ({"name": "loss", "value": True}, "metrics.0.value"),
        ({"name": "loss", "value": 10**400}, "metrics.0.value"),
        ({"name": "loss", "value": None}, "metrics.0.value"),
        ({"name": "loss", "value": 1, "timestamp": "yesterday"}, "metrics.0.timestamp"),
        ({"name": "loss", "value": 1, "timestamp": "0001-01-01T00:00:00+14:00"}, "metrics.0.timestamp"),
        ({"name": "loss", "value": 1, "timestamp": "2026-02-30T00:00:00Z"}, "metrics.0.timestamp"),
        ({"name": "loss", "value": 1, "step": 1.5}, "metrics.0.step"),
        ({"name": "loss", "value": 1, "labels": [{"name": "a"}]}, "metrics.0.labels.0.value"),
        ({"name": "loss", "value": 1, "step": -1}, "step of loss"),
        ({"name": "", "value": 1}, "name"),
    ],
)
def test_a_malformed_metric_is_refused_by_its_place(row, token, metric, place):
    refused(send(report(row, metrics=[metric]), token=token), 400, place)
    assert not metrics.series(system_scope(row), row)


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"x"', '{"metrics": []}', b"\xff", "[" * 100_000])
def test_a_body_that_is_no_report_is_refused(token, body):
    refused(send(body, token=token), 400)


def test_too_much_is_413(row, token):
    many = [{"name": "loss", "value": 1}] * 1001
    refused(send(report(row, metrics=many), token=token), 413, "1000 metrics")
    refused(send(report(row, tags=[{"name": "a", "value": "b"}] * 101), token=token), 413, "100 tags")
    large = [{"name": "a", "value": "x" * (5 * 1024 * 1024 + 1)}]
    refused(send(report(row, customInfo=large), token=token), 413, "5 MB")
    refused(send(b" " * (8 * 1024 * 1024 + 1), token=token), 413, "8 MB")
    refused(send(b" " * (13 * 1024 * 1024), token=token), 413, "8 MB")


def test_another_media_type_is_415(row, token):
    refused(send("a=b", token=token, media="application/x-www-form-urlencoded"), 415, "application/json")


@pytest.mark.parametrize(
    "header", ["", "Basic abc", "Bearer", "Bearer x", "Bearer e0.1.forged", "Bearer " + "x" * 5000]
)
def test_without_a_genuine_token_it_is_401(row, header):
    response = send(report(row), **({"Authorization": header} if header else {}))
    refused(response, 401)
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_forged_address_is_401(row):
    error = refused(send(report(row), address="/runs/forged/api/v1/metrics"), 401)
    assert error["target"] == "/runs/<token>/api/v1/metrics"
    assert "forged" not in json.dumps(error)


def test_a_signed_in_browser_is_not_a_run(row, editor, client):
    client.force_login(editor)
    response = client.patch(ADDRESS, json.dumps(report(row)), content_type=MERGE)
    refused(response, 401)


def test_a_token_opens_its_own_execution_only(row, token):
    other = running.execution(running.group("blue"))
    error = refused(send(report(other, metrics=[{"name": "loss", "value": 1}]), token=token), 400, row.pk)
    assert not metrics.series(system_scope(other), other)
    assert error["target"] == "/v2/lm/metrics"


def test_a_named_resource_group_must_be_the_runs(row, token):
    assert send(report(row), token=token, **{"ai-resource-group": "red"}).status_code == 204
    refused(send(report(row), token=token, **{"AI-Resource-Group": "blue"}), 404)


def test_late_reports_of_a_run_are_410(row, token):
    Execution.unscoped.filter(pk=row.pk).update(attempt=2)
    body = report(row, metrics=[{"name": "loss", "value": 1}])
    refused(send(body, token=token), 410, "attempt 2")
    done = running.execution(running.group(), status=Status.COMPLETED)
    refused(send(report(done), token=run_tokens.issue(done.pk, 1)), 410, "completed")


def test_a_deleted_execution_is_404():
    refused(send({"executionId": "e0"}, token=run_tokens.issue("e000000000000000", 1)), 404)


@pytest.mark.parametrize("method", ["post", "put", "options", "head"])
def test_other_methods_are_405(token, method):
    for address in (ADDRESS, "/api/v1/metrics", f"/runs/{token}/api/v1/metrics"):
        response = send("", address=address, method=method)
        assert response.status_code == 405
        assert set(response["Allow"].split(", ")) == {"GET", "PATCH", "DELETE"}
        if method != "head":
            refused(response, 405, "PATCH")


@pytest.mark.parametrize(
    "address",
    [
        "/v2/",
        "/v2/lm/metrics/",
        "/v2/lm/nothing",
        "/runs/x",
        "/runs/x/api/v1/nothing",
        "/runs//api/v1/metrics",
    ],
)
def test_unknown_addresses_are_404_in_the_envelope(address):
    for method in ("get", "post", "patch"):
        refused(send("", address=address, method=method), 404)


def test_no_token_is_in_the_answer(row, token):
    address = f"/runs/{token}/api/v1/metrics"
    error = refused(send("{", address=address), 400)
    assert token not in json.dumps(error)
