"""Loops: their items, the names of their calls, what they give together, and the refusals."""

import json

import pytest

from mlops.manifests.spec import Loop, OutputParameter, Parameter, Sequence, Step
from tests.mlops.engine.flow.driving import Driver, dag, executable, failed, leaf, ok, steps

SAY = leaf("say", "{{inputs.parameters.x}}", parameters=(Parameter("x", "-"),))


def loop_of(*items, x: str = "{{item}}", **fields) -> Step:
    loop = Loop(items=tuple(json.dumps(item) for item in items))
    return Step("each", "say", loop=loop, parameters=(("x", x),), **fields)


def run_of(step: Step, reports=None, *more: tuple[Step, ...], **options) -> Driver:
    return Driver(executable(steps("main", (step,), *more), SAY, leaf("tidy")), reports, **options).run()


def test_each_item_is_one_call():
    run = run_of(loop_of("a", 2, True, {"b": 1, "a": "x"}))
    assert run.started == ["each(0:a)", "each(1:2)", "each(2:true)", "each(3:a:x,b:1)"]
    assert [run.args(name)[0] for name in run.started] == ["a", "2", "true", '{"b": 1, "a": "x"}']
    assert run.node("each").kind == "loop"
    assert {node.parent for node in run.flow.nodes if node.kind == "leaf"} == {0}


def test_fields_of_items():
    run = run_of(loop_of({"n": "one", "deep": [1]}, x="{{item.n}} {{item.deep}}"))
    assert run.args(run.started[0]) == ("one [1]",)
    bad = run_of(loop_of({"n": 1}, x="{{item.m}}"))
    assert bad.flow.outcome == (
        "Errored",
        'Step each(0:n:1): The item {"n": 1} has no field m.',
    )


def test_names_of_calls_are_short_and_printable():
    run = run_of(loop_of("x" * 500, "a\nb\0"))
    assert run.started == [f"each(0:{'x' * 39}…)", "each(1:a b )"]


def test_items_from_what_another_step_left():
    loop = Step("each", "say", loop=Loop(param="{{steps.a.outputs.result}}"), parameters=(("x", "{{item}}"),))
    made = executable(steps("main", (Step("a", "one"),), (loop,)), leaf("one"), SAY)
    assert Driver(made, {"a": ok('["p", 5]')}).run().started == ["a", "each(0:p)", "each(1:5)"]
    for told in ("{}", "nonsense", "[1,", ""):
        bad = Driver(made, {"a": ok(told)}).run()
        assert "withParam must be a JSON list" in bad.flow.outcome[1]


@pytest.mark.parametrize(
    ("sequence", "items"),
    [
        (Sequence(count="3"), ["0", "1", "2"]),
        (Sequence(count="2", start="5"), ["5", "6"]),
        (Sequence(start="3", end="1"), ["3", "2", "1"]),
        (Sequence(start="-1", end="1"), ["-1", "0", "1"]),
        (Sequence(count="2", format="n%02X"), ["n00", "n01"]),
        (Sequence(count="{{workflow.parameters.N}}"), ["0", "1"]),
        (Sequence(count="0"), []),
    ],
)
def test_numbers(sequence, items):
    step = Step("each", "say", loop=Loop(sequence=sequence), parameters=(("x", "{{item}}"),))
    made = executable(steps("main", (step,)), SAY, parameters={"N": "2"})
    run = Driver(made, parameters={"N": "2"}).run()
    assert [run.args(name)[0] for name in run.started] == items


@pytest.mark.parametrize(
    ("loop", "told"),
    [
        (Loop(items=("1",) * 101), "101 items; at most 100"),
        (Loop(param=json.dumps([1] * 101)), "101 items; at most 100"),
        (Loop(sequence=Sequence(count="101")), "101 items; at most 100"),
        (Loop(sequence=Sequence(start="0", end="999999999999999")), "at most 100"),
        (Loop(sequence=Sequence(count="many")), "whole numbers, not 'many'"),
        (Loop(sequence=Sequence(count="1", format="%s")), "one %d"),
        (Loop(sequence=Sequence(count="1", format="%d %d")), "one %d"),
        (Loop(sequence=Sequence(count="1", format="%999999d")), "one %d"),
    ],
)
def test_what_is_no_list_of_at_most_a_hundred_is_refused(loop, told):
    run = run_of(Step("each", "say", loop=loop))
    assert run.started == []
    assert told in run.flow.outcome[1]


def test_what_the_items_left_comes_as_lists():
    use = Step(
        "use",
        "two",
        parameters=(
            ("x", "{{steps.each.outputs.parameters.score}}"),
            ("y", "{{steps.each.outputs.result}}"),
            ("z", "{{steps.each.outputs.parameters}}"),
        ),
    )
    two = leaf(
        "two",
        "{{inputs.parameters.x}}",
        "{{inputs.parameters.y}}",
        "{{inputs.parameters.z}}",
        parameters=tuple(Parameter(name) for name in "xyz"),
    )
    made = executable(steps("main", (loop_of("a", "b", "c", when="{{item}} != b"),), (use,)), SAY, two)
    run = Driver(made, lambda start: ok('{"r": 1}', score=f"0.{start.index}")).run()
    assert run.states()["each(1:b)"] == "Skipped"
    assert run.args("use") == (
        '["0.2", "0.4"]',
        '[{"r": 1}, {"r": 1}]',
        '[{"score": "0.2"}, {"score": "0.4"}]',
    )


def test_a_loop_without_items_is_skipped_and_gives_empty_lists():
    said = leaf("say", parameters=(Parameter("x", "-"),), output_parameters=(OutputParameter("s", "/s"),))
    use = Step("use", "two", parameters=(("x", "{{steps.each.outputs.parameters.s}}"),))
    two = leaf("two", "{{inputs.parameters.x}}", parameters=(Parameter("x"),))
    run = Driver(executable(steps("main", (loop_of(),), (use,)), said, two)).run()
    assert run.states() == {"each": "Skipped", "use": "Succeeded"}
    assert run.node("each").message == "Nothing to do: its list is empty."
    assert run.args("use") == ("[]",)


def test_a_condition_without_items_is_asked_once_before_the_loop():
    run = run_of(loop_of("a", "b", when="{{workflow.name}} == e2"))
    assert run.states() == {"each": "Skipped"}
    assert run.node("each").message == "Its condition is false: e1 == e2"


def test_one_failed_item_fails_the_loop_after_the_others():
    run = run_of(loop_of("a", "b"), {"each(0:a)": failed()})
    assert run.states() == {"each": "Failed", "each(0:a)": "Failed", "each(1:b)": "Succeeded"}
    assert run.flow.outcome == ("Failed", "Step each(0:a): It broke.")


def test_results_of_items_count_in_a_graph():
    each = loop_of("a", "b")
    tasks = (
        each,
        Step("any", "tidy", depends="each.AnySucceeded"),
        Step("all", "tidy", depends="each.AllFailed"),
    )
    made = executable(dag("main", *tasks), SAY, leaf("tidy"))
    one = Driver(made, {"each(0:a)": failed()}).run()
    assert (one.states()["any"], one.states()["all"]) == ("Succeeded", "Omitted")
    none = Driver(made, {"say": failed()}).run()
    assert (none.states()["any"], none.states()["all"]) == ("Omitted", "Succeeded")


def test_a_loop_holds_to_the_bound_of_its_template():
    made = executable(steps("main", (loop_of(*range(9)),), parallelism=3), SAY)
    run = Driver(made).run()
    assert (run.at_once, len(run.started)) == (3, 9)


def test_fail_fast_begins_no_more_items():
    made = executable(steps("main", (loop_of(*range(9)),), parallelism=2, fail_fast=True), SAY)
    run = Driver(made, {"each(0:0)": failed()}).run()
    assert run.started == ["each(0:0)", "each(1:1)"]
    assert run.states()["each(8:8)"] == "Omitted"


def test_a_loop_of_groups_has_a_group_for_each_item():
    inner = steps(
        "inner",
        (Step("x", "say", parameters=(("x", "{{inputs.parameters.n}}"),)),),
        parameters=(Parameter("n"),),
    )
    each = Step("each", "inner", loop=Loop(items=('"a"', '"b"')), parameters=(("n", "{{item}}"),))
    run = Driver(executable(steps("main", (each,)), inner, SAY)).run()
    assert run.started == ["each(0:a).x", "each(1:b).x"]
    assert run.args("each(1:b).x") == ("b",)


def test_each_item_has_its_own_end():
    run = run_of(loop_of("a", "b", on_exit="tidy"))
    assert run.started == ["each(0:a)", "each(1:b)", "each(0:a):onExit", "each(1:b):onExit"]


def test_too_many_nodes_end_the_run_instead_of_the_host():
    inner = steps("inner", (loop_of(*range(100)),))
    each = Step("each", "inner", loop=Loop(items=("1",) * 100))
    run = Driver(executable(steps("main", (each,)), inner, SAY)).run()
    assert "more than 800 steps" in run.flow.outcome[1]
    assert all(node.state for node in run.flow.nodes)
