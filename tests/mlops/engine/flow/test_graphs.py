"""Graphs: tasks start as soon as what they depend on allows, and failures end what hangs on them."""

import pytest

from mlops.manifests.spec import Step
from tests.mlops.engine.flow.driving import Driver, dag, errored, executable, failed, leaf, ok, steps


def task(name: str, depends: str | None = None, **fields) -> Step:
    return Step(name, "leaf", depends=depends, **fields)


def run_of(*tasks: Step, reports=None, lasts=None, **fields) -> Driver:
    made = executable(dag("main", *tasks, **fields), leaf("leaf"), leaf("tidy"))
    return Driver(made, reports or {}, lasts=lasts or {}).run()


def test_a_task_waits_for_no_more_than_it_depends_on():
    run = run_of(
        task("d", "b && c"), task("a"), task("b", "a"), task("c", "a"), task("e"), lasts={"e": 50, "b": 5}
    )
    assert run.started == ["a", "e", "b", "c", "d"]
    names = {node.name: node for node in run.flow.nodes}
    assert names["d"].after == (names["b"].index, names["c"].index)
    assert run.flow.outcome == ("Succeeded", "")


@pytest.mark.parametrize(
    ("report", "depends", "runs"),
    [
        (ok(), "a", True),
        (ok(), "a.Succeeded", True),
        (ok(), "a.Failed", False),
        (ok(), "!a.Failed", True),
        (failed(), "a", False),
        (failed(), "a.Failed", True),
        (failed(), "a.Errored", False),
        (failed(), "a.Failed || a.Errored", True),
        (errored(), "a.Errored", True),
        (errored(), "a.Failed", False),
        (failed(), "a.AllFailed", True),
        (ok(), "a.AnySucceeded", True),
        (failed(), "a.AnySucceeded", False),
    ],
)
def test_depends_asks_how_a_task_ended(report, depends, runs):
    run = run_of(task("a"), task("b", depends), reports={"a": report})
    assert run.states()["b"] == ("Succeeded" if runs else "Omitted")


def test_skipped_counts_as_well_and_omitted_does_not():
    run = run_of(task("a", when="false"), task("b", "a"), task("c", "a.Skipped"), task("d", "a.Succeeded"))
    assert run.states() == {"a": "Skipped", "b": "Succeeded", "c": "Succeeded", "d": "Omitted"}
    run = run_of(task("a"), task("b", "a.Failed"), task("c", "b"), task("d", "b.Omitted"))
    assert run.states() == {"a": "Succeeded", "b": "Omitted", "c": "Omitted", "d": "Succeeded"}
    assert run.flow.outcome[0] == "Succeeded"


def test_a_failure_that_is_handled_is_none_of_the_graph():
    run = run_of(task("a"), task("mend", "a.Failed"), reports={"a": failed()})
    assert run.flow.outcome == ("Succeeded", "")


def test_a_failure_that_others_hang_on_is():
    run = run_of(task("a"), task("b", "a"), task("mend", "a.Failed"), reports={"a": failed()})
    assert run.flow.outcome == ("Failed", "Step a: It broke.")
    assert run.node("b").message == "What it depends on ended otherwise: a failed; it needs a."


def test_a_failure_may_be_overlooked():
    run = run_of(task("a", continue_on_failed=True), task("b", "a"), reports={"a": failed()})
    assert run.states()["b"] == "Succeeded"
    assert run.flow.outcome[0] == "Succeeded"
    alone = run_of(task("a", continue_on_failed=True), reports={"a": failed()})
    assert alone.flow.outcome[0] == "Succeeded"
    other = run_of(task("a", continue_on_failed=True), task("b", "a"), reports={"a": errored()})
    assert other.flow.outcome[0] == "Errored"


def test_fail_fast_begins_nothing_more_and_lets_what_runs_end():
    tasks = (task("a"), task("slow"), task("later", "slow"))
    run = run_of(*tasks, reports={"a": failed()}, lasts={"slow": 9})
    assert run.states() == {"a": "Failed", "slow": "Succeeded", "later": "Omitted"}
    patient = run_of(*tasks, reports={"a": failed()}, lasts={"slow": 9}, fail_fast=False)
    assert patient.states() == {"a": "Failed", "slow": "Succeeded", "later": "Succeeded"}
    assert patient.flow.outcome[0] == "Failed"


def test_fail_fast_sees_a_failure_before_all_of_a_join_has_ended():
    tasks = (task("a"), task("slow"), task("join", "a && slow"), task("x", "slow"))
    run = run_of(*tasks, reports={"a": failed()}, lasts={"slow": 9})
    assert run.states() == {"a": "Failed", "slow": "Succeeded", "join": "Omitted", "x": "Omitted"}


def test_a_failure_that_may_still_be_handled_stops_nothing():
    tasks = (task("a"), task("slow"), task("mend", "a.Failed && slow"), task("x", "slow"))
    run = run_of(*tasks, reports={"a": failed()}, lasts={"slow": 9})
    assert run.states() == {"a": "Failed", "slow": "Succeeded", "mend": "Succeeded", "x": "Succeeded"}


def test_only_what_the_target_needs_runs():
    run = run_of(task("a"), task("b", "a"), task("c", "b"), task("d"), target=("b",))
    assert run.started == ["a", "b"]
    assert run.node("d").message == "Not needed for the target of its graph."
    assert run.flow.outcome[0] == "Succeeded"


def test_tasks_tell_what_they_left():
    later = Step("b", "say", depends="a", parameters=())
    made = executable(
        dag(
            "main", task("a"), later, Step("c", "leaf", depends="b", when="{{tasks.b.outputs.result}} == hi")
        ),
        leaf("leaf"),
        leaf("say"),
    )
    run = Driver(made, {"b": ok("hi")}).run()
    assert run.states()["c"] == "Succeeded"


def test_a_task_has_its_own_end():
    run = run_of(task("a", on_exit="tidy"), task("b", "a"), reports={"a:onExit": failed(message="No.")})
    assert run.states() == {"a": "Succeeded", "a:onExit": "Failed", "b": "Omitted"}
    assert run.flow.outcome == ("Failed", "Step a:onExit: No.")


def test_graphs_lie_within_steps_and_steps_within_graphs():
    inner = steps("inner", (Step("x", "leaf"), Step("y", "leaf")))
    graph = dag("graph", Step("in", "inner"), task("out", "in"))
    made = executable(
        steps("main", (Step("g", "graph"),), (Step("end", "leaf"),)), graph, inner, leaf("leaf")
    )
    run = Driver(made, {"g.in.y": failed()}).run()
    assert run.states() == {
        "g": "Failed",
        "g.in": "Failed",
        "g.in.x": "Succeeded",
        "g.in.y": "Failed",
        "g.out": "Omitted",
        "end": "Omitted",
    }
    assert run.flow.outcome == ("Failed", "Step g.in.y: It broke.")
