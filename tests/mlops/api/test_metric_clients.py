"""Clients of a resource group add, read and remove metrics; runs do so for themselves alone."""

import json
import math

import pytest
from django.db import connection
from django.test import Client

from launchpad.access import system_scope
from launchpad.audit.models import AuditEvent
from launchpad.spools import FileResponse
from mlops.api import metrics as endpoints
from mlops.domain import metric_search, metrics, run_tokens
from mlops.domain.metric_limits import Point
from mlops.lifecycle import Status
from mlops.models import CustomInfo, Execution, MetricPoint, MetricSeries, Tag
from tests.mlops import factories
from tests.mlops.api.clients import MERGE, refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]
METRICS = "/lm/metrics"


def running(group, status=Status.RUNNING):
    row = factories.execution(factories.configuration(group), status=status)
    Execution.unscoped.filter(pk=row.pk).update(attempt=1)
    return row


@pytest.fixture
def row(red):
    return running(red)


@pytest.fixture
def told(row):
    """An execution that reported one of everything."""
    metrics.record(
        system_scope(row),
        row.pk,
        metrics=[
            Point("loss", 0.5, 1),
            Point("loss", 0.25, 2),
            Point("f1", 0.9, None, None, (("fold", "1"),)),
        ],
        tags=[("stage", "test"), ("data", "a,b=c")],
        custom_info=[("report", "long")],
    )
    return row


def reported(response):
    """Resources of a list answer, checked."""
    assert response.status_code == 200, response.content
    raw = b"".join(response.streaming_content) if isinstance(response, FileResponse) else response.content
    body = json.loads(raw, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert body["count"] == len(body["resources"])
    return body["resources"]


def test_a_report_of_a_client_is_read_as_it_was_sent(row, editing, viewing):
    sent = {
        "executionId": row.pk,
        "metrics": [
            {
                "name": "Error Rate",
                "value": 0.5,
                "timestamp": "2026-11-21T06:09:53.5Z",
                "step": 3,
                "labels": [],
            },
            {"name": "f1", "value": 1, "labels": [{"name": "fold", "value": "1"}]},
        ],
        "tags": [{"name": "stage", "value": "test"}],
        "customInfo": [{"name": "report", "value": "[1]"}],
    }
    response = editing("PATCH", METRICS, sent, media=MERGE)
    assert (response.status_code, response.content) == (204, b"")
    (one,) = reported(viewing("GET", f"{METRICS}?executionIds={row.pk}"))
    assert one["executionId"] == row.pk
    rate, f1 = one["metrics"]
    assert rate == sent["metrics"][0] | {"timestamp": "2026-11-21T06:09:53.500000Z"}
    assert (f1["value"], f1["labels"]) == (1.0, [{"name": "fold", "value": "1"}])
    assert f1["timestamp"].endswith("Z") and "step" not in f1
    assert (one["tags"], one["customInfo"]) == (sent["tags"], sent["customInfo"])


def test_a_report_adds_to_what_is_there(told, editing):
    editing("PATCH", METRICS, {"executionId": told.pk, "tags": [{"name": "stage", "value": "prod"}]})
    editing(
        "PATCH", METRICS, {"executionId": told.pk, "metrics": [{"name": "loss", "value": 0.1, "step": 3}]}
    )
    (one,) = reported(editing("GET", f"{METRICS}?executionIds={told.pk}"))
    assert [metric["value"] for metric in one["metrics"]] == [0.9, 0.5, 0.25, 0.1]
    assert {"name": "stage", "value": "prod"} in one["tags"]


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.DEAD, Status.STOPPED, Status.PENDING])
def test_a_client_may_add_to_an_execution_in_any_status(red, editing, status):
    row = running(red, status)
    body = {"executionId": row.pk, "metrics": [{"name": "loss", "value": 1}]}
    assert editing("PATCH", METRICS, body).status_code == 204


def test_an_execution_that_is_being_deleted_is_gone(red, editing):
    row = running(red, Status.DELETING)
    refused(editing("PATCH", METRICS, {"executionId": row.pk}), 404)
    metrics_left = MetricSeries.unscoped.create(
        resource_group=row.resource_group, execution=row, name="loss", labels_digest="x"
    )
    assert reported(editing("GET", f"{METRICS}?executionIds={row.pk}")) == []
    refused(editing("DELETE", f"{METRICS}?executionId={row.pk}"), 404)
    assert MetricSeries.unscoped.filter(pk=metrics_left.pk).exists()


def test_numbers_that_json_does_not_know_are_told_as_text(row, viewing):
    values = [math.nan, math.inf, -math.inf, 1e308, 5e-324, -0.0, float(2**53)]
    points = [Point("loss", value, step) for step, value in enumerate(values)]
    metrics.record(system_scope(row), row.pk, metrics=points)
    (one,) = reported(viewing("GET", f"{METRICS}?executionIds={row.pk}"))
    assert [metric["value"] for metric in one["metrics"]] == ["NaN", "Infinity", "-Infinity", *values[3:]]


def test_what_was_told_is_taken_again(row, red, editing):
    metrics.record(
        system_scope(row), row.pk, metrics=[Point("loss", math.nan, 1), Point("loss", 0.1, 2**63 - 1)]
    )
    (one,) = reported(editing("GET", f"{METRICS}?executionIds={row.pk}"))
    other = running(red)
    assert editing("PATCH", METRICS, one | {"executionId": other.pk}).status_code == 204
    (copy,) = reported(editing("GET", f"{METRICS}?executionIds={other.pk}"))
    assert copy["metrics"] == one["metrics"]


@pytest.mark.parametrize(
    ("select", "keys"),
    [
        ("metrics", {"metrics"}),
        ("tags,customInfo", {"tags", "customInfo"}),
        ("*", {"metrics", "tags", "customInfo"}),
        ("tags,*", {"metrics", "tags", "customInfo"}),
    ],
)
def test_parts_are_selected(told, viewing, select, keys):
    for name in ("$select", "select"):
        (one,) = reported(viewing("GET", f"{METRICS}?executionIds={told.pk}&{name}={select}"))
        assert set(one) == keys | {"executionId"}


def test_executions_are_told_newest_first_and_silent_ones_not(red, told, viewing):
    silent, newer = running(red), running(red)
    metrics.record(system_scope(newer), newer.pk, tags=[("stage", "prod")])
    ids = ",".join([told.pk, silent.pk, newer.pk, "e000000000000000"])
    found = reported(viewing("GET", f"{METRICS}?executionIds={ids}"))
    assert [one["executionId"] for one in found] == [newer.pk, told.pk]
    assert found[0]["metrics"] == [] and found[0]["customInfo"] == []
    page = reported(viewing("GET", f"{METRICS}?executionIds={ids}&$top=1&$skip=1"))
    assert [one["executionId"] for one in page] == [told.pk]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tagFilters=stage%3Dtest", True),
        ("tagFilters=stage", True),
        ("tagFilters=stage%3Dprod", False),
        ("tagFilters=stage%21%3Dprod", True),
        ("tagFilters=stage!%3Dtest", False),
        ("tagFilters=absent", False),
        ("tagFilters=stage,data%3Da%252Cb%253Dc", True),
        ("tagFilters=stage%3Dtest,absent", False),
        ("$filter=executionId%20eq%20'{0}'", True),
        ("$filter=executionId%20in%20('{0}','e000000000000000')", True),
        ("$filter=executionId%20eq%20'e000000000000000'", False),
        ("filter=executionId+eq+'{0}'", True),
        ("executionIds={0}&tagFilters=stage%3Dprod", False),
        ("executionIds={0}&$filter=executionId%20eq%20'e000000000000000'", False),
    ],
)
def test_executions_are_found_by_id_and_tag(told, viewing, query, found):
    assert bool(reported(viewing("GET", f"{METRICS}?{query.format(told.pk)}"))) is found


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "executionIds"),
        ("$top=1", "executionIds"),
        ("executionIds=", "executionIds"),
        ("executionIds=a", "executionIds"),
        ("executionIds=" + ",".join(["e000000000000000"] * 11), "at most 10"),
        ("$filter=name eq 'x'", "$filter"),
        ("$filter=executionId eq 'x' or 1", "$filter"),
        ("$filter=executionId in (" + ",".join(["'e000000000000000'"] * 11) + ")", "at most 10"),
        ("tagFilters=" + ",".join(["a"] * 101), "at most 100"),
        ("tagFilters=" + "a" * 5001, "5000"),
        ("tagFilters=,", "tagFilters"),
        ("tagFilters==x", "tagFilters"),
        ("tagFilters=a%2500", "tagFilters"),
        ("tagFilters=a&$select=steps", "$select"),
        ("tagFilters=a&$top=10001", "$top"),
        ("tagFilters=a&$top=-1", "$top"),
        ("tagFilters=a&$skip=x", "$skip"),
    ],
)
def test_a_question_that_cannot_be_answered_is_400(viewing, query, words):
    error = refused(viewing("GET", f"{METRICS}?{query.replace(' ', '%20')}"), 400, words)
    assert isinstance(error["details"], list)


def test_everything_is_removed_at_once(told, red, editing):
    other = running(red)
    metrics.record(system_scope(other), other.pk, metrics=[Point("loss", 1.0)], tags=[("a", "b")])
    response = editing("DELETE", f"{METRICS}?executionId={told.pk}")
    assert response.status_code == 200
    assert set(response.json()) == {"id", "message"} and response.json()["id"] == told.pk
    assert reported(editing("GET", f"{METRICS}?executionIds={told.pk}")) == []
    assert [model.unscoped.count() for model in (MetricSeries, MetricPoint, Tag, CustomInfo)] == [1, 1, 1, 0]
    event = AuditEvent.unscoped.get(verb="metrics.delete")
    assert (event.object_id, event.object_type) == (told.pk, "execution")
    refused(editing("DELETE", f"{METRICS}?executionId={told.pk}"), 404, "no metrics")


def test_removing_names_one_execution(editing):
    for query in ("", "?executionId=", "?executionId=a", "?executionIds=e000000000000000"):
        refused(editing("DELETE", f"{METRICS}{query}"), 400, "executionId")
    refused(editing("DELETE", f"{METRICS}?executionId=e000000000000000"), 404)


def test_a_viewer_reads_only(told, viewing):
    refused(viewing("PATCH", METRICS, {"executionId": told.pk}), 403, "editor")
    refused(viewing("DELETE", f"{METRICS}?executionId={told.pk}"), 403, "editor")


def test_a_neighbours_execution_is_not_there(told, neighbouring, editing):
    refused(neighbouring("PATCH", METRICS, {"executionId": told.pk}), 404)
    refused(neighbouring("DELETE", f"{METRICS}?executionId={told.pk}"), 404)
    for query in (f"executionIds={told.pk}", "tagFilters=stage"):
        assert reported(neighbouring("GET", f"{METRICS}?{query}")) == []
    refused(neighbouring("GET", f"{METRICS}?tagFilters=stage", ai_resource_group="red"), 404)
    assert len(reported(editing("GET", f"{METRICS}?executionIds={told.pk}"))) == 1


def test_a_client_names_its_resource_group(told, editing):
    refused(
        editing("GET", f"{METRICS}?executionIds={told.pk}", ai_resource_group=None), 400, "AI-Resource-Group"
    )


def test_long_answers_come_from_a_file_and_read_the_same(told, viewing, monkeypatch):
    short = reported(viewing("GET", f"{METRICS}?executionIds={told.pk}"))
    monkeypatch.setattr(endpoints, "_PLAIN", 2)
    response = viewing("GET", f"{METRICS}?executionIds={told.pk}")
    assert isinstance(response, FileResponse)
    assert reported(response) == short


def test_more_values_than_can_be_told_are_400(told, viewing, monkeypatch):
    monkeypatch.setattr(metric_search, "POINT_LIMIT", 2)
    refused(viewing("GET", f"{METRICS}?executionIds={told.pk}"), 400, "at most 2")
    assert reported(viewing("GET", f"{METRICS}?executionIds={told.pk}&$select=tags"))[0]["tags"]


def test_reading_many_executions_costs_the_same(red, viewing, django_assert_num_queries):
    rows = [running(red) for _ in range(3)]
    for row in rows:
        metrics.record(system_scope(row), row.pk, tags=[("a", "b")])

    def count(ids):
        with django_assert_num_queries(100, exact=False) as seen:
            assert len(reported(viewing("GET", f"{METRICS}?executionIds={ids}&$select=tags"))) >= 1
        return len(seen)

    count(rows[0].pk)
    assert count(rows[0].pk) == count(",".join(row.pk for row in rows))


# What a run may do.


def in_run(row, method, query="", body=None, *, attempt=1, **headers):
    """A call as a client inside a run makes it: no token but in the address."""
    address = f"/runs/{run_tokens.issue(row.pk, attempt)}/api/v1/metrics{query}"
    data = b"" if body is None else json.dumps(body)
    named = {"Authorization": "", "AI-RESOURCE-GROUP": "whatever", **headers}
    return Client(enforce_csrf_checks=True).generic(method, address, data, content_type=MERGE, headers=named)


def test_a_run_reports_reads_and_removes_its_own(row):
    body = {"executionId": row.pk, "metrics": [{"name": "loss", "value": 0.5}]}
    assert in_run(row, "PATCH", body=body).status_code == 204
    (one,) = reported(in_run(row, "GET", f"?executionIds={row.pk}"))
    assert one["metrics"][0]["value"] == 0.5
    assert in_run(row, "DELETE", f"?executionId={row.pk}").status_code == 200
    assert reported(in_run(row, "GET", f"?executionIds={row.pk}")) == []


def test_a_run_knows_of_no_other_execution(red, told):
    row = running(red)
    for query in (f"?executionIds={told.pk}", "?tagFilters=stage"):
        assert reported(in_run(row, "GET", query)) == []
    refused(in_run(row, "PATCH", body={"executionId": told.pk}), 400, row.pk)
    refused(in_run(row, "DELETE", f"?executionId={told.pk}"), 400, row.pk)
    assert MetricPoint.unscoped.count() == 3


@pytest.mark.parametrize(
    ("status", "attempt"), [(Status.COMPLETED, 1), (Status.DEAD, 1), (Status.PENDING, 1), (Status.RUNNING, 0)]
)
def test_a_run_that_is_over_is_refused_with_410(red, editing, status, attempt):
    row = running(red, status)
    body = {"executionId": row.pk, "metrics": [{"name": "loss", "value": 1}]}
    assert editing("PATCH", METRICS, body).status_code == 204
    for method, query, sent in (
        ("PATCH", "", body),
        ("GET", f"?executionIds={row.pk}", None),
        ("DELETE", f"?executionId={row.pk}", None),
    ):
        refused(in_run(row, method, query, sent, attempt=attempt), 410)
    assert MetricPoint.unscoped.count() == 1


def test_a_run_that_stops_may_still_report(red):
    row = running(red, Status.STOPPING)
    assert in_run(row, "PATCH", body={"executionId": row.pk}).status_code == 204


def test_the_tracking_address_takes_tokens_of_runs_and_clients(row, editing):
    token = run_tokens.issue(row.pk, 1)
    body = json.dumps({"executionId": row.pk, "metrics": [{"name": "loss", "value": 1}]})
    for bearer in (token, editing.token):
        headers = {"Authorization": f"Bearer {bearer}", "AI-Resource-Group": "red"}
        client = Client(enforce_csrf_checks=True, headers=headers)
        response = client.generic("PATCH", "/api/v1/metrics", body, content_type=MERGE)
        assert response.status_code == 204
    assert MetricPoint.unscoped.count() == 2
    anonymous = Client().get("/api/v1/metrics?executionIds=e000000000000000")
    assert anonymous.status_code == 401


def test_a_report_of_a_run_costs_few_queries(row, django_assert_num_queries):
    body = {"executionId": row.pk, "metrics": [{"name": "loss", "value": 0.5, "step": 1}]}
    in_run(row, "PATCH", body=body)
    # Two of them begin and end the transaction.
    with django_assert_num_queries(6 if connection.vendor == "sqlite" else 4):
        in_run(row, "PATCH", body=body | {"metrics": [{"name": "loss", "value": 0.4, "step": 2}]})
