"""Whatever a step does, and whoever dies, its whole process tree ends and the end is told truly."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from mlops.engine.orphans import marked
from mlops.engine.spec import Limits
from tests.waiting import until

IGNORES_TERM = "trap '' TERM; echo ready; while :; do sleep 1; done"
# A child in its own session, a daemon that was forked twice, and one that also emptied its environment.
FAMILY = """
import os, signal, sys, time
def daemon(then):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0: then()
        os._exit(0)
    os.wait()
def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(120)
def bare():
    os.execve('/bin/sleep', ['sleep', '120'], {})
daemon(deaf); daemon(bare); daemon(lambda: time.sleep(120))
print('ready', flush=True)
"""
BREEDER = """
import os, sys, time
print('ready', flush=True)
end = time.time() + 60
while time.time() < end:
    try:
        if os.fork() == 0: os.setsid()
    except OSError:
        time.sleep(0.1)
    time.sleep(0.02)
"""


def family(step):
    return marked(step.spec.id, step.keeper_pid)


def test_deadline(bench):
    seen, _ = bench.run("sleep", "60", deadline_seconds=0.3)
    assert (seen.cause, seen.started, seen.signal) == ("deadline", True, signal.SIGTERM)
    assert seen.message == "Stopped: it ran longer than its time limit of 0.3 s."


def test_stop_lets_the_command_finish_what_it_does(bench):
    step = bench.start("sh", "-c", "trap 'echo saved; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
    bench.until_line(step, "ready")
    bench.runner.stop(step)
    bench.runner.stop(step)
    seen, lines = bench.finish(step)
    assert (seen.cause, seen.exit_code, seen.message) == ("stopped", 0, "Stopped on request.")
    assert "saved" in [line.text for line in lines]
    bench.runner.stop(step)


def test_a_command_that_ignores_the_request_is_killed(bench):
    step = bench.start("sh", "-c", IGNORES_TERM, grace_seconds=0.5)
    bench.until_line(step, "ready")
    bench.runner.stop(step)
    assert step.poll().running
    seen, _ = bench.finish(step)
    assert (seen.cause, seen.signal, seen.pids_left) == ("stopped", signal.SIGKILL, 0)
    assert "did not end within 0.5 s and was killed" in seen.message
    assert family(step) == []


def test_a_step_stopped_at_once_never_runs_on(bench):
    step = bench.start("sleep", "60")
    bench.runner.stop(step)
    seen, _ = bench.finish(step)
    assert (seen.cause, family(step)) == ("stopped", [])


def test_daemons_are_ended_with_the_command(bench):
    step = bench.start("python3", "-c", FAMILY, grace_seconds=0.5)
    seen, lines = bench.finish(step)
    assert (seen.cause, seen.exit_code, seen.pids_left) == ("completed", 0, 0)
    assert "3" in seen.message
    assert [line.text for line in lines] == ["ready"]
    assert family(step) == []


def test_daemons_are_ended_on_a_stop(bench):
    step = bench.start("python3", "-c", FAMILY + "time.sleep(120)", grace_seconds=0.5)
    bench.until_line(step, "ready")
    assert len(family(step)) >= 4
    bench.runner.stop(step)
    seen, _ = bench.finish(step)
    assert (seen.cause, seen.pids_left, family(step)) == ("stopped", 0, [])


def test_a_tree_that_grows_all_the_time_is_ended(bench):
    step = bench.start("python3", "-c", BREEDER, grace_seconds=0.2, limits=Limits(processes=200))
    bench.until_line(step, "ready")
    until(lambda: len(family(step)) > 20)
    bench.runner.stop(step)
    seen, _ = bench.finish(step)
    assert (seen.cause, seen.pids_left, family(step)) == ("stopped", 0, [])


def test_a_stopped_process_can_be_ended(bench):
    step = bench.start("sh", "-c", "echo ready; kill -STOP $$; sleep 60")
    bench.until_line(step, "ready")
    bench.runner.stop(step)
    seen, _ = bench.finish(step)
    assert (seen.cause, seen.signal) == ("stopped", signal.SIGTERM)


@pytest.mark.parametrize("inside", ["{}", "import os\nif os.fork(): os.wait()\nelse:\n {}"])
def test_memory_limit(bench, inside):
    code = inside.format("b = bytearray(400 << 20); import time; time.sleep(60)")
    seen, _ = bench.run("python3", "-c", code, limits=Limits(memory_bytes=100 << 20))
    assert (seen.cause, seen.signal) == ("memory", signal.SIGKILL)
    assert seen.message == "Killed: it needed more than 100 MiB of memory."


def test_memory_shared_by_children_counts_once(bench):
    code = """
    import os, time
    data = bytearray(60 << 20)
    children = [os.fork() or (time.sleep(1.5), os._exit(0)) for _ in range(4)]
    print(sum(os.wait()[1] for _ in children))
    """
    seen, lines = bench.run("python3", "-c", textwrap.dedent(code), limits=Limits(memory_bytes=150 << 20))
    assert (seen.cause, lines) == ("completed", ["0"])


def test_a_kill_near_the_limit_is_put_down_to_memory(bench):
    code = "import os, time; b = bytearray(95 << 20); time.sleep(2); os.kill(os.getpid(), 9)"
    seen, _ = bench.run("python3", "-c", code, limits=Limits(memory_bytes=110 << 20))
    assert seen.cause == "memory"
    seen, _ = bench.run("sh", "-c", "kill -9 $$", limits=Limits(memory_bytes=110 << 20))
    assert (seen.cause, seen.signal) == ("exit", signal.SIGKILL)


WORKER = """
import sys, threading
from pathlib import Path
from mlops.engine.local import LocalRunner
from mlops.engine.spec import RunSpec
mode, folder, name, code = sys.argv[1:]
runner = LocalRunner(mode)
step = runner.start(RunSpec(id=name, argv=("python3", "-c", code), folder=Path(folder)))
while not runner.logs(step): runner.wait(step, 1)
print(step.keeper_pid, flush=True)
threading.Event().wait(60)
"""


def start_worker(bench, place):
    folder = place / "work"
    folder.mkdir()
    name = f"dies-{os.getpid()}-{bench.runner.mode}"
    code = FAMILY + "time.sleep(120)"
    root = Path(__file__).parents[3]
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, bench.runner.mode, str(folder), name, code],
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
    )
    return worker, name, int(worker.stdout.readline())


def test_nothing_survives_the_worker(bench, place):
    worker, name, keeper = start_worker(bench, place)
    assert len(marked(name, keeper)) >= 4
    worker.kill()
    worker.communicate()
    until(lambda: not marked(name, keeper))


def test_a_frozen_worker_is_not_taken_for_dead(bench, place):
    worker, name, keeper = start_worker(bench, place)
    os.kill(worker.pid, signal.SIGSTOP)
    threading.Event().wait(1)
    alive = marked(name, keeper)
    worker.kill()
    worker.communicate()
    assert len(alive) >= 4
    until(lambda: not marked(name, keeper))


def test_nothing_survives_the_keeper(bench):
    step = bench.start("python3", "-c", FAMILY.replace("daemon(bare);", "") + "time.sleep(120)")
    bench.until_line(step, "ready")
    os.kill(step.keeper_pid, signal.SIGKILL)
    seen, _ = bench.finish(step)
    assert (seen.running, seen.started, seen.cause, seen.pids_left) == (False, True, "lost", 0)
    assert "killed from outside" in seen.message
    assert family(step) == []


def test_signals_to_the_keeper_are_no_orders(bench):
    step = bench.start("sh", "-c", "echo ready; sleep 1; echo done")
    bench.until_line(step, "ready")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(step.keeper_pid, number)
    seen, lines = bench.finish(step)
    assert (seen.cause, [line.text for line in lines]) == ("completed", ["done"])


def test_a_step_outlives_the_thread_that_started_it(bench):
    started = []
    thread = threading.Thread(target=lambda: started.append(bench.start("sh", "-c", "sleep 1; echo done")))
    thread.start()
    thread.join()
    seen, lines = bench.finish(started[0])
    assert (seen.cause, [line.text for line in lines]) == ("completed", ["done"])


def test_output_after_the_end_of_a_silent_descriptor_thief(unconfined):
    """A process outside the tree that holds the pipe open does not keep the end from being told."""
    step = unconfined.start("sh", "-c", "echo ready; sleep 0.5; echo done")
    unconfined.until_line(step, "ready")
    thief = os.open(f"/proc/{step.keeper_pid}/fd/1", os.O_WRONLY)
    try:
        seen, lines = unconfined.finish(step)
    finally:
        os.close(thief)
    assert (seen.cause, [line.text for line in lines]) == ("completed", ["done"])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_step_that_cannot_be_read_ends_instead_of_running_for_ever(bench, monkeypatch):
    def none_left(*_arguments: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("mlops.engine.step.selectors.DefaultSelector", none_left)
    step = bench.start("sleep", "300")
    seen = until(lambda: not (seen := step.poll()).running and seen)
    assert (seen.cause, seen.pids_left) == ("lost", 0)
    assert marked(step.spec.id) == []
