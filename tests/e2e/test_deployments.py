"""Faults against real servers of deployments: whatever is killed or replaced, calls are answered."""

from __future__ import annotations

import signal
from collections.abc import Callable

import psutil
import pytest

from tests.e2e.calling import Load, call, token
from tests.servers import Postgres, Redis
from tests.stack import Stack
from tests.waiting import until

pytestmark = pytest.mark.server


@pytest.fixture
def serving(new_stack: Callable[..., Stack]) -> Stack:
    """A stack whose workers serve deployments, with the web server that passes calls on."""
    made = new_stack(DEPLOYMENT_BACKOFF_SECONDS="0.2", DEPLOYMENT_DRAIN_SECONDS="2", PROBE_SECONDS="0.5")
    made.control()
    made.server()
    made.web()
    return made


def answers(stack: Stack, bearer: str, deployment: str, word: str) -> bool:
    """Whether it answers with the word now."""
    answer = call(stack, bearer, deployment)
    return answer.status_code == 200 and answer.text.startswith(word)


def pids(stack: Stack, word: str) -> list[int]:
    """The processes of the servers of a word: the innermost, which listen."""
    found = [
        process
        for process in stack.marked("ThreadingHTTPServer")
        if word in process.cmdline() and process.cmdline()[0].endswith("python")
    ]
    return [process.pid for process in found if not process.children()]


def states(stack: Stack, deployment: str) -> dict[int, str]:
    """Revisions by number."""
    rows = stack.rows("SELECT number, status FROM mlops_revision WHERE deployment_id = %s", deployment)
    return dict(rows)


def test_a_worker_that_is_killed_costs_no_deployment(serving: Stack) -> None:
    bearer, deployment = token(serving), serving.do("deploy", word="hello")
    until(lambda: answers(serving, bearer, deployment, "hello"))
    (old,) = pids(serving, "hello")
    serving.server("other")
    serving.kill("deployments")
    # Nothing of a dead worker goes on answering beside its successor.
    until(lambda: not psutil.pid_exists(old))
    until(lambda: answers(serving, bearer, deployment, "hello"), seconds=45)
    (row,) = serving.rows("SELECT attempt, restarts FROM mlops_replica WHERE deployment_id = %s", deployment)
    assert row == (2, 0)


def test_a_server_killed_under_load_costs_no_more_than_it_held(serving: Stack) -> None:
    bearer, deployment = token(serving), serving.do("deploy", word="hello", servers=2)
    until(lambda: answers(serving, bearer, deployment, "hello") and len(pids(serving, "hello")) == 2)
    with Load(serving.port, bearer, deployment, clients=8) as load:
        until(lambda: load.count > 200)
        psutil.Process(pids(serving, "hello")[0]).send_signal(signal.SIGKILL)
        reached = load.count
        until(lambda: load.count > reached + 400)
        until(lambda: len(pids(serving, "hello")) == 2)
        until(
            lambda: serving.rows(
                "SELECT 1 FROM mlops_replica WHERE deployment_id = %s AND is_ready AND attempt = 2",
                deployment,
            )
        )
    # Of eight clients with one request each, half are at one of two servers.
    assert len(load.failures) <= 4, load.failures
    assert load.words.keys() == {"hello"}


def test_an_update_and_its_roll_back_under_load_fail_no_request(serving: Stack) -> None:
    bearer, deployment = token(serving), serving.do("deploy", word="old")
    until(lambda: answers(serving, bearer, deployment, "old"))
    with Load(serving.port, bearer, deployment, clients=8, per_second=200) as load:
        until(lambda: load.words["old"] > 100)
        serving.do("update_deployment", deployment=deployment, word="new")
        until(lambda: load.words["new"] > 100)
        until(lambda: states(serving, deployment) == {1: "STOPPED", 2: "RUNNING"})
        serving.do("update_deployment", deployment=deployment, word="crash")
        until(lambda: states(serving, deployment)[3] == "DEAD", seconds=90)
        reached = load.count
        until(lambda: load.count > reached + 100)
    assert load.failures == []
    assert load.words.keys() == {"old", "new"}


def test_a_web_process_that_is_killed_loses_only_what_was_open(serving: Stack) -> None:
    bearer, deployment = token(serving), serving.do("deploy", word="hello")
    until(lambda: answers(serving, bearer, deployment, "hello"))
    with Load(serving.port, bearer, deployment, clients=4) as load:
        until(lambda: load.count > 100)
        serving.kill("web")
        serving.processes["web"].wait()
    assert load.words["hello"] > 90
    serving.web()
    assert answers(serving, bearer, deployment, "hello")
    assert len(pids(serving, "hello")) == 1


def test_it_stops_and_comes_back_under_the_same_address(serving: Stack) -> None:
    bearer, deployment = token(serving), serving.do("deploy", word="hello")
    until(lambda: answers(serving, bearer, deployment, "hello"))
    serving.do("stop_deployment", deployment=deployment)
    until(lambda: pids(serving, "hello") == [])
    until(lambda: call(serving, bearer, deployment).status_code == 404)
    assert "stopped" in call(serving, bearer, deployment).json()["error"]["message"].lower()
    serving.do("restart_deployment", deployment=deployment)
    until(lambda: answers(serving, bearer, deployment, "hello"))


def test_calls_are_answered_while_the_database_is_away(
    serving: Stack, servers: tuple[Postgres, Redis, object]
) -> None:
    postgres = servers[0]
    bearer, deployment = token(serving), serving.do("deploy", word="hello")
    until(lambda: answers(serving, bearer, deployment, "hello"))
    (pid,) = pids(serving, "hello")
    postgres.stop()
    try:
        with Load(serving.port, bearer, deployment, clients=2, per_second=50) as load:
            until(lambda: load.count > 200)
    finally:
        postgres.start()
    assert load.failures == []
    until(lambda: serving.rows("SELECT 1 FROM mlops_deployment WHERE status = 'RUNNING'"))
    assert pids(serving, "hello") == [pid]
