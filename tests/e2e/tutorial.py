"""The tutorial of the AI API from its first call to its last, by a plain client, with a person watching.

`walk` is the same for every stack: it gets a client with a key of an editor in the group `tutorial`, a second
client whose base address is written the other way, and a person signed in as the editor.
"""

from __future__ import annotations

import re
from typing import Any

from tests.aiapi.client import MERGE, Client
from tests.e2e import trained, tutorial_digits, tutorial_schedules, tutorial_serving
from tests.e2e.main_job import TUTORIAL, Person
from tests.waiting import until

SCENARIO, EXECUTABLE = "text-clf-tutorial", "text-clf-train-tutorial"
RUN_SECONDS = 420
LABELS = [{"key": "ext.ai.sap.com/source", "value": "tutorial"}]
STATUS_ONLY = {"id", "configurationId", "status", "createdAt", "modifiedAt", "statusDetails"}


def walk(client: Client, other: Client, person: Person) -> None:
    """Every row of the tutorial, and what becomes of it in the pages."""
    look_around(client, other)
    dataset = register(client, other, person)
    configuration = configure(client, dataset, person)
    quick = client.call("POST", "/lm/configurations", _configuration(dataset, 1), status=201, shape="Done")
    schedule = tutorial_schedules.begin(client, other, str(quick["id"]))
    execution = run(client, other, configuration, person)
    model = outcome(client, execution, configuration, person)
    metrics(client, execution, person)
    swapped(client, configuration, dataset)
    stop_and_delete(client, configuration)
    tutorial_schedules.see_through(client, other, schedule, person)
    from_the_pages(client, person)
    again = train_again(client, dataset)
    # Trained while the other scenario is served.
    digits = trained.begin_digits(client)
    tutorial_serving.serve(client, other, (model, again), person)
    tutorial_digits.serve(client, other, digits, person)
    assert (client.tokens, other.tokens) == (1, 1)


def look_around(client: Client, other: Client) -> None:
    """Row 1, and what clients ask first."""
    scenarios = client.call("GET", "/lm/scenarios", status=200, shape="Scenarios")
    assert scenarios["count"] == len(scenarios["resources"])
    assert SCENARIO in [one["id"] for one in scenarios["resources"]]
    assert other.call("GET", "/lm/scenarios", status=200, shape="Scenarios") == scenarios
    meta = client.call("GET", "/lm/meta", status=200, shape="Meta")["aiApi"]["capabilities"]
    assert meta["userDeployments"] and meta["timeToLiveDeployments"]
    assert meta["userExecutions"] and meta["executionSchedules"]
    assert meta["logs"] == meta["bulkUpdates"] == {"executions": True, "deployments": True}
    other.call("GET", "/lm/meta/versions", status=200, shape="MetaVersions")
    assert other.call("GET", "/lm/healthz", status=200, shape="Health")["status"] == "READY"
    client.call("GET", f"/lm/scenarios/{SCENARIO}", status=200, shape="AiScenario")
    client.call("GET", f"/lm/scenarios/{SCENARIO}/versions", status=200, shape="Versions")
    found = client.call("GET", f"/lm/scenarios/{SCENARIO}/executables", status=200, shape="Executables")
    (trainer,) = [one for one in found["resources"] if one["id"] == EXECUTABLE]
    assert not trainer["deployable"]
    assert [one["name"] for one in trainer["inputArtifacts"]] == ["text-data"]
    assert {one["type"] for one in trainer["parameters"]} == {"string"}
    client.call("GET", "/lm/scenarios/foundation-models/models", status=200, shape="Models")
    groups = other.call("GET", "/admin/resourceGroups", status=200, shape="ResourceGroups")
    assert "tutorial" in [one["resourceGroupId"] for one in groups["resources"]]


def register(client: Client, other: Client, person: Person) -> str:
    """Row 2; the artifact's id."""
    body = {
        "name": "tutorial-train-data",
        "kind": "dataset",
        "url": "ai://default/data",
        "description": "Labelled sentences",
        "scenarioId": SCENARIO,
        "labels": LABELS,
    }
    made = client.call("POST", "/lm/artifacts", body, status=201, shape="ArtifactCreated")
    assert made["message"] == "Artifact acknowledged"
    assert made["url"].rstrip("/") == "ai://default/data"
    read = client.call("GET", f"/lm/artifacts/{made['id']}", status=200, shape="AiArtifact")
    assert {key: read[key] for key in body} == body
    listed = other.call(
        "GET",
        "/lm/artifacts",
        status=200,
        shape="Artifacts",
        kind="dataset",
        scenarioId=SCENARIO,
        artifactLabelSelector=["ext.ai.sap.com/source=tutorial"],
        searchCaseInsensitive=True,
        dollar_search="TRAIN-DATA",
        top=5,
    )
    assert [one["id"] for one in listed["resources"]] == [made["id"]]
    assert client.call("GET", "/lm/artifacts", status=200, shape="Artifacts", skip=1000)["count"] == 0
    assert client.call("GET", "/lm/artifacts/$count", status=200, shape="integer", kind="dataset") >= 1
    page = person.get(f"{TUTORIAL}/datasets/{made['id']}/")
    assert "tutorial-train-data" in page and "Labelled sentences" in page
    client.call("POST", "/lm/artifacts", body | {"url": "ai://default/nothing"}, status=400)
    return str(made["id"])


def configure(client: Client, dataset: str, person: Person) -> str:
    """Row 3; the configuration's id."""
    body = _configuration(dataset)
    made = client.call("POST", "/lm/configurations", body, status=201, shape="Done")
    assert made["message"] == "Configuration created"
    read = client.call("GET", f"/lm/configurations/{made['id']}", status=200, shape="AiConfiguration")
    assert {"key": "EPOCHS", "value": "20"} in read["parameterBindings"]
    assert read["inputArtifactBindings"] == body["inputArtifactBindings"]
    listed = client.call(
        "GET",
        "/lm/configurations",
        status=200,
        shape="Configurations",
        executableIds=[EXECUTABLE, "another-one"],
        dollar_expand="scenario",
    )
    assert made["id"] in [one["id"] for one in listed["resources"]]
    assert {one["scenario"]["id"] for one in listed["resources"]} == {SCENARIO}
    assert "twenty epochs" in person.get(f"{TUTORIAL}/configurations/{made['id']}/")
    return str(made["id"])


def _configuration(dataset: str, epochs: int = 20) -> dict[str, Any]:
    return {
        "name": "twenty epochs" if epochs == 20 else f"{epochs} epochs",
        "scenarioId": SCENARIO,
        "executableId": EXECUTABLE,
        "versionId": "0.0.1",
        "parameterBindings": [{"key": "EPOCHS", "value": str(epochs)}],
        "inputArtifactBindings": [{"key": "text-data", "artifactId": dataset}],
    }


def run(client: Client, other: Client, configuration: str, person: Person) -> str:
    """Rows 4 and 5; the id of the execution, which has completed."""
    made = client.call(
        "POST", "/lm/executions", {"configurationId": configuration}, status=202, shape="ExecutionCreated"
    )
    assert (made["message"], made["status"]) == ("Execution scheduled", "UNKNOWN")
    assert made["targetStatus"] == "COMPLETED"
    execution = str(made["id"])
    assert re.fullmatch(r"e[0-9a-f]{15}", execution)
    assert execution in person.get(f"{TUTORIAL}/executions/")
    client.call("DELETE", f"/lm/executions/{execution}", status=412)

    def ended() -> str | None:
        address = f"/lm/executions/{execution}"
        read = other.call("GET", address, status=200, shape="ExecutionStatus", dollar_select="status")
        assert set(read) <= STATUS_ONLY
        return read["status"] if read["status"] in ("COMPLETED", "DEAD", "STOPPED") else None

    status = until(ended, seconds=RUN_SECONDS, pause=0.5)
    log = client.call(
        "GET", f"/lm/executions/{execution}/logs", status=200, shape="Log", start="2020-01-01T00:00:00Z"
    )
    assert status == "COMPLETED", log["data"]["result"][-20:]
    assert any("epoch 20/20" in line["msg"] for line in log["data"]["result"])
    newest = client.call(
        "GET", f"/lm/executions/{execution}/logs", status=200, shape="Log", order="desc", top=3
    )
    assert newest["data"]["result"] == log["data"]["result"][::-1][:3]
    return execution


def outcome(client: Client, execution: str, configuration: str, person: Person) -> str:
    """The end of row 5; the id of the model."""
    read = client.call("GET", f"/lm/executions/{execution}", status=200, shape="AiExecution")
    (model,) = read["outputArtifacts"]
    assert model["url"] == f"ai://default/{execution}/text-model-tutorial"
    assert (model["kind"], model["executionId"]) == ("model", execution)
    assert (model["configurationId"], model["scenarioId"]) == (configuration, SCENARIO)
    assert read["submissionTime"] <= read["startTime"] <= read["completionTime"]
    asked = {"executableIds": [EXECUTABLE], "status": "COMPLETED", "configurationId": configuration}
    listed = client.call("GET", "/lm/executions", status=200, shape="Executions", asked=asked)
    assert [one["id"] for one in listed["resources"]] == [execution]
    brief = client.call(
        "GET", "/lm/executions", status=200, shape="ExecutionStatuses", dollar_select="status", asked=asked
    )
    assert [one["status"] for one in brief["resources"]] == ["COMPLETED"]
    assert client.call("GET", "/lm/executions/$count", status=200, shape="integer", asked=asked) == 1
    assert 'data-status="COMPLETED"' in person.get(f"{TUTORIAL}/executions/{execution}/")
    assert "text-model-tutorial" in person.get(f"{TUTORIAL}/models/")
    return str(model["id"])


def metrics(client: Client, execution: str, person: Person) -> None:
    """Rows 6 and 7, beside what the run itself has reported without a key."""

    def read(**selection: Any) -> dict[str, Any]:
        found = client.call("GET", "/lm/metrics", status=200, shape="Metrics", **selection)
        (resource,) = found["resources"]
        assert resource["executionId"] == execution
        return resource

    own = read(executionIds=[execution])
    losses = [one for one in own["metrics"] if one["name"] == "train_loss"]
    assert sorted(one["step"] for one in losses) == list(range(1, 21))
    bound = {"name": "metrics.ai.sap.com/Artifact.name", "value": "text-model-tutorial"}
    assert bound in next(one for one in own["metrics"] if one["name"] == "accuracy")["labels"]
    assert "confusion_matrix" in [one["name"] for one in own["customInfo"]]
    more = {
        "executionId": execution,
        "metrics": [
            {
                "name": "Error Rate",
                "value": 0.98,
                "timestamp": "2026-11-21T06:09:53Z",
                "step": 2,
                "labels": [],
            },
            {"name": "loss", "value": 1, "timestamp": None},
        ],
        "tags": [{"name": "Artifact Group", "value": "RFC-1"}],
        "customInfo": [{"name": "note", "value": "[1, 2]"}],
    }
    client.call("PATCH", "/lm/metrics", more, status=204, media=MERGE)
    later = {"executionId": execution, "metrics": [{"name": "loss", "value": 0.5}]}
    client.call("PATCH", "/lm/metrics", later, status=204)
    both = read(dollar_filter=f"executionId eq '{execution}'")
    assert len(both["metrics"]) == len(own["metrics"]) + 3
    assert {"name": "Error Rate", "value": 0.98} in [
        {key: one[key] for key in ("name", "value")} for one in both["metrics"]
    ]
    assert "metrics" not in read(executionIds=[execution], dollar_select=["tags", "customInfo"])
    tagged = read(tagFilters="Artifact Group=RFC-1")
    assert {"name": "Artifact Group", "value": "RFC-1"} in tagged["tags"]
    page = person.get(f"{TUTORIAL}/executions/{execution}/?tab=metrics")
    assert "Error Rate" in page
    assert "RFC-1" in page
    client.call("DELETE", "/lm/metrics", status=200, shape="Done", executionId=execution)
    client.call("DELETE", "/lm/metrics", status=404, executionId=execution)
    assert "Error Rate" not in person.get(f"{TUTORIAL}/executions/{execution}/?tab=metrics")


def swapped(client: Client, configuration: str, dataset: str) -> None:
    """The tutorial that takes each POST for the other, and the deprecated row 4b."""
    started = []
    for path, sent in (
        (f"/lm/configurations/{configuration}/executions", None),
        ("/lm/configurations", {"configurationId": configuration}),
    ):
        answer = client.send("POST", path, json=sent) if sent else client.send("POST", path)
        assert answer.status_code == 202, answer.text
        assert answer.json()["message"] == "Execution scheduled"
        assert "Deprecation" in answer.headers
        started.append(answer.json()["id"])
    answer = client.send("POST", "/lm/executions", json=_configuration(dataset))
    assert answer.status_code == 201, answer.text
    assert "Deprecation" in answer.headers and "/v2/lm/configurations" in answer.headers["Link"]
    address = f"/lm/configurations/{answer.json()['id']}"
    client.call("GET", address, status=200, shape="AiConfiguration")
    client.call("POST", "/lm/executions", {"name": "neither"}, status=400)
    many = [{"id": one, "targetStatus": "STOPPED"} for one in (*started, "e000000000000000")]
    said = client.call(
        "PATCH", "/lm/executions", {"executions": many}, status=202, shape="ExecutionsChanged", media=MERGE
    )
    assert ["error" in one for one in said["executions"]] == [False, False, True]
    assert [one["id"] for one in said["executions"]] == [one["id"] for one in many]


def stop_and_delete(client: Client, configuration: str) -> None:
    """What the tutorial does with executions that are not wanted any more."""
    made = client.call(
        "POST", "/lm/executions", {"configurationId": configuration}, status=202, shape="ExecutionCreated"
    )
    address = f"/lm/executions/{made['id']}"
    client.call("PATCH", address, {"targetStatus": "DELETED"}, status=400)
    client.call("PATCH", address, {"targetStatus": "STOPPED"}, status=202, shape="Done")

    def stopped() -> bool:
        return client.call("GET", address, status=200, shape="AiExecution")["status"] == "STOPPED"

    until(stopped)
    refused = client.send("PATCH", address, json={"targetStatus": "STOPPED"})
    assert refused.status_code in (400, 412), refused.text
    client.call("DELETE", address, status=202, shape="Done")
    until(lambda: client.send("GET", address).status_code == 404)
    client.call("GET", address, status=404)


def from_the_pages(client: Client, person: Person) -> None:
    """What is done in the pages is there for clients at once."""
    form = {"name": "by-hand", "way": "address", "url": "ai://default/data", "scenario": SCENARIO}
    page = person.post(f"{TUTORIAL}/datasets/register", form)
    found = re.search(r"/datasets/([0-9a-f-]{36})", str(page.url))
    assert found, page.url
    read = client.call("GET", "/lm/artifacts", status=200, shape="Artifacts", name="by-hand")
    assert [one["id"] for one in read["resources"]] == [found[1]]
    made = client.call("POST", "/lm/configurations", _configuration(found[1]), status=201, shape="Done")
    page = person.post(f"{TUTORIAL}/executions/create", {"configuration": made["id"]})
    started = re.search(r"/executions/(e[0-9a-f]{15})", str(page.url))
    assert started, page.url
    address = f"/lm/executions/{started[1]}"
    assert client.call("GET", address, status=200, shape="AiExecution")["targetStatus"] == "COMPLETED"
    person.post(f"{TUTORIAL}/executions/{started[1]}/stop", {})
    assert client.call("GET", address, status=200, shape="AiExecution")["targetStatus"] == "STOPPED"


def train_again(client: Client, dataset: str) -> str:
    """A second version of the model, by fewer epochs; its id."""
    made = client.call("POST", "/lm/configurations", _configuration(dataset, 3), status=201, shape="Done")
    wanted = {"configurationId": made["id"]}
    started = client.call("POST", "/lm/executions", wanted, status=202, shape="ExecutionCreated")

    def ended() -> dict[str, Any] | None:
        read = client.call("GET", f"/lm/executions/{started['id']}", status=200, shape="AiExecution")
        return read if read["status"] in ("COMPLETED", "DEAD", "STOPPED") else None

    read = until(ended, seconds=RUN_SECONDS, pause=0.5)
    assert read["status"] == "COMPLETED"
    return str(read["outputArtifacts"][0]["id"])
