"""Placeholders: known names are filled in once, unknown ones are refused when the template is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.engine.flow import Flow, Start, Text
from mlops.manifests import read
from mlops.manifests.placeholders import replace
from tests.mlops.manifests.documents import REMOVED, changed, good, group, leaf, workflow

ARGS = ("spec", "templates", 1, "container", "args")
VALUES = {
    "workflow.parameters.DEPTH": "4",
    "workflow.parameters.SEED": "7",
    "workflow.name": "e0123456789abcde",
    "workflow.uid": "e0123456789abcde",
    "workflow.namespace": "red",
    "workflow.mainEntrypoint": "main",
    "workflow.scheduledTime": "2026-03-04T05:06:07Z",
    "workflow.creationTimestamp": "2026-03-04T05:06:07Z",
    "workflow.labels.ai.sap.com/version": "1.2.0",
    "workflow.annotations.scenarios.ai.sap.com/name": "Petal sorting",
}
BOTH = '[{"name": "DEPTH", "value": "4"}, {"name": "SEED", "value": "7"}]'
VALUES |= {"workflow.parameters": BOTH, "workflow.parameters.json": BOTH}


def flow(text: str, values: Mapping[str, str]) -> Flow:
    return Flow(good(text), values, most=1, begun_at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))


def first(text: str, values: Mapping[str, str]) -> Start:
    """The first step of a template, as it is started."""
    made = flow(text, values)
    (start,) = made.advance(datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC))
    return start


def filled(text: str) -> str:
    return first(changed((ARGS, [text])), VALUES).template.args[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("--depth={{workflow.parameters.DEPTH}}", "--depth=4"),
        ("{{ workflow.parameters.DEPTH }}{{\tworkflow.parameters.SEED}}", "47"),
        ("{{workflow.parameters}}", BOTH),
        ("{{workflow.parameters.json}}", BOTH),
        (
            "{{workflow.name}} {{workflow.uid}} {{workflow.namespace}}",
            "e0123456789abcde e0123456789abcde red",
        ),
        ("{{workflow.mainEntrypoint}}", "main"),
        ("{{workflow.scheduledTime}}", "2026-03-04T05:06:07Z"),
        ("{{workflow.creationTimestamp}}", "2026-03-04T05:06:07Z"),
        ("{{workflow.creationTimestamp.Y}}-{{workflow.creationTimestamp.m}}", "2026-03"),
        ("{{workflow.creationTimestamp.s}}", "1772600767"),
        ("{{workflow.creationTimestamp.RFC3339}}", "2026-03-04T05:06:07Z"),
        ("{{workflow.labels.ai.sap.com/version}}", "1.2.0"),
        ("{{workflow.annotations.scenarios.ai.sap.com/name}}", "Petal sorting"),
        ("{{inputs.artifacts.petals.path}}", "/app/petals"),
        ("{{outputs.artifacts.petal-model.path}}", "/app/model"),
        ("{{steps.name}} {{node.name}} {{pod.name}} {{retries}}", "fit fit fit 0"),
        ("{{inputs.parameters}}", "[]"),
        ('{"depth":{{workflow.parameters.DEPTH}}}', '{"depth":4}'),
        ("{{{workflow.parameters.DEPTH}}}", "{4}"),
        ("no end {{ here", "no end {{ here"),
        ("{{ here {{workflow.parameters.DEPTH}}", "{{ here 4"),
        ("}} {} { }", "}} {} { }"),
    ],
)
def test_what_a_placeholder_becomes(text: str, expected: str) -> None:
    assert filled(text) == expected


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("workflow.parameters.NOPE", "is not declared in spec.arguments.parameters"),
        ("inputs.parameters.NOPE", "is not among the inputs of this template"),
        ("inputs.artifacts.nope.path", "is unknown here"),
        ("inputs.artifacts.petals", "is unknown here"),
        ("outputs.artifacts.nope.path", "is unknown here"),
        ("workflow.labels.nope", "is unknown here"),
        ("workflow.annotations.nope", "is unknown here"),
        ("workflow.creationTimestamp.q", "is unknown here"),
        ("nonsense", "is unknown here"),
        ("", "is unknown here"),
        ("a\n'b'", "is unknown here"),
        ("=1 + 1", "is an expression; only names are supported"),
        ("steps.main.status", "can stand in the arguments of a later step only"),
        ("workflow.serviceAccountName", "has no meaning outside a cluster"),
        ("workflow.priority", "has no meaning outside a cluster"),
        ("steps.x.ip", "has no meaning outside a cluster"),
        ("steps.x.hostNodeName", "has no meaning outside a cluster"),
        ("tasks.x.ip", "has no meaning outside a cluster"),
        ("item", "has a meaning in a step with a loop only"),
        ("item.field", "has a meaning in a step with a loop only"),
        ("lastRetry.message", "in a container or script with a retryStrategy only"),
        ("lastRetry.ip", "is unknown here"),
        ("tasks.x.status", "can stand in the arguments of a later step only"),
        ("steps.x.outputs.result", "can stand in the arguments of a later step only"),
        ("workflow.status", "is known at the end only"),
        ("workflow.failures", "is known at the end only"),
        ("workflow.outputs.parameters.x", "is the globalName of no output parameter"),
        ("workflow.outputs.artifacts.x", "is an artifact: pass it on with from"),
        ("outputs.parameters.x.path", "is unknown here"),
    ],
)
def test_what_is_unknown_is_refused_when_read(name: str, reason: str) -> None:
    text = changed((ARGS, ["fine", f"with {{{{{name}}}}}"]), ((*ARGS[:3], "retryStrategy"), REMOVED))
    (error,) = read(text, file="train.yaml").errors
    assert error.field == "spec.templates[1].container.args[1]"
    assert reason in error.reason


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "templates", 1, "container", "command"), ["{{nope}}"]),
        (("spec", "templates", 1, "container", "args"), ["{{nope}}"]),
        (("spec", "templates", 1, "container", "env"), [{"name": "A", "value": "{{nope}}"}]),
        (("spec", "templates", 1, "container", "workingDir"), "{{nope}}"),
        (("spec", "templates", 1, "container", "image"), "{{nope}}"),
        (("spec", "templates", 1, "inputs", "parameters"), [{"name": "A", "default": "{{nope}}"}]),
        (("spec", "templates", 1, "inputs", "artifacts", 0, "raw"), {"data": "{{nope}}"}),
        (("spec", "templates", 1, "inputs", "artifacts", 0, "path"), "/app/{{workflow.name}}"),
        (("spec", "templates", 1, "inputs", "artifacts", 0, "subPath"), "{{workflow.name}}"),
        (("spec", "templates", 1, "outputs", "artifacts", 0, "globalName"), "{{workflow.name}}"),
        (("spec", "templates", 1, "activeDeadlineSeconds"), "{{workflow.parameters.SEED}}"),
        (("spec", "templates", 1, "retryStrategy", "limit"), "{{workflow.parameters.SEED}}"),
    ],
)
def test_no_place_ignores_a_placeholder(path: tuple[str | int, ...], value: Any) -> None:
    errors = read(changed((path, value)), file="train.yaml").errors
    assert any("{{" in error.reason or "placeholder" in error.reason for error in errors), errors


def test_a_placeholder_in_an_executables_default_is_text_and_noted() -> None:
    path = ("spec", "arguments", "parameters", 1, "default")
    found = read(changed((path, "{{workflow.name}}")), file="train.yaml")
    assert found.templates[0].parameters[1].default == "{{workflow.name}}"
    assert [each.field for each in found.notices] == ["spec.arguments.parameters[1].default"]


def test_a_step_without_a_value_is_an_error_not_an_empty_text() -> None:
    made = flow(changed((ARGS, ["{{workflow.parameters.DEPTH}}"])), {})
    assert made.advance(datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC)) == []
    assert made.outcome[0] == "Errored"
    assert "{{workflow.parameters.DEPTH}} has no value" in made.outcome[1]


HARD = [
    "'\"",
    "a\nb\r\n",
    "{{workflow.name}}",
    "{{",
    "}}",
    "- x: [1",
    "%YAML",
    "#",
    "\\1\\g<0>",
    "~",
    "é\u2028",
]


@pytest.mark.parametrize("value", HARD)
def test_a_value_changes_nothing_but_itself(value: str) -> None:
    template = leaf(
        "main",
        "{{inputs.parameters.P}}",
        inputs={
            "parameters": [{"name": "P", "value": "{{workflow.parameters.P}}"}],
            "artifacts": [{"name": "note", "path": "/n", "raw": {"data": "<{{inputs.parameters.P}}>"}}],
        },
    )
    template["container"]["env"] = [{"name": "V", "value": "{{workflow.parameters.P}}"}]
    start = first(workflow(template, parameters=("P",)), {"workflow.parameters.P": value})
    after = start.template
    assert (after.command, after.args, after.env) == (("run",), (value,), (("V", value),))
    assert start.artifacts == {"note": Text(f"<{value}>")}


@pytest.mark.parametrize("value", HARD)
def test_a_default_survives_yaml(value: str) -> None:
    path = ("spec", "arguments", "parameters", 1, "default")
    assert good(changed((path, value))).parameters[1].default == value


@given(st.text(), st.text())
@settings(max_examples=100, deadline=None)
def test_replacing_is_one_pass(left: str, value: str) -> None:
    text = left.replace("{", "(") + "{{name}}"
    assert replace(text, lambda name: value) == left.replace("{", "(") + value


def test_a_text_full_of_openings_is_read_once() -> None:
    looked_up: list[str] = []
    text = "{{x" * 300_000
    assert replace(text + "}}", lambda name: looked_up.append(name) or "!") == text[:-3] + "!"
    assert looked_up == ["x"]


def test_step_parameters_as_json() -> None:
    inner = leaf(
        "inner",
        "{{inputs.parameters}}",
        inputs={"parameters": [{"name": "a"}, {"name": "b", "default": "2"}]},
    )
    call = {"name": "one", "template": "inner"}
    call["arguments"] = {"parameters": [{"name": "a", "value": '"{{workflow.parameters.X}}"'}]}
    start = first(workflow(group("main", call), inner, parameters=("X",)), {"workflow.parameters.X": "é"})
    listed = json.loads(start.template.args[0])
    assert listed == [{"name": "a", "value": '"é"'}, {"name": "b", "value": "2"}]
