"""Configurations over the AI API: made as the tutorial does, listed by every filter, counted, read."""

from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from launchpad.access import system_scope
from mlops.api import documents
from mlops.models import Configuration
from tests.mlops import factories
from tests.mlops.api.clients import reads, refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def version(red):
    return factories.catalog_version(red)


@pytest.fixture
def petals(red):
    return factories.artifact(red)


def order(petals, **changed):
    body = {
        "name": "three epochs",
        "scenarioId": factories.SCENARIO,
        "executableId": factories.EXECUTABLE,
        "versionId": "0.0.1",
        "parameterBindings": [{"key": "OWNER", "value": "Ada"}],
        "inputArtifactBindings": [{"key": "petals", "artifactId": str(petals.pk)}],
    }
    return body | changed


def found(client, **query):
    """Names in a list by a query, which the count with the same filters agrees with."""
    listed = client("GET", f"/lm/configurations?{urlencode(query)}")
    assert listed.status_code == 200, listed.content
    told = documents.AiConfigurations.model_validate_json(listed.content)
    assert told.count == len(told.resources)
    count = client("GET", f"/lm/configurations/$count?{urlencode(query)}")
    assert (count["Content-Type"], int(count.content)) == ("text/plain", told.count)
    return [one.name for one in told.resources]


def test_a_configuration_binds_what_the_body_says(version, petals, editing):
    made = editing("POST", "/lm/configurations", order(petals))
    told = made.json()
    assert made.status_code == 201
    assert told == {"id": told["id"], "message": "Configuration created"}
    assert made["Location"] == f"/v2/lm/configurations/{told['id']}"
    read = editing("GET", f"/lm/configurations/{told['id']}")
    documents.AiConfiguration.model_validate_json(read.content)
    body = read.json()
    assert (body["name"], body["scenarioId"], body["executableId"]) == (
        "three epochs",
        factories.SCENARIO,
        factories.EXECUTABLE,
    )
    assert {"key": "OWNER", "value": "Ada"} in body["parameterBindings"]
    assert {"key": "EPOCHS", "value": "3"} in body["parameterBindings"]
    assert body["inputArtifactBindings"] == [{"key": "petals", "artifactId": str(petals.pk)}]
    assert "scenario" not in body


def test_the_newest_version_is_bound_whatever_the_body_says(red, version, petals, editing):
    newer = factories.catalog_version(red, version="2.0.0")
    key = editing("POST", "/lm/configurations", order(petals, versionId="1.0.0")).json()["id"]
    assert system_scope(red).get(Configuration, pk=key).executable_version == newer


def test_bindings_may_be_null_where_the_executable_needs_none(red, editing):
    text = factories.template().replace(
        "        description: Who answers for the model.", "        default: Ada"
    )
    optional = text.replace("/app/petals\n", "/app/petals\n            optional: true\n")
    factories.catalog_version(red, text=optional)
    for bindings in (None, []):
        body = order(factories.artifact(red), parameterBindings=bindings, inputArtifactBindings=bindings)
        assert editing("POST", "/lm/configurations", body).status_code == 201


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"name": ""}, 400, "name"),
        ({"name": "line\nbreak"}, 400, "name"),
        ({"name": "x" * 257}, 400, "name"),
        ({"executableId": "nowhere"}, 404, "executable"),
        ({"scenarioId": "nowhere"}, 404, "executable"),
        ({"scenarioId": "nul\0"}, 400, "NUL"),
        ({"scenarioId": "roses-tutorial"}, 404, "executable"),
        ({"scenarioId": None}, 400, "scenarioId"),
        ({"parameterBindings": []}, 400, "OWNER needs a value"),
        ({"parameterBindings": [{"key": "SIZE", "value": "1"}]}, 400, "no parameter 'SIZE'"),
        ({"parameterBindings": [{"key": "OWNER", "value": 1}]}, 400, "parameterBindings.0.value"),
        ({"parameterBindings": [{"key": "OWNER", "value": "nul\0"}]}, 400, "NUL"),
        ({"parameterBindings": [{"key": "OWNER"}]}, 400, "parameterBindings.0.value"),
        ({"parameterBindings": [{"key": "OWNER", "value": "x" * 5001}]}, 400, "parameterBindings.0.value"),
        ({"parameterBindings": [{"key": "OWNER", "value": "Ada"}] * 2}, 400, "holds a key twice"),
        ({"parameterBindings": [{"key": f"P{n}", "value": ""} for n in range(1001)]}, 400, "1000"),
        ({"parameterBindings": [{"key": "MODE", "value": "odd"}]}, 400, "MODE is one of"),
        ({"inputArtifactBindings": []}, 400, "Choose a dataset for petals"),
        ({"inputArtifactBindings": [{"key": "petals", "artifactId": "x"}]}, 404, "no such artifact"),
        ({"inputArtifactBindings": [{"key": "roses", "artifactId": "x"}]}, 400, "no input 'roses'"),
    ],
)
def test_what_cannot_be_bound_is_refused(red, version, petals, editing, changed, status, words):
    factories.catalog_version(red, scenario="roses-tutorial", executable="roses-train")
    refused(editing("POST", "/lm/configurations", order(petals, **changed)), status, words)
    assert not system_scope(red).of(Configuration).exists()


def test_an_artifact_of_another_group_or_kind_is_not_bound(red, blue, version, petals, editing):
    theirs = factories.artifact(blue)
    binding = [{"key": "petals", "artifactId": str(theirs.pk)}]
    refused(editing("POST", "/lm/configurations", order(petals, inputArtifactBindings=binding)), 404)
    model = factories.artifact(red, kind="model")
    binding = [{"key": "petals", "artifactId": str(model.pk)}]
    refused(editing("POST", "/lm/configurations", order(petals, inputArtifactBindings=binding)), 400, "model")


def test_a_viewer_may_not_configure(version, petals, viewing):
    refused(viewing("POST", "/lm/configurations", order(petals)), 403, "editor")


def test_a_list_by_name_scenario_and_executable(red, blue, version, petals, viewing):
    other = factories.catalog_version(red, scenario="roses-tutorial", executable="roses-train")
    for name, of in (("Alpha 50%_", version), ("alpha", other)):
        factories.configuration(
            red, name=name, version=of, parameters={"OWNER": "Ada"}, inputs={"petals": petals}
        )
    factories.configuration(blue, name="theirs")
    assert found(viewing) == ["alpha", "Alpha 50%_"]
    assert found(viewing, scenarioId="roses-tutorial") == ["alpha"]
    assert found(viewing, executableIds=factories.EXECUTABLE) == ["Alpha 50%_"]
    assert found(viewing, executableIds="roses-train,petals-train") == ["alpha", "Alpha 50%_"]
    assert found(viewing, executableIds="roses-train", scenarioId=factories.SCENARIO) == []
    assert found(viewing, executableIds="nowhere") == []
    assert found(viewing, **{"$search": "alpha"}) == ["alpha"]
    assert found(viewing, search="alpha", searchCaseInsensitive="True") == ["alpha", "Alpha 50%_"]
    assert found(viewing, search="50%_") == ["Alpha 50%_"]
    assert found(viewing, search="A%a") == []
    assert [one["name"] for one in viewing("GET", "/lm/configurations?top=1&skip=1").json()["resources"]] == [
        "Alpha 50%_"
    ]


def test_a_scenario_is_told_whole_on_request(red, viewing):
    key = factories.configuration(red).pk
    for address in ("?$expand=scenario", f"/{key}?$expand=scenario"):
        answer = viewing("GET", f"/lm/configurations{address}").json()
        told = answer["resources"][0] if "resources" in answer else answer
        assert told["scenario"]["id"] == factories.SCENARIO


@pytest.mark.parametrize("query", ["$top=-1", "executableIds=,", "$expand=executable", "$search="])
def test_a_filter_that_is_none_is_refused(viewing, query):
    refused(viewing("GET", f"/lm/configurations?{query}"), 400, query.split("=")[0])


def test_a_list_costs_the_same_at_any_length(red, version, petals, viewing):
    asked = []
    for _ in range(2):
        for _ in range(2):
            factories.configuration(
                red, version=version, parameters={"OWNER": "Ada"}, inputs={"petals": petals}
            )
        with CaptureQueriesContext(connection) as queries:
            viewing("GET", "/lm/configurations?$expand=scenario")
        asked.append(reads(queries))
    assert asked[0] >= asked[1]
    assert asked[1] <= 6


def test_configurations_of_another_group_are_not_found(red, neighbouring):
    configuration = factories.configuration(red)
    for key in (configuration.pk, "nowhere", "nul%00", "%ff"):
        refused(neighbouring("GET", f"/lm/configurations/{key}"), 404, "Nothing here")
    assert found(neighbouring) == []


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "PUT", "POST"])
def test_configurations_are_neither_changed_nor_deleted(red, editing, method):
    key = factories.configuration(red).pk
    refused(editing(method, f"/lm/configurations/{key}", {}), 405, method)
    refused(editing("DELETE", "/lm/configurations"), 405)


@pytest.mark.parametrize("path", ["", "/$count", "/nowhere"])
def test_a_call_names_its_group_and_has_a_token(red, viewing, path):
    refused(viewing("GET", f"/lm/configurations{path}", ai_resource_group=None), 400, "AI-Resource-Group")
    refused(viewing("GET", f"/lm/configurations{path}", ai_resource_group="blue"), 404)
    refused(viewing("GET", f"/lm/configurations{path}", authorization=None), 401)
