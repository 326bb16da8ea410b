"""The bundled source trees: templates that read clean, programs that fit them, pinned requirements."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlops import manifests

EXAMPLES = Path(__file__).parents[3] / "mlops" / "examples"
EXECUTABLES = {
    "digits": ["digits-serve", "digits-train"],
    "text-clf": [
        "text-clf-batch-tutorial",
        "text-clf-infer-tutorial",
        "text-clf-serve-onnx",
        "text-clf-train-tutorial",
    ],
}
both_trees = pytest.mark.parametrize("tree", EXECUTABLES)


def _options(program: Path) -> dict[str, object]:
    """Each option that the program's parser declares, with its default (None when it has none)."""
    calls = [node for node in ast.walk(ast.parse(program.read_text())) if isinstance(node, ast.Call)]
    declared = [call for call in calls if getattr(call.func, "attr", "") == "add_argument"]
    return {
        call.args[0].value: next(
            (getattr(k.value, "value", None) for k in call.keywords if k.arg == "default"), None
        )
        for call in declared
    }


def _workflows(tree: str) -> list[manifests.ExecutableTemplate]:
    return [each for each in manifests.read_folder(EXAMPLES / tree).templates if each.workflow]


def _runs(template: manifests.ExecutableTemplate) -> list[manifests.Template]:
    """The templates that run a program, each once, in the order of their calls."""
    calls = manifests.visits(template.batch)
    return list({call.template.name: call.template for call in calls if call.is_leaf}.values())


@both_trees
def test_templates_read_without_a_finding(tree):
    reading = manifests.read_folder(EXAMPLES / tree)

    assert [str(finding) for finding in reading.findings] == []
    assert sorted(template.executable_id for template in reading.templates) == EXECUTABLES[tree]


@both_trees
def test_every_parameter_has_a_default_and_a_description(tree):
    parameters = [p for t in manifests.read_folder(EXAMPLES / tree).templates for p in t.parameters]

    assert parameters
    assert [p.name for p in parameters if not p.default or not p.description] == []


@both_trees
def test_arguments_and_defaults_of_a_template_are_those_of_its_program(tree):
    for template in _workflows(tree):
        defaults = {parameter.name: parameter.default for parameter in template.parameters}
        for step in _runs(template):
            interpreter, program = step.command
            options = _options(EXAMPLES / tree / program)
            given = dict(zip(step.args[::2], step.args[1::2], strict=True))
            bound = {
                option: defaults[name[1]]
                for option, value in given.items()
                if (name := re.fullmatch(r"\{\{workflow\.parameters\.(\w+)\}\}", value))
            }

            assert interpreter == "python"
            assert given.keys() == options.keys()
            assert {option: float(value) for option, value in bound.items()} == {
                option: default for option, default in options.items() if default is not None
            }


@both_trees
def test_every_declared_path_is_given_to_the_program(tree):
    for template in _workflows(tree):
        for step in _runs(template):
            places = (*step.inputs, *step.outputs, *step.output_parameters, *step.volume_mounts)
            declared = {place.path for place in places}

            assert declared == {value for value in step.args if value.startswith("/")}


def test_the_digits_are_learnt_in_a_loop_and_kept_on_a_condition():
    (template,) = _workflows("digits")
    prepare, train, choose, export = template.batch.templates[0].calls
    passed = [source for call in (train, export) for _, source in call.artifacts]

    assert [slot.name for slot in template.inputs] == []
    assert {(source.step, source.output) for source in passed} == {("prepare", "prepared")}
    assert train.loop == manifests.Loop(param="{{workflow.parameters.LEAVES}}")
    assert [call.when is not None for call in (prepare, train, choose, export)] == [False, False, False, True]
    assert [output.name for output in template.outputs] == ["digits-model"]


def test_models_are_served_by_the_scenario_that_trains_them():
    found = {
        each.executable_id: (each.scenario_id, [slot.name for slot in each.inputs], each.serving.model)
        for tree in EXECUTABLES
        for each in manifests.read_folder(EXAMPLES / tree).templates
        if each.serving
    }
    onnx = [
        manifests.ServedModel("onnx", f"{{{{inputs.artifacts.{name}}}}}")
        for name in ("textmodel", "digits-model")
    ]

    assert found == {
        "digits-serve": ("digits", ["digits-model"], onnx[1]),
        "text-clf-infer-tutorial": ("text-clf-tutorial", ["textmodel"], None),
        "text-clf-serve-onnx": ("text-clf-tutorial", ["textmodel"], onnx[0]),
    }


def test_the_serving_program_gets_what_it_takes():
    folder = EXAMPLES / "text-clf"
    (server,) = [
        each.serving.server
        for each in manifests.read_folder(folder).templates
        if each.serving and each.serving.server
    ]
    options = _options(folder / server.command[1])

    assert set(server.args[::2]) == options.keys() - {"--host"}
    assert dict(zip(server.args[::2], server.args[1::2], strict=True))["--port"] == server.port
    assert (server.model, server.ready_path, server.live_path) == ("textmodel", "/v2/health", "/v2/health")
    assert {server.ready_port, server.live_port} == {server.port}


@pytest.mark.parametrize(
    ("scores", "leaves"),
    [
        ([{"leaves": 7, "accuracy": 0.9}, {"leaves": 15, "accuracy": 0.95}], "15"),
        ([{"leaves": 31, "accuracy": 0.9}, {"leaves": 7, "accuracy": 0.9}], "7"),
    ],
)
def test_the_most_accurate_of_the_smallest_is_chosen(tmp_path, scores, leaves):
    options = ("--leaves", tmp_path / "leaves", "--accuracy", tmp_path / "accuracy")
    command = [sys.executable, EXAMPLES / "digits" / "choose.py", "--scores", json.dumps(scores), *options]
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "leaves").read_text() == leaves


@pytest.mark.parametrize("scores", ["", "[]", "{}", '[{"leaves": 1}]', '["x"]'])
def test_no_scores_are_no_choice(tmp_path, scores):
    options = ("--leaves", tmp_path / "leaves", "--accuracy", tmp_path / "accuracy")
    command = [sys.executable, EXAMPLES / "digits" / "choose.py", "--scores", scores, *options]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, "error: argument --scores" in done.stderr) == (2, True)


@both_trees
def test_requirements_are_pinned_to_one_version_each(tree):
    lines = (EXAMPLES / tree / "requirements.txt").read_text().splitlines()
    wanted = [line.split("#")[0].strip() for line in lines]
    loose = [line for line in wanted if line and not re.fullmatch(r"[a-z0-9-]+==[0-9.]+", line)]

    assert loose == []
    assert "scikit-learn" in {line.split("==")[0] for line in wanted}


@pytest.mark.parametrize("name", ["tracking.py", "arguments.py"])
def test_shared_modules_are_the_same_in_both_trees(name):
    assert (EXAMPLES / "digits" / name).read_bytes() == (EXAMPLES / "text-clf" / name).read_bytes()
