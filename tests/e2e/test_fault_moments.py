"""Faults in the moments around the user's code: while it is prepared, while it ends, while workers leave."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.test_faults import begun, pause, submit
from tests.package_index import PackageIndex
from tests.servers import Postgres, Redis
from tests.stack import ROOT, Stack
from tests.waiting import until

pytestmark = pytest.mark.server

PACKAGED = ROOT / "tests" / "fixtures" / "packaged"
Servers = tuple[Postgres, Redis, Path]


@pytest.fixture
def index() -> Iterator[Callable[..., PackageIndex]]:
    """Makes package indexes that close with the test."""
    made: list[PackageIndex] = []

    def make(**options: bool) -> PackageIndex:
        made.append(PackageIndex(**options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def packaged(new_stack: Callable[..., Stack], packages: PackageIndex) -> Stack:
    """A stack that knows the packaged executable and installs from this index alone."""
    stack = new_stack(UV_DEFAULT_INDEX=packages.url, NO_PROXY="127.0.0.1", no_proxy="127.0.0.1")
    assert stack.do("prepare", folder=str(PACKAGED)) == ""
    stack.control()
    stack.worker()
    return stack


def installers(stack: Stack) -> list[object]:
    """Processes that build environments of this stack."""
    return [process for process in stack.marked(str(stack.home / "data" / "cache")) if process.is_running()]


def attempt(stack: Stack, execution: str) -> int:
    """The number of its newest attempt."""
    return stack.rows("SELECT attempt FROM mlops_execution WHERE id = %s", execution)[0][0]


def message(stack: Stack, execution: str) -> str:
    """What its row says."""
    return stack.rows("SELECT status_message FROM mlops_execution WHERE id = %s", execution)[0][0]


def test_a_worker_killed_while_it_builds_leaves_no_installer_and_is_tried_again(
    new_stack: Callable[..., Stack], index: Callable[..., PackageIndex]
) -> None:
    packages = index(waits=True)
    stack = packaged(new_stack, packages)
    execution = stack.do("submit", executable="packaged-run")
    until(lambda: installers(stack))
    stack.kill("executions")
    until(lambda: not installers(stack))
    packages.open()
    stack.worker("second")
    stack.wait_for(execution, "COMPLETED")
    assert attempt(stack, execution) == 2
    assert stack.log_text(execution).splitlines()[-1] == "installed"


def test_what_cannot_be_installed_is_told_and_others_go_on(
    new_stack: Callable[..., Stack], index: Callable[..., PackageIndex]
) -> None:
    stack = packaged(new_stack, index(empty=True))
    execution = stack.do("submit", executable="packaged-run")
    other = submit(stack, "echo fine")
    stack.wait_for(execution, "DEAD")
    assert message(stack, execution).startswith("The environment could not be made: ")
    assert "launchpad-probe" in message(stack, execution)
    assert "ERROR" in stack.log_text(execution)
    stack.wait_for(other, "COMPLETED")


def test_stop_while_the_environment_is_built(
    new_stack: Callable[..., Stack], index: Callable[..., PackageIndex]
) -> None:
    stack = packaged(new_stack, index(waits=True))
    execution = stack.do("submit", executable="packaged-run")
    until(lambda: installers(stack))
    assert stack.do("stop", execution=execution) == "STOPPING"
    stack.wait_for(execution, "STOPPED")
    assert installers(stack) == []


def test_a_store_that_takes_no_output_ends_it_with_the_reason(calm: Stack) -> None:
    execution = submit(calm, "mkdir -p /app/out; echo two > /app/out/result; echo begun; sleep 2")
    begun(calm, execution)
    store = calm.home / "data" / "stores" / "local" / "tutorial" / "default"
    store.mkdir(parents=True, exist_ok=True)
    (store / execution).write_text("a file where the folder of its outputs should be")
    calm.wait_for(execution, "DEAD")
    assert execution in message(calm, execution)
    assert calm.rows("SELECT 1 FROM mlops_artifact WHERE execution_id = %s", execution) == []


def test_a_database_that_is_away_at_the_end_gets_the_end_later(stack: Stack, servers: Servers) -> None:
    execution = submit(stack, "mkdir -p /app/out; echo two > /app/out/result; echo begun; sleep 1; echo end")
    begun(stack, execution)
    servers[0].stop()
    pause(3.0)
    servers[0].start()
    stack.wait_for(execution, "COMPLETED")
    assert stack.log_text(execution).splitlines() == ["begun", "end"]
    assert stack.rows("SELECT count(*) FROM mlops_artifact WHERE execution_id = %s", execution) == [(1,)]
    store = stack.home / "data" / "stores" / "local" / "tutorial" / "default"
    assert [path.read_text() for path in store.glob(f"{execution}/*")] == ["two\n"]


def test_a_worker_that_starts_before_its_database_works_later(
    new_stack: Callable[..., Stack], servers: Servers
) -> None:
    stack = new_stack()
    execution = submit(stack, "echo here")
    servers[0].stop()
    try:
        process = stack._celery("early", "executions", 1)
        until(lambda: "No heartbeat" in (stack.home / "early.log").read_text())
    finally:
        servers[0].start()
    stack.wait_for(execution, "COMPLETED")
    assert process.poll() is None


@pytest.mark.parametrize("drain", ["0", "20"])
def test_a_worker_told_to_end_with_two_executions(new_stack: Callable[..., Stack], drain: str) -> None:
    stack = new_stack(DRAIN_SECONDS=drain)
    stack.worker()
    executions = [submit(stack, "echo begun; sleep 3; echo ended", "shell-retry") for _ in range(2)]
    for execution in executions:
        begun(stack, execution)
    stack.kill("executions", signal.SIGTERM)
    late = submit(stack, "echo late")
    stack.processes["executions"].wait(120)
    expected = "COMPLETED" if drain == "20" else "PENDING"
    assert [stack.status(execution) for execution in executions] == [expected] * 2
    assert stack.status(late) == "PENDING"
    assert stack.rows("SELECT 1 FROM mlops_worker WHERE ended_at IS NULL") == []
    if drain == "0":
        assert "shut down. It will be tried again" in message(stack, executions[0])
        stack.worker("second")
        for execution in (*executions, late):
            stack.wait_for(execution, "COMPLETED")


def test_what_was_started_without_a_ring_is_drained_too(
    new_stack: Callable[..., Stack], servers: Servers
) -> None:
    stack = new_stack(DRAIN_SECONDS="20")
    stack.worker()
    servers[1].stop()
    execution = submit(stack, "echo begun; sleep 4; echo ended")
    begun(stack, execution)
    servers[1].start()
    stack.kill("executions", signal.SIGTERM)
    stack.processes["executions"].wait(120)
    assert stack.status(execution) == "COMPLETED"


def test_a_frozen_host_is_not_dead(stack: Stack) -> None:
    execution = submit(stack, "echo begun; sleep 8; echo ended")
    begun(stack, execution)
    # Longer than the lease: the sweeper sees a heartbeat that old the moment it wakes up.
    for name in ("executions", "control"):
        stack.kill(name, signal.SIGSTOP)
    pause(5.0)
    stack.kill("control", signal.SIGCONT)
    pause(1.5)
    stack.kill("executions", signal.SIGCONT)
    stack.wait_for(execution, "COMPLETED")
    assert attempt(stack, execution) == 1


def test_a_stop_that_races_with_the_end_leaves_one_true_end(calm: Stack) -> None:
    ends = set()
    for number in range(10):
        execution = submit(calm, f"mkdir -p /app/out; echo x > /app/out/result; sleep 0.{number}")
        until(lambda execution=execution: calm.status(execution) != "PENDING")
        pause(0.35)
        try:
            calm.do("stop", execution=execution)
        except RuntimeError as refused:
            assert "Conflict" in str(refused)
        ends.add(end := calm.wait_for(execution, "COMPLETED", "STOPPED"))
        found = calm.rows("SELECT count(*) FROM mlops_artifact WHERE execution_id = %s", execution)
        assert found == [(int(end == "COMPLETED"),)]
        changes = calm.rows(
            "SELECT source, target FROM mlops_statuschange WHERE execution_id = %s ORDER BY id", execution
        )
        assert [target for source, target in changes if source != target][-1] == end
    assert ends
