"""Which field is read, noted, not supported yet or refused, place by place."""

from __future__ import annotations

import difflib
from typing import Literal, NamedTuple

from mlops.manifests.nodes import shown

PLACEMENT = "ignored: it places pods in a cluster"
STORAGE = "ignored: Launchpad cleans up and stores by itself"
LATER = "not supported yet"
_CLUSTER = "refused: it needs a cluster"
_CHANGES = "refused: it would change what the template means"
_REGISTER = "refused: register an artifact instead"


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


def _later(names: str) -> Fields:
    return {name: Verdict("error", f"{name} is {LATER}") for name in names.split()}


_POD = "affinity nodeSelector tolerations schedulerName priority serviceAccountName "
_POD += "automountServiceAccountToken securityContext hostAliases podResources"
_SOURCES = "s3 gcs azure oss hdfs http git artifactory plugin fromExpression"
_ARTIFACT_NOTES = "mode recurseMode archiveLogs artifactGC deleted"
_TEMPLATE_SHARED = (
    _read("retryStrategy activeDeadlineSeconds timeout metadata")
    | _later("parallelism failFast volumes")
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
    _read("name image imagePullPolicy command args env workingDir")
    | _later("envFrom volumeMounts")
    | _notice("ignored: the resource plan decides", "resources")
    | _notice(
        "ignored: steps run as processes",
        "ports livenessProbe readinessProbe startupProbe lifecycle tty stdin stdinOnce "
        "terminationMessagePath terminationMessagePolicy securityContext",
    )
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
        "entrypoint arguments templates activeDeadlineSeconds retryStrategy templateDefaults imagePullSecrets"
    )
    | _later("parallelism onExit volumeClaimTemplates volumes")
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
    "template": _read("name container script steps inputs outputs") | _later("dag") | _TEMPLATE_SHARED,
    "templateDefaults": _later("container script steps dag inputs outputs") | _TEMPLATE_SHARED,
    "template metadata": _read("labels")
    | _notice("ignored: only the resource plan is read here", "annotations"),
    "container": _PROCESS,
    "script": _PROCESS | _read("source"),
    "env": _read("name value valueFrom"),
    "env source": _later("secretKeyRef")
    | _error("refused: only secrets can be read", "configMapKeyRef fieldRef resourceFieldRef fileKeyRef"),
    "inputs": _read("parameters artifacts"),
    "outputs": _read("artifacts") | _error(f"output parameters are {LATER}", "parameters"),
    "input artifact": _read("name path optional subPath from raw")
    | _error(_REGISTER, _SOURCES)
    | _notice(STORAGE, _ARTIFACT_NOTES)
    | _error("refused: only an output has a globalName", "globalName"),
    "output artifact": _read("name path globalName archive optional")
    | _error(f"an output taken from a step is {LATER}", "from")
    | _error(_REGISTER, _SOURCES)
    | _notice(STORAGE, _ARTIFACT_NOTES),
    "raw": _read("data"),
    "archive": _read("none tar zip"),
    "archive none": {},
    "archive tar": _notice("ignored: archives have one level of compression", "compressionLevel"),
    "archive zip": {},
    "step": _read("name template arguments")
    | _later("when withItems withParam withSequence continueOn onExit")
    | _error(_CHANGES, "templateRef inline hooks"),
    "step arguments": _read("parameters artifacts"),
    "argument": _read("name value")
    | _error("refused: give a value, which may hold placeholders", "valueFrom"),
    "artifact argument": _read("name from raw")
    | _error(f"subPath on an argument is {LATER}; give it on the input", "subPath")
    | _error(_REGISTER, _SOURCES),
    "retryStrategy": _read("limit retryPolicy")
    | _later("backoff expression")
    | _notice(PLACEMENT, "affinity"),
}


def verdict(place: str, field: str) -> Verdict:
    """What to do with a field; one that nobody knows is refused, with the nearest known name."""
    known = FIELDS[place]
    if field in known:
        return known[field]
    near = difflib.get_close_matches(field, known, n=1) if len(field) <= 80 else []
    hint = f"; did you mean {near[0]}?" if near else ""
    return Verdict("error", f"unknown field {shown(field)}{hint}")
