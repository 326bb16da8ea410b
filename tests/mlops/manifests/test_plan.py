"""Plans: order, nesting, parameters passed down, artifacts passed on."""

from __future__ import annotations

from typing import Any

import pytest

from mlops.manifests import InputPlan, fill, plan, read
from tests.mlops.manifests.documents import changed, good, group, leaf, workflow


def call(name: str, template: str, **arguments: list[dict[str, Any]]) -> dict[str, Any]:
    step: dict[str, Any] = {"name": name, "template": template}
    return {**step, "arguments": arguments} if arguments else step


def artifact(name: str, **fields: Any) -> dict[str, Any]:
    return {"artifacts": [{"name": name, "path": f"/app/{name}", **fields}]}


def errors(*templates: dict[str, Any], parameters: tuple[str, ...] = ()) -> list[str]:
    found = read(workflow(*templates, parameters=parameters), file="x.yaml")
    return [f"{error.field}: {error.reason}" for error in found.errors]


def test_steps_run_in_their_order() -> None:
    steps = plan(good(workflow(group("main", call("b", "two"), call("a", "one")), leaf("one"), leaf("two"))))
    assert [(step.name, step.template) for step in steps] == [("b", "two"), ("a", "one")]


def test_an_entry_that_runs_something_is_the_one_step() -> None:
    assert [step.name for step in plan(good(workflow(leaf("main"))))] == ["main"]


def test_nested_steps_stand_in_their_callers_place() -> None:
    text = workflow(
        group("main", call("first", "one"), call("outer", "middle"), call("last", "one")),
        group("middle", call("x", "one"), call("deep", "bottom")),
        group("bottom", call("y", "one")),
        leaf("one"),
    )
    assert [step.name for step in plan(good(text))] == ["first", "outer.x", "outer.deep.y", "last"]


def test_parameters_are_carried_down() -> None:
    one = leaf("one", "{{inputs.parameters.p}}", inputs={"parameters": [{"name": "p", "default": "own"}]})
    middle = group(
        "middle",
        call("x", "one", parameters=[{"name": "p", "value": "<{{inputs.parameters.m}}>"}]),
        call("y", "one", parameters=[{"name": "p", "value": "{{steps.x.status}}"}]),
        call("z", "one"),
        inputs={"parameters": [{"name": "m"}]},
    )
    main = group(
        "main", call("o", "middle", parameters=[{"name": "m", "value": "{{workflow.parameters.W}}!"}])
    )
    steps = plan(good(workflow(main, middle, one, parameters=("W",))))
    values = {"workflow.parameters.W": "{{steps.x.status}}", "steps.o.x.status": "Succeeded"}
    assert [fill(step, values).args for step in steps] == [
        ("<{{steps.x.status}}!>",),
        ("Succeeded",),
        ("own",),
    ]


def test_an_empty_default_is_a_default() -> None:
    one = leaf("one", "<{{inputs.parameters.p}}>", inputs={"parameters": [{"name": "p", "default": ""}]})
    (step,) = plan(good(workflow(group("main", call("x", "one")), one)))
    assert fill(step, {}).args == ("<>",)


def test_the_entrys_inputs_come_from_the_parameters_of_their_name() -> None:
    main = leaf("main", "{{inputs.parameters.A}} {{inputs.parameters.B}}")
    main["inputs"] = {"parameters": [{"name": "A", "default": "no"}, {"name": "B", "default": "b"}]}
    (step,) = plan(good(workflow(main, parameters=("A",))))
    assert fill(step, {"workflow.parameters.A": "yes"}).args == ("yes b",)


def test_an_artifact_is_passed_by_an_argument() -> None:
    main = group(
        "main",
        call("make", "make"),
        call("use", "use", artifacts=[{"name": "got", "from": "{{ steps.make.outputs.artifacts.made }}"}]),
    )
    make = leaf("make", outputs=artifact("made"))
    use = leaf("use", inputs=artifact("got", subPath="part", optional=True))
    template = good(workflow(main, make, use))
    assert template.inputs == ()
    assert plan(template)[1].inputs == (
        InputPlan("got", "/app/got", True, "part", from_step="make", from_output="made"),
    )


def test_an_artifact_is_passed_by_the_inputs_own_from() -> None:
    main = group("main", call("o", "inner"))
    inner = group("inner", call("make", "make"), call("use", "use"))
    make = leaf("make", outputs=artifact("made"))
    use = leaf("use", inputs=artifact("got", **{"from": "{{steps.make.outputs.artifacts.made}}"}))
    (given,) = plan(good(workflow(main, inner, make, use)))[1].inputs
    assert (given.from_step, given.from_output, given.slot) == ("o.make", "made", None)


def test_an_input_of_the_entry_is_a_slot_that_is_handed_down() -> None:
    main = group(
        "main",
        call("a", "use", artifacts=[{"name": "got", "from": "{{inputs.artifacts.data}}"}]),
        call("b", "use"),
        inputs={"artifacts": [{"name": "data"}]},
    )
    template = good(workflow(main, leaf("use", inputs=artifact("got", optional=True))))
    assert [(slot.name, slot.optional) for slot in template.inputs] == [("data", False), ("got", True)]
    assert [step.inputs[0].slot for step in plan(template)] == ["data", "got"]


def test_several_steps_share_a_slot_and_one_that_needs_it_makes_it_mandatory() -> None:
    main = group("main", call("a", "one"), call("b", "two"))
    one, two = leaf("one", inputs=artifact("data", optional=True)), leaf("two", inputs=artifact("data"))
    assert [(slot.name, slot.optional) for slot in good(workflow(main, one, two)).inputs] == [("data", False)]


def test_raw_content_is_no_slot() -> None:
    main = group(
        "main", call("a", "one", artifacts=[{"name": "x", "raw": {"data": "{{inputs.parameters.p}}"}}])
    )
    main["inputs"] = {"parameters": [{"name": "p", "value": "{{workflow.name}}"}]}
    template = good(workflow(main, leaf("one", inputs=artifact("x"))))
    (step,) = plan(template)
    assert template.inputs == ()
    assert fill(step, {"workflow.name": "e1"}).inputs[0].raw == "e1"


def test_a_script_has_source_and_interpreter() -> None:
    template = {"name": "main", "script": {"command": ["python"], "source": "print('{{workflow.name}}')\n"}}
    (step,) = plan(good(workflow(template)))
    assert (step.command, fill(step, {"workflow.name": "e1"}).source) == (("python",), "print('e1')\n")


def test_outputs_know_their_suffix_and_archive() -> None:
    suffix = (("metadata", "annotations", "artifacts.ai.sap.com/petal-model.suffix"), "-v1")
    archive = (("spec", "templates", 1, "outputs", "artifacts", 0, "archive"), {"zip": {}})
    template = good(changed(suffix, archive))
    (output,) = plan(template)[0].outputs
    assert (output.global_name, output.suffix, output.archive) == ("petal-model", "-v1", "zip")
    assert template.outputs[0].suffix == "-v1"


def test_limits_come_from_the_template_then_its_defaults_then_the_spec() -> None:
    templates = [
        group("main", call("a", "own"), call("b", "open")),
        leaf("own", retryStrategy={"limit": "0"}, timeout="1h30m", activeDeadlineSeconds=6000),
        leaf("open"),
    ]
    base = {"templates": templates, "entrypoint": "main", "retryStrategy": {"limit": 3}}
    defaults = {"retryStrategy": {"limit": 2}, "timeout": "45s"}

    def limits(spec: dict[str, Any]) -> list[tuple[int, int | None]]:
        return [(s.retry_limit, s.deadline_seconds) for s in plan(good(changed((("spec",), spec))))]

    assert limits(base) == [(0, 5400), (3, None)]
    assert limits({**base, "templateDefaults": defaults}) == [(0, 5400), (2, 45)]


@pytest.mark.parametrize(
    ("templates", "expected"),
    [
        (
            [group("main", call("a", "gone"))],
            "spec.templates[0].steps[0][0].template: no template is named gone",
        ),
        ([group("main", call("a", "main"))], "spec.templates[0]: templates call each other in a circle"),
        (
            [group("main", call("a", "b")), group("b", call("c", "main"))],
            "spec.templates[0]: templates call each other in a circle",
        ),
        (
            [group("main", call("a", "b"), call("a", "b")), leaf("b")],
            "spec.templates[0].steps[1][0].name: a is given",
        ),
        ([leaf("main"), leaf("main")], "spec.templates[1].name: main is given twice"),
        ([leaf("other")], "spec.entrypoint: no template is named main"),
        (
            [group("main", call("a", "b", parameters=[{"name": "x", "value": "1"}])), leaf("b")],
            "spec.templates[0].steps[0][0].arguments.parameters[0].name: the template b has no input x",
        ),
        (
            [group("main", call("a", "b")), leaf("b", inputs={"parameters": [{"name": "x"}]})],
            "spec.templates[0].steps[0][0].arguments.parameters: the input x has no default and is not given",
        ),
        (
            [leaf("main", inputs={"parameters": [{"name": "x"}]})],
            "spec.templates[0].inputs.parameters[0]: has no default, and no parameter of the executable",
        ),
        (
            [
                group(
                    "main",
                    call("a", "b", artifacts=[{"name": "x", "from": "{{steps.z.outputs.artifacts.o}}"}]),
                ),
                leaf("b", inputs=artifact("x")),
            ],
            "spec.templates[0].steps[0][0].arguments.artifacts[0].from: no step named z runs before",
        ),
        (
            [
                group(
                    "main",
                    call("z", "b"),
                    call("a", "c", artifacts=[{"name": "x", "from": "{{steps.z.outputs.artifacts.o}}"}]),
                ),
                leaf("b"),
                leaf("c", inputs=artifact("x")),
            ],
            "spec.templates[0].steps[1][0].arguments.artifacts[0].from: the template b has no output o",
        ),
        (
            [
                group("main", call("a", "b", artifacts=[{"name": "x", "from": "{{inputs.artifacts.y}}"}])),
                leaf("b", inputs=artifact("x")),
            ],
            "spec.templates[0].steps[0][0].arguments.artifacts[0].from: this template has no input artifact",
        ),
        (
            [
                group("main", call("a", "b")),
                leaf("b", inputs=artifact("x", **{"from": "{{steps.z.outputs.artifacts.o}}"})),
            ],
            "spec.templates[1].inputs.artifacts[0].from: no step named z runs before",
        ),
        (
            [leaf("main", inputs=artifact("x", **{"from": "{{steps.z.outputs.artifacts.o}}"}))],
            "spec.templates[0].inputs.artifacts[0].from: no step runs before this template",
        ),
        (
            [group("main", call("a", "b"), call("c", "b")), leaf("b", outputs=artifact("o", globalName="g"))],
            "outputs.artifacts[0].globalName: g would be registered twice: by the steps a and c",
        ),
        (
            [
                group("main", call("a", "b", parameters=[{"name": "p", "value": "{{steps.a.status}}"}])),
                leaf("b", inputs={"parameters": [{"name": "p"}]}),
            ],
            "arguments.parameters[0].value: {{steps.a.status}} means a step that does not run before",
        ),
        (
            [
                group(
                    "main",
                    call("g", "in"),
                    call("a", "b", parameters=[{"name": "p", "value": "{{steps.g.exitCode}}"}]),
                ),
                group("in", call("x", "b", parameters=[{"name": "p", "value": "1"}])),
                leaf("b", inputs={"parameters": [{"name": "p"}]}),
            ],
            "{{steps.g.exitCode}} is unknown; of g there are finishedAt, id, startedAt, status",
        ),
        (
            [
                group("main", call("a", "b", parameters=[{"name": "p", "value": "{{tasks.z.status}}"}])),
                leaf("b", inputs={"parameters": [{"name": "p"}]}),
            ],
            "{{tasks.z.status}} means nothing here: this template has steps",
        ),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(templates: list[dict[str, Any]], expected: str) -> None:
    assert any(expected in error for error in errors(*templates)), errors(*templates)


def test_a_few_templates_cannot_come_to_millions_of_steps() -> None:
    levels = [group(f"l{n}", *[call(f"s{k}", f"l{n + 1}") for k in range(10)]) for n in range(9)]
    levels[0]["name"] = "main"
    assert errors(*levels, leaf("l9")) == [
        "spec.templates[0]: comes to 1,000,000,000 steps; at most 500 are allowed"
    ]


def test_names_of_nested_steps_stay_short_enough() -> None:
    long = "n" * 120
    said = errors(group("main", call(long, "in")), group("in", call(long, "b")), leaf("b"))
    assert len(said) == 1
    assert "has a name of more than 200 characters" in said[0]


def test_a_template_that_is_never_reached_is_noted() -> None:
    found = read(workflow(leaf("main"), leaf("spare", outputs=artifact("o", globalName="g"))), file="x.yaml")
    assert "ignored: the entrypoint never reaches spare" in [notice.reason for notice in found.notices]
    assert found.templates[0].outputs == ()
