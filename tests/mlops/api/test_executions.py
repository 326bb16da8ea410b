"""Executions over the AI API: submitted, found by every filter, read, stopped and deleted as allowed."""

import json
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from launchpad.access import system_scope
from launchpad.errors import Conflict
from mlops.api import documents
from mlops.domain import enactments, executions
from mlops.lifecycle import Status, TargetStatus
from mlops.models import Artifact, Configuration, Executable, Execution
from tests.mlops import factories
from tests.mlops.api.clients import MERGE, reads, refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]
ENDED = (Status.COMPLETED, Status.DEAD, Status.STOPPED)
MOVING = (Status.PENDING, Status.RUNNING, Status.STOPPING)
MODIFIED, DELETED = "Execution modification scheduled", "Execution deletion scheduled"


@pytest.fixture
def bound(red) -> Configuration:
    return factories.configuration(red)


def found(client, **query):
    """Keys in a list by a query, which the count with the same filters agrees with."""
    listed = client("GET", f"/lm/executions?{urlencode(query)}")
    assert listed.status_code == 200, listed.content
    told = documents.AiExecutions.model_validate_json(listed.content)
    assert told.count == len(told.resources)
    count = client("GET", f"/lm/executions/$count?{urlencode(query)}")
    assert (count["Content-Type"], int(count.content)) == ("text/plain", told.count)
    return [one.id for one in told.resources]


def test_submitting_answers_what_clients_read(bound, editing, red):
    made = editing("POST", "/lm/executions", {"configurationId": str(bound.pk)})
    told = made.json()
    assert made.status_code == 202
    assert told == {
        "id": told["id"],
        "message": "Execution scheduled",
        "status": "UNKNOWN",
        "targetStatus": "COMPLETED",
    }
    assert made["Location"] == f"/v2/lm/executions/{told['id']}"
    assert "Deprecation" not in made
    read = editing("GET", f"/lm/executions/{told['id']}")
    one = documents.AiExecution.model_validate_json(read.content)
    assert (one.status, one.targetStatus, one.statusMessage) == (
        "PENDING",
        "COMPLETED",
        "Waiting for a worker",
    )
    assert (one.configurationId, one.configurationName) == (str(bound.pk), bound.name)
    assert (one.executableId, one.scenarioId) == (factories.EXECUTABLE, factories.SCENARIO)
    assert one.statusDetails.model_dump() == {"message": "Waiting for a worker", "attempt": 0, "notices": []}
    assert one.startTime is None and one.outputArtifacts == []
    assert one.submissionTime == one.createdAt
    assert system_scope(red).get(Execution, pk=one.id).created_by is not None


def test_the_tutorials_address_runs_a_configuration(bound, editing):
    made = editing("POST", f"/lm/configurations/{bound.pk}/executions")
    assert (made.status_code, made.json()["status"]) == (202, "UNKNOWN")
    assert made["Deprecation"].startswith("@")
    assert made["Link"] == '</v2/lm/executions>; rel="successor-version"'
    assert found(editing) == [made.json()["id"]]


def test_swapped_calls_do_what_their_bodies_say(bound, editing, red):
    petals = factories.artifact(red)
    order = {
        "name": "swapped",
        "scenarioId": factories.SCENARIO,
        "executableId": factories.EXECUTABLE,
        "parameterBindings": [{"key": "OWNER", "value": "Ada"}],
        "inputArtifactBindings": [{"key": "petals", "artifactId": str(petals.pk)}],
    }
    configured = editing("POST", "/lm/executions", order)
    told = configured.json()
    assert (configured.status_code, told["message"]) == (201, "Configuration created")
    assert configured["Location"] == f"/v2/lm/configurations/{told['id']}"
    assert configured["Link"] == '</v2/lm/configurations>; rel="successor-version"'
    started = editing("POST", "/lm/configurations", {"configurationId": told["id"]})
    assert (started.status_code, started.json()["message"]) == (202, "Execution scheduled")
    assert started["Link"] == '</v2/lm/executions>; rel="successor-version"'
    assert configured["Deprecation"] == started["Deprecation"]


@pytest.mark.parametrize("path", ["executions", "configurations"])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, ""),
        ({"name": "x", "executableId": factories.EXECUTABLE}, ""),
        ({"configurationId": 7}, "configurationId: "),
        ({"configurationId": None}, "configurationId: "),
        ([], "The body is not as expected"),
        ("{", "no JSON"),
    ],
)
def test_a_body_of_neither_shape_is_refused(bound, editing, path, body, words):
    refused(editing("POST", f"/lm/{path}", body), 400, words)
    assert found(editing) == []


def test_a_body_of_both_shapes_is_that_of_its_address(bound, editing):
    both = {"configurationId": str(bound.pk), "scenarioId": "s", "executableId": "e"}
    assert editing("POST", "/lm/executions", both).status_code == 202
    refused(editing("POST", "/lm/configurations", both), 400, "name: ")


@pytest.mark.parametrize("key", ["nowhere", "x" * 65, ""])
def test_a_configuration_that_is_not_here_is_not_run(bound, blue, editing, key):
    status = 400 if len(key) > 64 else 404
    refused(editing("POST", "/lm/executions", {"configurationId": key}), status)
    theirs = factories.configuration(blue).pk
    refused(editing("POST", "/lm/executions", {"configurationId": str(theirs)}), 404, "Nothing here")
    refused(editing("POST", f"/lm/configurations/{theirs}/executions"), 404, "Nothing here")
    refused(editing("POST", "/lm/configurations", {"configurationId": str(theirs)}), 404, "Nothing here")


def test_a_configuration_that_serves_is_not_run(bound, editing, red):
    rows = system_scope(red.workspace).of(Executable)
    rows.filter(pk=bound.executable_id).update(kind=Executable.Kind.SERVING)
    body = {"configurationId": str(bound.pk)}
    refused(editing("POST", "/lm/executions", body), 400, "petals-train serves", "deployment")


def test_a_list_by_every_filter(red, blue, bound, viewing):
    roses = factories.catalog_version(red, scenario="roses-tutorial", executable="roses-train")
    inputs = {"petals": factories.artifact(red)}
    other = factories.configuration(red, version=roses, parameters={"OWNER": "Ada"}, inputs=inputs)
    keys = [factories.execution(bound, status=status).pk for status in (*MOVING, *ENDED)]
    late = factories.execution(other, status=Status.COMPLETED).pk
    factories.execution(factories.configuration(blue))
    assert found(viewing) == [late, *keys[::-1]]
    for place, status in enumerate((*MOVING, *ENDED)):
        expected = [late, keys[place]] if status == Status.COMPLETED else [keys[place]]
        assert found(viewing, status=status) == expected
    assert found(viewing, status="UNKNOWN") == []
    assert found(viewing, configurationId=other.pk) == [late]
    assert found(viewing, configurationId="no-uuid") == []
    assert found(viewing, scenarioId="roses-tutorial") == [late]
    assert found(viewing, executableIds=f"{factories.EXECUTABLE},roses-train") == [late, *keys[::-1]]
    assert found(viewing, executableIds="roses-train", status="COMPLETED") == [late]
    assert found(viewing, executableIds="roses-train", scenarioId=factories.SCENARIO) == []
    assert found(viewing, executionScheduleId="1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed") == []
    parts = viewing("GET", "/lm/executions?top=2&skip=1").json()
    assert [one["id"] for one in parts["resources"]] == keys[:-3:-1]


@pytest.mark.parametrize(
    "query", ["status=DELETING", "status=running", "$select=id", "$top=100001", "configurationId=%00"]
)
def test_a_filter_that_is_none_is_refused(viewing, query):
    refused(viewing("GET", f"/lm/executions?{query}"), 400, query.split("=")[0])


def test_select_status_tells_exactly_what_clients_take(bound, viewing):
    key = factories.execution(bound, status=Status.RUNNING).pk
    (listed,) = viewing("GET", "/lm/executions?$select=status").json()["resources"]
    one = viewing("GET", f"/lm/executions/{key}?select=status").json()
    assert listed == one
    assert set(one) == {"id", "configurationId", "status", "createdAt", "modifiedAt", "statusDetails"}
    documents.AiExecutionStatus.model_validate_json(json.dumps(one))
    refused(viewing("GET", f"/lm/executions/{key}?$select=metrics"), 400, "$select")


def test_outputs_are_told_once_an_execution_has_completed(red, bound, viewing):
    done, running = (
        factories.execution(bound, status=status) for status in (Status.COMPLETED, Status.RUNNING)
    )
    rows = system_scope(red).of(Artifact)
    model = factories.artifact(red, kind="model", name="petal-model")
    rows.filter(pk=model.pk).update(execution=done)
    told = viewing("GET", f"/lm/executions/{done.pk}").json()
    (output,) = told["outputArtifacts"]
    assert (output["id"], output["kind"], output["executionId"]) == (str(model.pk), "model", done.pk)
    assert (output["configurationId"], output["scenarioId"]) == (str(bound.pk), factories.SCENARIO)
    assert {"startTime", "completionTime"} <= told.keys()
    listed = {
        one["id"]: one["outputArtifacts"] for one in viewing("GET", "/lm/executions").json()["resources"]
    }
    assert listed == {done.pk: [output], running.pk: []}


def test_reading_one_costs_few_queries(bound, viewing):
    costs = {}
    for status in (Status.RUNNING, Status.COMPLETED):
        key = factories.execution(bound, status=status).pk
        viewing("GET", f"/lm/executions/{key}")
        with CaptureQueriesContext(connection) as queries:
            viewing("GET", f"/lm/executions/{key}")
        costs[status] = reads(queries)
    assert costs == {Status.RUNNING: 3, Status.COMPLETED: 4}


def test_a_list_costs_the_same_at_any_length(bound, viewing):
    asked = []
    for _ in range(2):
        for status in (Status.COMPLETED, Status.RUNNING):
            factories.execution(bound, status=status)
        with CaptureQueriesContext(connection) as queries:
            viewing("GET", f"/lm/executions?executableIds={factories.EXECUTABLE}")
        asked.append(reads(queries))
    assert asked[0] >= asked[1]


@pytest.mark.parametrize(
    ("moves", "seen"),
    [
        ("RUNNING COMPLETED", "RUNNING>COMPLETED COMPLETED>COMPLETED"),
        (
            "RUNNING PENDING RUNNING DEAD",
            "RUNNING>COMPLETED PENDING>COMPLETED RUNNING>COMPLETED DEAD>COMPLETED",
        ),
        ("RUNNING stop STOPPED", "RUNNING>COMPLETED STOPPING>STOPPED STOPPED>STOPPED"),
        ("stop", "STOPPED>STOPPED"),
        ("DEAD", "DEAD>COMPLETED"),
    ],
)
def test_a_whole_life_is_told_with_its_target_and_its_end_is_final(bound, editing, moves, seen):
    made = editing("POST", "/lm/executions", {"configurationId": str(bound.pk)}).json()
    address = f"/lm/executions/{made['id']}"

    def told():
        one = editing("GET", address).json()
        return f"{one['status']}>{one['targetStatus']}"

    assert (made["status"], told()) == ("UNKNOWN", "PENDING>COMPLETED")
    statuses = []
    for move in moves.split():
        if move == "stop":
            editing("PATCH", address, {"targetStatus": "STOPPED"})
        else:
            enactments.transition(made["id"], Status(move), actor="w", next_attempt=1)
        statuses.append(told())
    assert statuses == seen.split()
    for status in (*MOVING, *ENDED):
        with pytest.raises(Conflict):
            enactments.transition(made["id"], status, actor="w")
    assert told() == statuses[-1]


@pytest.mark.parametrize("media", ["application/json", MERGE])
@pytest.mark.parametrize(
    ("status", "then"), [(Status.PENDING, Status.STOPPED), (Status.RUNNING, Status.STOPPING)]
)
def test_what_waits_or_runs_is_stopped(bound, editing, status, then, media):
    key = factories.execution(bound, status=status).pk
    answer = editing("PATCH", f"/lm/executions/{key}", {"targetStatus": "STOPPED"}, media=media)
    assert (answer.status_code, answer.json()) == (202, {"id": key, "message": MODIFIED})
    told = editing("GET", f"/lm/executions/{key}").json()
    assert (told["status"], told["targetStatus"]) == (then, "STOPPED")


@pytest.mark.parametrize("status", [Status.STOPPING, *ENDED, Status.DELETING])
def test_what_neither_waits_nor_runs_is_not_stopped(bound, editing, status):
    key = factories.execution(bound, status=status).pk
    answer = editing("PATCH", f"/lm/executions/{key}", {"targetStatus": "STOPPED"})
    refused(answer, 412, key, status.lower())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"targetStatus": "DELETED"},
        {"targetStatus": "RUNNING"},
        {"targetStatus": None},
        {"configurationId": "x"},
        [],
        "",
    ],
)
def test_a_change_that_is_none_is_refused(bound, editing, body):
    key = factories.execution(bound).pk
    refused(editing("PATCH", f"/lm/executions/{key}", body), 400)
    assert editing("GET", f"/lm/executions/{key}").json()["status"] == "PENDING"


@pytest.mark.parametrize("status", ENDED)
def test_what_has_ended_is_deleted(bound, editing, status):
    run = factories.execution(bound, status=status)
    answer = editing("DELETE", f"/lm/executions/{run.pk}")
    told = {"id": run.pk, "message": DELETED, "targetStatus": "DELETED"}
    assert (answer.status_code, answer.json()) == (202, told)
    # Until the sweep it has the status it had before.
    for told in (
        editing("GET", f"/lm/executions/{run.pk}").json(),
        editing("GET", "/lm/executions").json()["resources"][0],
    ):
        assert (told["status"], told["targetStatus"]) == (status, "DELETED")
    (select,) = editing("GET", "/lm/executions?$select=status").json()["resources"]
    assert select["status"] == status
    executions.purge_deleted(seconds=5)
    refused(editing("GET", f"/lm/executions/{run.pk}"), 404)
    assert found(editing) == []


@pytest.mark.parametrize("status", [*MOVING, Status.DELETING])
def test_what_has_not_ended_is_not_deleted(bound, editing, status):
    key = factories.execution(bound, status=status).pk
    refused(editing("DELETE", f"/lm/executions/{key}"), 412, key)


def wishes(*pairs):
    return {"executions": [{"id": key, "targetStatus": target} for key, target in pairs]}


def test_many_are_changed_each_on_its_own(red, blue, bound, editing):
    waiting, running, done, dead = (
        factories.execution(bound, status=status).pk
        for status in (Status.PENDING, Status.RUNNING, Status.COMPLETED, Status.DEAD)
    )
    theirs = factories.execution(factories.configuration(blue)).pk
    body = wishes(
        (waiting, "STOPPED"),
        (running, "DELETED"),
        (theirs, "STOPPED"),
        (done, "STOPPED"),
        ("e000000000000000", "DELETED"),
        (dead, "DELETED"),
    )
    answer = editing("PATCH", "/lm/executions", body, media=MERGE)
    assert answer.status_code == 202
    documents.AiExecutionBulkModificationResponse.model_validate_json(answer.content)
    outcomes = answer.json()["executions"]
    assert [one["id"] for one in outcomes] == [item["id"] for item in body["executions"]]
    assert outcomes[0] == {"id": waiting, "message": MODIFIED}
    assert outcomes[5] == {"id": dead, "message": DELETED}
    codes = [one["error"]["code"] for one in outcomes[1:5]]
    assert codes == ["01010412", "01010404", "01010412", "01010404"]
    for one in outcomes[1:5]:
        assert set(one) == {"id", "error"}
        assert set(one["error"]) == {"code", "message", "requestId", "target"}
        assert one["error"]["requestId"] == answer["X-Request-ID"]
    scope = system_scope(red)
    assert scope.get(Execution, pk=waiting).status == Status.STOPPED
    assert scope.get(Execution, pk=running).target_status == TargetStatus.COMPLETED
    assert scope.get(Execution, pk=dead).status == Status.DELETING
    assert system_scope(blue).get(Execution, pk=theirs).status == Status.PENDING


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "executions: "),
        ({"executions": []}, "executions: "),
        ({"executions": None}, "executions: "),
        (wishes(*((f"e{n:015}", "STOPPED") for n in range(101))), "100"),
        (wishes(("e000000000000000", "STOPPED"), ("e000000000000000", "DELETED")), "twice"),
        (wishes(("e000000000000000", "COMPLETED")), "executions.0.targetStatus"),
        ({"executions": [{"targetStatus": "STOPPED"}]}, "executions.0.id"),
        ({"executions": [7]}, "executions.0"),
    ],
)
def test_a_bad_body_refuses_the_whole_request(bound, editing, body, words):
    key = factories.execution(bound).pk
    if body.get("executions"):
        body = {"executions": [{"id": key, "targetStatus": "STOPPED"}, *body["executions"]]}
        words = words.replace(".0", ".1")
    refused(editing("PATCH", "/lm/executions", body, media=MERGE), 400, words)
    assert editing("GET", f"/lm/executions/{key}").json()["status"] == "PENDING"


def test_a_hundred_are_changed_at_once(bound, editing):
    keys = [factories.execution(bound).pk for _ in range(100)]
    answer = editing("PATCH", "/lm/executions", wishes(*((key, "STOPPED") for key in keys)))
    assert [one["message"] for one in answer.json()["executions"]] == [MODIFIED] * 100


def test_executions_of_another_group_are_not_found(bound, neighbouring):
    run = factories.execution(bound).pk
    for key in (run, "nowhere", "nul%00", "%ff", "x" * 300):
        refused(neighbouring("GET", f"/lm/executions/{key}"), 404, "Nothing here")
        refused(neighbouring("GET", f"/lm/executions/{key}?$select=status"), 404)
        refused(neighbouring("PATCH", f"/lm/executions/{key}", {"targetStatus": "STOPPED"}), 404)
        refused(neighbouring("DELETE", f"/lm/executions/{key}"), 404)
    assert found(neighbouring) == []
    assert found(neighbouring, configurationId=bound.pk) == []


def test_a_viewer_changes_nothing(bound, viewing):
    key = factories.execution(bound).pk
    for method, path, body in (
        ("POST", "", {"configurationId": str(bound.pk)}),
        ("PATCH", "", wishes((key, "STOPPED"))),
        ("PATCH", f"/{key}", {"targetStatus": "STOPPED"}),
        ("DELETE", f"/{key}", None),
    ):
        refused(viewing(method, f"/lm/executions{path}", body), 403, "editor")
    refused(viewing("POST", f"/lm/configurations/{bound.pk}/executions"), 403, "editor")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", path) for path in ("", "/$count", "/e000000000000000")),
        *(("PATCH", path) for path in ("", "/e000000000000000")),
        ("POST", ""),
        ("DELETE", "/e000000000000000"),
    ],
)
def test_a_call_names_its_group_and_has_a_token(red, editing, method, path):
    refused(editing(method, f"/lm/executions{path}", {}, ai_resource_group=None), 400, "AI-Resource-Group")
    refused(editing(method, f"/lm/executions{path}", {}, ai_resource_group="blue"), 404)
    refused(editing(method, f"/lm/executions{path}", {}, authorization=None), 401)


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", ""), ("DELETE", ""), ("POST", "/x"), ("PATCH", "/$count")]
)
def test_what_is_not_offered_is_refused(editing, method, path):
    refused(editing(method, f"/lm/executions{path}", {}), 405, method)


def test_an_unknown_media_type_is_refused(bound, editing):
    body = json.dumps({"configurationId": str(bound.pk)})
    refused(editing("POST", "/lm/executions", body, media="text/plain"), 415)
