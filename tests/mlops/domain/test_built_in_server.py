"""Models that are deployed without code, by the real engine: the built-in server in its sandbox."""

import json
from pathlib import Path

import httpx
import pytest

from launchpad.access import system_scope
from mlops.domain import deployments
from mlops.lifecycle import Status
from tests.mlops import deploying, factories
from tests.mlops.serving_server import graphs
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True)]
TEMPLATE = Path(__file__).parents[3] / "mlops" / "examples" / "digits" / "digits-serve.yaml"
PIXELS = [0] * 7 + [16] + [0] * 56


@pytest.fixture
def deploy(settings):
    """Deploy a model of these files with the template of the digits."""
    settings.DEPLOYMENT_BACKOFF_SECONDS = 0.05
    settings.DEPLOYMENT_RESTARTS = 1
    settings.PROBE_SECONDS = 0.1

    def deploy(files):
        group = factories.place()
        version = factories.catalog_version(group, text=TEMPLATE.read_text())
        model = factories.artifact(group, kind="model", name="digits-model", files=files)
        bound = factories.configuration(group, version=version, parameters={}, inputs={"digits-model": model})
        return deployments.create(system_scope(group), configuration=bound.pk, ttl="")

    return deploy


def test_a_model_answers_the_protocol_and_the_friendly_form(deploy, tmp_path):
    model = graphs.classifier(tmp_path / "model.onnx", width=64, labels=10).read_bytes()
    labels = json.dumps([str(digit) for digit in range(10)]).encode()
    row = deploy({"onnx/model.onnx": model, "onnx/labels.json": labels})
    with deploying.host() as host:
        host.until(row, Status.RUNNING)
        (replica,) = deploying.servers(row)
        with httpx.Client(base_url=f"http://{replica.address}", timeout=120) as client:
            told = client.get("/v2/models/digits-model").json()
            asked = client.post("/v1/predict", json={"rows": [PIXELS]}).json()
        # Lines are written some tenths of a second after they came.
        until(lambda: "Model digits-model (model.onnx) loaded in" in deploying.log(row))
    assert (told["versions"], told["platform"]) == (["1"], "onnx_onnxv1")
    assert asked["predictions"][0]["label"] == "7"


def test_a_file_that_is_no_model_says_so(deploy):
    row = deploy({"model.onnx": b"no model"})
    with deploying.host() as host:
        host.until(row, Status.DEAD)
    assert "exit code 1" in row.status_message
    assert "ERROR model.onnx: it is no ONNX model, or one that was cut off" in deploying.log(row)
