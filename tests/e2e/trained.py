"""Models of both bundled scenarios, trained over the AI API on a running stack."""

from __future__ import annotations

from typing import Any

from tests.aiapi.client import Client
from tests.e2e.main_job import RUN_SECONDS
from tests.waiting import until

# Of `create_service_key`: what it is for.
KEY = ("--workspace", "local", "--resource-group", "tutorial", "--role", "mloperations_editor")
TEXT, DIGITS = "text-clf-tutorial", "digits"
SERVERS = {TEXT: ("text-clf-serve-onnx", "textmodel"), DIGITS: ("digits-serve", "digits-model")}
# A nought of 8 by 8 pixels, as the digits of the scenario are: 0 to 16, bright on dark, row by row.
_ROWS = ["00000000", "00999900", "09900990", "09900990", "09900990", "09900990", "00999900", "00000000"]
NOUGHT = [int(one) for row in _ROWS for one in row]
FEW_ROUNDS = {"ROUNDS": "10", "LEAVES": "[7]", "REQUIRED_ACCURACY": "0.8"}


def models(client: Client) -> dict[str, list[str]]:
    """Two versions of either model: scenario → artifact ids, oldest first."""
    body = {"name": "sentences", "kind": "dataset", "url": "ai://default/data", "scenarioId": TEXT}
    data = client.call("POST", "/lm/artifacts", body, status=201, shape="ArtifactCreated")["id"]
    train = {"executable": "text-clf-train-tutorial", "inputs": {"text-data": data}}
    digits = begin_digits(client)
    first = _model(client, _start(client, TEXT, parameters={"EPOCHS": "20"}, **train))
    second = _model(client, _start(client, TEXT, parameters={"EPOCHS": "3"}, **train))
    return {TEXT: [first, second], DIGITS: digit_models(client, digits)}


def begin_digits(client: Client) -> list[str]:
    """Have two models of the digits trained that answer differently; the executions that make them."""
    return [
        _start(client, DIGITS, executable="digits-train", parameters=FEW_ROUNDS | {"ROUNDS": rounds})
        for rounds in ("10", "12")
    ]


def digit_models(client: Client, executions: list[str]) -> list[str]:
    """The models that executions make, once they have; oldest first, whichever was done first."""
    made = [_model(client, execution) for execution in executions]
    found = client.call(
        "GET", "/lm/artifacts", status=200, shape="Artifacts", kind="model", scenarioId=DIGITS
    )
    ages = {one["id"]: one["createdAt"] for one in found["resources"]}
    return sorted(made, key=lambda model: str(ages[model]))


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
