"""Every row of the format that is refused or noted, and the line and field its finding names."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from mlops.manifests import read
from tests.mlops.manifests.documents import REMOVED, TRAINING, Path, changed, field, good, reading

SPEC: Path = ("spec",)
GROUP: Path = ("spec", "templates", 0)
STEP: Path = (*GROUP, "steps", 0, 0)
FIT: Path = ("spec", "templates", 1)
CONTAINER: Path = (*FIT, "container")
INPUT: Path = (*FIT, "inputs", "artifacts", 0)
OUTPUT: Path = (*FIT, "outputs", "artifacts", 0)
PARAMETER: Path = ("spec", "arguments", "parameters", 0)
RETRY: Path = (*FIT, "retryStrategy")
LABELS: Path = ("metadata", "labels")
NOTES: Path = ("metadata", "annotations")
LONG = "x" * 5001


def each(parent: Path, names: str, value: Any, reason: str) -> list[tuple[Path, Any, str]]:
    return [((*parent, name), value, reason) for name in names.split()]


PLACEMENT = "affinity nodeSelector tolerations schedulerName priority serviceAccountName "
PLACEMENT += "automountServiceAccountToken securityContext hostAliases podResources "
SOURCES = "s3 gcs azure oss hdfs http git artifactory plugin fromExpression"

REFUSED = [
    *each(SPEC, "synchronization hooks executor executorPlugins hostNetwork podSpecPatch", {}, "change what"),
    *each(SPEC, "resourceClaims workflowTemplateRef suspend shutdown", {}, "change what"),
    *each((*SPEC, "arguments"), "artifacts", [], "inputs are declared on templates"),
    *each((*SPEC, "templateDefaults"), "name steps dag inputs outputs", {}, "every template has its own"),
    *each(FIT, "suspend", {}, "approval steps"),
    *each(
        FIT, "sidecars initContainers containerSet daemon resource data http plugin", [], "needs a cluster"
    ),
    *each(FIT, "executor podSpecPatch resourceClaims synchronization", [], "needs a cluster"),
    *each(STEP, "templateRef inline hooks", {}, "change what"),
    *each(STEP, "depends dependencies", "x", "only tasks of a dag"),
    *each(INPUT, SOURCES, {}, "register an artifact instead"),
    *each(OUTPUT, SOURCES, {}, "register an artifact instead"),
    *each(OUTPUT, "from", "{{steps.a.outputs.artifacts.b}}", "only templates with steps or a dag"),
    *each(INPUT, "globalName", "x", "only an output has a globalName"),
    *each(PARAMETER, "globalName", "x", "only an output has a globalName"),
    *each(PARAMETER, "valueFrom", {}, "a value comes from"),
    *each(("metadata",), "generateName", "x", "fixed name"),
    *each((), "status", {}, "unknown field"),
    *each(("metadata",), "creationTimestamp uid annotation", "x", "unknown field"),
    *each(SPEC, "template", [], "did you mean templates?"),
    *each(CONTAINER, "comand", [], "did you mean command?"),
    *each(INPUT, "archive", {}, "unknown field"),
    *each((*CONTAINER, "env", 0), "secret", "x", "unknown field"),
]

WRONG = [
    (("apiVersion",), "v1", "must be argoproj.io/v1alpha1 or ai.sap.com/v1alpha1"),
    (("apiVersion",), REMOVED, "is missing or empty"),
    (("kind",), "Workflow", "WorkflowTemplate and ServingTemplate are read"),
    (("kind",), "CronWorkflow", "WorkflowTemplate and ServingTemplate are read"),
    (("kind",), "ClusterWorkflowTemplate", "WorkflowTemplate and ServingTemplate are read"),
    (("kind",), REMOVED, "is missing or empty"),
    (("metadata", "name"), "abc", "no valid name: 4 to 64"),
    (("metadata", "name"), "x" * 65, "no valid name: 4 to 64"),
    (("metadata", "name"), "<b>bold</b>", "no valid name: 4 to 64"),
    (("metadata", "name"), ["a"], "must be a text"),
    (("metadata", "name"), None, "is missing or empty"),
    ((*LABELS, "scenarios.ai.sap.com/id"), "a b c d", "no valid id"),
    ((*LABELS, "scenarios.ai.sap.com/id"), REMOVED, "is missing or empty"),
    ((*LABELS, "ai.sap.com/version"), REMOVED, "is missing or empty"),
    ((*LABELS, "ai.sap.com/version"), "9" * 257, "at most 256"),
    ((*LABELS, "executables.ai.sap.com/id"), "another", "differs from metadata.name"),
    ((*LABELS, "scenarios.ai.sap.com/" + "x" * 240), "v", "its name is longer than 256"),
    ((*LABELS, "ext.ai.sap.com/a"), LONG, "at most 5,000"),
    ((*LABELS, "ext.ai.sap.com/a"), ["x"], "must be a text"),
    ((*NOTES, "scenarios.ai.sap.com/name"), REMOVED, "is missing or empty"),
    ((*NOTES, "scenarios.ai.sap.com/name"), "x" * 257, "at most 256"),
    ((*NOTES, "executables.ai.sap.com/name"), "  ", "is missing or empty"),
    ((*NOTES, "executables.ai.sap.com/description"), LONG, "at most 5,000"),
    ((*NOTES, "scenarios.ai.sap.com/description"), LONG, "at most 5,000"),
    ((*NOTES, "artifacts.ai.sap.com/petals.kind"), "picture", "none of dataset, model, resultset, other"),
    ((*NOTES, "artifacts.ai.sap.com/petals.description"), LONG, "at most 5,000"),
    ((*NOTES, "artifacts.ai.sap.com/petal-model.name"), "x" * 257, "at most 256"),
    ((*NOTES, "artifacts.ai.sap.com/petal-model.name"), "", "is empty"),
    ((*NOTES, "artifacts.ai.sap.com/petal-model.suffix"), "/x", "must not hold"),
    ((*NOTES, "artifacts.ai.sap.com/petal-model.suffix"), "-a/../../b", "must not hold"),
    ((*NOTES, "artifacts.ai.sap.com/petal-model.suffix"), "a\\b", "must not hold"),
    ((*NOTES, "artifacts.ai.sap.com/petal-model.labels"), "{", "is not valid JSON"),
    ((*NOTES, "artifacts.ai.sap.com/petal-model.labels"), "[" * 4000, "is not valid JSON"),
    ((*NOTES, "artifacts.ai.sap.com/petal-model.labels"), "[]", "must be a JSON object"),
    ((*NOTES, "artifacts.ai.sap.com/petal-model.labels"), '{"a": "b"}', "must begin with ext.ai.sap.com/"),
    ((*NOTES, "artifacts.ai.sap.com/petal-model.labels"), '{"ext.ai.sap.com/a": 1}', "must be a text"),
    (
        (*NOTES, "artifacts.ai.sap.com/petal-model.labels"),
        '{"ext.ai.sap.com/a": "1", "ext.ai.sap.com/a": "2"}',
        "given twice",
    ),
    ((*SPEC, "entrypoint"), REMOVED, "is missing or empty"),
    ((*SPEC, "entrypoint"), "nowhere", "no template is named nowhere"),
    ((*SPEC, "templates"), [], "is missing or empty"),
    ((*SPEC, "templates"), REMOVED, "is missing or empty"),
    ((*SPEC, "templates"), {"name": "x"}, "must be a list"),
    ((*SPEC, "activeDeadlineSeconds"), 0, "at least 1"),
    ((*SPEC, "activeDeadlineSeconds"), -5, "at least 1"),
    ((*SPEC, "activeDeadlineSeconds"), 1.5, "at least 1"),
    ((*SPEC, "activeDeadlineSeconds"), "5m", "at least 1"),
    ((*SPEC, "activeDeadlineSeconds"), 99_999_999, "at most a year"),
    ((*FIT, "timeout"), "5 minutes", "a duration such as 30s"),
    ((*FIT, "timeout"), "", "a duration such as 30s"),
    ((*RETRY, "limit"), 21, "from 0 to 20"),
    ((*RETRY, "limit"), "many", "from 0 to 20"),
    ((*RETRY, "limit"), REMOVED, "is missing"),
    ((*RETRY, "retryPolicy"), "Never", "none of OnFailure, OnError"),
    ((*RETRY, "backoff"), "2m", "must be a mapping"),
    ((*RETRY, "expression"), "lastRetry.status", "compared with nothing"),
    ((*GROUP, "timeout"), "x", "a duration such as 30s"),
    ((*PARAMETER, "name"), REMOVED, "is missing or empty"),
    ((*PARAMETER, "name"), "a b", "no valid name"),
    ((*PARAMETER, "name"), "../x", "no valid name"),
    ((*PARAMETER, "name"), "x" * 257, "at most 256"),
    ((*PARAMETER, "name"), "json", "json is taken"),
    ((*PARAMETER, "default"), "3", "not one of the values of enum"),
    ((*PARAMETER, "description"), LONG, "at most 5,000"),
    ((*PARAMETER, "enum"), [], "has no values"),
    ((*PARAMETER, "enum"), "2", "must be a list"),
    ((*SPEC, "arguments", "parameters"), [{"name": f"p{n}"} for n in range(1001)], "more than 1,000"),
    ((*FIT, "name"), REMOVED, "is missing or empty"),
    ((*FIT, "name"), "a b", "no valid name"),
    ((*STEP, "name"), "a.b", "no valid name"),
    ((*STEP, "template"), REMOVED, "is missing or empty"),
    ((*GROUP, "steps"), [], "has no steps"),
    ((*GROUP, "steps", 0), [], "must be a list of the steps that run together"),
    (
        (*GROUP, "steps", 0),
        {"name": "fit", "template": "fit"},
        "must be a list of the steps that run together",
    ),
    ((*CONTAINER, "command"), REMOVED, "there is no image to take it from"),
    ((*CONTAINER, "command"), [], "there is no image to take it from"),
    ((*CONTAINER, "command"), "python train.py", "must be a list"),
    ((*CONTAINER, "env", 0, "name"), "1A", "no valid name"),
    ((*CONTAINER, "env", 0, "name"), "A=B", "no valid name"),
    ((*INPUT, "name"), "a/b", "no valid name"),
    ((*INPUT, "name"), "..", "no valid name"),
    ((*INPUT, "path"), REMOVED, "is missing or empty"),
    ((*INPUT, "path"), "data", "must be an absolute path"),
    ((*INPUT, "path"), "/app/../etc", "must not hold .."),
    ((*INPUT, "path"), "/.", "must not be the root folder"),
    ((*INPUT, "optional"), "true", "must be true or false"),
    ((*INPUT, "subPath"), "../x", "must be a path inside it"),
    ((*INPUT, "subPath"), "/x", "must be a path inside it"),
    ((*INPUT, "from"), "steps.a.outputs.artifacts.b", "must have the form"),
    ((*INPUT, "from"), "{{inputs.artifacts.b}}", "must have the form"),
    ((*INPUT, "from"), "{{workflow.outputs.artifacts.b}}", "no output has the globalName b"),
    ((*OUTPUT, "name"), "", "is missing or empty"),
    ((*OUTPUT, "path"), "relative", "must be an absolute path"),
    ((*OUTPUT, "globalName"), "../x", "no valid name"),
    ((*OUTPUT, "archive"), {"none": {}, "zip": {}}, "give one of none, tar and zip"),
    ((*OUTPUT, "archive", "lzma"), {}, "unknown field"),
]

BESIDE = [
    ((*PARAMETER, "name"), "SEED", "spec.arguments.parameters[1].name: SEED is given twice"),
    (
        (*GROUP, "outputs"),
        {"artifacts": [{"name": "x"}]},
        "spec.templates[0].outputs.artifacts[0].from: is missing or empty",
    ),
    ((*CONTAINER, "command"), [""], "container.command: its first item, the program, is empty"),
    (
        (*FIT, "metadata", "labels", "ai.sap.com/resourcePlan"),
        "huge",
        "'huge' is no known plan; known are: starter, basic, basic.8x, train.l, infer.s, infer.m, infer.l",
    ),
]


def line_of(text: str, path: Path) -> int:
    """Where the last key of path stands in text, found without our reader."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    line = node.start_mark.line
    for key in path:
        if isinstance(key, int):
            node = node.value[key]
            line = node.start_mark.line
        else:
            found = [(name, value) for name, value in node.value if name.value == key]
            if not found:
                break
            line, node = found[0][0].start_mark.line, found[0][1]
    return line + 1


@pytest.mark.parametrize(("path", "value", "reason"), REFUSED + WRONG)
def test_an_error_names_file_line_field_and_reason(path: Path, value: Any, reason: str) -> None:
    text = changed((path, value))
    found = read(text, file="train.yaml")
    assert found.templates == ()
    matching = [
        error for error in found.errors if error.field.startswith(field(path)[:90]) and reason in error.reason
    ]
    assert matching, [str(error) for error in found.errors]
    assert (matching[0].file, matching[0].line) == ("train.yaml", line_of(text, path))


@pytest.mark.parametrize(("path", "value", "said"), BESIDE)
def test_an_error_beside_the_changed_place(path: Path, value: Any, said: str) -> None:
    errors = [str(error) for error in reading((path, value)).errors]
    assert any(said in error for error in errors), errors


NOTED = [
    *each(("metadata",), "namespace", "x", "the resource group decides"),
    *each(LABELS, "team", "x", "does not know it"),
    *each(LABELS, "executables.ai.sap.com/id", "petal-train", "redundant"),
    *each(NOTES, "team scenarios.ai.sap.com/color", "x", "does not know it"),
    *each(NOTES, "executables.ai.sap.com/cascade-update-deployments", "true", "ServingTemplate only"),
    *each(NOTES, "artifacts.ai.sap.com/nothing.kind", "model", "no such input"),
    *each(NOTES, "artifacts.ai.sap.com/petals.suffix", "-x", "only an output has a suffix"),
    *each(NOTES, "artifacts.ai.sap.com/petals.color", "x", "does not know it"),
    *each(SPEC, "podMetadata workflowMetadata", {}, "labels of pods"),
    *each(
        SPEC, f"{PLACEMENT} podPriorityClassName dnsConfig dnsPolicy podDisruptionBudget", {}, "places pods"
    ),
    *each(SPEC, "podGC ttlStrategy volumeClaimGC artifactGC archiveLogs", {}, "cleans up and stores"),
    *each(SPEC, "artifactRepositoryRef metrics", {}, "cleans up and stores"),
    *each(FIT, f"{PLACEMENT} priorityClassName pendingTimeout", {}, "places pods"),
    *each(FIT, "archiveLocation metrics", {}, "cleans up and stores"),
    *each(FIT, "memoize", {}, "only caches"),
    *each((*FIT, "metadata"), "annotations", {"a": "b"}, "only the resource plan"),
    *each((*FIT, "metadata", "labels"), "team", "x", "only the resource plan"),
    *each(
        CONTAINER,
        "ports livenessProbe readinessProbe startupProbe lifecycle tty stdin",
        [],
        "run as processes",
    ),
    *each(
        CONTAINER, "terminationMessagePath terminationMessagePolicy securityContext", "x", "run as processes"
    ),
    *each(CONTAINER, "resources", {}, "the resource plan decides"),
    *each(INPUT, "mode recurseMode archiveLogs artifactGC deleted", "x", "cleans up and stores"),
    *each(OUTPUT, "mode recurseMode archiveLogs artifactGC deleted", "x", "cleans up and stores"),
    *each(RETRY, "affinity", {}, "places pods"),
    *each(FIT, "parallelism", 2, "only steps and dags call others"),
    *each(FIT, "failFast", True, "only steps and dags call others"),
    *each(GROUP, "volumes", [{"name": "v", "emptyDir": {}}], "only a container or script mounts"),
    *each(
        GROUP, "metadata", {"labels": {"ai.sap.com/resourcePlan": "basic"}}, "the plan of its own template"
    ),
    *each(PARAMETER, "value", "8", "value is given too and is the default"),
    ((*OUTPUT, "archive"), {"tar": {}}, "most models want archive: {none: {}}"),
    ((*OUTPUT, "archive"), REMOVED, "most models want archive: {none: {}}"),
    ((*OUTPUT, "archive"), {"tar": {"compressionLevel": 3}}, "most models want archive: {none: {}}"),
    ((*FIT, "metadata", "labels"), {}, "the default plan starter is used"),
    ((*FIT, "metadata"), REMOVED, "the default plan starter is used"),
    ((*LABELS, "ai.sap.com/version"), 1.5, "YAML takes it for a number; kept as the text 1.5"),
]


def test_the_quiet_example_has_no_findings() -> None:
    assert reading().findings == ()


@pytest.mark.parametrize(("path", "value", "reason"), NOTED)
def test_a_notice_is_listed_and_the_template_reads(path: Path, value: Any, reason: str) -> None:
    text = changed((path, value))
    found = read(text, file="train.yaml")
    assert [str(error) for error in found.errors] == []
    (template,) = found.templates
    assert template.notices == found.notices
    matching = [
        each
        for each in found.notices
        if reason in each.reason
        and (each.field.startswith(field(path)) or each.field.startswith(field(path[:-1])))
    ]
    assert matching, [str(each) for each in found.notices]
    assert matching[0].severity == "notice"
    if matching[0].field == field(path):
        assert matching[0].line == line_of(text, path)


def test_both_ways_to_name_a_plan_at_once_are_an_error() -> None:
    labels = {"ai.sap.com/resourcePlan": "starter", "ai.sap.com/instanceType": "basic"}
    (error,) = reading(((*FIT, "metadata", "labels"), labels)).errors
    assert (error.field.rpartition("/")[2], error.reason) == (
        "instanceType",
        "give resourcePlan or instanceType, not both",
    )


@pytest.mark.parametrize("bodies", [{}, {"script": {"command": ["sh"], "source": "true"}}])
def test_a_template_has_exactly_one_body(bodies: dict[str, Any]) -> None:
    changes = [((*FIT, key), value) for key, value in bodies.items()]
    if not bodies:
        changes = [(CONTAINER, REMOVED)]
    errors = [str(error) for error in reading(*changes).errors]
    assert any(
        "spec.templates[1]: needs exactly one of container, script, steps and dag" in each for each in errors
    )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"configMapKeyRef": {}}, "valueFrom.configMapKeyRef: refused: only secrets can be read"),
        ({"fieldRef": {}}, "valueFrom.fieldRef: refused: only secrets can be read"),
        ({}, "valueFrom: names no source"),
    ],
)
def test_env_from_elsewhere_is_refused(source: dict[str, Any], said: str) -> None:
    (error,) = reading(((*CONTAINER, "env", 0), {"name": "A", "valueFrom": source})).errors
    assert said in str(error)


def test_a_script_needs_interpreter_and_source() -> None:
    errors = reading((CONTAINER, REMOVED), ((*FIT, "script"), {"image": "x"})).errors
    assert [error.field.rpartition(".")[2] for error in errors] == ["command", "source"]


def test_names_and_paths_are_given_once() -> None:
    twice = [{"name": "petals", "path": "/app/a"}, {"name": "petals", "path": "/app/a/"}]
    errors = [
        str(error).partition(": ")[2] for error in reading(((*FIT, "inputs", "artifacts"), twice)).errors
    ]
    assert errors == [
        "spec.templates[1].inputs.artifacts[1].name: petals is given twice",
        "spec.templates[1].inputs.artifacts[1].path: /app/a is given twice",
    ]


def test_everything_wrong_is_said_at_once() -> None:
    found = reading(
        (("metadata", "name"), "x"),
        ((*CONTAINER, "volumeMounts"), {}),
        ((*CONTAINER, "args"), ["{{nope}}"]),
        ((*STEP, "when"), "a"),
    )
    assert [error.field for error in found.errors] == [
        "metadata.name",
        "spec.templates[0].steps[0][0].when",
        "spec.templates[1].container.args[0]",
        "spec.templates[1].container.volumeMounts",
    ]


def test_values_are_taken_as_they_are_written() -> None:
    text = TRAINING.replace('default: "4"', "default: 010").replace('["2", "4", "8"]', "[010, yes, 1e3]")
    text = text.replace("/app/petals, ", "yes, 1_000, 2026-01-02, 1e3, ~, ")
    template = good(text)
    assert (template.parameters[0].default, template.parameters[0].enum) == ("010", ("010", "yes", "1e3"))
    assert template.batch.templates[1].args[1:6] == ("yes", "1_000", "2026-01-02", "1e3", "~")


def test_strangers_texts_are_made_safe_in_messages() -> None:
    found = reading((("metadata", "a\nb" + "x" * 200), 1), (("metadata", "name"), "<b>\n</b>"))
    assert all("\n" not in str(error) and len(str(error)) < 400 for error in found.errors)
    assert len(found.errors) == 2
