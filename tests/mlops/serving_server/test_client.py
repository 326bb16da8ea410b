"""A client of Triton's takes our server for one of its own, and the server runs in its own environment."""

import subprocess
from pathlib import Path

import pytest

from mlops.engine import environments
from tests.mlops.serving_server import graphs
from tests.mlops.serving_server.graphs import ROW
from tests.mlops.serving_server.process import CODE

HERE = Path(__file__).parent


def built(requirements, cache):
    made = environments.ensure(requirements, cache=cache, on_line=lambda line: None, stopped=lambda: False)
    return made / "bin" / "python"


@pytest.mark.parametrize("form", ["json", "binary"])
def test_tritonclient(classifier, typed, tmp_path_factory, form):
    cache = tmp_path_factory.getbasetemp() / "environments"
    python = built(HERE / "triton-requirements.txt", cache)
    command = [python, HERE / "triton_walk.py", form, str(classifier.port), str(typed.port)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "walked\n"), done.stderr


def test_onnx_requirements_are_enough(start, tmp_path):
    python = built(CODE / "onnx-requirements.txt", tmp_path / "cache")
    server = start(graphs.classifier(tmp_path / "model.onnx"), python=python).ready()
    assert server.predict({"rows": [ROW]})[0]["label"] == 2
