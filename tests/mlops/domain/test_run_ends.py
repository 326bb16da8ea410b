"""How executions end: retries, time limits, what runs at the end, stops, and workers that go away."""

import json

import pytest

from launchpad.access import system_scope
from mlops.domain import attempts, enactments, executions, step_rows
from mlops.domain.orders import Orders
from mlops.lifecycle import Status, TargetStatus
from mlops.models import Artifact, Execution, StatusChange
from tests.mlops import factories
from tests.mlops.carrying import SHARED, Ran, carry_out, claim, sh, submit, text
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def group():
    return factories.place()


def ran(group, document, parameters=None, **options) -> Ran:
    return carry_out(submit(group, document, parameters or {}), **options)


RETRIED = "retryStrategy: {limit: 2, retryPolicy: Always, backoff: {duration: 1s, factor: 1}}"


def test_a_failed_step_is_tried_again_after_a_wait(group):
    command = "echo try {{retries}}; [ {{retries}} = 2 ]"
    done = ran(group, text("entrypoint: one", sh("one", command, RETRIED)))
    assert done.status == "COMPLETED", done.message
    said = done.log("one").splitlines()
    assert [line for line in said if line.startswith("try")] == ["try 0", "try 1", "try 2"]
    assert sum("WARN" in line and "Retry" in line for line in said) == 2
    row = done.steps["one"]
    assert (row.tries, row.status, row.message) == (3, "COMPLETED", "")


def test_an_expression_ends_the_retries(group):
    retry = 'retryStrategy: {limit: 5, expression: "lastRetry.exitCode == 7"}'
    done = ran(group, text("entrypoint: one", sh("one", "[ {{retries}} = 0 ] && exit 7; exit 8", retry)))
    assert (done.status, done.steps["one"].tries, done.steps["one"].exit_code) == ("DEAD", 2, 8)


def test_a_group_is_tried_again_as_a_whole(group):
    main = """\
    - name: main
      retryStrategy: {limit: 1}
      steps:
        - - {name: once, template: once}
"""
    once = sh("once", "[ -e /kept/been ] || { touch /kept/been; exit 1; }").replace(
        "        command: [sh]\n",
        "        command: [sh]\n        volumeMounts: [{name: meet, mountPath: /kept}]\n",
    )
    done = ran(group, text(f"entrypoint: main\n{SHARED}", main, once))
    assert done.status == "COMPLETED", done.message
    assert done.statuses == {"once": "DEAD", "[1].once": "COMPLETED"}


def test_the_limit_of_the_whole_run_ends_every_step(group):
    main = """\
    - name: main
      steps:
        - - {name: a, template: long}
          - {name: b, template: long}
        - - {name: c, template: long}
"""
    done = ran(group, text("entrypoint: main\nactiveDeadlineSeconds: 1", main, sh("long", "sleep 60")))
    assert (done.status, done.message) == ("DEAD", "The time limit of the whole run, 1 s, is over.")
    assert done.statuses == {"a": "DEAD", "b": "DEAD", "c": "SKIPPED"}
    assert done.steps["a"].cause == "deadline"


def test_something_runs_at_the_end_and_knows_the_outcome(group):
    tidy = sh("tidy", "echo '{{workflow.status}}'; echo '{{workflow.failures}}'")
    done = ran(group, text("entrypoint: bad\nonExit: tidy", sh("bad", "exit 4"), tidy))
    assert (done.status, done.message) == ("DEAD", "Step bad: The command ended with exit code 4.")
    status, failures = done.log("workflow:onExit").splitlines()
    assert status == "Failed"
    assert json.loads(failures)[0]["displayName"] == "bad"


def test_a_failure_at_the_end_is_one_of_the_whole_and_nothing_is_registered(group):
    good = sh(
        "good",
        "echo x > /data/out",
        "outputs: {artifacts: [{name: o, path: /data/out, globalName: out, archive: {none: {}}}]}",
    )
    done = ran(group, text("entrypoint: good\nonExit: tidy", good, sh("tidy", "exit 5")))
    assert done.status == "DEAD"
    assert done.message.startswith(
        "All steps ended well, but what runs at the end failed: Step workflow:onExit"
    )
    assert not Artifact.unscoped.filter(execution=done.execution).exists()


def long_pair() -> str:
    main = """\
    - name: main
      steps:
        - - {name: a, template: long}
          - {name: b, template: long}
        - - {name: c, template: long}
"""
    return text("entrypoint: main", main, sh("long", "trap '' TERM; echo begun; sleep 60"))


def both_run(done: Ran) -> bool:
    return all(done.steps[name].status == "RUNNING" for name in "ab")


def test_a_stop_ends_all_steps_that_run_side_by_side(group, settings):
    settings.GRACE_SECONDS = 0.3
    orders = Orders()

    def stop(done: Ran) -> None:
        until(lambda: both_run(done))
        executions.stop(system_scope(group), done.execution.pk)
        orders.stop()

    done = ran(group, long_pair(), orders=orders, meanwhile=stop)
    assert done.status == "STOPPED"
    assert done.statuses == {"a": "STOPPED", "b": "STOPPED", "c": "UNKNOWN"}


def test_an_abandoned_attempt_writes_nothing_more(group):
    orders = Orders()
    seen = {}

    def take_away(done: Ran) -> None:
        until(lambda: both_run(done))
        attempts.finish(done.execution.pk, 1, Status.DEAD, actor="sweep", reason="Its worker is gone.")
        seen.update(done.statuses)
        orders.abandon()

    done = ran(group, long_pair(), orders=orders, meanwhile=take_away)
    assert done.statuses == seen == {"a": "DEAD", "b": "DEAD", "c": "UNKNOWN"}
    assert done.message == "Its worker is gone."


def test_rows_of_an_older_attempt_are_not_written(group):
    row = submit(group, long_pair())
    assert claim().pk == row.pk
    rows = step_rows.StepRows(row.pk, 1, step_rows.of(row.pk, 1))
    Execution.unscoped.filter(pk=row.pk).update(attempt=2)
    assert rows.write([]) is False


@pytest.mark.parametrize(("policy", "status"), [("OnError", "PENDING"), ("OnFailure", "DEAD")])
def test_a_worker_that_leaves_goes_by_the_policy_of_what_it_interrupts(group, policy, status):
    document = (
        long_pair()
        .replace(
            "    - name: long\n",
            f"    - name: long\n      retryStrategy: {{limit: 1, retryPolicy: {policy}}}\n",
        )
        .replace("trap '' TERM; ", "")
    )
    orders = Orders()

    def leave(done: Ran) -> None:
        until(lambda: both_run(done))
        orders.leave()

    done = ran(group, document, orders=orders, meanwhile=leave)
    assert done.status == status, done.message
    rows = step_rows.of(done.execution.pk, 2)
    assert [row.status for row in rows] == (["UNKNOWN"] * 3 if status == "PENDING" else [])
    reasons = StatusChange.unscoped.filter(execution=done.execution).values_list("reason", flat=True)
    assert any("The worker was shut down." in reason for reason in reasons)


def test_a_step_that_reports_after_the_stop_is_told_as_it_was(group):
    orders = Orders()

    def stop(done: Ran) -> None:
        until(lambda: done.steps["a"].status == "RUNNING")
        Execution.unscoped.filter(pk=done.execution.pk).update(target_status=TargetStatus.STOPPED)
        enactments.transition(done.execution.pk, Status.STOPPING, actor="ann")
        orders.stop()

    document = long_pair().replace(
        "trap '' TERM; echo begun; sleep 60", "trap 'exit 0' TERM; echo begun; sleep 60 & wait"
    )
    done = ran(group, document, orders=orders, meanwhile=stop)
    assert done.status == "STOPPED"
