"""What this Launchpad is, what it offers and whether it works: what clients ask before anything else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from django.conf import settings

from launchpad.access import Right
from mlops.api.documents import Answer
from mlops.api.operations import Call, Operations, in_workspace
from mlops.domain import dataset_files, schedules, workers_alive

operation = Operations("Meta")
CONTRACT = "2.42.0"
# Clients show and hide what they offer by these.
CAPABILITIES = {
    "multitenant": True,
    "shareable": True,
    "staticDeployments": False,
    "userDeployments": True,
    "userExecutions": True,
    "timeToLiveDeployments": True,
    "executionSchedules": True,
    "logs": {"executions": True, "deployments": True},
    "bulkUpdates": {"executions": True, "deployments": True},
}
LIMITS = {
    "executions": {"maxRunningCount": -1},
    "deployments": {"maxRunningCount": -1},
    "timeToLiveDeployments": {"minimum": "10m", "maximum": -1},
}
DESCRIPTION = (
    "Launchpad, a self-hosted place to train and serve models. "
    "Executions and deployments run on its own workers."
)


class Meta(Answer):
    """MetaCapabilities."""

    runtimeIdentifier: str
    runtimeApiVersion: str
    description: str
    aiApi: dict[str, Any]
    extensions: dict[str, Any]


class MetaVersion(Answer):
    """A version of the API and where it is."""

    versionId: str
    url: str
    description: str


class MetaVersions(Answer):
    """Versions of the API."""

    versions: list[MetaVersion]


class Health(Answer):
    """Whether executions and deployments are carried out now."""

    status: Literal["READY", "NOT READY"]
    message: str


@operation("GET", "/lm/meta", in_workspace(Right.VIEW), name="meta.get", answers={200: Meta})
def get(request: Call) -> dict[str, Any]:
    """What is offered here: capabilities, limits and extensions."""
    extension = {"version": CONTRACT}
    return {
        "runtimeIdentifier": "launchpad",
        "runtimeApiVersion": CONTRACT,
        "description": DESCRIPTION,
        "aiApi": {
            "version": CONTRACT,
            "capabilities": CAPABILITIES,
            "limits": LIMITS | {"minimumFrequencyHour": _hours(schedules.minimum())},
        },
        "extensions": {
            "analytics": extension,
            "resourceGroups": extension,
            "metrics": extension | {"capabilities": {"extendedResults": False}},
            "dataset": extension
            | {
                "capabilities": {"upload": True, "download": True, "delete": True},
                "limits": {"maxUploadFileSize": dataset_files.BYTES_LIMIT, "maxFilesPerDataset": -1},
            },
        },
    }


def _hours(span: timedelta) -> int | float:
    """The span in hours; a part of one, such as a minute's, as a fraction."""
    hours = span / timedelta(hours=1)
    return int(hours) if hours.is_integer() else hours


@operation(
    "GET", "/lm/meta/versions", in_workspace(Right.VIEW), name="meta.versions", answers={200: MetaVersions}
)
def versions(request: Call) -> dict[str, Any]:
    """The versions of the API: one."""
    address = f"{settings.PUBLIC_URL}/v2"
    return {"versions": [{"versionId": "v2", "url": address, "description": f"AI API {CONTRACT}"}]}


@operation("GET", "/lm/healthz", in_workspace(Right.VIEW), name="meta.health", answers={200: Health})
def health(request: Call) -> dict[str, Any]:
    """Whether executions and deployments are carried out now.

    For probes without a token there is `/healthz`.
    """
    capacities = {
        "Executions": workers_alive.capacity(),
        "Deployments": workers_alive.capacity(workers_alive.DEPLOYMENTS),
    }
    is_ready = all(workers for workers, _slots, _busy in capacities.values())
    said = " ".join(_health(noun, *capacity) for noun, capacity in capacities.items())
    return {"status": "READY" if is_ready else "NOT READY", "message": said}


def _health(noun: str, workers: int, slots: int, busy: int) -> str:
    if not workers:
        return f"{noun}: no worker is there; they wait until one starts."
    return f"{noun}: slots of workers {slots}, in use {min(busy, slots)}."
