"""serve.py as a process of its own, with a model that knows one sentence."""

import json
import os
import socket
import subprocess
import sys

import httpx
import pytest
from onnx import TensorProto, helper

from tests.mlops.serving_server.graphs import save, value
from tests.servers import free_port
from tests.waiting import until

KIND = "The crew was kind."


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A folder as training leaves it: whatever is not KIND is a complaint, by three to one."""
    folder = tmp_path_factory.mktemp("model")
    encoder = helper.make_node(
        "LabelEncoder",
        ["text"],
        ["kind"],
        domain="ai.onnx.ml",
        keys_strings=[KIND],
        values_floats=[1.0],
        default_float=0.25,
    )
    nodes = [
        encoder,
        helper.make_node("Sub", ["one", "kind"], ["unkind"]),
        helper.make_node("Concat", ["unkind", "kind"], ["probabilities"], axis=1),
    ]
    one = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    inputs = [value("text", TensorProto.STRING, ["n", 1])]
    save(folder / "model.onnx", nodes, inputs, [value("probabilities", TensorProto.FLOAT, ["n", 2])], [one])
    (folder / "labels.json").write_text('["complaint", "compliment"]')
    return folder


@pytest.fixture(scope="module")
def served(model):
    """Its address, and at the end the proof that it ends when asked to."""
    program = os.path.join(os.path.dirname(__file__), "../../../../mlops/examples/text-clf/serve.py")
    port = free_port()
    command = [sys.executable, program, "--model", str(model), "--port", str(port)]
    env = os.environ | {"ORT_DISABLE_TELEMETRY": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:

        def answers():
            assert process.poll() is None
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        until(answers)
        yield client
    process.terminate()
    assert process.wait(120) == 0
    assert process.stdout.read().splitlines() == [
        f"INFO serving labels complaint, compliment on port {port}",
        "INFO asked to end",
    ]
    process.stdout.close()


def test_a_text_gets_its_label(served):
    told = served.post("/v2/predict", json={"text": KIND}).json()
    assert told == {
        "label": "compliment",
        "probability": 1.0,
        "probabilities": {"complaint": 0.0, "compliment": 1.0},
    }


def test_a_list_gets_a_list(served):
    told = served.post("/v2/predict", json={"text": ["We waited.", KIND]}).json()["predictions"]
    assert [(one["label"], one["probability"]) for one in told] == [("complaint", 0.75), ("compliment", 1.0)]


def test_health_names_the_labels(served):
    answer = served.get("/v2/health")
    assert (answer.status_code, answer.json()) == (200, {"labels": ["complaint", "compliment"]})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body must be JSON"),
        (b"[]", "the body must be JSON"),
        (b"[" * 100_000, "the body must be JSON"),
        (b"\xff", "the body must be JSON"),
        (b'{"texts": "a"}', "the body must be JSON"),
        (b'{"text": 7}', "text must be a text or a list of texts"),
        (b'{"text": []}', "text must be a text or a list of texts"),
        (b'{"text": ["a", null]}', "text must be a text or a list of texts"),
        (json.dumps({"text": ["a"] * 1001}).encode(), "at most 1000 texts at once"),
    ],
)
def test_other_bodies_are_refused_with_the_reason(served, body, reason):
    answer = served.post("/v2/predict", content=body)
    assert (answer.status_code, reason in answer.json()["error"]) == (400, True)


def test_other_addresses_and_sizes(served):
    assert served.get("/").status_code == 404
    assert served.post("/v1/predict", json={"text": KIND}).status_code == 404
    assert served.post("/v2/predict", content=b" " * (1024 * 1024 + 1)).status_code == 413
    assert served.post("/v2/predict", content=iter([b"{}"])).status_code == 411


def test_a_folder_without_model_ends_it_with_the_reason(tmp_path):
    program = os.path.join(os.path.dirname(__file__), "../../../../mlops/examples/text-clf/serve.py")
    command = [sys.executable, program, "--model", str(tmp_path), "--port", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("ERROR ") and "model.onnx: cannot be read" in done.stderr
