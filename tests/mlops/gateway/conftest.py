"""A model server for all tests of the gateway that leave it alive, and whoever asks."""

import httpx
import pytest

from tests.mlops.gateway import serving
from tests.mlops.gateway.raw import Raw


@pytest.fixture(scope="session")
def model():
    """A model server."""
    made = serving.Model()
    yield made
    made.close()


@pytest.fixture
def short_lived():
    """`short_lived(word)`: a model server that the test may kill."""
    made = []

    def start(word="short-lived"):
        made.append(serving.Model(word))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.fixture
def ask(web, transactional_db):
    """`ask(method, deployment, path, **how)`: the gateway's answer, on a connection of its own."""

    def asked(method, row, path="/", **how):
        with httpx.Client(base_url=web.url, timeout=120) as client:
            return client.request(method, f"{serving.PREFIX}{row.pk}{path}", **how)

    return asked


@pytest.fixture
def connect(web, transactional_db):
    """`connect()`: a connection of bytes to the web server."""
    made = []

    def connected():
        made.append(Raw(web.port))
        return made[-1]

    yield connected
    for one in made:
        one.close()


@pytest.fixture
def scripted():
    """`scripted(script)`: a server that does on every connection what the function says."""
    made = []

    def serve(script):
        made.append(serving.Scripted(script))
        return made[-1]

    yield serve
    for one in made:
        one.close()
