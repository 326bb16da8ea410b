"""Which field is read, noted or refused, place by place."""

from __future__ import annotations

import difflib
from typing import Literal, NamedTuple

from mlops.manifests.nodes import shown

PLACEMENT = "ignored: it places pods in a cluster"
STORAGE = "ignored: Launchpad cleans up and stores by itself"
_CLUSTER = "refused: it needs a cluster"
_CHANGES = "refused: it would change what the template means"
_REGISTER = "refused: register an artifact instead"
_ONE_SERVER = "refused: a deployment is a predictor alone"
_VOLUME = "refused: a volume is an emptyDir or a secret"
_FILES = "ignored: the files are readable for the step alone"


class Verdict(NamedTuple):
    """read: the reader uses it; notice: ignored and said so; error: refused."""

    kind: Literal["read", "notice", "error"]
    reason: str = ""


Fields = dict[str, Verdict]


def _read(names: str) -> Fields:
    return {name: Verdict("read") for name in names.split()}


def _notice(reason: str, names: str) -> Fields:
    return {name: Verdict("notice", reason) for name in names.split()}


def _error(reason: str, names: str) -> Fields:
    return {name: Verdict("error", reason) for name in names.split()}


_POD = "affinity nodeSelector tolerations schedulerName priority serviceAccountName "
_POD += "automountServiceAccountToken securityContext hostAliases podResources"
_SOURCES = "s3 gcs azure oss hdfs http git artifactory plugin fromExpression"
_VOLUMES = (
    "awsElasticBlockStore azureDisk azureFile cephfs cinder configMap csi downwardAPI ephemeral fc "
    "flexVolume flocker gcePersistentDisk gitRepo glusterfs hostPath image iscsi nfs persistentVolumeClaim "
    "photonPersistentDisk portworxVolume projected quobyte rbd scaleIO storageos vsphereVolume"
)
_FRAMEWORKS = (
    "custom catboost huggingface lightgbm mlflow onnx paddle pmml pytorch sklearn tensorflow triton "
)
_FRAMEWORKS += "xgboost"
_ARTIFACT_NOTES = "mode recurseMode archiveLogs artifactGC deleted"
_TEMPLATE_SHARED = (
    _read("retryStrategy activeDeadlineSeconds timeout metadata parallelism failFast volumes")
    | _notice("ignored: it only caches", "memoize")
    | _notice(PLACEMENT, f"{_POD} priorityClassName pendingTimeout")
    | _notice(STORAGE, "archiveLocation metrics")
    | _error("refused: approval steps are not offered", "suspend")
    | _error(
        _CLUSTER,
        "sidecars initContainers containerSet daemon resource data http plugin executor podSpecPatch "
        "resourceClaims synchronization",
    )
)
_PROCESS = (
    _read("name image imagePullPolicy command args env envFrom workingDir volumeMounts")
    | _notice("ignored: the resource plan decides", "resources")
    | _notice(
        "ignored: steps run as processes",
        "ports livenessProbe readinessProbe startupProbe lifecycle tty stdin stdinOnce "
        "terminationMessagePath terminationMessagePolicy securityContext",
    )
)
_PROBE = _read("httpGet") | _notice(
    "ignored: the runner decides how often it asks",
    "initialDelaySeconds periodSeconds timeoutSeconds failureThreshold successThreshold",
)
_CALL = _read("name template arguments when withItems withParam withSequence continueOn onExit") | _error(
    _CHANGES, "templateRef inline hooks"
)
_PARAMETER = _read("name default value description enum") | _error(
    "refused: a value comes from the configuration or the default", "valueFrom"
)

FIELDS: dict[str, Fields] = {
    "document": _read("apiVersion kind metadata spec"),
    "metadata": _read("name labels annotations")
    | _notice("ignored: the resource group decides", "namespace")
    | _error("refused: an executable needs a fixed name", "generateName"),
    "spec": _read(
        "entrypoint arguments templates activeDeadlineSeconds parallelism retryStrategy templateDefaults "
        "onExit volumeClaimTemplates volumes imagePullSecrets"
    )
    | _notice("ignored: labels of pods", "podMetadata workflowMetadata")
    | _notice(PLACEMENT, f"{_POD} podPriorityClassName dnsConfig dnsPolicy podDisruptionBudget")
    | _notice(
        STORAGE,
        "podGC ttlStrategy volumeClaimGC artifactGC archiveLogs artifactRepositoryRef metrics",
    )
    | _error(
        _CHANGES,
        "synchronization hooks executor executorPlugins hostNetwork podSpecPatch resourceClaims "
        "workflowTemplateRef suspend shutdown",
    ),
    "spec arguments": _read("parameters") | _error("refused: inputs are declared on templates", "artifacts"),
    "image pull secret": _read("name"),
    "parameter": _PARAMETER | _error("refused: only an output has a globalName", "globalName"),
    "template": _read("name container script steps dag inputs outputs") | _TEMPLATE_SHARED,
    "templateDefaults": _read("container script")
    | _error("refused: every template has its own", "name steps dag inputs outputs")
    | _TEMPLATE_SHARED,
    "dag": _read("tasks failFast target"),
    "template metadata": _read("labels")
    | _notice("ignored: only the resource plan is read here", "annotations"),
    "container": _PROCESS,
    "script": _PROCESS | _read("source"),
    "env": _read("name value valueFrom"),
    "env source": _read("secretKeyRef")
    | _error("refused: only secrets can be read", "configMapKeyRef fieldRef resourceFieldRef fileKeyRef"),
    "secret key": _read("name key optional"),
    "env from": _read("secretRef prefix") | _error("refused: only secrets can be read", "configMapRef"),
    "secret": _read("name optional"),
    "volume": _read("name emptyDir secret") | _error(_VOLUME, _VOLUMES),
    "emptyDir": _read("sizeLimit") | _notice(PLACEMENT, "medium"),
    "secret volume": _read("secretName items optional") | _notice(_FILES, "defaultMode"),
    "secret item": _read("key path") | _notice(_FILES, "mode"),
    "volume mount": _read("name mountPath readOnly subPath")
    | _notice(PLACEMENT, "mountPropagation recursiveReadOnly")
    | _error("refused: give subPath", "subPathExpr"),
    "claim": _read("metadata spec")
    | _notice("ignored: Launchpad makes the folder itself", "apiVersion kind status"),
    "claim metadata": _read("name")
    | _notice("ignored: Launchpad makes the folder itself", "labels annotations namespace"),
    "claim spec": _read("resources")
    | _notice(PLACEMENT, "accessModes storageClassName volumeMode volumeAttributesClassName")
    | _error("refused: the folder begins empty", "dataSource dataSourceRef selector volumeName"),
    "claim resources": _read("requests") | _notice("ignored: the request is the limit", "limits"),
    "claim requests": _read("storage"),
    "inputs": _read("parameters artifacts"),
    "outputs": _read("parameters artifacts"),
    "output parameter": _read("name valueFrom globalName")
    | _notice("ignored: an output has no form to show it in", "description")
    | _error("refused: an output's value comes from valueFrom", "value default enum"),
    "output source": _read("path parameter default")
    | _error(
        "refused: give path or parameter",
        "expression jsonPath jqFilter event configMapKeyRef supplied",
    ),
    "input artifact": _read("name path optional subPath from raw")
    | _error(_REGISTER, _SOURCES)
    | _notice(STORAGE, _ARTIFACT_NOTES)
    | _error("refused: only an output has a globalName", "globalName"),
    "output artifact": _read("name path globalName archive optional from")
    | _error(_REGISTER, _SOURCES)
    | _notice(STORAGE, _ARTIFACT_NOTES),
    "raw": _read("data"),
    "archive": _read("none tar zip"),
    "archive none": {},
    "archive tar": _notice("ignored: archives have one level of compression", "compressionLevel"),
    "archive zip": {},
    "step": _CALL | _error("refused: only tasks of a dag wait for others by name", "dependencies depends"),
    "task": _CALL | _read("dependencies depends"),
    "continueOn": _read("failed error"),
    "withSequence": _read("count start end format"),
    "step arguments": _read("parameters artifacts"),
    "argument": _read("name value")
    | _error("refused: give a value, which may hold placeholders", "valueFrom"),
    "artifact argument": _read("name from raw")
    | _error("refused: give it on the input of the template that is called", "subPath optional")
    | _error(_REGISTER, _SOURCES),
    "serving spec": _read("inputs template imagePullSecrets"),
    "serving inputs": _read("parameters artifacts"),
    "serving parameter": _read("name type default description enum"),
    "serving artifact": _read("name"),
    "serving template": _read("apiVersion metadata spec"),
    "serving metadata": _read("labels annotations")
    | _notice("ignored: Launchpad names deployments itself", "name namespace"),
    "serving body": _read("predictor default") | _error(_ONE_SERVER, "transformer explainer"),
    "serving default": _read("predictor") | _error(_ONE_SERVER, "transformer explainer"),
    "predictor": _read(
        "minReplicas maxReplicas containerConcurrency timeout terminationGracePeriodSeconds imagePullSecrets "
        "containers model volumes"
    )
    | _notice(PLACEMENT, f"{_POD} priorityClassName dnsConfig dnsPolicy runtimeClassName")
    | _error("refused: all requests go to one revision", "canaryTrafficPercent")
    | _error("refused: give containers, or model with a modelFormat", _FRAMEWORKS)
    | _error(_CLUSTER, "initContainers workerSpec podSpec hostNetwork"),
    "serving container": _PROCESS | _read("ports readinessProbe livenessProbe"),
    "port": _read("containerPort") | _notice("ignored: the port is served over HTTP", "name protocol"),
    "readinessProbe": _PROBE | _notice("ignored: it is ready once its port accepts", "tcpSocket exec grpc"),
    "livenessProbe": _PROBE
    | _notice("ignored: it lives as long as its process", "tcpSocket exec grpc")
    | _notice("ignored: the runner gives it time to end", "terminationGracePeriodSeconds"),
    "httpGet": _read("path port")
    | _notice("ignored: the runner asks over plain HTTP on its own host", "scheme host httpHeaders"),
    "model": _read("modelFormat storageUri")
    | _notice("ignored: the resource plan decides", "resources")
    | _notice("ignored: the built-in server speaks V2", "protocolVersion"),
    "modelFormat": _read("name") | _notice("ignored: the built-in server reads every version", "version"),
    "retryStrategy": _read("limit retryPolicy backoff expression") | _notice(PLACEMENT, "affinity"),
    "backoff": _read("duration factor cap maxDuration"),
}


def verdict(place: str, field: str) -> Verdict:
    """What to do with a field; one that nobody knows is refused, with the nearest known name."""
    known = FIELDS[place]
    if field in known:
        return known[field]
    near = difflib.get_close_matches(field, known, n=1) if len(field) <= 80 else []
    hint = f"; did you mean {near[0]}?" if near else ""
    return Verdict("error", f"unknown field {shown(field)}{hint}")
