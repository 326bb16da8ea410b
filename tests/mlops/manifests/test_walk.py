"""What a workflow comes to: calls and their names, slots, and references that lead nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from mlops.manifests import Retry, Visit, read, visits
from tests.mlops.manifests.documents import changed, good, group, leaf, workflow


def call(name: str, template: str, **arguments: list[dict[str, Any]]) -> dict[str, Any]:
    step: dict[str, Any] = {"name": name, "template": template}
    return {**step, "arguments": arguments} if arguments else step


def artifact(name: str, **fields: Any) -> dict[str, Any]:
    return {"artifacts": [{"name": name, "path": f"/app/{name}", **fields}]}


def errors(*templates: dict[str, Any], parameters: tuple[str, ...] = ()) -> list[str]:
    found = read(workflow(*templates, parameters=parameters), file="x.yaml")
    return [f"{error.field}: {error.reason}" for error in found.errors]


def leaves(text: str) -> list[Visit]:
    return [visit for visit in visits(good(text).batch) if visit.is_leaf]


def test_calls_come_in_the_order_of_the_document() -> None:
    text = workflow(group("main", call("b", "two"), call("a", "one")), leaf("one"), leaf("two"))
    assert [(visit.name, visit.template.name) for visit in leaves(text)] == [("b", "two"), ("a", "one")]


def test_an_entry_that_runs_something_is_the_one_call() -> None:
    assert [(visit.name, visit.template.name) for visit in leaves(workflow(leaf("main")))] == [("", "main")]


def test_nested_calls_are_named_by_their_path() -> None:
    text = workflow(
        group("main", call("first", "one"), call("outer", "middle"), call("last", "one")),
        group("middle", call("x", "one"), call("deep", "bottom")),
        group("bottom", call("y", "one")),
        leaf("one"),
    )
    assert [visit.name for visit in leaves(text)] == ["first", "outer.x", "outer.deep.y", "last"]
    assert [visit.name for visit in visits(good(text).batch)] == [
        "",
        "first",
        "outer",
        "outer.x",
        "outer.deep",
        "outer.deep.y",
        "last",
    ]


def test_what_runs_at_the_end_and_after_steps_is_visited() -> None:
    main = group("main", {**call("a", "one"), "onExit": "tidy"})
    text = workflow(main, leaf("one"), leaf("tidy"), leaf("end"))
    text = text.replace("entrypoint: main", "entrypoint: main\n  onExit: end")
    assert [visit.name for visit in leaves(text)] == ["a", "a:onExit", "workflow:onExit"]


def test_loops_and_conditions_are_handed_down() -> None:
    main = group(
        "main",
        {**call("o", "inner"), "withItems": ["x"], "when": "{{item}} == x"},
        call("last", "one"),
    )
    text = workflow(main, group("inner", call("i", "one")), leaf("one"))
    assert [(visit.name, visit.looped, visit.conditions) for visit in leaves(text)] == [
        ("o.i", True, {"o"}),
        ("last", False, frozenset()),
    ]


def test_an_artifact_of_another_step_is_no_slot() -> None:
    got = {"name": "got", "from": "{{ steps.make.outputs.artifacts.made }}"}
    main = group("main", call("make", "make"), call("use", "use", artifacts=[got]))
    make = leaf("make", outputs=artifact("made"))
    use = leaf("use", inputs=artifact("got", subPath="part", optional=True))
    text = workflow(main, make, use)
    assert good(text).inputs == ()
    assert leaves(text)[1].slots == {"got": None}


def test_an_inputs_own_from_is_no_slot() -> None:
    inner = group("inner", call("make", "make"), call("use", "use"))
    make = leaf("make", outputs=artifact("made"))
    use = leaf("use", inputs=artifact("got", **{"from": "{{steps.make.outputs.artifacts.made}}"}))
    text = workflow(group("main", call("o", "inner")), inner, make, use)
    assert (good(text).inputs, leaves(text)[1].slots) == ((), {"got": None})


def test_an_input_of_the_entry_is_a_slot_that_is_handed_down() -> None:
    main = group(
        "main",
        call("a", "use", artifacts=[{"name": "got", "from": "{{inputs.artifacts.data}}"}]),
        call("b", "use"),
        inputs={"artifacts": [{"name": "data"}]},
    )
    text = workflow(main, leaf("use", inputs=artifact("got", optional=True)))
    assert [(slot.name, slot.optional) for slot in good(text).inputs] == [("data", False), ("got", True)]
    assert [visit.slots for visit in leaves(text)] == [{"got": "data"}, {"got": "got"}]


def test_several_steps_share_a_slot_and_one_that_needs_it_makes_it_mandatory() -> None:
    main = group("main", call("a", "one"), call("b", "two"))
    one, two = leaf("one", inputs=artifact("data", optional=True)), leaf("two", inputs=artifact("data"))
    assert [(slot.name, slot.optional) for slot in good(workflow(main, one, two)).inputs] == [("data", False)]


def test_raw_content_is_no_slot() -> None:
    main = group("main", call("a", "one", artifacts=[{"name": "x", "raw": {"data": "words"}}]))
    assert good(workflow(main, leaf("one", inputs=artifact("x")))).inputs == ()


def test_outputs_know_their_suffix_and_archive() -> None:
    suffix = (("metadata", "annotations", "artifacts.ai.sap.com/petal-model.suffix"), "-v1")
    archive = (("spec", "templates", 1, "outputs", "artifacts", 0, "archive"), {"zip": {}})
    template = good(changed(suffix, archive))
    (output,) = template.batch.templates[1].outputs
    assert (output.global_name, output.archive) == ("petal-model", "zip")
    assert template.outputs[0].suffix == "-v1"


def test_limits_come_from_the_template_then_its_defaults_then_the_spec() -> None:
    templates = [
        group("main", call("a", "own"), call("b", "open")),
        leaf("own", retryStrategy={"limit": "0"}, timeout="1h30m", activeDeadlineSeconds=6000),
        leaf("open"),
    ]
    base = {"templates": templates, "entrypoint": "main", "retryStrategy": {"limit": 3}}
    defaults = {"retryStrategy": {"limit": 2}, "timeout": "45s"}

    def limits(spec: dict[str, Any]) -> list[tuple[Retry | None, int | None]]:
        found = leaves(changed((("spec",), spec)))
        return [(visit.template.retry, visit.template.deadline_seconds) for visit in found]

    assert limits(base) == [(Retry(0), 5400), (Retry(3), None)]
    assert limits({**base, "templateDefaults": defaults}) == [(Retry(0), 5400), (Retry(2), 45)]


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
