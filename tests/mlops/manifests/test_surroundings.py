"""What a step has around its command: secrets, volumes, retries, limits, defaults; each verdict."""

from __future__ import annotations

from typing import Any

import pytest

from mlops.manifests import (
    Backoff,
    EnvFrom,
    EnvSecret,
    Retry,
    SecretKey,
    Template,
    Volume,
    VolumeMount,
    Workflow,
)
from tests.mlops.manifests.documents import (
    REMOVED,
    Path,
    changed,
    field,
    good,
    leaf,
    reading,
    workflow,
)

SPEC: Path = ("spec",)
FIT: Path = ("spec", "templates", 1)
CONTAINER: Path = (*FIT, "container")
RETRY: Path = (*FIT, "retryStrategy")
CLAIM: dict[str, Any] = {
    "metadata": {"name": "work"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}},
}


def of(*changes: tuple[Path, Any]) -> Workflow:
    return good(changed(*changes)).batch


def fit(*changes: tuple[Path, Any]) -> Template:
    return of(*changes).templates[1]


def test_values_of_secrets_as_variables() -> None:
    env = [
        {"name": "PLAIN", "value": "x"},
        {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "my-keys", "key": "token.txt"}}},
        {
            "name": "MAYBE",
            "valueFrom": {"secretKeyRef": {"name": "my-keys", "key": "b", "optional": True}},
        },
    ]
    env_from = [
        {"secretRef": {"name": "all"}},
        {"prefix": "DB_", "secretRef": {"name": "db", "optional": True}},
    ]
    template = fit(((*CONTAINER, "env"), env), ((*CONTAINER, "envFrom"), env_from))
    assert template.env == (("PLAIN", "x"),)
    assert template.env_secrets == (
        EnvSecret("KEY", SecretKey("my-keys", "token.txt")),
        EnvSecret("MAYBE", SecretKey("my-keys", "b", optional=True)),
    )
    assert template.env_from == (EnvFrom("all"), EnvFrom("db", "DB_", optional=True))


def test_volumes_of_a_template_and_of_the_workflow() -> None:
    own = [
        {"name": "tmp", "emptyDir": {}},
        {
            "name": "keys",
            "secret": {"secretName": "s", "optional": True, "items": [{"key": "a", "path": "b/c"}]},
        },
    ]
    mounts = [
        {"name": "tmp", "mountPath": "/scratch/", "subPath": "a/./b"},
        {"name": "keys", "mountPath": "/keys", "readOnly": True},
        {"name": "work", "mountPath": "/work"},
        {"name": "all", "mountPath": "/all"},
    ]
    workflow = of(
        ((*FIT, "volumes"), own),
        ((*CONTAINER, "volumeMounts"), mounts),
        ((*SPEC, "volumes"), [{"name": "all", "emptyDir": {"sizeLimit": "500Mi"}}]),
        ((*SPEC, "volumeClaimTemplates"), [CLAIM]),
    )
    assert workflow.volumes == (
        Volume("all", "scratch", size_bytes=500 * 2**20),
        Volume("work", "shared", size_bytes=2 * 2**30),
    )
    assert workflow.templates[1].volumes == (
        Volume("tmp", "scratch"),
        Volume("keys", "secret", secret="s", items=(("a", "b/c"),), optional=True),
    )
    assert workflow.templates[1].volume_mounts == (
        VolumeMount("tmp", "/scratch", sub_path="a/b"),
        VolumeMount("keys", "/keys", read_only=True),
        VolumeMount("work", "/work"),
        VolumeMount("all", "/all"),
    )


@pytest.mark.parametrize(
    ("size", "size_bytes"),
    [("1", 1), ("1k", 1000), ("1.5Ki", 1536), ("2M", 2_000_000), ("1Gi", 2**30), (128, 128)],
)
def test_sizes(size: str | int, size_bytes: int) -> None:
    volumes = [{"name": "v", "emptyDir": {"sizeLimit": size}}]
    assert fit(((*FIT, "volumes"), volumes)).volumes[0].size_bytes == size_bytes


def test_a_retry_with_everything() -> None:
    backoff = {"duration": "1m30s", "factor": "2", "cap": "10m", "maxDuration": 3600}
    retry = {
        "limit": "3",
        "retryPolicy": "OnTransientError",
        "backoff": backoff,
        "expression": "lastRetry.exitCode == 137 || lastRetry.message == 'out of memory'",
    }
    assert fit((RETRY, retry)).retry == Retry(
        3, "OnTransientError", Backoff(90.0, 2.0, 600.0, 3600.0), retry["expression"]
    )


@pytest.mark.parametrize(
    ("given", "retry"),
    [
        ({"limit": 2}, Retry(2, "OnFailure")),
        (
            {"limit": 2, "expression": "lastRetry.status == 'Error'"},
            Retry(2, "Always", None, "lastRetry.status == 'Error'"),
        ),
        (
            {"limit": 0, "retryPolicy": "OnError", "expression": "lastRetry.duration < 5"},
            Retry(0, "OnError", None, "lastRetry.duration < 5"),
        ),
        ({"expression": "lastRetry.exitCode > 1"}, Retry(None, "Always", None, "lastRetry.exitCode > 1")),
        ({"backoff": {"maxDuration": "90"}}, Retry(None, "OnFailure", Backoff(max_seconds=90.0))),
        ({"limit": 1, "backoff": {"duration": "500ms"}}, Retry(1, "OnFailure", Backoff(0.5))),
        ({"limit": 1, "retryPolicy": "Always", "backoff": {}}, Retry(1, "Always", Backoff())),
    ],
)
def test_what_a_retry_leaves_open_is_filled_in(given: dict[str, Any], retry: Retry) -> None:
    assert fit((RETRY, given)).retry == retry


def test_a_template_without_a_retry_has_none() -> None:
    assert fit((RETRY, REMOVED)).retry is None


def test_a_group_may_have_a_retry_and_a_limit_of_its_own() -> None:
    group = of(
        ((*SPEC, "templates", 0, "retryStrategy"), {"limit": 1}),
        ((*SPEC, "templates", 0, "timeout"), "2h"),
        ((*SPEC, "templateDefaults"), {"retryStrategy": {"limit": 5}, "timeout": "1m"}),
    ).templates[0]
    assert (group.retry, group.deadline_seconds) == (Retry(1), 7200)
    assert of(((*SPEC, "templateDefaults"), {"retryStrategy": {"limit": 5}})).templates[0].retry is None


def test_limits_of_the_whole_workflow() -> None:
    text = workflow(leaf("main"), leaf("tidy"))
    more = "entrypoint: main\n  parallelism: '3'\n  onExit: tidy"
    found = good(text.replace("entrypoint: main", more)).batch
    assert (found.parallelism, found.on_exit, found.deadline_seconds) == (3, "tidy", 3600)


def test_defaults_fill_what_templates_leave_open() -> None:
    defaults = {
        "parallelism": 4,
        "failFast": True,
        "volumes": [{"name": "v", "emptyDir": {}}],
        "container": {"image": "base:1", "workingDir": "/w", "env": [{"name": "A", "value": "b"}]},
        "script": {"image": "no"},
    }
    group, leaf = of(
        ((*SPEC, "templateDefaults"), defaults),
        ((*CONTAINER, "workingDir"), "/mine"),
        ((*CONTAINER, "image"), REMOVED),
    ).templates
    assert (group.parallelism, group.fail_fast, group.volumes) == (4, True, ())
    assert (leaf.image, leaf.working_dir, leaf.command) == ("base:1", "/mine", ("python", "train.py"))
    assert leaf.volumes == (Volume("v", "scratch"),)
    assert leaf.env == (("SEED", "{{workflow.parameters.SEED}}"),)
    assert (leaf.parallelism, leaf.fail_fast) == (None, True)


def test_what_is_wrong_in_defaults_is_said_also_when_no_template_takes_them() -> None:
    errors = reading(((*SPEC, "templateDefaults"), {"script": {"sidecar": 1}})).errors
    assert [(error.field, error.reason) for error in errors] == [
        ("spec.templateDefaults.script.sidecar", "unknown field sidecar")
    ]


def test_the_last_attempt_is_known_where_it_is_retried() -> None:
    text = (
        "{{lastRetry.exitCode}} {{lastRetry.status}} {{lastRetry.duration}} {{lastRetry.message}} {{retries}}"
    )
    assert fit(((*CONTAINER, "args"), [text])).args == (text,)


def test_a_retry_expression_may_ask_for_inputs_but_not_for_anything() -> None:
    expression = "lastRetry.exitCode == {{workflow.parameters.DEPTH}} && {{retries}} < 2"
    retry = fit((RETRY, {"limit": 1, "expression": expression})).retry
    assert retry is not None
    assert retry.expression == expression
    (error,) = reading((RETRY, {"limit": 1, "expression": "lastRetry.exitCode == {{nope}}"})).errors
    assert (error.field, error.reason) == (
        "spec.templates[1].retryStrategy.expression",
        "{{nope}} is unknown here",
    )


SECRET = {"name": "s", "key": "k"}


def secret(**fields: Any) -> list[dict[str, Any]]:
    given = {key: value for key, value in {**SECRET, **fields}.items() if value is not REMOVED}
    return [{"name": "A", "valueFrom": {"secretKeyRef": given}}]


def volume(**fields: Any) -> list[dict[str, Any]]:
    return [{"name": "v", **fields}]


def claim(path: str, value: Any) -> list[dict[str, Any]]:
    made: dict[str, Any] = {"metadata": {"name": "w"}, "spec": {"resources": {"requests": {}}}}
    place = made
    for key in path.split(".")[:-1]:
        place = place[key]
    place[path.rpartition(".")[2]] = value
    return [made]


ENV: Path = (*CONTAINER, "env")
FROM: Path = (*CONTAINER, "envFrom")
OWN: Path = (*FIT, "volumes")
MOUNTS: Path = (*CONTAINER, "volumeMounts")
CLAIMS: Path = (*SPEC, "volumeClaimTemplates")


@pytest.mark.parametrize(
    ("path", "value", "at", "reason"),
    [
        (ENV, secret(name=REMOVED), "[0].valueFrom.secretKeyRef.name", "is missing or empty"),
        (ENV, secret(name="{{workflow.name}}"), "[0].valueFrom.secretKeyRef.name", "placeholders are not"),
        (ENV, secret(name="../x"), "[0].valueFrom.secretKeyRef.name", "no valid name"),
        (ENV, secret(key=REMOVED), "[0].valueFrom.secretKeyRef.key", "is missing or empty"),
        (ENV, secret(key="a/b"), "[0].valueFrom.secretKeyRef.key", "no valid name"),
        (ENV, secret(optional="yes"), "[0].valueFrom.secretKeyRef.optional", "must be true or false"),
        (ENV, secret(x=1), "[0].valueFrom.secretKeyRef.x", "unknown field"),
        (ENV, [{**secret()[0], "value": "x"}], "[0].valueFrom", "give value or valueFrom, not both"),
        (ENV, [*secret(), {"name": "A", "value": "x"}], "[1].name", "A is given twice"),
        (FROM, [{"configMapRef": {"name": "x"}}], "[0].configMapRef", "only secrets can be read"),
        (FROM, [{"prefix": "A_"}], "[0].secretRef", "is missing"),
        (FROM, [{"secretRef": {}}], "[0].secretRef.name", "is missing or empty"),
        (FROM, [{"prefix": "A-", "secretRef": {"name": "x"}}], "[0].prefix", "no valid name"),
        (OWN, volume(), "[0]", "needs exactly one of emptyDir and secret"),
        (OWN, volume(emptyDir={}, secret={"secretName": "s"}), "[0]", "needs exactly one of emptyDir"),
        (OWN, volume(hostPath={"path": "/"}), "[0].hostPath", "a volume is an emptyDir or a secret"),
        (OWN, volume(persistentVolumeClaim={}), "[0].persistentVolumeClaim", "a volume is an emptyDir"),
        (OWN, volume(configMap={}), "[0].configMap", "a volume is an emptyDir or a secret"),
        (OWN, volume(nonsense={}), "[0].nonsense", "unknown field"),
        (OWN, volume(secret={}), "[0].secret.secretName", "is missing or empty"),
        (OWN, volume(secret={"secretName": "a b"}), "[0].secret.secretName", "no valid name"),
        (
            OWN,
            volume(secret={"secretName": "s", "items": [{"key": "a"}]}),
            "[0].secret.items[0].path",
            "missing",
        ),
        (
            OWN,
            volume(secret={"secretName": "s", "items": [{"key": "a", "path": "../x"}]}),
            "[0].secret.items[0].path",
            "must be a path inside it",
        ),
        (
            OWN,
            volume(
                secret={"secretName": "s", "items": [{"key": "a", "path": "x"}, {"key": "b", "path": "x"}]}
            ),
            "[0].secret.items[1].path",
            "x is given twice",
        ),
        (OWN, volume(emptyDir={"sizeLimit": "much"}), "[0].emptyDir.sizeLimit", "must be a size such as"),
        (OWN, volume(emptyDir={"sizeLimit": "0"}), "[0].emptyDir.sizeLimit", "must be a size such as"),
        (OWN, volume(emptyDir={"sizeLimit": "9" * 15 + "Ti"}), "[0].emptyDir.sizeLimit", "at most 1024Ti"),
        (OWN, [{"name": "a b", "emptyDir": {}}], "[0].name", "no valid name"),
        (OWN, [*volume(emptyDir={}), *volume(emptyDir={})], "[1].name", "v is given twice"),
        (MOUNTS, [{"name": "v", "mountPath": "/x"}], "[0].name", "there is no volume v"),
        (MOUNTS, [{"name": "v"}], "[0].mountPath", "is missing or empty"),
        (MOUNTS, [{"name": "v", "mountPath": "x"}], "[0].mountPath", "must be an absolute path"),
        (MOUNTS, [{"name": "v", "mountPath": "/a/../b"}], "[0].mountPath", "must not hold .."),
        (MOUNTS, [{"name": "v", "mountPath": "/{{workflow.name}}"}], "[0].mountPath", "must be fixed"),
        (MOUNTS, [{"name": "v", "mountPath": "/x", "subPath": "../y"}], "[0].subPath", "a path inside it"),
        (MOUNTS, [{"name": "v", "mountPath": "/x", "subPathExpr": "y"}], "[0].subPathExpr", "give subPath"),
        (
            MOUNTS,
            [{"name": "v", "mountPath": "/x"}, {"name": "v", "mountPath": "/x/"}],
            "[1].mountPath",
            "/x is given twice",
        ),
        (MOUNTS, [{"name": "v", "mountPath": "/app/petals"}], "[0].mountPath", "the path of an artifact"),
        (CLAIMS, claim("metadata.name", None), "[0].metadata.name", "is missing or empty"),
        (CLAIMS, claim("spec.dataSource", {}), "[0].spec.dataSource", "the folder begins empty"),
        (
            CLAIMS,
            claim("spec.resources.requests.storage", "x"),
            "[0].spec.resources.requests.storage",
            "a size",
        ),
        (CLAIMS, [*claim("x", 1)], "[0].x", "unknown field"),
        ((*SPEC, "parallelism"), 0, "", "a whole number from 1"),
        ((*SPEC, "onExit"), "", "", "is missing or empty"),
        ((*RETRY, "backoff", "duration"), "soon", "", "must be seconds or a duration"),
        ((*RETRY, "backoff", "cap"), "2 m", "", "must be seconds or a duration"),
        ((*RETRY, "backoff", "maxDuration"), "400d", "", "at most a year"),
        ((*RETRY, "backoff", "factor"), "0.5", "", "must be a number from 1 to 100"),
        ((*RETRY, "backoff", "factor"), "x", "", "must be a number from 1 to 100"),
        ((*RETRY, "backoff", "jitter"), 1, "", "unknown field"),
        ((*RETRY, "expression"), "asInt(lastRetry.exitCode) > 1", "", "leave asInt() out"),
        ((*RETRY, "expression"), "{{=1}} == 1", "", "is an expression; only names are supported"),
        ((*FIT, "timeout"), "1.5s", "", "a whole number of seconds or a duration"),
    ],
)
def test_what_cannot_be_is_refused(path: Path, value: Any, at: str, reason: str) -> None:
    found = reading((path, value))
    assert found.templates == ()
    errors = [(error.field, error.reason) for error in found.errors]
    assert any(place == field(path) + at and reason in why for place, why in errors), errors


def test_a_volume_is_named_once_for_a_step() -> None:
    both = volume(emptyDir={})
    (error,) = reading((OWN, both), ((*SPEC, "volumes"), both)).errors
    assert str(error).endswith("spec.templates[1].volumes[0].name: v is a volume of the workflow already")
    named = [{**CLAIM, "metadata": {"name": "v"}}]
    (error,) = reading(((*SPEC, "volumes"), both), (CLAIMS, named)).errors
    assert str(error).endswith("spec.volumeClaimTemplates[0].metadata.name: v is given twice")


@pytest.mark.parametrize(
    ("path", "value", "at", "reason"),
    [
        (OWN, volume(emptyDir={"medium": "Memory"}), "[0].emptyDir.medium", "places pods"),
        (
            OWN,
            volume(secret={"secretName": "s", "defaultMode": 256}),
            "[0].secret.defaultMode",
            "for the step alone",
        ),
        (
            OWN,
            volume(secret={"secretName": "s", "items": [{"key": "a", "path": "b", "mode": 1}]}),
            "[0].secret.items[0].mode",
            "for the step alone",
        ),
        (CLAIMS, [CLAIM], "[0].spec.accessModes", "places pods"),
        (CLAIMS, claim("spec.storageClassName", "fast"), "[0].spec.storageClassName", "places pods"),
        (CLAIMS, claim("spec.resources.limits", {}), "[0].spec.resources.limits", "the request is the limit"),
        (CLAIMS, claim("status", {}), "[0].status", "makes the folder itself"),
        ((*SPEC, "imagePullSecrets"), [{"name": "registry"}], "[0]", "recorded: only container runners"),
    ],
)
def test_what_is_ignored_is_noted(path: Path, value: Any, at: str, reason: str) -> None:
    found = reading((path, value))
    assert [str(error) for error in found.errors] == []
    notices = [(notice.field, notice.reason) for notice in found.templates[0].notices]
    assert any(place == field(path) + at and reason in why for place, why in notices), notices


def test_the_secrets_of_registries_are_recorded() -> None:
    made = good(changed(((*SPEC, "imagePullSecrets"), [{"name": "registry"}])))
    assert made.image_pull_secrets == made.batch.image_pull_secrets == ("registry",)
