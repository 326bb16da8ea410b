"""Models of both bundled scenarios, trained over the AI API on a running stack."""

from __future__ import annotations

from typing import Any

from tests.aiapi.client import Client
from tests.e2e.main_job import RUN_SECONDS
from tests.waiting import until

TEXT, DIGITS = "text-clf-tutorial", "digits"
SERVERS = {TEXT: ("text-clf-serve-onnx", "textmodel"), DIGITS: ("digits-serve", "digits-model")}
FEW_ROUNDS = {"ROUNDS": "10", "LEAVES": "[7]", "REQUIRED_ACCURACY": "0.8"}


def models(client: Client) -> dict[str, list[str]]:
    """Two versions of the text model and one of the digits': scenario → artifact ids, oldest first."""
    body = {"name": "sentences", "kind": "dataset", "url": "ai://default/data", "scenarioId": TEXT}
    data = client.call("POST", "/lm/artifacts", body, status=201, shape="ArtifactCreated")["id"]
    train = {"executable": "text-clf-train-tutorial", "inputs": {"text-data": data}}
    digits = _start(client, DIGITS, executable="digits-train", parameters=FEW_ROUNDS)
    first = _model(client, _start(client, TEXT, parameters={"EPOCHS": "20"}, **train))
    second = _model(client, _start(client, TEXT, parameters={"EPOCHS": "3"}, **train))
    return {TEXT: [first, second], DIGITS: [_model(client, digits)]}


def configuration(
    client: Client, scenario: str, executable: str, name: str, parameters: Any, inputs: Any
) -> str:
    """A configuration; its id. parameters, inputs: name → value or artifact id."""
    body = {
        "name": name,
        "scenarioId": scenario,
        "executableId": executable,
        "parameterBindings": [{"key": key, "value": value} for key, value in parameters.items()],
        "inputArtifactBindings": [{"key": key, "artifactId": value} for key, value in inputs.items()],
    }
    return str(client.call("POST", "/lm/configurations", body, status=201, shape="Done")["id"])


def served(client: Client, scenario: str, model: str, name: str) -> str:
    """A configuration that serves a model by the built-in server; its id."""
    executable, slot = SERVERS[scenario]
    return configuration(client, scenario, executable, name, {}, {slot: model})


def _start(client: Client, scenario: str, *, executable: str, parameters: Any, inputs: Any = None) -> str:
    bound = configuration(client, scenario, executable, f"train {scenario}", parameters, inputs or {})
    wanted = {"configurationId": bound}
    return str(client.call("POST", "/lm/executions", wanted, status=202, shape="ExecutionCreated")["id"])


def _model(client: Client, execution: str) -> str:
    """The model an execution makes, once it has."""

    def ended() -> dict[str, Any] | None:
        read = client.call("GET", f"/lm/executions/{execution}", status=200, shape="AiExecution")
        return read if read["status"] in ("COMPLETED", "DEAD", "STOPPED") else None

    read = until(ended, seconds=RUN_SECONDS, pause=0.5)
    assert read["status"] == "COMPLETED", read
    return str(read["outputArtifacts"][0]["id"])
