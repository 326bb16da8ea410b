"""Steps: groups in turn, their steps together; conditions, failures, nesting, what is passed on."""

import pytest

from mlops.engine.flow import Made, Slot, Text
from mlops.manifests.spec import (
    ArtifactSource,
    InputArtifact,
    OutputArtifact,
    OutputParameter,
    Parameter,
    Step,
)
from tests.mlops.engine.flow.driving import Driver, errored, executable, failed, leaf, ok, steps

A, B, C = Step("a", "one"), Step("b", "two"), Step("c", "three")
LEAVES = (leaf("one"), leaf("two"), leaf("three"))


def test_a_single_container_is_one_node():
    run = Driver(executable(leaf("train"))).run()
    assert run.started == ["train"]
    assert run.flow.outcome == ("Succeeded", "")


def test_groups_follow_each_other_and_their_steps_run_together():
    run = Driver(executable(steps("main", (A, B), (C,)), *LEAVES))
    run.round()
    assert run.started == ["a", "b"]
    run.run()
    assert (run.started, run.at_once) == (["a", "b", "c"], 2)
    assert [node.after for node in run.flow.nodes] == [(), (), (0, 1)]


def test_the_rest_of_a_group_ends_before_its_failure_counts():
    run = Driver(executable(steps("main", (A, B), (C,)), *LEAVES), {"a": failed()}, lasts={"b": 9}).run()
    assert run.states() == {"a": "Failed", "b": "Succeeded", "c": "Omitted"}
    assert run.node("c").message == "Not reached: a failed."
    assert run.flow.outcome == ("Failed", "Step a: It broke.")


def test_hundreds_of_steps_side_by_side_do_not_each_count_the_others():
    calls = tuple(Step(f"s{number}", "one") for number in range(400))
    run = Driver(executable(steps("main", calls, parallelism=20, fail_fast=True), *LEAVES), most=4).run()
    assert (run.at_once, set(run.states().values())) == (4, {"Succeeded"})


def test_fail_fast_starts_no_more_of_the_group():
    template = steps("main", (A, B, C), fail_fast=True, parallelism=1)
    run = Driver(executable(template, *LEAVES), {"a": failed()}).run()
    assert run.states() == {"a": "Failed", "b": "Omitted", "c": "Omitted"}
    without = Driver(executable(steps("main", (A, B), parallelism=1), *LEAVES), {"a": failed()}).run()
    assert without.states() == {"a": "Failed", "b": "Succeeded"}


@pytest.mark.parametrize("bound", ["workflow", "template", "most"])
def test_no_more_run_at_once_than_is_allowed(bound):
    template = steps("main", (A, B, C), parallelism=2 if bound == "template" else None)
    workflow = {"parallelism": 2} if bound == "workflow" else {}
    run = Driver(executable(template, *LEAVES, **workflow), most=2 if bound == "most" else 9).run()
    assert run.at_once == 2
    assert set(run.states().values()) == {"Succeeded"}


@pytest.mark.parametrize(
    ("report", "field", "goes_on"),
    [
        (failed(), "continue_on_failed", True),
        (errored(), "continue_on_failed", False),
        (errored(), "continue_on_error", True),
        (failed(), "continue_on_error", False),
    ],
)
def test_a_failure_is_overlooked_only_when_its_kind_is(report, field, goes_on):
    first = Step("a", "one", **{field: True})
    run = Driver(executable(steps("main", (first,), (B,)), *LEAVES), {"a": report}).run()
    assert run.states()["b"] == ("Succeeded" if goes_on else "Omitted")
    assert run.flow.outcome[0] == ("Succeeded" if goes_on else report.state)


def test_a_false_condition_skips_and_says_which():
    later = Step("b", "two", when="{{steps.a.outputs.parameters.score}} >= 0.9")
    run = Driver(executable(steps("main", (A,), (later,), (C,)), *LEAVES), {"a": ok(score="0.85")}).run()
    assert run.states() == {"a": "Succeeded", "b": "Skipped", "c": "Succeeded"}
    assert run.node("b").message == "Its condition is false: 0.85 >= 0.9"
    assert run.node("b").cause == "skipped"


def test_a_condition_that_cannot_be_answered_is_an_error():
    later = Step("b", "two", when="{{steps.a.outputs.parameters.nothing}} == 1")
    run = Driver(executable(steps("main", (A,), (later,)), *LEAVES)).run()
    assert run.states()["b"] == "Errored"
    assert "a.outputs.parameters.nothing" in run.flow.outcome[1]


def test_values_pass_from_step_to_step_and_stay_text():
    arguments = (
        ("x", "{{steps.a.outputs.parameters.x}}/{{steps.a.exitCode}}/{{steps.a.status}}"),
        ("y", "{{steps.a.outputs.result}}"),
    )
    later = Step("b", "two", parameters=arguments)
    two = leaf(
        "two",
        "{{inputs.parameters.x}}",
        "{{inputs.parameters.y}}",
        "{{inputs.parameters.z}} {{ workflow.name }}",
        parameters=(Parameter("x"), Parameter("y"), Parameter("z", "{{workflow.parameters.Z}}")),
    )
    made = executable(steps("main", (A,), (later,)), leaf("one"), two, parameters={"Z": "{{no}}"})
    run = Driver(
        made, {"a": ok(x='"{{item}}\n', result="{{steps.a.status}}")}, parameters={"Z": "{{no}}"}
    ).run()
    assert run.args("b") == ('"{{item}}\n/0/Succeeded', "{{steps.a.status}}", "{{no}} e1")


def test_a_step_tells_its_names_and_paths():
    one = leaf(
        "one",
        "{{node.name}} {{steps.name}} {{retries}} {{inputs.artifacts.i.path}} "
        "{{outputs.artifacts.o.path}} {{outputs.parameters.p.path}} {{workflow.creationTimestamp.Y}}",
        inputs=(InputArtifact("i", "/in"),),
        outputs=(OutputArtifact("o", "/out"),),
        output_parameters=(OutputParameter("p", "/tmp/p"),),
    )
    inner = steps("inner", (A,))
    run = Driver(executable(steps("main", (Step("x", "inner"),)), inner, one)).run()
    assert run.args("x.a") == ("x.a a 0 /in /out /tmp/p 2026",)


def test_a_placeholder_without_value_ends_the_step_before_it_starts():
    run = Driver(executable(steps("main", (A,), (B,)), leaf("one", "{{nothing}}"), leaf("two"))).run()
    assert run.started == []
    assert run.states() == {"a": "Errored", "b": "Omitted"}
    assert run.flow.outcome == ("Errored", "Step a: The placeholder {{nothing}} has no value.")


def test_nested_templates_have_nodes_of_their_own_and_pass_values_up_and_down():
    inner = steps(
        "inner",
        (Step("deep", "one", parameters=(("x", "{{inputs.parameters.n}}!"),)),),
        parameters=(Parameter("n"),),
        output_parameters=(
            OutputParameter("up", source="steps.deep.outputs.parameters.x", global_name="whole"),
            OutputParameter("other", source="steps.deep.outputs.parameters.none", default="plain"),
        ),
        outputs=(OutputArtifact("f", "", source=ArtifactSource(step="deep", output="f"), global_name="g"),),
    )
    one = leaf("one", "{{inputs.parameters.x}}", parameters=(Parameter("x"),))
    call = Step("outer", "inner", parameters=(("n", "7"),))
    last = Step(
        "last",
        "two",
        parameters=(("v", "{{steps.outer.outputs.parameters.up}},{{steps.outer.outputs.parameters.other}}"),),
        artifacts=(("in", ArtifactSource(step="outer", output="f")),),
    )
    two = leaf(
        "two",
        "{{inputs.parameters.v}} {{workflow.outputs.parameters.whole}}",
        parameters=(Parameter("v"),),
        inputs=(InputArtifact("in", "/in"), InputArtifact("g", "/g", source=ArtifactSource(global_name="g"))),
    )
    run = Driver(
        executable(steps("main", (call,), (last,)), inner, one, two),
        {"outer.deep": ok(x="up", artifacts=("f",))},
    ).run()
    assert run.flow.outcome == ("Succeeded", "")
    assert [(node.name, node.kind, node.parent) for node in run.flow.nodes] == [
        ("outer", "steps", None),
        ("outer.deep", "leaf", 0),
        ("last", "leaf", None),
    ]
    assert run.args("outer.deep") == ("7!",)
    assert run.args("last") == ("up,plain up",)
    assert run.starts["last"].artifacts == {"in": Made(1, "f"), "g": Made(1, "f")}
    assert run.flow.exports["g"].artifact == Made(1, "f")


def test_artifacts_come_from_slots_texts_and_the_caller():
    inner = steps(
        "inner",
        (
            Step(
                "deep",
                "one",
                artifacts=(
                    ("a", ArtifactSource(input="given")),
                    ("b", ArtifactSource(raw="{{inputs.parameters.p}}")),
                ),
            ),
        ),
        parameters=(Parameter("p", "text"),),
        inputs=(InputArtifact("given", ""),),
    )
    one = leaf("one", inputs=tuple(InputArtifact(name, f"/{name}") for name in "abc"))
    run = Driver(executable(steps("main", (Step("x", "inner"),)), inner, one)).run()
    assert run.starts["x.deep"].artifacts == {"a": Slot("given"), "b": Text("text"), "c": Slot("c")}


def test_an_artifact_that_was_not_left_is_not_there():
    later = Step("b", "two", artifacts=(("in", ArtifactSource(step="a", output="f")),))
    two = leaf("two", inputs=(InputArtifact("in", "/in", optional=True),))
    run = Driver(executable(steps("main", (A,), (later,)), leaf("one"), two)).run()
    assert run.starts["b"].artifacts == {}


def test_an_output_that_cannot_be_passed_up_is_an_error():
    inner = steps(
        "inner",
        (Step("deep", "one"),),
        outputs=(OutputArtifact("f", "", source=ArtifactSource(step="deep", output="f")),),
    )
    run = Driver(executable(steps("main", (Step("x", "inner"),)), inner, leaf("one"))).run()
    assert run.flow.outcome == ("Errored", "Step x: Its output f is missing.")


def test_a_skipped_group_is_skipped_with_all_inside():
    inner = steps("inner", (A,), (B,))
    run = Driver(executable(steps("main", (Step("x", "inner", when="a == b"),)), inner, *LEAVES)).run()
    assert run.states() == {"x": "Skipped", "x.a": "Omitted", "x.b": "Omitted"}
    assert run.flow.outcome[0] == "Succeeded"


def test_the_default_of_an_output_stands_in_for_a_step_that_did_not_run():
    one = leaf("one", output_parameters=(OutputParameter("x", "/x", default="none"),))
    skipped = Step("a", "one", when="false")
    later = Step("b", "two", parameters=(("v", "{{steps.a.outputs.parameters.x}}"),))
    two = leaf("two", "{{inputs.parameters.v}}", parameters=(Parameter("v"),))
    run = Driver(executable(steps("main", (skipped,), (later,)), one, two)).run()
    assert run.args("b") == ("none",)


def test_a_step_runs_after_another_whatever_came_of_it():
    first = Step("a", "one", on_exit="tidy")
    made = executable(steps("main", (first,), (B,)), *LEAVES, leaf("tidy", "{{node.name}}"))
    run = Driver(made, {"a": failed()}).run()
    assert run.started == ["a", "a:onExit"]
    assert run.node("a:onExit").after == (0,)
    assert run.states() == {"a": "Failed", "a:onExit": "Succeeded", "b": "Omitted"}
    bad = Driver(made, {"a:onExit": failed(message="No.")}).run()
    assert bad.flow.outcome == ("Failed", "Step a:onExit: No.")
    assert bad.states()["b"] == "Omitted"


def test_nothing_runs_after_a_step_that_did_not_run():
    first = Step("a", "one", when="false", on_exit="tidy")
    run = Driver(executable(steps("main", (first,)), leaf("one"), leaf("tidy"))).run()
    assert run.states() == {"a": "Skipped", "a:onExit": "Omitted"}
    assert run.flow.outcome[0] == "Succeeded"
