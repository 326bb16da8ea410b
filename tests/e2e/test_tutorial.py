"""The tutorial of the AI API over real HTTP, on the embedded stack and on a production one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.aiapi.client import Client
from tests.e2e import tutorial
from tests.e2e.main_job import Person
from tests.e2e.test_embedded import Up
from tests.e2e.trained import KEY
from tests.servers import Postgres, Redis
from tests.stack import Stack

CALM = {"HEARTBEAT_SECONDS": "5", "LEASE_SECONDS": "30", "SWEEP_SECONDS": "1", "GRACE_SECONDS": "2"}


def walk(url: str, data: Path, keys: list[dict[str, Any]], *, long_base: bool) -> None:
    """The walk with two keys, their base addresses written differently, while the editor looks on."""
    password = json.loads((data / "passwords.json").read_text())["editor"]
    first, second = (
        Client(key, "tutorial", long_base=form)
        for key, form in zip(keys, (long_base, not long_base), strict=True)
    )
    with first as client, second as other, Person(url) as person:
        person.sign_in("editor", password)
        tutorial.walk(client, other, person)


@pytest.mark.embedded
@pytest.mark.slow
def test_the_walk_on_the_embedded_stack(tmp_path: Path) -> None:
    up = Up(tmp_path / "data").ready()
    try:
        keys = [json.loads(up.manage("create_service_key", name, *KEY)) for name in ("first", "second")]
        walk(up.url, up.data, keys, long_base=False)
    finally:
        up.end()


@pytest.mark.server
@pytest.mark.slow
def test_the_walk_on_postgresql_and_redis(servers: tuple[Postgres, Redis, Path], tmp_path: Path) -> None:
    postgres, redis, _ = servers
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    stack = Stack(
        tmp_path, postgres.create("tutorial", "empty"), redis.url.removesuffix("/0") + "/200", **CALM
    )
    try:
        stack.manage("setup")
        stack.web().close()
        stack.control()
        stack.worker()
        stack.server()
        keys = [json.loads(stack.manage("create_service_key", name, *KEY)) for name in ("first", "second")]
        walk(f"http://127.0.0.1:{stack.port}", tmp_path / "data", keys, long_base=True)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{stack.tell()}") from error
    finally:
        stack.close()
