"""Artifacts over the AI API: registered, listed by every filter, counted, read, and never changed."""

import json
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from launchpad.access import Role, system_scope
from mlops import storage
from mlops.api import documents
from mlops.lifecycle import Status
from mlops.models import Artifact
from tests.mlops import factories
from tests.mlops.api.clients import caller, reads, refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]
BLUE = {"key": "ext.ai.sap.com/team", "value": "blue"}


@pytest.fixture(autouse=True)
def _own_store(settings, tmp_path):
    settings.LAUNCHPAD_DATA = tmp_path


@pytest.fixture
def version(red):
    return factories.catalog_version(red)


def data(group, path="data"):
    """A file in the group's store."""
    storage.open_store(group).write_tree(path, [("a.csv", [b"text\nhi\n"])])


def order(**changed):
    body = {
        "name": "tutorial-train-data",
        "kind": "dataset",
        "url": "ai://default/data",
        "scenarioId": factories.SCENARIO,
    }
    return body | changed


def found(client, **query):
    """Names in a list by a query, which the count with the same filters agrees with."""
    listed = client("GET", f"/lm/artifacts?{urlencode(query)}")
    assert listed.status_code == 200, listed.content
    told = documents.AiArtifacts.model_validate_json(listed.content)
    assert told.count == len(told.resources)
    count = client("GET", f"/lm/artifacts/$count?{urlencode(query)}")
    assert (count["Content-Type"], int(count.content)) == ("text/plain", told.count)
    return [one.name for one in told.resources]


def test_registering_answers_what_clients_read(red, version, editing):
    data(red)
    made = editing("POST", "/lm/artifacts", order(description="by hand", labels=[BLUE], executionId="x"))
    told = made.json()
    assert made.status_code == 201
    assert told == {"id": told["id"], "message": "Artifact acknowledged", "url": "ai://default/data"}
    assert made["Location"] == f"/v2/lm/artifacts/{told['id']}"
    read = editing("GET", f"/lm/artifacts/{told['id']}")
    artifact = documents.AiArtifact.model_validate_json(read.content)
    assert (artifact.name, artifact.kind, artifact.description) == (
        "tutorial-train-data",
        "dataset",
        "by hand",
    )
    assert (artifact.scenarioId, read.json()["labels"]) == (factories.SCENARIO, [BLUE])
    assert "scenario" not in read.json() and "executionId" not in read.json()


@pytest.mark.parametrize("changed", [{"labels": None}, {"url": "ai://default/data/"}, {"description": None}])
def test_null_labels_and_a_trailing_slash_are_taken(red, version, editing, changed):
    data(red)
    made = editing("POST", "/lm/artifacts", order(**changed))
    assert (made.status_code, made.json()["url"]) == (201, "ai://default/data")


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"url": "ai://default/elsewhere"}, 400, "Nothing is stored at ai://default/elsewhere"),
        ({"url": "s3://bucket/data"}, 400, "ai://"),
        ({"url": "ai://default/../../etc/passwd"}, 400, "contains"),
        ({"url": "ai://other/data"}, 400, "other"),
        ({"kind": "Dataset"}, 400, "kind"),
        ({"name": ""}, 400, "name"),
        ({"name": "x" * 257}, 400, "name"),
        ({"name": "nul\0"}, 400, "name"),
        ({"name": 7}, 400, "name"),
        ({"name": None}, 400, "name"),
        ({"description": "x" * 5001}, 400, "description"),
        ({"description": "nul\0"}, 400, "description"),
        ({"labels": [{"key": "team", "value": "blue"}]}, 400, "ext.ai.sap.com/"),
        ({"labels": [BLUE, BLUE]}, 400, "given twice"),
        ({"labels": {"key": "value"}}, 400, "labels"),
        ({"scenarioId": "nowhere"}, 404, "scenarios"),
        ({"scenarioId": "nul\0"}, 400, "scenarioId"),
        ({"scenarioId": "nowhere", "name": ""}, 400, "name"),
    ],
)
def test_what_cannot_be_registered_is_refused(red, version, editing, changed, status, words):
    data(red)
    refused(editing("POST", "/lm/artifacts", order(**changed)), status, words)
    assert not system_scope(red).of(Artifact).exists()


@pytest.mark.parametrize("body", ["", "{", "[]", "null", b"\xff", '{"name": "\\ud800"}', "[" * 100_000])
def test_a_body_that_is_no_object_is_refused(red, version, editing, body):
    refused(editing("POST", "/lm/artifacts", body), 400)


def test_anothers_data_is_not_registered(red, blue, version, editing):
    data(blue)
    refused(editing("POST", "/lm/artifacts", order()), 400, "Nothing is stored")
    refused(editing("POST", "/lm/artifacts", order(), ai_resource_group="blue"), 404)


def test_a_viewer_may_not_register(red, version, viewing):
    data(red)
    refused(viewing("POST", "/lm/artifacts", order()), 403, "editor")


def test_a_list_by_what_artifacts_are(red, blue, version, viewing):
    bound = factories.configuration(red, version=version, parameters={"OWNER": "Ada"}, inputs=inputs(red))
    run = factories.execution(bound, status=Status.COMPLETED)
    model = factories.artifact(red, kind=Artifact.Kind.MODEL, name="petal-model")
    rows = system_scope(red).of(Artifact)
    rows.filter(pk=model.pk).update(execution=run)
    factories.artifact(blue, name="theirs")
    assert found(viewing) == ["petal-model", "petals"]
    assert found(viewing, kind="model") == ["petal-model"]
    assert found(viewing, name="petals") == ["petals"]
    assert found(viewing, name="petal") == []
    assert found(viewing, scenarioId=factories.SCENARIO) == ["petal-model", "petals"]
    assert found(viewing, scenarioId="nowhere") == []
    assert found(viewing, executionId=run.pk) == ["petal-model"]
    assert found(viewing, executionId="e000000000000000") == []
    told = viewing("GET", f"/lm/artifacts/{model.pk}").json()
    assert (told["executionId"], told["configurationId"]) == (run.pk, str(bound.pk))


def inputs(group):
    return {"petals": factories.artifact(group)}


def test_a_list_in_parts(red, viewing):
    for name in ("first", "second", "third"):
        factories.artifact(red, name=name)
    assert found(viewing) == ["third", "second", "first"]
    for query, names in (
        ("$top=2", ["third", "second"]),
        ("top=1&skip=1", ["second"]),
        ("$skip=2", ["first"]),
        ("$top=0", []),
        ("skip=2147483647", []),
    ):
        told = viewing("GET", f"/lm/artifacts?{query}").json()
        assert [one["name"] for one in told["resources"]] == names
        assert told["count"] == len(names)


@pytest.mark.parametrize(
    ("words", "any_case", "names"),
    [
        ("Lens", False, ["Lens cut"]),
        ("lens", False, []),
        ("lens", True, ["Lens cut"]),
        ("50%_", False, ["other"]),
        ("50%_", True, ["other"]),
        ("5_%", True, []),
        ("a%t", False, []),
        ("s c", False, ["Lens cut"]),
    ],
)
def test_a_search_minds_the_case_and_takes_signs_literally(red, viewing, words, any_case, names):
    factories.artifact(red, name="Lens cut")
    factories.artifact(red, name="other", description="costs 50%_ less")
    query = {"$search": words} | ({"searchCaseInsensitive": "True"} if any_case else {})
    assert found(viewing, **query) == names


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("ext.ai.sap.com/team=blue", ["both", "one"]),
        ("ext.ai.sap.com/team!=blue", ["none"]),
        ("ext.ai.sap.com/team=blue,ext.ai.sap.com/stage=a{comma}b", ["both"]),
        ("ext.ai.sap.com/team=blue,ext.ai.sap.com/stage!=a{comma}b", ["one"]),
        ("ext.ai.sap.com/stage=blue", []),
        ("ext.ai.sap.com/team=blu", []),
    ],
)
def test_a_list_by_labels(red, viewing, selector, names):
    stage = {"key": "ext.ai.sap.com/stage", "value": "a,b"}
    rows = system_scope(red).of(Artifact)
    for name, labels in (("one", [BLUE]), ("both", [BLUE, stage]), ("none", [])):
        rows.filter(pk=factories.artifact(red, name=name).pk).update(labels=labels)
    assert sorted(found(viewing, artifactLabelSelector=selector)) == names


def test_a_scenario_is_told_whole_on_request(red, viewing):
    artifact = factories.artifact(red)
    for address in ("?$expand=scenario", f"/{artifact.pk}?$expand=scenario", "?expand=scenario"):
        told = viewing("GET", f"/lm/artifacts{address}").json()
        one = told["resources"][0] if "resources" in told else told
        assert documents.AiArtifact.model_validate_json(json.dumps(one)).scenario.id == factories.SCENARIO


@pytest.mark.parametrize(
    "query",
    ["$top=100001", "kind=pictures", "$expand=execution", "artifactLabelSelector=x", "$search=~", "name=%00"],
)
def test_a_filter_that_is_none_is_refused(viewing, query):
    refused(viewing("GET", f"/lm/artifacts?{query}"), 400, query.split("=")[0])


def test_a_list_costs_the_same_at_any_length(red, viewing):
    asked = []
    for _ in range(2):
        factories.artifact(red)
        factories.artifact(red)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            viewing("GET", "/lm/artifacts?$expand=scenario")
        asked.append(reads(queries))
    assert asked[0] >= asked[1]
    assert asked[1] <= 4


def test_artifacts_of_another_group_are_not_found(red, blue, neighbouring):
    artifact = factories.artifact(red)
    for key in (artifact.pk, "nowhere", "nul%00", "%ff"):
        refused(neighbouring("GET", f"/lm/artifacts/{key}"), 404, "Nothing here")
    assert found(neighbouring) == []
    assert found(caller(red, Role.VIEWER)) == ["petals"]


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "PUT", "POST"])
def test_artifacts_are_neither_changed_nor_deleted(red, editing, method):
    answer = editing(method, f"/lm/artifacts/{factories.artifact(red).pk}", {})
    refused(answer, 405, method)
    assert answer["Allow"] == "GET"


@pytest.mark.parametrize(("method", "path"), [("PATCH", ""), ("DELETE", ""), ("POST", "/$count")])
def test_the_list_is_neither_changed_nor_deleted(editing, method, path):
    refused(editing(method, f"/lm/artifacts{path}", {}), 405, method)


@pytest.mark.parametrize("path", ["", "/$count", "/nowhere"])
def test_a_call_names_its_group_and_has_a_token(red, viewing, path):
    refused(viewing("GET", f"/lm/artifacts{path}", ai_resource_group=None), 400, "AI-Resource-Group")
    refused(viewing("GET", f"/lm/artifacts{path}", ai_resource_group="blue"), 404)
    refused(viewing("GET", f"/lm/artifacts{path}", authorization="Bearer nonsense"), 401)
    refused(viewing("GET", f"/lm/artifacts{path}", authorization=None), 401)
