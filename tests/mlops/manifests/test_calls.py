"""Steps and tasks: what runs together, in which order, when and how often, and what they may speak of."""

from __future__ import annotations

from typing import Any

import pytest

from mlops.manifests import Loop, Sequence, Step, read
from tests.mlops.manifests.documents import call, dag, field, good, group, leaf, said, workflow

TAKES = leaf("one", "{{inputs.parameters.p}}", inputs={"parameters": [{"name": "p", "default": ""}]})
GIVES = leaf(
    "gives",
    outputs={
        "parameters": [{"name": "score", "valueFrom": {"path": "/app/score"}}],
        "artifacts": [{"name": "made", "path": "/app/made", "archive": {"none": {}}}],
    },
)


def steps_of(*templates: dict[str, Any]) -> tuple[Step, ...]:
    return good(workflow(*templates)).batch.templates[0].calls


def test_steps_of_an_inner_list_run_together() -> None:
    main = {"name": "main", "steps": [[call("a", "one"), call("b", "one")], [call("c", "one")]]}
    (template, _) = good(workflow(main, leaf("one"))).batch.templates
    assert [[step.name for step in group] for group in template.groups] == [["a", "b"], ["c"]]
    assert (template.kind, template.fail_fast, template.parallelism) == ("steps", False, None)


def test_a_dag_has_tasks_that_wait_for_others() -> None:
    main = dag(
        "main",
        call("a", "one"),
        call("b", "one", dependencies=["a"]),
        call("c", "one", depends="a.Failed || (b && !a.Skipped)"),
        call("d", "one", dependencies=["a", "b", "a"]),
    )
    (template, _) = good(workflow(main, leaf("one"))).batch.templates
    assert [task.depends for task in template.tasks] == [
        None,
        "a",
        "a.Failed || (b && !a.Skipped)",
        "a && b",
    ]
    assert (template.kind, template.fail_fast, template.target) == ("dag", True, ())


def test_a_dag_may_have_a_target_and_go_on_after_failures() -> None:
    main = dag("main", call("a", "one"), call("b", "one", dependencies=["a"]), call("c", "one"))
    main["dag"] |= {"target": "b  a b", "failFast": False}
    main["parallelism"] = "2"
    found = read(workflow(main, leaf("one")), file="x.yaml")
    (template, _) = found.templates[0].batch.templates
    assert (template.target, template.fail_fast, template.parallelism) == (("b", "a"), False, 2)
    assert [(each.field, each.reason) for each in found.notices] == [
        ("spec.templates[0].dag.tasks[2]", "ignored: no target needs it")
    ]


@pytest.mark.parametrize(("given", "fast"), [(None, False), (True, True), (False, False)])
def test_a_group_fails_fast_only_when_told(given: bool | None, fast: bool) -> None:
    fields = {} if given is None else {"failFast": given}
    made = good(workflow(group("main", call("a", "one"), **fields), leaf("one")))
    assert made.batch.templates[0].fail_fast is fast


def test_conditions_going_on_and_the_end_of_a_step_are_kept() -> None:
    main = group(
        "main",
        call("a", "one"),
        call(
            "b",
            "one",
            when="{{steps.a.status}} == Succeeded && {{workflow.parameters.W}} != 'x y'",
            continueOn={"failed": True},
            onExit="tidy",
        ),
        call("c", "one", continueOn={"error": True, "failed": False}),
    )
    made = good(workflow(main, leaf("one"), leaf("tidy"), parameters=("W",)))
    _, b, c = made.batch.templates[0].calls
    assert b.when == "{{steps.a.status}} == Succeeded && {{workflow.parameters.W}} != 'x y'"
    assert (b.continue_on_failed, b.continue_on_error, b.on_exit) == (True, False, "tidy")
    assert (c.continue_on_failed, c.continue_on_error, c.on_exit) == (False, True, None)


@pytest.mark.parametrize(
    ("fields", "loop"),
    [
        (
            {"withItems": ["a", "1", 2, 2.5, 1.10, True, {"k": "v", "n": [1]}, [3]]},
            Loop(items=('"a"', '"1"', "2", "2.5", "1.1", "true", '{"k":"v","n":[1]}', "[3]")),
        ),
        ({"withItems": ["{{workflow.parameters.W}}"]}, Loop(items=('"{{workflow.parameters.W}}"',))),
        ({"withParam": "{{workflow.parameters.W}}"}, Loop(param="{{workflow.parameters.W}}")),
        ({"withSequence": {"count": 3}}, Loop(sequence=Sequence(count="3"))),
        (
            {"withSequence": {"start": "1", "end": "{{workflow.parameters.W}}", "format": "%02d"}},
            Loop(sequence=Sequence(start="1", end="{{workflow.parameters.W}}", format="%02d")),
        ),
    ],
)
def test_loops(fields: dict[str, Any], loop: Loop) -> None:
    main = group("main", call("a", "one", {"p": "{{item}}"}, **fields))
    (step,) = good(workflow(main, TAKES, parameters=("W",))).batch.templates[0].calls
    assert step.loop == loop


def test_numbers_that_json_writes_otherwise_stay_texts() -> None:
    text = workflow(group("main", call("a", "one", withItems=["X"])), leaf("one"))
    text = text.replace("- X", "- 010\n        - 0x1F\n        - 1.10\n        - yes\n        - 1_000")
    (step,) = good(text).batch.templates[0].calls
    assert step.loop == Loop(items=('"010"', '"0x1F"', '"1.10"', '"yes"', '"1_000"'))


def test_fields_of_items() -> None:
    items = [{"k": 1, "both": 2}, {"both": 3}]
    main = group("main", call("a", "one", {"p": "{{item.both}}"}, withItems=items))
    assert said(main, TAKES) == []
    main = group("main", call("a", "one", {"p": "{{item.k}}"}, withItems=items))
    assert said(main, TAKES) == [
        "spec.templates[0].steps[0][0].arguments.parameters[0].value: {{item.k}} is no field of every item: k"
    ]
    main = group("main", call("a", "one", {"p": "{{item.any}}"}, withParam="{{workflow.parameters.W}}"))
    assert said(main, TAKES, parameters=("W",)) == []


def test_the_item_is_known_in_the_condition_and_the_arguments_of_a_loop_alone() -> None:
    main = group("main", call("a", "one", {"p": "{{item}}"}, when="{{item}} != 2", withSequence={"count": 3}))
    assert said(main, TAKES) == []
    main = group("main", call("a", "one", {"p": "{{item}}"}))
    assert said(main, TAKES) == [
        "spec.templates[0].steps[0][0].arguments.parameters[0].value: "
        "{{item}} has a meaning in a step with a loop only; pass it on as an input parameter"
    ]
    main = group("main", call("a", "one", withItems=["{{item}}"]))
    assert len(said(main, TAKES)) == 1


def later(name: str, first: dict[str, Any], *more: dict[str, Any]) -> list[str]:
    """What is said of a placeholder in the step after a first one."""
    return said(group("main", first, call("b", "one", {"p": f"{{{{{name}}}}}"})), TAKES, GIVES, *more)


@pytest.mark.parametrize(
    "name",
    [
        *(f"steps.a.{each}" for each in ("id", "status", "exitCode", "startedAt", "finishedAt")),
        "steps.a.outputs.result",
        "steps.a.outputs.parameters.score",
        "steps.name",
        "node.name",
        "pod.name",
        "inputs.parameters",
        "workflow.duration",
    ],
)
def test_what_later_steps_know(name: str) -> None:
    assert later(name, call("a", "gives")) == []


@pytest.mark.parametrize(
    "name", ["steps.a.status", "steps.a.outputs.parameters.score", "steps.a.outputs.parameters"]
)
def test_what_later_steps_know_of_a_loop(name: str) -> None:
    assert later(name, call("a", "gives", withItems=["x"])) == []


def test_what_later_steps_know_of_a_group() -> None:
    inner = group(
        "inner",
        call("x", "gives"),
        outputs={
            "parameters": [{"name": "up", "valueFrom": {"parameter": "{{steps.x.outputs.parameters.score}}"}}]
        },
    )
    for name in ("status", "id", "startedAt", "finishedAt", "outputs.parameters.up"):
        assert later(f"steps.a.{name}", call("a", "inner"), inner) == []


@pytest.mark.parametrize(
    ("name", "first", "reason"),
    [
        ("steps.b.status", call("a", "gives"), "means a step that does not run before this one: b"),
        ("steps.z.status", call("a", "gives"), "means a step that does not run before this one: z"),
        ("tasks.a.status", call("a", "gives"), "means nothing here: this template has steps"),
        ("steps.a.outputs.artifacts.made", call("a", "gives"), "is an artifact: pass it on with from"),
        (
            "steps.a.outputs.parameters.no",
            call("a", "gives"),
            "is unknown; of a there are exitCode, finished",
        ),
        ("steps.a.outputs.parameters", call("a", "gives"), "is unknown; of a there are"),
        ("steps.a.exitCode", call("a", "gives", withItems=["x"]), "is unknown; of a there are"),
        ("workflow.status", call("a", "gives"), "is known at the end only"),
        ("item", call("a", "gives", withItems=["x"]), "in a step with a loop only"),
    ],
)
def test_what_later_steps_do_not_know(name: str, first: dict[str, Any], reason: str) -> None:
    (error,) = later(name, first)
    assert reason in error


def test_steps_beside_each_other_know_nothing_of_each_other() -> None:
    both = [call("a", "gives"), call("b", "one", {"p": "{{steps.a.status}}"})]
    (error,) = said({"name": "main", "steps": [both]}, TAKES, GIVES)
    assert "means a step that does not run before this one: a" in error


def test_a_task_knows_all_it_waits_for_and_no_others() -> None:
    def of(*tasks: dict[str, Any]) -> list[str]:
        return said(dag("main", *tasks), TAKES, GIVES)

    last = call("c", "one", {"p": "{{tasks.a.outputs.result}} {{tasks.name}}"}, depends="b.Failed")
    assert of(last, call("b", "one", dependencies=["a"]), call("a", "gives")) == []
    (error,) = of(last, call("b", "one"), call("a", "gives"))
    assert "does not run before this one: a" in error
    (error,) = of(call("a", "gives"), call("b", "one", {"p": "{{steps.a.status}}"}, dependencies=["a"]))
    assert "this template has tasks" in error


def artifact(source: str) -> dict[str, Any]:
    return {"artifacts": [{"name": "got", "from": source}]}


USES = leaf("uses", inputs={"artifacts": [{"name": "got", "path": "/app/got"}]})


def test_artifacts_pass_between_tasks() -> None:
    source = "{{tasks.a.outputs.artifacts.made}}"
    main = dag(
        "main", call("a", "gives"), {**call("b", "uses", dependencies=["a"]), "arguments": artifact(source)}
    )
    made = good(workflow(main, GIVES, USES))
    (_, (given,)) = made.batch.templates[0].tasks[0], made.batch.templates[0].tasks[1].artifacts
    assert (given[0], given[1].step, given[1].output) == ("got", "a", "made")
    main["dag"]["tasks"][1].pop("dependencies")
    assert said(main, GIVES, USES) == [
        "spec.templates[0].dag.tasks[1].arguments.artifacts[0].from: no step named a runs before this one"
    ]
    main["dag"]["tasks"][1]["arguments"] = artifact("{{steps.a.outputs.artifacts.made}}")
    (error,) = said(main, GIVES, USES)
    assert "must have the form {{tasks.NAME.outputs.artifacts.NAME}}" in error


def test_the_artifacts_of_a_loop_are_many() -> None:
    source = "{{steps.a.outputs.artifacts.made}}"
    main = group(
        "main", call("a", "gives", withItems=[1]), {**call("b", "uses"), "arguments": artifact(source)}
    )
    (error,) = said(main, GIVES, USES)
    assert "a is a loop, which leaves an artifact for each item, not one" in error


def test_an_artifact_of_the_whole_workflow() -> None:
    maker = leaf("maker", outputs={"artifacts": [{"name": "o", "path": "/o", "globalName": "g"}]})
    main = group(
        "main",
        call("a", "maker"),
        {**call("b", "uses"), "arguments": artifact("{{workflow.outputs.artifacts.g}}")},
    )
    made = good(workflow(main, maker, USES))
    assert made.batch.templates[0].calls[1].artifacts[0][1].global_name == "g"
    assert made.inputs == ()
    main["steps"][1][0]["arguments"] = artifact("{{workflow.outputs.artifacts.h}}")
    (error,) = said(main, maker, USES)
    assert error.endswith("arguments.artifacts[0].from: no output has the globalName h")


def test_a_parameter_of_the_whole_workflow() -> None:
    maker = leaf(
        "maker",
        outputs={"parameters": [{"name": "o", "globalName": "g", "valueFrom": {"path": "/o"}}]},
    )
    main = group("main", call("a", "maker"), call("b", "one", {"p": "{{workflow.outputs.parameters.g}}"}))
    assert said(main, maker, TAKES) == []
    assert len(said(group("main", call("b", "one", {"p": "{{workflow.outputs.parameters.g}}"})), TAKES)) == 1


def ended(*templates: dict[str, Any], on_exit: str = "tidy") -> list[str]:
    text = workflow(*templates).replace("entrypoint: main", f"entrypoint: main\n  onExit: {on_exit}")
    return [f"{error.field}: {error.reason}" for error in read(text, file="x.yaml").errors]


def test_the_outcome_is_known_at_the_end_alone() -> None:
    tidy = leaf("tidy", "{{workflow.status}} {{workflow.failures}} {{workflow.duration}}")
    assert ended(leaf("main"), tidy) == []
    both = group("main", call("a", "tidy"))
    assert len(ended(both, tidy)) == 2
    inner = group("end", call("x", "one", {"p": "{{workflow.status}}"}))
    assert ended(leaf("main"), inner, TAKES, on_exit="end") == []


def test_what_runs_at_the_end_takes_parameters_of_the_executable_or_defaults() -> None:
    tidy = leaf("tidy", "{{inputs.parameters.p}}", inputs={"parameters": [{"name": "p"}]})
    (error,) = ended(leaf("main"), tidy)
    assert "has no default, and no parameter of the executable has its name" in error
    assert ended(leaf("main"), on_exit="gone") == ["spec.onExit: no template is named gone"]


def test_what_runs_after_a_step_is_given_nothing() -> None:
    tidy = leaf("tidy", inputs={"parameters": [{"name": "p"}]})
    (error,) = said(group("main", call("a", "one", onExit="tidy")), leaf("one"), tidy)
    assert error.endswith(
        "steps[0][0].onExit: tidy is called without arguments, and its input p has no default"
    )
    wants = leaf(
        "tidy",
        inputs={"artifacts": [{"name": "x", "path": "/x", "from": "{{steps.a.outputs.artifacts.made}}"}]},
    )
    (error,) = said(group("main", call("a", "gives", onExit="tidy")), GIVES, wants)
    assert error.endswith("its input x wants one of a step")


@pytest.mark.parametrize(
    ("main", "path", "reason"),
    [
        (dag("main"), "dag.tasks", "is missing or empty"),
        ({"name": "main", "dag": {"tasks": []}}, "dag.tasks", "is missing or empty"),
        ({"name": "main", "dag": {"task": []}}, "dag.task", "did you mean tasks?"),
        (dag("main", call("a", "one"), call("a", "one")), "dag.tasks[1].name", "a is given twice"),
        (dag("main", call("a", "gone")), "dag.tasks[0].template", "no template is named gone"),
        (dag("main", call("a", "one"), target="b"), "dag.target", "no task is named b"),
        (dag("main", call("a", "one"), target="{{x}}"), "dag.target", "no task is named {{x}}"),
        (dag("main", call("a", "one"), failFast="no"), "dag.failFast", "must be true or false"),
        (dag("main", call("a", "one", dependencies=["b"])), "dag.tasks[0].depends", "no task is named b"),
        (dag("main", call("a", "one", dependencies=["a"])), "dag.tasks", "in a circle: a"),
        (
            dag("main", call("a", "one", depends="b.Failed"), call("b", "one", dependencies=["a"])),
            "dag.tasks",
            "tasks wait for each other in a circle: a, b",
        ),
        (
            dag("main", call("a", "one"), call("b", "one", depends="a", dependencies=["a"])),
            "dag.tasks[1].dependencies",
            "give depends or dependencies, not both",
        ),
        (
            dag("main", call("a", "one"), call("b", "one", depends="a.Daemoned")),
            "dag.tasks[1].depends",
            "Daemoned of a task is not read",
        ),
        (
            dag("main", call("a", "one"), call("b", "one", depends="a ==")),
            "dag.tasks[1].depends",
            "is not expected here",
        ),
        (
            dag("main", call("a", "one", dependencies=["{{x}}"])),
            "dag.tasks[0].dependencies[0]",
            "is no name of a task",
        ),
        (dag("main", call("a", "one", templateRef={})), "dag.tasks[0].templateRef", "would change what"),
        (group("main", call("a", "one", when="a = b")), "steps[0][0].when", "cannot be read from"),
        (group("main", call("a", "one", when="{{nope}} == 1")), "steps[0][0].when", "is unknown here"),
        (group("main", call("a", "one", when="{{=1}} == 1")), "steps[0][0].when", "is an expression"),
        (group("main", call("a", "one", onExit="gone")), "steps[0][0].onExit", "no template is named gone"),
        (group("main", call("a", "one", onExit="")), "steps[0][0].onExit", "is missing or empty"),
        (
            group("main", call("a", "one", continueOn={"failed": "yes"})),
            "steps[0][0].continueOn.failed",
            "must be true or false",
        ),
        (group("main", call("a", "one", continueOn={"x": 1})), "steps[0][0].continueOn.x", "unknown field"),
        (
            group("main", call("a", "one", withItems=[])),
            "steps[0][0].withItems",
            "has 0 items; from 1 to 100",
        ),
        (group("main", call("a", "one", withItems=[1] * 101)), "steps[0][0].withItems", "has 101 items"),
        (group("main", call("a", "one", withItems="x")), "steps[0][0].withItems", "must be a list"),
        (group("main", call("a", "one", withItems=[None])), "steps[0][0].withItems[0]", "is empty"),
        (
            group("main", call("a", "one", withItems=[{"{{x}}": 1}])),
            "steps[0][0].withItems[0]",
            "cannot stand in a key",
        ),
        (group("main", call("a", "one", withItems=["{{x}}"])), "steps[0][0].withItems[0]", "is unknown here"),
        (group("main", call("a", "one", withParam="{}")), "steps[0][0].withParam", "must be a JSON list"),
        (group("main", call("a", "one", withParam="")), "steps[0][0].withParam", "is missing or empty"),
        (group("main", call("a", "one", withParam="{{x}}")), "steps[0][0].withParam", "is unknown here"),
        (
            group("main", call("a", "one", withSequence={})),
            "steps[0][0].withSequence.count",
            "give count or end",
        ),
        (
            group("main", call("a", "one", withSequence={"count": 1, "end": 2})),
            "steps[0][0].withSequence.count",
            "give count or end",
        ),
        (
            group("main", call("a", "one", withSequence={"count": 101})),
            "steps[0][0].withSequence",
            "has 101 items; at most 100",
        ),
        (
            group("main", call("a", "one", withSequence={"count": "x"})),
            "steps[0][0].withSequence",
            "needs whole numbers, not 'x'",
        ),
        (
            group("main", call("a", "one", withSequence={"count": 1, "format": "%s"})),
            "steps[0][0].withSequence",
            "must hold one %d",
        ),
        (
            group("main", call("a", "one", withItems=[1], withParam="[]")),
            "steps[0][0].withParam",
            "give one of withItems, withParam, withSequence",
        ),
        (group("main", call("a", "one"), parallelism=0), "parallelism", "a whole number from 1"),
        (group("main", call("a", "one"), failFast="x"), "failFast", "must be true or false"),
    ],
)
def test_a_call_that_cannot_be_is_refused(main: dict[str, Any], path: str, reason: str) -> None:
    errors = said(main, leaf("one"))
    wanted = f"{field(('spec', 'templates', 0))}.{path}"
    assert any(error.startswith(wanted) and reason in error for error in errors), errors


def test_the_steps_of_a_run_are_bounded_with_their_loops() -> None:
    def nested(*factors: dict[str, Any]) -> list[str]:
        levels = [group(f"l{n}", call("s", f"l{n + 1}", **each)) for n, each in enumerate(factors)]
        levels[0]["name"] = "main"
        return said(*levels, leaf(f"l{len(factors)}"), parameters=("W",))

    open_loop = {"withParam": "{{workflow.parameters.W}}"}
    assert nested(open_loop, open_loop) == []
    (error,) = nested(open_loop, open_loop, {"withItems": [1, 2]})
    assert "comes to 20,000 steps when all loops run; at most 10,000 are allowed" in error
    assert nested(open_loop, {"withSequence": {"count": 99}}, {"withItems": [1]}) == []
    (error,) = nested(*[open_loop] * 9)
    assert "1,000,000,000,000,000,000 steps" in error


def test_what_runs_after_steps_counts() -> None:
    many = [call(f"s{n}", "one", onExit="one") for n in range(251)]
    (error,) = said({"name": "main", "steps": [many]}, leaf("one"))
    assert error == "spec.templates[0]: comes to 502 steps; at most 500 are allowed"


def test_an_exit_that_calls_its_caller_is_a_circle() -> None:
    (error,) = said(group("main", call("a", "one", onExit="main")), leaf("one"))
    assert "templates call each other in a circle" in error


def test_a_long_chain_and_a_wide_graph_are_read_in_time() -> None:
    tasks = [
        call(f"t{n}", "one", dependencies=[f"t{k}" for k in range(max(0, n - 5), n)]) for n in range(400)
    ]
    assert said(dag("main", *tasks), leaf("one")) == []
