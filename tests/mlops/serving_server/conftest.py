"""Running model servers: one of each model for a whole test run, further ones as tests need them."""

import pytest

from tests.mlops.serving_server import graphs
from tests.mlops.serving_server.process import ModelServer


@pytest.fixture
def start(tmp_path):
    """Start a server for a model with options, which the end of the test ends."""
    running = []

    def start(model, *options, **how):
        running.append(ModelServer(tmp_path, model, *options, **how))
        return running[-1]

    yield start
    for one in running:
        one.close()


def _kept(name, make):
    @pytest.fixture(scope="session", name=name)
    def fixture(tmp_path_factory):
        home = tmp_path_factory.mktemp(name)
        server = ModelServer(home, make(home / "model" / "model.onnx"))
        yield server.ready()
        server.close()

    return fixture


classifier = _kept("classifier", graphs.classifier)
typed = _kept("typed", graphs.every_type)
