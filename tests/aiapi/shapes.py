"""What answers of the AI API have to look like: keys, types and forms, told in one small notation.

`"AiScenario": "id* ID, name* str, labels [AiLabel]"` says: an object with the key id, which must be there
and have the form ID, a name that is text, and perhaps labels, a list of AiLabel. A name of capitals or of a
Python type is a form of text, number or truth; `a|b` is one of these words; `[X]` a list of X; `{X}` an
object with any keys whose values are X; `any` is anything. `!` before the first key: no other key may be
there, because clients refuse it.
"""

from __future__ import annotations

import re
from typing import Any

STATUS = "PENDING|RUNNING|COMPLETED|DEAD|STOPPING|STOPPED|UNKNOWN"
KIND = "model|dataset|resultset|other"
_SECOND = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
# Of a time the strictest client reads whole seconds or one to six digits, and nine only with +00:00.
FORMS = {
    "ID": r"[\w.-]{4,64}",
    "TIME": rf"{_SECOND}((\.\d{{1,6}})?(Z|\+00:00)|\.\d{{9}}\+00:00)",
    # Of schedules nothing but whole seconds are told.
    "SECOND": rf"{_SECOND}Z",
    "URL": r"[a-z0-9-]+://.+",
    "SEMVER": r"\d+\.\d+\.\d+\S*",
    "CODE": r"\d{8}",
    "TTL": r"[0-9]+[mMhHdD]",
}
SHAPES = {
    "Error": "error* AiApiError",
    "AiApiError": "code* CODE, message* str, requestId* str, target* str, details any",
    "AiLabel": "key* str, value* str",
    "Done": "id* ID, message* str",
    "Said": "message* str",
    "Named": "name* str, message* str",
    "Scenarios": "count* int, resources* [AiScenario]",
    "AiScenario": "id* ID, name* str, description str, labels [AiLabel], createdAt* TIME, modifiedAt* TIME",
    "Versions": "count* int, resources* [AiVersion]",
    "AiVersion": "id* str, scenarioId* ID, description str, createdAt* TIME, modifiedAt* TIME",
    "Executables": "count* int, resources* [AiExecutable]",
    "AiExecutable": "id* ID, scenarioId* ID, versionId* str, name* str, description str, labels [AiLabel], "
    "parameters [AiExecutableParameter], inputArtifacts [AiExecutableArtifact], "
    "outputArtifacts [AiExecutableArtifact], deployable* bool, createdAt* TIME, modifiedAt* TIME",
    "AiExecutableParameter": "name* str, description str, default str, type* string",
    "AiExecutableArtifact": "! name* str, kind str, description str, labels [AiLabel]",
    "Models": "count* int, resources* [AiModelBaseData]",
    "AiModelBaseData": "model* str, executableId* ID, description* str, versions* [any]",
    "Artifacts": "count* int, resources* [AiArtifact]",
    "AiArtifact": f"id* ID, name* str, kind* {KIND}, url* URL, description str, scenarioId* ID, "
    "configurationId ID, executionId ID, labels [AiLabel], createdAt* TIME, modifiedAt* TIME, "
    "scenario AiScenario",
    "ArtifactCreated": "id* ID, message* str, url* URL",
    "Configurations": "count* int, resources* [AiConfiguration]",
    "AiConfiguration": "id* ID, name* str, executableId* ID, scenarioId* ID, parameterBindings [Parameter], "
    "inputArtifactBindings [Input], createdAt* TIME, scenario AiScenario",
    "Parameter": "key* str, value* str",
    "Input": "key* str, artifactId* ID",
    "Executions": "count* int, resources* [AiExecution]",
    "AiExecution": "id* ID, configurationId* ID, configurationName* str, executableId* ID, scenarioId* ID, "
    f"targetStatus* COMPLETED|RUNNING|STOPPED|DELETED, status* {STATUS}, statusMessage str, "
    "outputArtifacts [AiArtifact], executionScheduleId ID, createdAt* TIME, modifiedAt* TIME, "
    "submissionTime TIME, startTime TIME, completionTime TIME, statusDetails {any}",
    "ExecutionStatuses": "count* int, resources* [ExecutionStatus]",
    "ExecutionStatus": f"! id* ID, configurationId* ID, status* {STATUS}, createdAt* TIME, modifiedAt* TIME, "
    "statusDetails {any}",
    "ExecutionCreated": f"id* ID, message* str, status* {STATUS}, targetStatus str",
    "ExecutionsChanged": "executions* [Changed]",
    "Changed": "id* ID, message str, error AiApiError",
    "ExecutionSchedules": "count* int, resources* [AiExecutionSchedule]",
    "AiExecutionSchedule": "id* ID, name* str, configurationId* ID, cron* str, start SECOND, end SECOND, "
    "status* ACTIVE|INACTIVE, createdAt* TIME, modifiedAt* TIME, timeZone str",
    "Deployments": "count* int, resources* [AiDeployment]",
    "AiDeployment": "id* ID, deploymentUrl* URL, configurationId* ID, configurationName* str, "
    f"executableId* ID, scenarioId* ID, status* {STATUS}, targetStatus* RUNNING|STOPPED|DELETED, "
    "statusMessage str, lastOperation CREATE|UPDATE|DELETE|CASCADE-UPDATE, latestRunningConfigurationId ID, "
    "ttl TTL, details DeploymentDetails, createdAt* TIME, modifiedAt* TIME, submissionTime TIME, "
    "startTime TIME, completionTime TIME, statusDetails {any}",
    "DeploymentDetails": "scaling Scaling, resources Scaling",
    "Scaling": "backendDetails {any}",
    "DeploymentStatuses": "count* int, resources* [DeploymentStatus]",
    "DeploymentStatus": f"! id* ID, configurationId* ID, status* {STATUS}, createdAt* TIME, "
    "modifiedAt* TIME, statusDetails {any}, details DeploymentDetails",
    "DeploymentCreated": f"id* ID, message* str, deploymentUrl* str, status* {STATUS}, ttl TTL",
    "DeploymentsChanged": "deployments* [Changed]",
    "Log": "data* LogData",
    "LogData": "result* [LogLine]",
    "LogLine": "timestamp* TIME, msg* str, container str, pod str, stream str",
    "Metrics": "count int, resources* [MetricResource]",
    "MetricResource": "executionId* ID, createdAt TIME, modifiedAt TIME, metrics [Metric], tags [Pair], "
    "customInfo [Pair]",
    "Metric": "name* str, value* number, timestamp* TIME, step int, labels [Pair]",
    "Pair": "name* str, value* str",
    "Meta": "runtimeIdentifier str, runtimeApiVersion SEMVER, description str, aiApi* MetaAiApi, "
    "extensions {any}",
    "MetaAiApi": "version* SEMVER, capabilities* Capabilities, limits {any}",
    "Capabilities": "multitenant* bool, shareable bool, staticDeployments bool, userDeployments* bool, "
    "userExecutions* bool, timeToLiveDeployments* bool, executionSchedules* bool, logs* Logs, "
    "bulkUpdates* Bulk",
    "Logs": "executions* bool, deployments* bool",
    "Bulk": "executions* bool, deployments* bool",
    "MetaVersions": "! versions* [MetaVersion]",
    "MetaVersion": "! versionId* str, url* str, description* str",
    "Health": "status* READY|NOT READY, message* str",
    "ResourceGroups": "count* int, resources* [ResourceGroup]",
    "ResourceGroup": "resourceGroupId* str, tenantId str, zoneId str, createdAt* TIME, labels [AiLabel], "
    "status* PROVISIONED|ERROR|PROVISIONING, statusMessage str, servicePlan str",
    "ResourceGroupCreated": "resourceGroupId* str, tenantId str, zoneId str",
    "ObjectStoreSecrets": "count* int, resources* [ObjectStoreSecret]",
    "ObjectStoreSecret": "! name* str, metadata* {str}",
    "DockerSecrets": "count* int, resources* [DockerSecret]",
    "DockerSecret": "! name* str",
    "Secrets": "count* int, resources* [Secret]",
    "Secret": "! name* str, createdAt* TIME, labels [AiLabel], resourceGroupSecretsSyncStatus {bool}",
    "Repositories": "count* int, resources* [Repository]",
    "Repository": "! name* str, url* str, status* ERROR|IN-PROGRESS|COMPLETED",
    "Applications": "count* int, resources* [Application]",
    "Application": "applicationName* str, repositoryUrl* str, revision* str, path* str",
    "ApplicationStatus": "healthStatus str, syncStatus str, message str, source* ApplicationSource, "
    "syncFinishedAt str, syncStartedAt str, reconciledAt str, syncResourcesStatus* [Synced], "
    "syncRessourcesStatus* [Synced]",
    "ApplicationSource": "repoURL* str, path* str, revision* str",
    "Synced": "name* str, kind* str, status* str, message str",
    "Kpis": "! header* [str], rows* [[any]]",
    "FileCreated": "message* str, url* URL",
    "Nodes": "resourcePlans* {any}",
    "InstanceTypes": "instanceTypes* {any}",
    "Services": "count* int, resources* [any]",
    "Quota": "usage {int}, quota* {int}",
    "DeploymentQuota": "usage {any}, quotas* [any]",
    "TenantInfo": "tenantId* str, servicePlan* str, status* str",
}
_KEYS = re.compile(r",\s*(?![^\[{]*[\]}])")


def faults(shape: str, value: Any, place: str = "answer") -> list[str]:
    """What is wrong with a value that should have a shape, a sentence each; [] when nothing is."""
    if shape == "any":
        return []
    if shape.startswith("["):
        if not isinstance(value, list):
            return [f"{place} is no list but {value!r}"]
        inner = shape[1:-1]
        return [fault for at, one in enumerate(value) for fault in faults(inner, one, f"{place}[{at}]")]
    if shape.startswith("{"):
        if not isinstance(value, dict):
            return [f"{place} is no object but {value!r}"]
        inner = shape[1:-1]
        return [fault for key, one in value.items() for fault in faults(inner, one, f"{place}.{key}")]
    if shape in SHAPES:
        return _object_faults(SHAPES[shape], value, place)
    return [] if _fits(shape, value) else [f"{place} is no {shape} but {value!r}"]


def _fits(shape: str, value: Any) -> bool:
    if shape == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    if shape == "number":
        # JSON has no word for what is not finite: clients read these three texts.
        return (isinstance(value, int | float) and not isinstance(value, bool)) or value in _UNUSUAL
    if shape == "bool":
        return isinstance(value, bool)
    if not isinstance(value, str):
        return False
    if shape == "str":
        return True
    if shape in FORMS:
        return re.fullmatch(FORMS[shape], value) is not None
    return value in shape.split("|")


_UNUSUAL = ("NaN", "Infinity", "-Infinity")


def _object_faults(notation: str, value: Any, place: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{place} is no object but {value!r}"]
    strict = notation.startswith("! ")
    keys = dict(part.split(" ", 1) for part in _KEYS.split(notation.removeprefix("! ")))
    known = {key.rstrip("*"): shape for key, shape in keys.items()}
    found = [f"{place} lacks {key[:-1]}" for key in keys if key.endswith("*") and key[:-1] not in value]
    for key, one in value.items():
        if key in known:
            found += faults(known[key], one, f"{place}.{key}")
        elif strict:
            found.append(f"{place} has the key {key}, which clients refuse")
    return found


def check(shape: str, value: Any) -> Any:
    """The value, when it has the shape. Raises AssertionError with all that is wrong."""
    wrong = faults(shape, value)
    assert not wrong, f"No {shape}: {'; '.join(wrong[:10])}"
    return value
