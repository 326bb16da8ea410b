"""ServingTemplate: what is read, from texts of several lines too, and each verdict with its line."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.manifests import (
    EnvFrom,
    EnvSecret,
    ExecutableTemplate,
    Parameter,
    Reading,
    SecretKey,
    ServedModel,
    Server,
    Volume,
    VolumeMount,
    problems,
    read,
)
from tests.mlops.manifests.documents import REMOVED, SERVING, Path, field

ANNOTATIONS = "autoscaling.knative.dev"
TEMPLATE: Path = ("spec", "template")
INPUTS: Path = ("spec", "inputs")
PREDICTOR: Path = (*TEMPLATE, "spec", "predictor")
SERVER: Path = (*PREDICTOR, "containers", 0)
_PLAIN = yaml.safe_load(SERVING)
for _key in ("labels",):
    _PLAIN["spec"]["template"]["metadata"][_key] = yaml.safe_load(
        _PLAIN["spec"]["template"]["metadata"][_key]
    )
_PLAIN["spec"]["template"]["spec"] = yaml.safe_load(_PLAIN["spec"]["template"]["spec"])


def plain(*changes: tuple[Path, Any]) -> str:
    """The serving example, its inner texts as mappings, with values put in or, by REMOVED, taken away."""
    document = copy.deepcopy(_PLAIN)
    for path, value in changes:
        place = document
        for key in path[:-1]:
            place = place.setdefault(key, {}) if isinstance(place, dict) else place[key]
        if value is REMOVED:
            del place[path[-1]]
        else:
            place[path[-1]] = value
    return yaml.safe_dump(document, sort_keys=False)


def serving(*changes: tuple[Path, Any]) -> Reading:
    return read(plain(*changes), file="serve.yaml")


def good(text: str) -> ExecutableTemplate:
    found = read(text, file="serve.yaml")
    assert [str(error) for error in found.errors] == []
    (template,) = found.templates
    assert ExecutableTemplate.from_json(template.to_json()) == template
    return template


def test_the_serving_example_reads() -> None:
    template = good(SERVING)
    assert (template.kind, template.executable_id, template.workflow) == ("serving", "petal-serve", None)
    assert template.parameters == (Parameter("threads", "2"),)
    (model,) = template.inputs
    assert (model.name, model.kind, model.optional) == ("petalmodel", "model", False)
    assert (template.outputs, template.notices) == ((), ())
    found = template.serving
    assert found is not None
    assert (found.api_version, found.resource_plan) == ("serving.kserve.io/v1beta1", "starter")
    assert (found.min_replicas, found.max_replicas, found.cascade_update) == ("1", "2", False)
    assert found.server == Server(
        name="server",
        image="petal-serve:1.2.0",
        command=("python", "serve.py"),
        args=("--port", "9001", "--threads", "{{inputs.parameters.threads}}"),
        env=(("STORAGE_URI", "{{inputs.artifacts.petalmodel}}"),),
        model="petalmodel",
        port="9001",
    )
    with pytest.raises(ValueError, match="petal-serve serves: it has no steps to run"):
        _ = template.batch


def test_texts_of_several_lines_and_mappings_mean_the_same() -> None:
    assert good(plain()).digest == good(SERVING).digest


def test_everything_a_server_may_have() -> None:
    container = {
        "name": "s",
        "command": ["run"],
        "env": [{"name": "K", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
        "envFrom": [{"secretRef": {"name": "all"}}],
        "workingDir": "/srv",
        "imagePullPolicy": "Always",
        "volumeMounts": [{"name": "tmp", "mountPath": "/scratch"}],
        "ports": [{"containerPort": "{{inputs.parameters.threads}}"}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8080}},
        "livenessProbe": {
            "httpGet": {"path": "/{{inputs.parameters.threads}}", "port": "{{inputs.parameters.threads}}"}
        },
    }
    predictor = {
        "minReplicas": 0,
        "maxReplicas": "{{inputs.parameters.threads}}",
        "containerConcurrency": 4,
        "timeout": "60",
        "terminationGracePeriodSeconds": 5,
        "imagePullSecrets": [{"name": "inner"}],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
        "containers": [container],
    }
    annotations = {
        f"{ANNOTATIONS}/metric": "rps",
        f"{ANNOTATIONS}/target": "{{inputs.parameters.threads}}",
        f"{ANNOTATIONS}/targetBurstCapacity": "-1",
        f"{ANNOTATIONS}/window": "2m",
        f"{ANNOTATIONS}/scaleToZeroPodRetentionPeriod": "0s",
        f"{ANNOTATIONS}/scale-down-delay": "1h",
    }
    template = good(
        plain(
            (PREDICTOR, predictor),
            ((*TEMPLATE, "metadata", "annotations"), yaml.safe_dump(annotations)),
            (("spec", "imagePullSecrets"), [{"name": "outer"}]),
            (("metadata", "annotations", "executables.ai.sap.com/cascade-update-deployments"), "true"),
        )
    )
    found = template.serving
    assert found is not None
    assert found.server == Server(
        name="s",
        command=("run",),
        env_secrets=(EnvSecret("K", SecretKey("s", "k")),),
        env_from=(EnvFrom("all"),),
        working_dir="/srv",
        image_pull_policy="Always",
        volume_mounts=(VolumeMount("tmp", "/scratch"),),
        port="{{inputs.parameters.threads}}",
        ready_path="/health",
        ready_port="8080",
        live_path="/{{inputs.parameters.threads}}",
        live_port="{{inputs.parameters.threads}}",
    )
    assert (found.min_replicas, found.max_replicas) == ("0", "{{inputs.parameters.threads}}")
    assert (found.concurrency, found.timeout_seconds, found.grace_seconds) == ("4", "60", "5")
    assert found.volumes == (Volume("tmp", "scratch"),)
    assert dict(found.autoscaling) == {key.partition("/")[2]: value for key, value in annotations.items()}
    assert template.image_pull_secrets == ("outer", "inner")
    assert found.cascade_update is True


@pytest.mark.parametrize("name", ["onnx", "sklearn"])
def test_a_model_for_the_built_in_server(name: str) -> None:
    model = {"modelFormat": {"name": name}, "storageUri": "{{inputs.artifacts.petalmodel}}"}
    found = good(plain((PREDICTOR, {"model": model}))).serving
    assert found is not None
    assert (found.model, found.server) == (ServedModel(name, "{{inputs.artifacts.petalmodel}}"), None)


def test_the_older_nesting_is_read_with_a_notice() -> None:
    text = plain(
        ((*TEMPLATE, "spec"), {"default": {"predictor": _PLAIN["spec"]["template"]["spec"]["predictor"]}})
    )
    template = good(text.replace("serving.kserve.io/v1beta1", "serving.kubeflow.org/v1alpha2"))
    assert template.digest == good(SERVING).digest
    assert [(each.field, each.reason) for each in template.notices] == [
        ("spec.template.apiVersion", "read as serving.kserve.io/v1beta1"),
        ("spec.template.spec.default", "an older nesting, read as predictor"),
    ]


UNQUOTED = (
    SERVING.replace("petal-serve:1.2.0", "{{inputs.parameters.threads}}")
    .replace("minReplicas: 1", "minReplicas: {{ inputs.parameters.threads }}")
    .replace('value: "{{inputs.artifacts.petalmodel}}"', "value: {{inputs.artifacts.petalmodel}}")
    .replace("resourcePlan: starter", "resourcePlan: {{inputs.parameters.plan}}")
    .replace("    artifacts:", "      - {name: plan, default: basic}\n    artifacts:")
)


def test_placeholders_may_stand_unquoted() -> None:
    found = good(UNQUOTED).serving
    assert found is not None
    assert found.server is not None
    assert found.server.image == "{{inputs.parameters.threads}}"
    assert found.server.model == "petalmodel"
    assert (found.min_replicas, found.resource_plan) == (
        "{{ inputs.parameters.threads }}",
        "{{inputs.parameters.plan}}",
    )


def test_placeholders_may_stand_unquoted_in_mappings_too() -> None:
    text = plain(((*PREDICTOR, "minReplicas"), "WORD"), ((*SERVER, "image"), "WORD"))
    found = good(text.replace("WORD", "{{inputs.parameters.threads}}")).serving
    assert found is not None
    assert found.min_replicas == "{{inputs.parameters.threads}}"


def test_words_that_stand_for_placeholders_are_found_nowhere_else() -> None:
    odd = "placeholder-0- {{inputs.parameters.threads}} placeholderx-0-"
    text = SERVING.replace("petal-serve:1.2.0", f"'{odd}'")
    found = good(text).serving
    assert found is not None
    assert found.server is not None
    assert found.server.image == odd


def line_of(text: str, words: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if words in line)


@pytest.mark.parametrize(
    ("old", "new", "place", "reason"),
    [
        ("minReplicas: 1", "minReplica: 1", "predictor.minReplica", "did you mean minReplicas?"),
        ("maxReplicas: 2", "maxReplicas: many", "predictor.maxReplicas", "must be a whole number from 1"),
        (
            "image: petal-serve:1.2.0",
            "image: {{nope}}",
            "predictor.containers[0].image",
            "{{nope}} is no input",
        ),
        ("containers:", "containers: [", "", "not valid YAML"),
        ("minReplicas: 1", "minReplicas: {{inputs.parameters.threads}}}", "", "not valid YAML|whole number"),
        ("predictor:", "predictor: &a", "", ""),
    ],
)
def test_lines_inside_a_text_are_those_of_the_file(old: str, new: str, place: str, reason: str) -> None:
    text = SERVING.replace(old, new)
    errors = [each for each in read(text, file="serve.yaml").errors if each.field.endswith(place)]
    if not reason:
        assert errors == []
        return
    assert errors
    assert any(part in errors[0].reason for part in reason.split("|"))
    if place:
        assert errors[0].line == line_of(text, new)


def test_a_folded_or_quoted_text_is_read_as_well() -> None:
    inner = yaml.safe_dump({"predictor": _PLAIN["spec"]["template"]["spec"]["predictor"]})
    assert good(plain(((*TEMPLATE, "spec"), inner))).digest == good(SERVING).digest


def each(parent: Path, names: str, value: Any, reason: str) -> list[tuple[Path, Any, str]]:
    return [((*parent, name), value, reason) for name in names.split()]


CONTAINER = _PLAIN["spec"]["template"]["spec"]["predictor"]["containers"][0]
FRAMEWORKS = "sklearn tensorflow pytorch triton xgboost lightgbm onnx pmml huggingface paddle mlflow custom"


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("spec", "entrypoint"), "x", "unknown field"),
        ((*INPUTS, "parameters", 0, "type"), "integer", "every parameter is a string"),
        ((*INPUTS, "parameters", 0, "name"), "a b", "no valid name"),
        ((*INPUTS, "parameters", 0, "value"), "x", "unknown field"),
        ((*INPUTS, "parameters", 0, "enum"), [], "has no values"),
        ((*INPUTS, "parameters"), [{"name": "threads"}, {"name": "threads"}], "threads is given twice"),
        ((*INPUTS, "artifacts", 0, "name"), "", "is missing or empty"),
        ((*INPUTS, "artifacts", 0, "path"), "/x", "unknown field"),
        ((*INPUTS, "artifacts"), [{"name": "petalmodel"}] * 2, "petalmodel is given twice"),
        (
            (*TEMPLATE, "apiVersion"),
            "v1",
            "must be serving.kserve.io/v1beta1 or serving.kubeflow.org/v1alpha2",
        ),
        ((*TEMPLATE, "apiVersion"), REMOVED, "is missing or empty"),
        ((*TEMPLATE, "spec"), REMOVED, "is missing or empty"),
        ((*TEMPLATE, "spec"), "", "is missing or empty"),
        ((*TEMPLATE, "spec"), "- a\n- b\n", "is not a mapping"),
        ((*TEMPLATE, "spec"), "just words", "is not a mapping"),
        ((*TEMPLATE, "spec"), "a: &a\n  b: *a\n", "an alias inside its own anchor"),
        ((*TEMPLATE, "spec"), "a: !!python/name:os.system x\n", "is not read"),
        ((*TEMPLATE, "spec", "transformer"), {}, "a predictor alone"),
        ((*TEMPLATE, "spec", "explainer"), {}, "a predictor alone"),
        (PREDICTOR, REMOVED, "is missing"),
        ((*PREDICTOR, "canaryTrafficPercent"), 10, "all requests go to one revision"),
        *each(PREDICTOR, FRAMEWORKS, {}, "or model with a modelFormat"),
        *each(PREDICTOR, "initContainers workerSpec", [], "needs a cluster"),
        ((*PREDICTOR, "minReplicas"), -1, "must be a whole number from 0"),
        ((*PREDICTOR, "minReplicas"), "1.5", "must be a whole number from 0"),
        ((*PREDICTOR, "maxReplicas"), 0, "0 is below minReplicas, which is 1"),
        ((*PREDICTOR, "maxReplicas"), 0, "must be a whole number from 1"),
        ((*PREDICTOR, "containerConcurrency"), "x", "must be a whole number from 0"),
        ((*PREDICTOR, "timeout"), "5m", "must be a whole number from 1"),
        ((*PREDICTOR, "terminationGracePeriodSeconds"), 9999, "must be a whole number from 0 to 3,600"),
        ((*PREDICTOR, "containers"), [], "is empty"),
        ((*PREDICTOR, "containers"), REMOVED, "needs exactly one of containers and model"),
        ((*PREDICTOR, "containers"), [CONTAINER, CONTAINER], "give exactly one container"),
        (
            (*PREDICTOR, "model"),
            {"modelFormat": {"name": "onnx"}},
            "needs exactly one of containers and model",
        ),
        ((*PREDICTOR, "volumes"), [{"name": "v", "hostPath": {}}], "a volume is an emptyDir or a secret"),
        ((*SERVER, "command"), REMOVED, "there is no image to take it from"),
        ((*SERVER, "ports"), [{"containerPort": 1}, {"containerPort": 2}], "give one port"),
        ((*SERVER, "ports", 0, "containerPort"), 0, "must be a whole number from 1 to 65,535"),
        ((*SERVER, "ports", 0, "containerPort"), REMOVED, "is missing or empty"),
        ((*SERVER, "ports", 0, "hostPort"), 1, "unknown field"),
        ((*SERVER, "readinessProbe"), {"httpGet": {}}, "must be a path such as /health"),
        ((*SERVER, "readinessProbe"), {"httpGet": {"path": "/x", "port": "http"}}, "from 1 to 65,535"),
        ((*SERVER, "livenessProbe"), {"httpGet": {"path": "x"}}, "must be a path such as /health"),
        ((*SERVER, "livenessProbe"), {"httpGet": {"path": "/x", "port": 65_536}}, "from 1 to 65,535"),
        ((*SERVER, "livenessProbe"), {"httpGet": {"path": "/{{inputs.parameters.no}}"}}, "is no input"),
        ((*SERVER, "volumeMounts"), [{"name": "v", "mountPath": "/x"}], "there is no volume v"),
        ((*SERVER, "env"), [{"name": "STORAGE_URI", "value": "s3://x"}], "only artifacts are fetched"),
        ((*SERVER, "env"), [{"name": "STORAGE_URI", "value": "{{inputs.artifacts.no}}"}], "is no input"),
        ((*SERVER, "env"), [{"name": "A", "valueFrom": {"configMapKeyRef": {}}}], "only secrets can be read"),
        ((*SERVER, "args"), ["{{inputs.parameters.no}}"], "is no input"),
        ((*SERVER, "args"), ["{{workflow.name}}"], "is no input"),
        ((*SERVER, "args"), ["{{=1 + 1}}"], "is an expression"),
        ((*SERVER, "source"), "x", "unknown field"),
        ((*TEMPLATE, "metadata", "labels"), {"ai.sap.com/resourcePlan": "huge"}, "'huge' is no known plan"),
        ((*TEMPLATE, "metadata", "labels"), "- x", "is not a mapping"),
        (
            (*TEMPLATE, "metadata", "annotations"),
            {f"{ANNOTATIONS}/metric": "cpu"},
            "must be concurrency or rps",
        ),
        ((*TEMPLATE, "metadata", "annotations"), {f"{ANNOTATIONS}/target": "1.5"}, "must be a whole number"),
        ((*TEMPLATE, "metadata", "annotations"), {f"{ANNOTATIONS}/targetBurstCapacity": "-2"}, "or -1"),
        ((*TEMPLATE, "metadata", "annotations"), {f"{ANNOTATIONS}/window": "1s"}, "from 6s to 1h"),
        ((*TEMPLATE, "metadata", "annotations"), {f"{ANNOTATIONS}/scale-down-delay": "2h"}, "from 0s to 1h"),
        (
            (*TEMPLATE, "metadata", "annotations"),
            {f"{ANNOTATIONS}/scaleToZeroPodRetentionPeriod": "soon"},
            "from 0s to 1h",
        ),
        (
            ("metadata", "annotations", "executables.ai.sap.com/cascade-update-deployments"),
            "maybe",
            'must be "true" or "false"',
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(path: Path, value: Any, reason: str) -> None:
    found = serving((path, value))
    assert found.templates == ()
    matching = [error for error in found.errors if reason in error.reason]
    assert matching, [str(error) for error in found.errors]
    place = field(path)
    assert matching[0].field.startswith(place) or place.startswith(matching[0].field)
    assert matching[0].line > 1


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ({}, "is missing or empty"),
        (
            {"modelFormat": {"name": "tensorflow"}, "storageUri": "{{inputs.artifacts.petalmodel}}"},
            "onnx and sklearn",
        ),
        ({"modelFormat": {"name": "onnx"}}, "is missing or empty"),
        ({"modelFormat": {"name": "onnx"}, "storageUri": "s3://x"}, "only artifacts are fetched"),
        ({"modelFormat": {"name": "onnx"}, "storageUri": "{{inputs.artifacts.no}}"}, "is no input"),
        ({"modelFormat": {"name": "onnx"}, "runtime": "x"}, "unknown field"),
    ],
)
def test_a_model_that_cannot_be_served_is_refused(model: dict[str, Any], reason: str) -> None:
    errors = [str(error) for error in serving((PREDICTOR, {"model": model})).errors]
    assert any(reason in error for error in errors), errors


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        *each(
            PREDICTOR,
            "affinity nodeSelector tolerations serviceAccountName securityContext",
            {},
            "places pods",
        ),
        *each(SERVER, "resources", {}, "the resource plan decides"),
        *each(SERVER, "startupProbe lifecycle tty", {}, "run as processes"),
        *each((*SERVER, "ports", 0), "name protocol", "x", "served over HTTP"),
        ((*SERVER, "readinessProbe"), {"tcpSocket": {"port": 1}}, "ready once its port accepts"),
        ((*SERVER, "readinessProbe"), {"httpGet": {"path": "/x"}, "periodSeconds": 1}, "how often it asks"),
        ((*SERVER, "readinessProbe"), {"httpGet": {"path": "/x", "scheme": "HTTPS"}}, "over plain HTTP"),
        ((*SERVER, "livenessProbe"), {"exec": {"command": ["x"]}}, "lives as long as its process"),
        ((*SERVER, "livenessProbe"), {"httpGet": {"path": "/x"}, "failureThreshold": 1}, "how often it asks"),
        ((*PREDICTOR, "imagePullSecrets"), [{"name": "x"}], "recorded: only container runners"),
        (("spec", "imagePullSecrets"), [{"name": "x"}], "recorded: only container runners"),
        ((*TEMPLATE, "metadata", "labels"), REMOVED, "the default plan starter is used"),
        ((*TEMPLATE, "metadata", "labels"), {"team": "x"}, "only the resource plan is read here"),
        ((*TEMPLATE, "metadata", "name"), "x", "names deployments itself"),
        ((*TEMPLATE, "metadata", "annotations"), {"team": "x"}, "does not know it"),
        (
            (*TEMPLATE, "metadata", "annotations"),
            {f"{ANNOTATIONS}/scale-down-delay": "60s"},
            "servers follow metric",
        ),
        (
            ("metadata", "annotations", "artifacts.ai.sap.com/petalmodel.suffix"),
            "x",
            "only an output has a suffix",
        ),
        (("metadata", "annotations", "artifacts.ai.sap.com/none.kind"), "model", "has no such input"),
    ],
)
def test_what_is_ignored_is_noted(path: Path, value: Any, reason: str) -> None:
    found = serving((path, value))
    assert [str(error) for error in found.errors] == []
    assert any(reason in notice.reason for notice in found.templates[0].notices), found.notices


def test_an_input_may_have_hyphens_and_a_template_no_inputs() -> None:
    text = SERVING.replace("petalmodel", "petal-model")
    assert good(text).inputs[0].name == "petal-model"
    bare = plain((INPUTS, REMOVED), ((*SERVER, "env"), REMOVED), ((*SERVER, "args"), REMOVED))
    assert (good(bare).inputs, good(bare).parameters) == ((), ())


def test_values_are_checked_once_they_are_filled_in() -> None:
    text = SERVING.replace("minReplicas: 1", "minReplicas: {{inputs.parameters.threads}}")
    found = good(text.replace(', default: "2"', "")).serving
    assert found is not None
    assert list(problems(found, {})) == []
    assert list(problems(found, {"threads": "2"})) == []
    (problem,) = problems(found, {"threads": "3"})
    assert problem == ("maxReplicas", "2 is below minReplicas, which is 3", ("threads",))
    (problem,) = problems(found, {"threads": "1\nmaxReplicas: 9"})
    assert (problem.field, problem.parameters) == ("minReplicas", ("threads",))


def test_a_default_that_cannot_be_is_refused_at_once() -> None:
    text = SERVING.replace("minReplicas: 1", "minReplicas: {{inputs.parameters.threads}}").replace(
        '"2"', "two"
    )
    (error,) = read(text, file="serve.yaml").errors
    assert error.field == "spec.template.spec.predictor.minReplicas"
    assert error.line == line_of(text, "minReplicas:")


@given(st.text(max_size=40))
@settings(max_examples=150, deadline=None)
def test_a_value_changes_nothing_but_itself(value: str) -> None:
    found = good(UNQUOTED).serving
    assert found is not None
    known = {problem.field for problem in problems(found, {"threads": value, "plan": value})}
    assert known <= {"minReplicas", "maxReplicas", "ai.sap.com/resourcePlan"}


@given(
    st.integers(0, len(UNQUOTED)), st.integers(0, 40), st.text("[]{}:-\"'#&*!|>%@`,? \n\tab1{{}}", max_size=6)
)
@settings(max_examples=200, deadline=None)
def test_a_damaged_template_reads_or_says_what_is_wrong(at: int, length: int, put: str) -> None:
    found = read(UNQUOTED[:at] + put + UNQUOTED[at + length :], file="fuzz.yaml")
    assert found.errors or found.templates
    assert all(1 <= each.line <= UNQUOTED.count("\n") + 20 for each in found.findings)
    for template in found.templates:
        assert ExecutableTemplate.from_json(template.to_json()) == template
