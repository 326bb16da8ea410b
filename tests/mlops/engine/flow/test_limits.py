"""Retries, their waits, time limits, and what runs at the end."""

import json
from datetime import timedelta

import pytest

from mlops.engine.flow import Report
from mlops.manifests.spec import Backoff, Loop, Parameter, Retry, Step
from tests.mlops.engine.flow.driving import (
    START,
    Driver,
    dag,
    errored,
    executable,
    failed,
    leaf,
    ok,
    steps,
)

FLAKY = errored("The network broke.", is_transient=True)


class Then:
    """Tells the given ends in turn, the last one again and again."""

    def __init__(self, *reports: Report) -> None:
        self.reports = list(reports)

    def __call__(self, start) -> Report:
        return self.reports.pop(0) if len(self.reports) > 1 else self.reports[0]


def tried(retry: Retry, *reports: Report) -> Driver:
    return Driver(executable(leaf("one", "{{retries}}", retry=retry)), Then(*reports)).run()


@pytest.mark.parametrize(
    ("policy", "report", "tries"),
    [
        ("OnFailure", failed(), 3),
        ("OnFailure", errored(), 1),
        ("OnError", failed(), 1),
        ("OnError", errored(), 3),
        ("OnTransientError", errored(), 1),
        ("OnTransientError", FLAKY, 3),
        ("Always", failed(), 3),
        ("Always", errored(), 3),
    ],
)
def test_a_policy_says_what_is_tried_again(policy, report, tries):
    run = tried(Retry(2, policy), report)
    assert len(run.started) == tries
    assert run.node("one").tries == tries
    assert run.flow.outcome[0] == report.state


def test_a_try_that_goes_well_ends_it():
    run = tried(Retry(5), failed(), failed(), ok())
    assert run.started == ["one", "one#1", "one#2"]
    assert [run.args(name) for name in run.started] == [("0",), ("1",), ("2",)]
    assert run.flow.outcome == ("Succeeded", "")
    assert run.node("one").message == ""


def test_without_a_limit_there_are_twenty_retries():
    assert len(tried(Retry(None), failed()).started) == 21


@pytest.mark.parametrize(
    ("backoff", "seconds"),
    [
        # Each attempt lasts a second.
        (Backoff(10), 34),
        (Backoff(10, 2), 74),
        (Backoff(10, 2, cap_seconds=15), 44),
        (Backoff(10, 2, max_seconds=40), 33),
        (Backoff(10, 1e300, cap_seconds=5), 19),
        (Backoff(0), 4),
    ],
)
def test_the_wait_before_a_retry(backoff, seconds):
    run = tried(Retry(3, backoff=backoff), failed())
    assert run.now - START == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("expression", "report", "tries"),
    [
        ("lastRetry.exitCode == 3", failed(3), 2),
        ("lastRetry.exitCode == 3", failed(4), 1),
        ("lastRetry.exitCode == -1", errored(), 2),
        ("lastRetry.status == 'Error'", errored(), 2),
        ("lastRetry.message == 'It broke.' && lastRetry.duration < 9", failed(), 2),
    ],
)
def test_an_expression_has_to_hold_too(expression, report, tries):
    assert len(tried(Retry(1, "Always", expression=expression), report).started) == tries


def test_an_expression_without_answer_ends_it_and_says_so():
    run = tried(Retry(1, "Always", expression="{{lastRetry.message}}"), failed())
    assert len(run.started) == 1
    assert "The expression of its retryStrategy has no answer" in run.flow.outcome[1]


def test_a_group_is_tried_again_as_a_whole():
    inner = steps("inner", (Step("a", "one"),), (Step("b", "two"),), retry=Retry(1))
    made = executable(steps("main", (Step("x", "inner"),)), inner, leaf("one"), leaf("two"))
    run = Driver(made, {"x.b": failed()}).run()
    assert run.started == ["x.a", "x.b", "x[1].a", "x[1].b"]
    assert run.flow.outcome == ("Succeeded", "")
    assert (run.node("x").tries, run.node("x").state) == (2, "Succeeded")
    assert run.node("x[1].a").parent == run.node("x").index


def test_the_entry_template_is_tried_again_too():
    made = executable(dag("main", Step("a", "one"), retry=Retry(1, backoff=Backoff(30))), leaf("one"))
    run = Driver(made, Then(failed(), ok())).run()
    assert run.started == ["a", "[1].a"]
    assert run.now - START == timedelta(seconds=32)
    assert run.flow.outcome == ("Succeeded", "")


def test_a_group_that_fails_to_the_last_tells_the_last_failure():
    made = executable(steps("main", (Step("a", "one"),), retry=Retry(1)), leaf("one"))
    run = Driver(made, Then(failed(message="First."), failed(message="Second."))).run()
    assert run.flow.outcome == ("Failed", "Step [1].a: Second.")


def test_a_group_has_a_time_limit_for_each_try():
    inner = steps(
        "inner",
        (Step("a", "one"), Step("b", "one")),
        (Step("c", "one"),),
        deadline_seconds=10,
        retry=Retry(1),
    )
    made = executable(steps("main", (Step("x", "inner"),), (Step("d", "one"),)), inner, leaf("one"))
    run = Driver(made, {}, lasts={"x.a": 99}).run()
    assert run.stopped == [run.node("x.a").index]
    assert run.states()["x.a"] == "Failed"
    assert run.states()["x.c"] == "Omitted"
    assert run.states()["x[1].c"] == "Succeeded"
    assert run.flow.outcome == ("Succeeded", "")


def test_the_whole_run_has_a_time_limit_that_no_retry_gets_round():
    retrying = Retry(20, "Always", Backoff(1))
    inner = steps("inner", (Step("a", "one"),), retry=retrying)
    made = executable(
        steps("main", (Step("x", "inner"), Step("w", "two")), retry=retrying),
        inner,
        leaf("one", retry=retrying),
        leaf("two", retry=Retry(1, backoff=Backoff(1000))),
        deadline_seconds=10,
    )
    run = Driver(made, {"w": failed()}, lasts={"x.a": 99}, deadline_seconds=10).run()
    assert run.started == ["x.a", "w"]
    assert run.now - START == timedelta(seconds=10)
    assert run.flow.outcome == ("Failed", "The time limit of the whole run, 10 s, is over.")
    assert set(run.states().values()) == {"Failed"}


def test_a_loop_that_is_cut_off_has_failed():
    each = Step("each", "one", loop=Loop(items=('"a"', '"b"')))
    made = executable(steps("main", (each,), deadline_seconds=5, parallelism=1), leaf("one"))
    run = Driver(made, {}, lasts={"each(0:a)": 99}).run()
    assert run.states() == {"each": "Failed", "each(0:a)": "Failed", "each(1:b)": "Omitted"}


AT_END = leaf(
    "tidy",
    "{{workflow.status}}",
    "{{workflow.failures}}",
    "{{inputs.parameters.P}}",
    parameters=(Parameter("P"),),
)


@pytest.mark.parametrize(
    ("report", "status"), [(ok(), "Succeeded"), (failed(), "Failed"), (errored(), "Error")]
)
def test_something_runs_at_the_end_whatever_the_outcome(report, status):
    made = executable(
        steps("main", (Step("a", "one"),)), leaf("one"), AT_END, on_exit="tidy", parameters={"P": "p"}
    )
    run = Driver(made, {"a": report}, parameters={"P": "p"}).run()
    told, failures, parameter = run.args("workflow:onExit")
    assert (told, parameter) == (status, "p")
    assert [each["displayName"] for each in json.loads(failures)] == ([] if status == "Succeeded" else ["a"])
    assert run.flow.outcome[0] == report.state


def test_a_failure_at_the_end_is_one_of_the_whole():
    made = executable(leaf("one"), leaf("tidy"), on_exit="tidy")
    run = Driver(made, {"workflow:onExit": failed(message="No room.")}).run()
    assert run.flow.outcome == (
        "Failed",
        "All steps ended well, but what runs at the end failed: Step workflow:onExit: No room.",
    )
    both = Driver(made, {"one": failed(), "workflow:onExit": failed(message="No room.")}).run()
    assert both.flow.outcome == ("Failed", "Step one: It broke.")


def test_the_end_may_be_a_group_and_has_as_long_again():
    made = executable(leaf("one"), steps("tidy", (Step("x", "one"),)), on_exit="tidy", deadline_seconds=10)
    run = Driver(made, {}, lasts={"one": 99}, deadline_seconds=10).run()
    assert run.started == ["one", "workflow:onExit.x"]
    assert run.node("workflow:onExit").kind == "exit"
    assert run.now - START == timedelta(seconds=20)
    assert run.states() == {"one": "Failed", "workflow:onExit": "Failed", "workflow:onExit.x": "Failed"}


def test_a_report_about_what_does_not_run_is_refused():
    run = Driver(executable(leaf("one"))).run()
    with pytest.raises(ValueError, match="does not run"):
        run.flow.reported(0, ok(), START)
