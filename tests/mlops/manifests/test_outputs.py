"""Outputs: parameters, what groups pass up, and names that the whole workflow knows."""

from __future__ import annotations

from typing import Any

import pytest

from mlops.manifests import ArtifactSource, OutputParameter, read
from tests.mlops.manifests.documents import call, dag, good, group, leaf, said, workflow


def parameter(name: str = "score", source: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {"parameters": [{"name": name, "valueFrom": source or {"path": "/app/score"}, **fields}]}


def made(**fields: Any) -> dict[str, Any]:
    return {"artifacts": [{"name": "made", "path": "/app/made", "archive": {"none": {}}, **fields}]}


UP = {"parameters": [{"name": "up", "valueFrom": {"parameter": "{{ steps.a.outputs.parameters.score }}"}}]}
ARTIFACT_UP = {"artifacts": [{"name": "up", "from": "{{steps.a.outputs.artifacts.made}}", "globalName": "g"}]}


def test_the_text_of_a_file_is_a_parameter() -> None:
    outputs = parameter(source={"path": "/app/score/", "default": 0}, globalName="best")
    template = good(
        workflow(leaf("main", "{{outputs.parameters.score.path}}", outputs=outputs))
    ).batch.templates[0]
    assert template.output_parameters == (OutputParameter("score", "/app/score", "0", None, "best"),)


def test_signatures_of_outputs_are_a_parameter_of_that_name() -> None:
    outputs = parameter("AICORE_ARTIFACT_SIGNATURES", {"path": "/app/signatures.json"})
    template = good(workflow(leaf("main", outputs=outputs))).batch.templates[0]
    assert template.output_parameters[0].name == "AICORE_ARTIFACT_SIGNATURES"


def test_groups_pass_parameters_up() -> None:
    main = group("main", call("a", "leaf"), outputs=UP)
    template = good(workflow(main, leaf("leaf", outputs=parameter()))).batch.templates[0]
    assert template.output_parameters == (OutputParameter("up", source="steps.a.outputs.parameters.score"),)
    main = dag(
        "main",
        call("a", "leaf"),
        outputs=parameter("up", {"parameter": "{{tasks.a.outputs.result}}", "default": ""}),
    )
    template = good(workflow(main, leaf("leaf"))).batch.templates[0]
    assert template.output_parameters == (OutputParameter("up", None, "", "tasks.a.outputs.result"),)


def test_groups_pass_artifacts_up_packed_as_they_were_made() -> None:
    inner = group(
        "inner",
        call("a", "leaf"),
        outputs={"artifacts": [{"name": "mid", "from": "{{steps.a.outputs.artifacts.made}}"}]},
    )
    outer = dag(
        "main",
        call("i", "inner"),
        outputs={
            "artifacts": [
                {
                    "name": "up",
                    "from": "{{tasks.i.outputs.artifacts.mid}}",
                    "globalName": "g",
                    "optional": True,
                }
            ]
        },
    )
    template = good(workflow(outer, inner, leaf("leaf", outputs=made())))
    (output,) = template.batch.templates[0].outputs
    assert (output.source, output.archive, output.optional) == (
        ArtifactSource(step="i", output="mid"),
        "none",
        True,
    )
    assert template.batch.templates[1].outputs[0].archive == "none"
    assert [slot.name for slot in template.outputs] == ["g"]
    assert [notice.field for notice in template.notices] == []


def test_an_output_that_is_packed_where_it_is_made_is_noted_where_it_is_registered() -> None:
    maker = leaf("leaf", outputs={"artifacts": [{"name": "made", "path": "/m"}]})
    template = good(workflow(group("main", call("a", "leaf"), outputs=ARTIFACT_UP), maker))
    assert [(each.field, each.reason) for each in template.notices] == [
        (
            "spec.templates[0].outputs.artifacts[0]",
            "stored as one .tgz file; most models want archive: {none: {}} where it is made",
        )
    ]


def test_how_to_pack_is_said_where_it_is_made() -> None:
    up = {"artifacts": [{**ARTIFACT_UP["artifacts"][0], "archive": {"zip": {}}}]}
    template = good(workflow(group("main", call("a", "leaf"), outputs=up), leaf("leaf", outputs=made())))
    assert template.batch.templates[0].outputs[0].archive == "none"
    assert "the template that makes the output chooses" in template.notices[0].reason


@pytest.mark.parametrize(
    ("templates", "expected"),
    [
        (
            [leaf("main", outputs={"parameters": [{"name": "x"}]})],
            "outputs.parameters[0].valueFrom: is missing: say where the value comes from",
        ),
        (
            [leaf("main", outputs=parameter(source={"default": "x"}))],
            "outputs.parameters[0].valueFrom.path: is missing or empty",
        ),
        (
            [leaf("main", outputs=parameter(source={"path": "score"}))],
            "outputs.parameters[0].valueFrom.path: 'score' must be an absolute path",
        ),
        (
            [leaf("main", outputs=parameter(source={"parameter": "{{steps.a.outputs.result}}"}))],
            "valueFrom.parameter: refused: only templates with steps or a dag pass parameters up",
        ),
        (
            [group("main", call("a", "b"), outputs=parameter()), leaf("b")],
            "valueFrom.path: refused: only templates with a container or script leave a file",
        ),
        (
            [group("main", call("a", "b"), outputs=parameter(source={"parameter": "a"})), leaf("b")],
            "valueFrom.parameter: 'a' must be one placeholder such as {{steps.NAME.outputs.parameters.NAME}}",
        ),
        (
            [group("main", call("a", "b"), outputs=UP), leaf("b")],
            "valueFrom.parameter: {{steps.a.outputs.parameters.score}} is unknown; of a there are",
        ),
        (
            [group("main", call("z", "b"), outputs=UP), leaf("b")],
            "valueFrom.parameter: {{steps.a.outputs.parameters.score}} means a step that does not run",
        ),
        *(
            (
                [leaf("main", outputs=parameter(source={"path": "/x", key: "x"}))],
                f"valueFrom.{key}: refused: give path or parameter",
            )
            for key in ["expression", "jsonPath", "jqFilter", "event", "configMapKeyRef", "supplied"]
        ),
        *(
            (
                [leaf("main", outputs=parameter(**{key: "x"}))],
                f"outputs.parameters[0].{key}: refused: an output's value comes from valueFrom",
            )
            for key in ("value", "default", "enum")
        ),
        (
            [leaf("main", outputs=parameter(globalName="a b"))],
            "outputs.parameters[0].globalName: 'a b' is no valid name",
        ),
        (
            [leaf("main", outputs={"parameters": [*parameter()["parameters"], *parameter()["parameters"]]})],
            "outputs.parameters[1].name: score is given twice",
        ),
        (
            [group("main", call("a", "b"), outputs={"artifacts": [{"name": "x"}]}), leaf("b")],
            "outputs.artifacts[0].from: is missing or empty",
        ),
        (
            [group("main", call("a", "b"), outputs=ARTIFACT_UP), leaf("b")],
            "outputs.artifacts[0].from: the template b has no output made",
        ),
        (
            [dag("main", call("a", "b"), outputs=ARTIFACT_UP), leaf("b", outputs=made())],
            "outputs.artifacts[0].from: '{{steps.a.outputs.artifacts.made}}' must have the form {{tasks.",
        ),
        (
            [group("main", call("a", "b", withItems=[1]), outputs=ARTIFACT_UP), leaf("b", outputs=made())],
            "outputs.artifacts[0].from: a is a loop, which leaves an artifact for each item, not one",
        ),
    ],
)
def test_an_output_that_cannot_be_is_refused(templates: list[dict[str, Any]], expected: str) -> None:
    errors = said(*templates)
    assert any(expected in error for error in errors), errors


def test_a_description_of_an_output_parameter_is_noted() -> None:
    found = read(workflow(leaf("main", outputs=parameter(description="x"))), file="x.yaml")
    assert [notice.field for notice in found.notices] == [
        "spec.templates[0].outputs.parameters[0].description"
    ]


ONCE = leaf("b", outputs=made(globalName="g"))


@pytest.mark.parametrize("outputs", [made(globalName="g"), parameter(globalName="g")])
def test_a_global_name_is_given_once(outputs: dict[str, Any]) -> None:
    maker = leaf("b", outputs=outputs)
    kind = next(iter(outputs))
    at = f"spec.templates[1].outputs.{kind}[0].globalName"
    assert said(group("main", call("a", "b"), call("c", "b")), maker) == [
        f"{at}: g would be registered twice: by the steps a and c"
    ]
    assert said(group("main", call("a", "b", withItems=[1])), maker) == [
        f"{at}: g would be given once for each item of a loop: by the step a"
    ]
    many = [call(f"s{n}", "b") for n in range(50)]
    assert len(said(group("main", *many), maker)) == 1
    inner = group("inner", call("x", "b"))
    assert said(group("main", call("a", "inner", withParam="[]")), inner, maker)[0].endswith(
        "by the step a.x"
    )


def test_either_of_two_branches_may_give_a_global_name() -> None:
    def of(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
        return said(group("main", {**call("a", "b"), **first}, {**call("c", "b"), **second}), ONCE)

    when = {"when": "{{workflow.name}} == x"}
    assert of(when, {"when": "{{workflow.name}} != x"}) == []
    assert len(of(when, {})) == 1
    tasks = dag("main", call("a", "b"), call("c", "b", depends="a.Failed"))
    assert len(said(tasks, ONCE)) == 1
    tasks = dag(
        "main", call("t", "t"), call("a", "b", depends="t.Succeeded"), call("c", "b", depends="t.Failed")
    )
    assert said(tasks, leaf("t"), ONCE) == []


def test_a_condition_above_both_branches_does_not_tell_them_apart() -> None:
    inner = group("inner", call("a", "b"), call("c", "b"))
    main = group("main", call("i", "inner", when="{{workflow.name}} == x"))
    assert len(said(main, inner, ONCE)) == 1


def test_an_output_passed_up_under_the_name_it_has_already_is_given_twice() -> None:
    up = {"artifacts": [{"name": "up", "from": "{{steps.a.outputs.artifacts.made}}", "globalName": "g"}]}
    (error,) = said(group("main", call("a", "b"), outputs=up), ONCE)
    assert "g would be registered twice: by the steps main and a" in error
