"""A model server for all tests of the gateway that leave it alive, and whoever asks."""

import httpx
import pytest

from tests.mlops.gateway import serving


@pytest.fixture(scope="session")
def model():
    """A model server."""
    made = serving.Model()
    yield made
    made.close()


@pytest.fixture
def ask(web, transactional_db):
    """`ask(method, deployment, path, **how)`: the gateway's answer, on a connection of its own."""

    def asked(method, row, path="/", **how):
        with httpx.Client(base_url=web.url, timeout=30) as client:
            return client.request(method, f"{serving.PREFIX}{row.pk}{path}", **how)

    return asked
