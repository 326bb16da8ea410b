"""Every row of the format that is noted or refused, in places that share rows with others too."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.manifests import ExecutableTemplate, read, visits
from mlops.manifests.verdicts import FIELDS
from tests.mlops.manifests.documents import SERVING, Path, call, field

POD = "affinity nodeSelector tolerations schedulerName priority serviceAccountName "
POD += "automountServiceAccountToken securityContext hostAliases podResources"
CLUSTER = "sidecars initContainers containerSet daemon resource data http plugin executor podSpecPatch "
CLUSTER += "resourceClaims synchronization"
PROCESS = "resources ports livenessProbe readinessProbe startupProbe lifecycle tty stdin stdinOnce "
PROCESS += "terminationMessagePath terminationMessagePolicy securityContext"
STORES = "s3 gcs azure oss hdfs http git artifactory plugin fromExpression"
MODES = "mode recurseMode archiveLogs artifactGC deleted"

WORKFLOW: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "WorkflowTemplate",
    "metadata": {
        "name": "rows",
        "labels": {"scenarios.ai.sap.com/id": "rows", "ai.sap.com/version": "1"},
        "annotations": {"scenarios.ai.sap.com/name": "Rows", "executables.ai.sap.com/name": "Rows"},
    },
    "spec": {
        "entrypoint": "main",
        "arguments": {"parameters": [{"name": "P", "default": "x"}]},
        "templateDefaults": {"timeout": "1m"},
        "volumeClaimTemplates": [
            {"metadata": {"name": "w"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}
        ],
        "templates": [
            {"name": "main", "dag": {"tasks": [call("t", "group")]}},
            {
                "name": "group",
                "steps": [
                    [
                        {
                            **call("s", "script", {"p": "x"}, withSequence={"count": 1}, continueOn={}),
                            "arguments": {
                                "parameters": [{"name": "p", "value": "x"}],
                                "artifacts": [{"name": "a", "raw": {"data": "x"}}],
                            },
                        }
                    ]
                ],
            },
            {
                "name": "script",
                "metadata": {"labels": {"ai.sap.com/resourcePlan": "starter"}},
                "retryStrategy": {"limit": 1, "backoff": {"duration": 1}},
                "inputs": {
                    "parameters": [{"name": "p"}],
                    "artifacts": [{"name": "a", "path": "/a"}],
                },
                "outputs": {
                    "artifacts": [{"name": "o", "path": "/o", "archive": {"none": {}}}],
                    "parameters": [{"name": "q", "valueFrom": {"path": "/q"}}],
                },
                "volumes": [
                    {"name": "e", "emptyDir": {}},
                    {"name": "k", "secret": {"secretName": "k", "items": [{"key": "a", "path": "b"}]}},
                ],
                "script": {
                    "command": ["sh"],
                    "source": "true",
                    "env": [{"name": "K", "valueFrom": {"secretKeyRef": {"name": "k", "key": "a"}}}],
                    "envFrom": [{"secretRef": {"name": "k"}}],
                    "volumeMounts": [{"name": "e", "mountPath": "/e"}],
                },
            },
        ],
    },
}
SERVES: dict[str, Any] = yaml.safe_load(SERVING)
for _key in ("spec", "metadata"):
    _place = SERVES["spec"]["template"]
    _place[_key] = (
        yaml.safe_load(_place[_key])
        if isinstance(_place[_key], str)
        else {name: yaml.safe_load(text) for name, text in _place[_key].items()}
    )
_SERVER = SERVES["spec"]["template"]["spec"]["predictor"]["containers"][0]
_SERVER["readinessProbe"] = _SERVER["livenessProbe"] = {"httpGet": {"path": "/"}}

MODEL = copy.deepcopy(SERVES)
MODEL["spec"]["template"]["spec"] = {
    "default": {
        "predictor": {
            "model": {"modelFormat": {"name": "onnx"}, "storageUri": "{{inputs.artifacts.petalmodel}}"}
        }
    }
}
SPEC: Path = ("spec",)
TEMPLATES: Path = ("spec", "templates")
TASK: Path = (*TEMPLATES, 0, "dag", "tasks", 0)
STEP: Path = (*TEMPLATES, 1, "steps", 0, 0)
LEAF: Path = (*TEMPLATES, 2)
SCRIPT: Path = (*LEAF, "script")
INPUT: Path = (*LEAF, "inputs", "artifacts", 0)
OUTPUT: Path = (*LEAF, "outputs", "artifacts", 0)
CLAIM: Path = ("spec", "volumeClaimTemplates", 0)
BODY: Path = ("spec", "template")
PREDICTOR: Path = (*BODY, "spec", "predictor")
SERVER: Path = (*PREDICTOR, "containers", 0)
VOLUMES = (
    "awsElasticBlockStore azureDisk azureFile cephfs cinder configMap csi downwardAPI ephemeral fc "
    "flexVolume flocker gcePersistentDisk gitRepo glusterfs hostPath image iscsi nfs persistentVolumeClaim "
    "photonPersistentDisk portworxVolume projected quobyte rbd scaleIO storageos vsphereVolume"
)
FRAMEWORKS = (
    "custom catboost huggingface lightgbm mlflow onnx paddle pmml pytorch sklearn tensorflow triton xgboost"
)

# (place, document, path, fields that are noted, fields that are refused)
ROWS: list[tuple[str, dict[str, Any], Path, str, str]] = [
    ("document", WORKFLOW, (), "", ""),
    ("metadata", WORKFLOW, ("metadata",), "namespace", "generateName"),
    (
        "spec",
        WORKFLOW,
        SPEC,
        f"{POD} podMetadata workflowMetadata podPriorityClassName dnsConfig dnsPolicy podDisruptionBudget "
        "podGC ttlStrategy volumeClaimGC artifactGC archiveLogs artifactRepositoryRef metrics",
        "synchronization hooks executor executorPlugins hostNetwork podSpecPatch resourceClaims "
        "workflowTemplateRef suspend shutdown",
    ),
    ("spec arguments", WORKFLOW, (*SPEC, "arguments"), "", "artifacts"),
    ("parameter", WORKFLOW, (*SPEC, "arguments", "parameters", 0), "", "valueFrom globalName"),
    ("parameter", WORKFLOW, (*LEAF, "inputs", "parameters", 0), "", "valueFrom globalName"),
    (
        "template",
        WORKFLOW,
        LEAF,
        f"{POD} memoize priorityClassName pendingTimeout archiveLocation metrics",
        f"suspend {CLUSTER}",
    ),
    (
        "templateDefaults",
        WORKFLOW,
        (*SPEC, "templateDefaults"),
        f"{POD} memoize priorityClassName pendingTimeout archiveLocation metrics",
        f"name steps dag inputs outputs suspend {CLUSTER}",
    ),
    ("template metadata", WORKFLOW, (*LEAF, "metadata"), "annotations", ""),
    ("script", WORKFLOW, SCRIPT, PROCESS, ""),
    ("dag", WORKFLOW, TASK[:-2], "", ""),
    ("task", WORKFLOW, TASK, "", "templateRef inline hooks"),
    ("step", WORKFLOW, STEP, "", "templateRef inline hooks dependencies depends"),
    ("continueOn", WORKFLOW, (*STEP, "continueOn"), "", ""),
    ("withSequence", WORKFLOW, (*STEP, "withSequence"), "", ""),
    ("step arguments", WORKFLOW, (*STEP, "arguments"), "", ""),
    ("argument", WORKFLOW, (*STEP, "arguments", "parameters", 0), "", "valueFrom"),
    ("artifact argument", WORKFLOW, (*STEP, "arguments", "artifacts", 0), "", f"subPath optional {STORES}"),
    ("env", WORKFLOW, (*SCRIPT, "env", 0), "", ""),
    (
        "env source",
        WORKFLOW,
        (*SCRIPT, "env", 0, "valueFrom"),
        "",
        "configMapKeyRef fieldRef resourceFieldRef fileKeyRef",
    ),
    ("secret key", WORKFLOW, (*SCRIPT, "env", 0, "valueFrom", "secretKeyRef"), "", ""),
    ("env from", WORKFLOW, (*SCRIPT, "envFrom", 0), "", "configMapRef"),
    ("secret", WORKFLOW, (*SCRIPT, "envFrom", 0, "secretRef"), "", ""),
    (
        "volume mount",
        WORKFLOW,
        (*SCRIPT, "volumeMounts", 0),
        "mountPropagation recursiveReadOnly",
        "subPathExpr",
    ),
    ("volume", WORKFLOW, (*LEAF, "volumes", 0), "", VOLUMES),
    ("emptyDir", WORKFLOW, (*LEAF, "volumes", 0, "emptyDir"), "medium", ""),
    ("secret volume", WORKFLOW, (*LEAF, "volumes", 1, "secret"), "defaultMode", ""),
    ("secret item", WORKFLOW, (*LEAF, "volumes", 1, "secret", "items", 0), "mode", ""),
    ("claim", WORKFLOW, CLAIM, "apiVersion kind status", ""),
    ("claim metadata", WORKFLOW, (*CLAIM, "metadata"), "labels annotations namespace", ""),
    (
        "claim spec",
        WORKFLOW,
        (*CLAIM, "spec"),
        "accessModes storageClassName volumeMode volumeAttributesClassName",
        "dataSource dataSourceRef selector volumeName",
    ),
    ("claim resources", WORKFLOW, (*CLAIM, "spec", "resources"), "limits", ""),
    ("claim requests", WORKFLOW, (*CLAIM, "spec", "resources", "requests"), "", ""),
    ("inputs", WORKFLOW, (*LEAF, "inputs"), "", ""),
    ("outputs", WORKFLOW, (*LEAF, "outputs"), "", ""),
    ("input artifact", WORKFLOW, INPUT, MODES, f"globalName {STORES}"),
    ("output artifact", WORKFLOW, OUTPUT, MODES, STORES),
    ("output parameter", WORKFLOW, (*LEAF, "outputs", "parameters", 0), "description", "value default enum"),
    (
        "output source",
        WORKFLOW,
        (*LEAF, "outputs", "parameters", 0, "valueFrom"),
        "",
        "expression jsonPath jqFilter event configMapKeyRef supplied",
    ),
    ("retryStrategy", WORKFLOW, (*LEAF, "retryStrategy"), "affinity", ""),
    ("backoff", WORKFLOW, (*LEAF, "retryStrategy", "backoff"), "", ""),
    ("serving spec", SERVES, SPEC, "", ""),
    ("serving inputs", SERVES, (*SPEC, "inputs"), "", ""),
    ("serving parameter", SERVES, (*SPEC, "inputs", "parameters", 0), "", ""),
    ("serving artifact", SERVES, (*SPEC, "inputs", "artifacts", 0), "", ""),
    ("serving template", SERVES, BODY, "", ""),
    ("serving metadata", SERVES, (*BODY, "metadata"), "name namespace", ""),
    ("serving body", SERVES, (*BODY, "spec"), "", "transformer explainer"),
    (
        "predictor",
        SERVES,
        PREDICTOR,
        f"{POD} priorityClassName dnsConfig dnsPolicy runtimeClassName",
        f"canaryTrafficPercent initContainers workerSpec podSpec hostNetwork {FRAMEWORKS}",
    ),
    (
        "serving container",
        SERVES,
        SERVER,
        PROCESS.replace("ports livenessProbe readinessProbe ", ""),
        "",
    ),
    ("port", SERVES, (*SERVER, "ports", 0), "name protocol", ""),
    (
        "readinessProbe",
        SERVES,
        (*SERVER, "readinessProbe"),
        "tcpSocket exec grpc initialDelaySeconds periodSeconds timeoutSeconds failureThreshold "
        "successThreshold",
        "",
    ),
    (
        "livenessProbe",
        SERVES,
        (*SERVER, "livenessProbe"),
        "tcpSocket exec grpc initialDelaySeconds periodSeconds timeoutSeconds failureThreshold "
        "successThreshold terminationGracePeriodSeconds",
        "",
    ),
    ("httpGet", SERVES, (*SERVER, "readinessProbe", "httpGet"), "scheme host httpHeaders", ""),
    ("serving default", MODEL, (*BODY, "spec", "default"), "", "transformer explainer"),
    ("model", MODEL, (*BODY, "spec", "default", "predictor", "model"), "resources protocolVersion", ""),
    ("modelFormat", MODEL, (*BODY, "spec", "default", "predictor", "model", "modelFormat"), "version", ""),
    ("raw", WORKFLOW, (*STEP, "arguments", "artifacts", 0, "raw"), "", ""),
    ("archive", WORKFLOW, (*OUTPUT, "archive"), "", ""),
    ("archive none", WORKFLOW, (*OUTPUT, "archive", "none"), "", ""),
]


def finding_of(document: dict[str, Any], path: Path, name: str) -> set[tuple[str, str]]:
    """(severity, field) of what reading says once the field is there."""
    made = copy.deepcopy(document)
    place = made
    for key in path:
        place = place[key]
    place[name] = {}
    found = read(yaml.safe_dump(made, sort_keys=False), file="rows.yaml")
    assert bool(found.templates) is not bool(found.errors)
    return {(each.severity, each.field) for each in found.findings}


def test_the_documents_have_no_errors() -> None:
    for document in (WORKFLOW, SERVES):
        assert [str(each) for each in read(yaml.safe_dump(document), file="rows.yaml").findings] == []


def test_no_place_is_forgotten() -> None:
    elsewhere = {"container", "archive tar", "archive zip", "image pull secret"}
    assert {row[0] for row in ROWS} == FIELDS.keys() - elsewhere


@pytest.mark.parametrize(("place", "document", "path", "noted", "refused"), ROWS)
def test_each_row_has_its_verdict(
    place: str, document: dict[str, Any], path: Path, noted: str, refused: str
) -> None:
    known = {
        kind: {name for name, row in FIELDS[place].items() if row.kind == kind}
        for kind in ("notice", "error")
    }
    assert known == {"notice": set(noted.split()), "error": set(refused.split())}
    for kind, names in (("notice", noted), ("error", f"{refused} neverHeardOf")):
        for name in names.split():
            assert (kind, field((*path, name))) in finding_of(document, path, name), name


RICH = yaml.safe_dump(WORKFLOW, sort_keys=False)


@given(st.integers(0, len(RICH)), st.integers(0, 40), st.text("[]{}:-\"'#&*!|>%@`,? \n\tab1{{}}", max_size=6))
@settings(max_examples=200, deadline=None)
def test_a_damaged_workflow_reads_or_says_what_is_wrong(at: int, length: int, put: str) -> None:
    found = read(RICH[:at] + put + RICH[at + length :], file="fuzz.yaml")
    assert found.errors or found.templates
    for template in found.templates:
        assert ExecutableTemplate.from_json(template.to_json()) == template
        assert list(visits(template.batch))
