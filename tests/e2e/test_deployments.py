"""Faults against real servers of deployments: whatever is killed or replaced, calls are answered."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.e2e.calling import Load, call, token
from tests.e2e.conftest import make
from tests.servers import Postgres, Redis
from tests.stack import Stack
from tests.waiting import until

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def serving(
    servers: tuple[Postgres, Redis, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A stack whose worker serves deployments, with the web server that passes calls on.

    One for all: each test has a deployment of its own, known by its word.
    """
    made = make(
        servers,
        tmp_path_factory.mktemp("serving"),
        DEPLOYMENT_BACKOFF_SECONDS="0.2",
        DEPLOYMENT_DRAIN_SECONDS="2",
        PROBE_SECONDS="0.5",
    )
    made.control()
    made.server()
    made.web().close()
    yield made
    made.close()


@pytest.fixture(scope="module")
def bearer(serving: Stack) -> str:
    """The token of an editor."""
    return token(serving)


def answers(stack: Stack, bearer: str, deployment: str, word: str) -> bool:
    """Whether it answers with the word now."""
    answer = call(stack, bearer, deployment)
    return answer.status_code == 200 and answer.text.startswith(word)


def pids(stack: Stack, word: str) -> list[int]:
    """The processes that serve a word."""
    found = []
    for process in stack.marked("ThreadingHTTPServer"):
        with suppress(psutil.Error):
            if process.cmdline()[:2] == ["python", "-c"] and word in process.cmdline():
                found.append(process.pid)
    return found


def states(stack: Stack, deployment: str) -> dict[int, str]:
    """Revisions by number."""
    rows = stack.rows("SELECT number, status FROM mlops_revision WHERE deployment_id = %s", deployment)
    return dict(rows)


def test_a_worker_that_is_killed_costs_no_deployment(serving: Stack, bearer: str) -> None:
    deployment = serving.do("deploy", word="moved")
    until(lambda: answers(serving, bearer, deployment, "moved"))
    (old,) = pids(serving, "moved")
    serving.server("other")
    serving.kill("deployments")
    # Nothing of a dead worker goes on answering beside its successor.
    until(lambda: not psutil.pid_exists(old))
    until(lambda: answers(serving, bearer, deployment, "moved"))
    (row,) = serving.rows("SELECT attempt, restarts FROM mlops_replica WHERE deployment_id = %s", deployment)
    assert row == (2, 0)


def test_a_server_killed_under_load_costs_no_more_than_it_held(serving: Stack, bearer: str) -> None:
    deployment = serving.do("deploy", word="paired", servers=2)
    until(lambda: answers(serving, bearer, deployment, "paired") and len(pids(serving, "paired")) == 2)
    with Load(serving.port, bearer, deployment, clients=8) as load:
        until(lambda: load.count > 200)
        psutil.Process(pids(serving, "paired")[0]).send_signal(signal.SIGKILL)
        reached = load.count
        until(lambda: load.count > reached + 400)
        until(lambda: len(pids(serving, "paired")) == 2)
        until(
            lambda: serving.rows(
                "SELECT 1 FROM mlops_replica WHERE deployment_id = %s AND is_ready AND attempt = 2",
                deployment,
            )
        )
    # Of eight clients with one request each, half are at one of two servers.
    assert len(load.failures) <= 4, load.failures
    assert load.words.keys() == {"paired"}


def test_an_update_and_its_roll_back_under_load_fail_no_request(serving: Stack, bearer: str) -> None:
    deployment = serving.do("deploy", word="old")
    until(lambda: answers(serving, bearer, deployment, "old"))
    with Load(serving.port, bearer, deployment, clients=8, per_second=200) as load:
        until(lambda: load.words["old"] > 100)
        serving.do("update_deployment", deployment=deployment, word="new")
        until(lambda: load.words["new"] > 100)
        until(lambda: states(serving, deployment) == {1: "STOPPED", 2: "RUNNING"})
        serving.do("update_deployment", deployment=deployment, word="crash")
        until(lambda: states(serving, deployment)[3] == "DEAD")
        reached = load.count
        until(lambda: load.count > reached + 100)
    assert load.failures == []
    assert load.words.keys() == {"old", "new"}


def test_a_web_process_that_is_killed_loses_only_what_was_open(serving: Stack, bearer: str) -> None:
    deployment = serving.do("deploy", word="webbed")
    until(lambda: answers(serving, bearer, deployment, "webbed"))
    with Load(serving.port, bearer, deployment, clients=4) as load:
        until(lambda: load.count > 100)
        serving.kill("web")
        serving.processes["web"].wait()
    assert load.words["webbed"] > 90
    serving.web().close()
    assert answers(serving, bearer, deployment, "webbed")
    assert len(pids(serving, "webbed")) == 1


def test_it_stops_and_comes_back_under_the_same_address(serving: Stack, bearer: str) -> None:
    deployment = serving.do("deploy", word="paused")
    until(lambda: answers(serving, bearer, deployment, "paused"))
    serving.do("stop_deployment", deployment=deployment)
    until(lambda: pids(serving, "paused") == [])
    until(lambda: call(serving, bearer, deployment).status_code == 404)
    assert "stopped" in call(serving, bearer, deployment).json()["error"]["message"].lower()
    serving.do("restart_deployment", deployment=deployment)
    until(lambda: answers(serving, bearer, deployment, "paused"))


def test_calls_are_answered_while_the_database_is_away(
    serving: Stack, bearer: str, servers: tuple[Postgres, Redis, object]
) -> None:
    postgres = servers[0]
    deployment = serving.do("deploy", word="calm")
    until(lambda: answers(serving, bearer, deployment, "calm"))
    (pid,) = pids(serving, "calm")
    postgres.stop()
    try:
        with Load(serving.port, bearer, deployment, clients=2, per_second=50) as load:
            until(lambda: load.count > 200)
    finally:
        postgres.start()
    assert load.failures == []
    until(
        lambda: serving.rows("SELECT 1 FROM mlops_replica WHERE is_ready AND deployment_id = %s", deployment)
    )
    assert pids(serving, "calm") == [pid]
