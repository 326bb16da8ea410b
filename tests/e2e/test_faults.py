"""Faults against real processes: whatever is killed, frozen or restarted, states stay true."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers import Postgres, Redis
from tests.stack import Stack
from tests.waiting import until

pytestmark = pytest.mark.server

Servers = tuple[Postgres, Redis, Path]


def mark() -> str:
    """A text no other process has in its command line."""
    return f"mark-{os.urandom(6).hex()}"


def long(name: str, seconds: int = 300) -> str:
    """A script that says it runs, then waits in a process that bears the mark."""
    return f"echo begun; sh -c 'sleep {seconds}; :' {name}"


def begun(stack: Stack, execution: str) -> None:
    """Wait until the execution's command has printed."""
    until(lambda: "begun" in stack.log_text(execution))


def submit(stack: Stack, script: str, executable: str = "shell-run") -> str:
    """Start a shell script."""
    return stack.do("submit", executable=executable, SCRIPT=script)


def test_a_script_completes_and_its_output_is_registered(calm: Stack) -> None:
    execution = submit(calm, "echo one; mkdir -p /app/out; echo two > /app/out/result; echo three >&2")
    calm.wait_for(execution, "COMPLETED")
    assert calm.log_text(execution).splitlines() == ["one", "three"]
    found = calm.rows("SELECT name, kind, size_bytes FROM mlops_artifact WHERE execution_id = %s", execution)
    assert found == [("result", "resultset", 4)]


def test_steps_pass_artifacts_on(calm: Stack) -> None:
    execution = calm.do("submit", executable="shell-steps", WORD="bread")
    calm.wait_for(execution, "COMPLETED")
    steps = calm.rows(
        "SELECT name, status FROM mlops_steprun WHERE execution_id = %s ORDER BY index", execution
    )
    assert steps == [("first", "COMPLETED"), ("second", "COMPLETED")]
    assert calm.log_text(execution) == "BREAD"


def test_failing_code_dies_with_its_exit_code(calm: Stack) -> None:
    execution = submit(calm, "echo before; echo 'ValueError: no' >&2; exit 3")
    calm.wait_for(execution, "DEAD")
    step = calm.rows(
        "SELECT status, exit_code, cause, message FROM mlops_steprun WHERE execution_id = %s", execution
    )
    assert step[0][:3] == ("DEAD", 3, "exit")
    assert "exit code 3" in step[0][3]
    assert "ValueError: no" in calm.log_text(execution)


def test_a_failed_step_is_tried_again_within_its_limit(calm: Stack) -> None:
    execution = submit(calm, "echo try; exit 1", "shell-retry")
    calm.wait_for(execution, "DEAD")
    assert calm.log_text(execution).splitlines().count("try") == 2


def test_stop_ends_everything_the_code_started(calm: Stack) -> None:
    name = mark()
    daemon = f"setsid sh -c 'trap \"\" TERM; while :; do sleep 1; done' {name} >/dev/null 2>&1 &"
    execution = submit(calm, f"trap '' TERM; {daemon} echo begun; while :; do sleep 1; done")
    begun(calm, execution)
    assert calm.do("stop", execution=execution) == "STOPPING"
    calm.wait_for(execution, "STOPPED")
    assert calm.marked(name) == []


def test_a_waiting_execution_stops_at_once(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack()
    execution = submit(stack, "echo never")
    assert stack.do("stop", execution=execution) == "STOPPED"
    stack.worker()
    other = submit(stack, "echo now")
    stack.wait_for(other, "COMPLETED")
    assert stack.status(execution) == "STOPPED"
    assert stack.log_text(execution) == ""


def test_a_killed_worker_ends_its_execution_with_evidence(stack: Stack) -> None:
    name = mark()
    execution = submit(stack, long(name))
    begun(stack, execution)
    stack.kill("executions")
    until(lambda: not stack.marked(name))
    stack.wait_for(execution, "DEAD")
    evidence = stack.rows(
        "SELECT reason, evidence FROM mlops_statuschange WHERE execution_id = %s AND target = 'DEAD'",
        execution,
    )
    reason, facts = evidence[0]
    assert "stopped answering" in reason
    assert facts["pid"] == stack.processes["executions"].pid
    assert facts["last_log_line"] == "begun"


def test_a_killed_worker_s_execution_is_tried_again_elsewhere(stack: Stack) -> None:
    execution = submit(stack, "echo begun; sleep 2; echo ended", "shell-retry")
    begun(stack, execution)
    stack.kill("executions")
    stack.worker("second")
    stack.wait_for(execution, "COMPLETED")
    attempts = stack.rows("SELECT attempt FROM mlops_execution WHERE id = %s", execution)
    assert attempts == [(2,)]


def test_a_killed_worker_takes_all_steps_that_run_side_by_side_and_both_are_tried_again(stack: Stack) -> None:
    name = mark()
    execution = submit(stack, long(name, 4), "shell-pair")
    until(lambda: stack.log_text(execution).count("begun") == 2)
    stack.kill("executions")
    until(lambda: not stack.marked(name))
    stack.worker("second")
    stack.wait_for(execution, "COMPLETED")
    rows = stack.rows(
        "SELECT attempt, name, status FROM mlops_steprun WHERE execution_id = %s ORDER BY attempt, name",
        execution,
    )
    assert rows == [
        (1, "left", "DEAD"),
        (1, "right", "DEAD"),
        (2, "left", "COMPLETED"),
        (2, "right", "COMPLETED"),
    ]


def test_a_killed_keeper_is_no_success(calm: Stack) -> None:
    name = mark()
    execution = submit(calm, long(name))
    begun(calm, execution)
    worker = calm.processes["executions"].pid
    for keeper in [child for child in calm.marked("keeper.py") if child.ppid() == worker]:
        keeper.kill()
    calm.wait_for(execution, "DEAD")
    assert calm.marked(name) == []


def test_an_emptied_broker_loses_nothing(new_stack: Callable[..., Stack], servers: Servers) -> None:
    stack = new_stack()
    execution = submit(stack, "echo here")
    servers[1].stop()
    servers[1].start()
    stack.control()
    stack.worker()
    stack.wait_for(execution, "COMPLETED")


def test_a_row_runs_once_however_often_it_is_rung(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack()
    stack.control()
    for name in ("first", "second"):
        stack.worker(name)
    executions = [submit(stack, "echo once") for _ in range(6)]
    for _ in range(30):
        stack.do("ring")
    for execution in executions:
        stack.wait_for(execution, "COMPLETED")
        assert stack.log_text(execution) == "once"
        assert stack.rows("SELECT attempt FROM mlops_execution WHERE id = %s", execution) == [(1,)]


def test_a_frozen_worker_is_not_dead(stack: Stack) -> None:
    # Two thirds of the lease, as 20 s are of 30 s.
    execution = submit(stack, "echo begun; sleep 6; echo ended")
    begun(stack, execution)
    stack.kill("executions", signal.SIGSTOP)
    pause(2.0)
    stack.kill("executions", signal.SIGCONT)
    stack.wait_for(execution, "COMPLETED")
    assert stack.rows("SELECT attempt FROM mlops_execution WHERE id = %s", execution) == [(1,)]


def test_a_worker_that_comes_back_too_late_changes_nothing(stack: Stack) -> None:
    name = mark()
    execution = submit(stack, long(name))
    begun(stack, execution)
    stack.kill("executions", signal.SIGSTOP)
    stack.wait_for(execution, "DEAD")
    before = stack.log_text(execution)
    stack.kill("executions", signal.SIGCONT)
    until(lambda: not stack.marked(name))
    assert stack.status(execution) == "DEAD"
    assert stack.log_text(execution) == before


def test_redis_restarted_in_the_middle(stack: Stack, servers: Servers) -> None:
    running = submit(stack, "echo begun; sleep 4; echo ended")
    begun(stack, running)
    servers[1].stop()
    waiting = submit(stack, "echo later")
    pause(1.5)
    servers[1].start()
    stack.wait_for(running, "COMPLETED")
    stack.wait_for(waiting, "COMPLETED")


def test_postgresql_restarted_in_the_middle(stack: Stack, servers: Servers) -> None:
    execution = submit(stack, "echo begun; for i in 1 2 3 4 5 6 7 8; do sleep 1; echo line $i; done")
    begun(stack, execution)
    servers[0].stop()
    pause(4.0)
    servers[0].start()
    stack.wait_for(execution, "COMPLETED")
    assert stack.log_text(execution).splitlines() == ["begun", *(f"line {i}" for i in range(1, 9))]
    assert stack.rows("SELECT attempt FROM mlops_execution WHERE id = %s", execution) == [(1,)]


def test_a_worker_told_to_end_leaves_nothing(stack: Stack) -> None:
    name = mark()
    execution = submit(stack, long(name))
    begun(stack, execution)
    stack.kill("executions", signal.SIGTERM)
    stack.processes["executions"].wait(120)
    assert stack.marked(name) == []
    assert stack.wait_for(execution, "DEAD") == "DEAD"
    reason = stack.rows("SELECT status_message FROM mlops_execution WHERE id = %s", execution)[0][0]
    assert reason == "The worker was shut down."


def test_much_output_binary_output_and_no_line_end(calm: Stack) -> None:
    execution = submit(calm, "seq 1 200000; head -c 3000 /dev/urandom; printf '\\n<script>alert(1)</script>'")
    calm.wait_for(execution, "COMPLETED")
    lines = calm.log_text(execution).split("\n")
    assert lines[:200000] == [str(number) for number in range(1, 200001)]
    assert lines[-1] == "<script>alert(1)</script>"


def test_too_much_memory_is_told_as_such(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack(STEP_MEMORY_MIB="96")
    stack.control()
    stack.worker()
    execution = submit(stack, "exec python3 -c 'a = []\nwhile True: a.append(bytearray(8 << 20))'")
    stack.wait_for(execution, "DEAD")
    cause, message = stack.rows(
        "SELECT cause, message FROM mlops_steprun WHERE execution_id = %s", execution
    )[0]
    assert cause == "memory", message


def test_deleting_removes_the_rows_and_keeps_the_artifact(calm: Stack) -> None:
    execution = submit(calm, "mkdir -p /app/out; echo two > /app/out/result; echo said")
    calm.wait_for(execution, "COMPLETED")
    (artifact,) = calm.rows("SELECT id FROM mlops_artifact WHERE execution_id = %s", execution)
    assert calm.do("delete", execution=execution) == "DELETING"
    until(lambda: calm.status(execution) == "")
    assert calm.rows("SELECT count(*) FROM mlops_logchunk WHERE execution_id = %s", execution) == [(0,)]
    assert calm.rows("SELECT execution_id FROM mlops_artifact WHERE id = %s", *artifact) == [(None,)]


def pause(seconds: float) -> None:
    """Let a fault last; the length of the fault is what is tested."""
    signal.sigtimedwait([], seconds)
