"""Which objects have a history on their page, and how an address names one."""

from __future__ import annotations

from typing import Any

from launchpad.access import NOTHING_HERE, Scope
from launchpad.audit import trail
from launchpad.audit.models import AuditEvent
from launchpad.errors import NotFound
from mlops.domain.limits import storable
from mlops.models import Artifact, Configuration, Deployment, Execution, Scenario, Schedule

# The plural in addresses: what it is, and by which value it is addressed.
KINDS: dict[str, tuple[type[Any], str]] = {
    "executions": (Execution, "pk"),
    "deployments": (Deployment, "pk"),
    "schedules": (Schedule, "pk"),
    "configurations": (Configuration, "pk"),
    "artifacts": (Artifact, "pk"),
    "scenarios": (Scenario, "slug"),
}


def of(scope: Scope, kind: str, key: str) -> tuple[Any, list[AuditEvent]]:
    """An object and its newest events, for everyone who may view it; kind: one of KINDS. Raises NotFound."""
    if kind not in KINDS or not storable(key):
        raise NotFound(NOTHING_HERE)
    model, name = KINDS[kind]
    if scope.resource_group is None and model.SCOPE.endswith("resource_group"):
        raise NotFound(NOTHING_HERE)
    found = scope.get(model, **{name: key})
    return found, trail.history(scope, found)
