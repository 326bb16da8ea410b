"""Deployments answer while the database is away, with the routes and rights known last."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.bench.api import Crowd
from tests.mlops.gateway.serving import PREFIX, Model
from tests.servers import Postgres, Redis
from tests.stack import Stack
from tests.waiting import until

pytestmark = [pytest.mark.server, pytest.mark.chaos]
Servers = tuple[Postgres, Redis, Path]


@pytest.fixture
def model() -> Iterator[Model]:
    """A model server."""
    made = Model()
    yield made
    made.close()


def test_an_outage_of_the_database_is_not_one_of_the_models(
    new_stack: Callable[..., Stack], servers: Servers, model: Model
) -> None:
    stack = new_stack()
    headers = Crowd(_serving(stack), 1).headers(0)
    known, unknown = (stack.do("serve", address=model.address) for _ in range(2))
    codes = []
    with httpx.Client(base_url=f"http://127.0.0.1:{stack.port}", headers=headers, timeout=120) as client:

        def ask(deployment: str) -> httpx.Response:
            return client.post(f"{PREFIX}{deployment}/v2/predict", content=b"x")

        codes.append(ask(known).status_code)
        servers[0].stop()
        try:
            # Longer than any decision is kept, so that rights that cannot be checked again are what counts.
            began = time.monotonic()
            until(lambda: codes.append(ask(known).status_code) or time.monotonic() - began > 8)
            refused = ask(unknown)
            assert refused.status_code == 503
            assert "The database does not answer" in refused.json()["error"]["message"]
        finally:
            servers[0].start()
        until(lambda: ask(unknown).status_code == 200)
        codes.append(ask(known).status_code)
    assert set(codes) == {200}
    log = stack.home / "web.log"
    until(lambda: log.read_text().count("reads routes from the database again") == 1)
    assert log.read_text().count("goes on with the routes it knows") == 1
    query = "SELECT sum(requests) FROM mlops_trafficbucket WHERE deployment_id = %s"
    until(lambda: stack.rows(query, known) == [(len(codes),)])


def _serving(stack: Stack) -> Stack:
    stack.web().close()
    return stack
