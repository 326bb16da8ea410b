"""A client of Triton's takes our server for one of its own, and the server runs in its own environment."""

import json
import subprocess
from pathlib import Path

import pytest

from mlops.engine import environments
from tests.mlops.gateway.serving import PREFIX, bearer, deployment
from tests.mlops.serving_server import graphs
from tests.mlops.serving_server.graphs import ROW
from tests.mlops.serving_server.process import CODE

HERE = Path(__file__).parent


def built(requirements, cache):
    made = environments.ensure(requirements, cache=cache, on_line=lambda line: None, stopped=lambda: False)
    return made / "bin" / "python"


def walk(cache, form, *arguments):
    """What the client's walk through two servers ended with, in an environment that has the client."""
    python = built(HERE / "triton-requirements.txt", cache.getbasetemp() / "environments")
    command = [python, HERE / "triton_walk.py", form, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("form", ["json", "binary"])
def test_tritonclient(classifier, typed, tmp_path_factory, form):
    done = walk(tmp_path_factory, form, *(f"127.0.0.1:{one.port}" for one in (classifier, typed)))
    assert (done.returncode, done.stdout) == (0, "walked\n"), done.stderr


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", ["json", "binary"])
def test_tritonclient_through_the_gateway(web, red, classifier, typed, tmp_path_factory, form):
    rows = [deployment(red, f"127.0.0.1:{one.port}") for one in (classifier, typed)]
    addresses = [f"127.0.0.1:{web.port}{PREFIX}{row.pk}" for row in rows]
    done = walk(tmp_path_factory, form, *addresses, json.dumps(bearer(red)))
    assert (done.returncode, done.stdout) == (0, "walked\n"), done.stderr
    refused = walk(tmp_path_factory, form, *addresses)
    assert refused.returncode == 1 and "assert client.is_server_live()" in refused.stderr, refused.stderr


def test_onnx_requirements_are_enough(start, tmp_path):
    python = built(CODE / "onnx-requirements.txt", tmp_path / "cache")
    server = start(graphs.classifier(tmp_path / "model.onnx"), python=python).ready()
    assert server.predict({"rows": [ROW]})[0]["label"] == 2
