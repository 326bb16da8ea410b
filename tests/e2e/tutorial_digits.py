"""The other bundled scenario over the AI API: the second model is rolled in while calls go on."""

from __future__ import annotations

from typing import Any

from tests.aiapi.client import Client
from tests.e2e import trained, tutorial_serving
from tests.e2e.main_job import Person


def serve(client: Client, other: Client, executions: list[str], person: Person) -> None:
    """From the executions that train two models to a deployment that went from the first to the second."""
    models = trained.digit_models(client, executions)
    first, second = (trained.served(client, trained.DIGITS, model, "serve digits") for model in models)
    wanted = {"configurationId": first}
    made = client.call("POST", "/lm/deployments", wanted, status=202, shape="DeploymentCreated")
    deployment = str(made["id"])
    tutorial_serving.wait_for(other, deployment, "RUNNING")
    assert read(other, deployment, "1") == 0
    asking = tutorial_serving.Asking(
        client,
        deployment,
        "/v1/predict",
        {"rows": [trained.NOUGHT]},
        lambda told: told["predictions"][0]["probability"],
    )
    tutorial_serving.rolled_over(client, deployment, second, person, asking)
    assert read(other, deployment, "2") == 0


def read(client: Client, deployment: str, revision: str) -> Any:
    """What a revision reads of a picture by the Open Inference Protocol."""
    pixels = {"name": "pixels", "datatype": "FP32", "shape": [1, 64], "data": trained.NOUGHT}
    path = f"/inference/deployments/{deployment}/v2/models/digits-model/infer"
    answer = client.send("POST", path, json={"inputs": [pixels], "outputs": [{"name": "label"}]})
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-launchpad-revision"] == revision
    (label,) = answer.json()["outputs"]
    (digit,) = label["data"]
    return digit
