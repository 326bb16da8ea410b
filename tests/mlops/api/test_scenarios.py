"""Scenarios, versions, executables and models as clients of the AI API read them."""

import pytest

from launchpad.access import system_scope
from mlops.api import documents
from mlops.models import Executable
from tests.mlops import factories
from tests.mlops.api.clients import refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]
SCENARIO = f"/lm/scenarios/{factories.SCENARIO}"


@pytest.fixture
def version(red):
    return factories.catalog_version(red)


def test_scenarios_are_listed_and_told_one_by_one(version, viewing, green):
    factories.catalog_version(green, scenario="tulips-tutorial", executable="tulips-train")
    listed = viewing("GET", "/lm/scenarios")
    assert (listed.status_code, listed["Content-Type"]) == (200, "application/json")
    found = documents.AiScenarios.model_validate_json(listed.content)
    assert [one.id for one in found.resources] == [factories.SCENARIO]
    assert found.count == 1
    assert viewing("GET", SCENARIO).json() == listed.json()["resources"][0]


def test_versions_are_the_labels_of_all_executables(red, viewing, version):
    factories.catalog_version(red, version="2.0.0", executable="petals-other")
    factories.catalog_version(red, version="2.0.0", command="true")
    found = documents.AiVersions.model_validate_json(viewing("GET", f"{SCENARIO}/versions").content)
    assert [one.id for one in found.resources] == ["2.0.0", "1.0.0"]
    newest, oldest = found.resources
    assert newest.createdAt < newest.modifiedAt
    assert oldest.createdAt == oldest.modifiedAt


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("ext.ai.sap.com/team=blue", ["2.0.0"]),
        ("ext.ai.sap.com/team!=blue", ["1.0.0"]),
        ("ext.ai.sap.com/team=blue,ext.ai.sap.com/stage!=test", ["2.0.0"]),
        ("ext.ai.sap.com/team=Blue", []),
    ],
)
def test_versions_by_labels(red, viewing, version, selector, found):
    labelled = factories.template(version="2.0.0").replace(
        "    ai.sap.com/version:", "    ext.ai.sap.com/team: blue\n    ai.sap.com/version:"
    )
    factories.catalog_version(red, text=labelled)
    listed = viewing("GET", f"{SCENARIO}/versions?labelSelector={selector}").json()
    assert [one["id"] for one in listed["resources"]] == found


def test_an_executable_is_told_as_clients_insist(version, viewing):
    listed = viewing("GET", f"{SCENARIO}/executables")
    (found,) = documents.AiExecutables.model_validate_json(listed.content).resources
    assert (found.id, found.scenarioId, found.versionId) == (
        factories.EXECUTABLE,
        factories.SCENARIO,
        "1.0.0",
    )
    assert found.deployable is False
    told = viewing("GET", f"{SCENARIO}/executables/{factories.EXECUTABLE}").json()
    assert told == listed.json()["resources"][0]
    by_name = {one["name"]: one for one in told["parameters"]}
    assert by_name["EPOCHS"] == {
        "name": "EPOCHS",
        "description": "Passes over the data.",
        "type": "string",
        "default": "3",
    }
    assert "default" not in by_name["OWNER"]
    assert all(
        set(one) == {"name", "kind", "description", "labels"}
        for one in told["inputArtifacts"] + told["outputArtifacts"]
    )


def test_a_serving_executable_is_deployable(red, version, viewing):
    rows = system_scope(red.workspace).of(Executable)
    rows.filter(slug=factories.EXECUTABLE).update(kind=Executable.Kind.SERVING)
    assert viewing("GET", f"{SCENARIO}/executables/{factories.EXECUTABLE}").json()["deployable"] is True


def test_executables_are_told_in_the_version_asked_for(red, version, viewing):
    factories.catalog_version(red, version="2.0.0")
    for query, label in (("", "2.0.0"), ("?versionId=1.0.0", "1.0.0")):
        (found,) = viewing("GET", f"{SCENARIO}/executables{query}").json()["resources"]
        assert found["versionId"] == label
    assert viewing("GET", f"{SCENARIO}/executables?versionId=9").json() == {"count": 0, "resources": []}


@pytest.mark.parametrize("scenario", [factories.SCENARIO, "foundation-models"])
def test_there_are_no_foundation_models(version, viewing, scenario):
    """Clients of generative AI ask for foundation-models whether there is such a scenario or not."""
    assert viewing("GET", f"/lm/scenarios/{scenario}/models").json() == {"count": 0, "resources": []}


@pytest.mark.parametrize("address", ["", "/versions", "/executables", "/executables/tulips-train"])
def test_what_is_not_of_the_workspace_is_not_found(version, green, viewing, address):
    factories.catalog_version(green, scenario="tulips-tutorial", executable="tulips-train")
    for scenario in ("tulips-tutorial", "nul%00", "%ff", "x" * 300):
        refused(viewing("GET", f"/lm/scenarios/{scenario}{address}"), 404, "Nothing here")


def test_an_executable_is_found_in_its_own_scenario_only(red, version, viewing):
    factories.catalog_version(red, scenario="roses-tutorial", executable="roses-train")
    refused(viewing("GET", f"{SCENARIO}/executables/roses-train"), 404)


@pytest.mark.parametrize(
    "address",
    ["", f"/{factories.SCENARIO}", *(f"/{factories.SCENARIO}/{part}" for part in ("versions", "models"))],
)
def test_the_catalog_is_read_only_and_asks_for_a_group(version, viewing, address):
    refused(viewing("POST", f"/lm/scenarios{address}", {}), 405, "GET is")
    refused(viewing("GET", f"/lm/scenarios{address}", ai_resource_group=None), 400, "AI-Resource-Group")
    refused(viewing("GET", f"/lm/scenarios{address}", ai_resource_group="blue"), 404)


def test_a_selector_that_is_none_is_refused(version, viewing):
    refused(viewing("GET", f"{SCENARIO}/versions?labelSelector=team"), 400, "labelSelector holds conditions")
