"""Drafts of the wizard that makes a deployment."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from launchpad.access import Scope
from launchpad.commands import command
from mlops.domain import artifacts, catalog, configurations, deployments, drafts
from mlops.models import Deployment, DeploymentDraft

FIELDS = frozenset({"scenario", "executable", "configuration", "model", "lasting", "number", "unit"})
_FOUND_BY = {
    "scenario": catalog.scenario,
    "executable": catalog.executable,
    "configuration": configurations.get,
    "model": artifacts.get,
}


def every(scope: Scope) -> QuerySet[DeploymentDraft]:
    """The holder's own drafts in this resource group, the one touched last first."""
    return drafts.every(scope, DeploymentDraft)


def get(scope: Scope, draft_id: str | uuid.UUID) -> DeploymentDraft:
    """One of the holder's own drafts, without what it names and is not there any more; raises NotFound."""
    found = drafts.get(scope, DeploymentDraft, draft_id)
    for field, look_up in _FOUND_BY.items():
        key = found.data.get(field)
        # What serves a model is named with its input, and looked for anew.
        if key and not (field == "executable" and ":" in key) and not drafts.is_there(scope, look_up, key):
            found.data[field] = ""
    return found


@command(audit=False)
def save(scope: Scope, draft_id: str | uuid.UUID | None, data: Mapping[str, Any]) -> DeploymentDraft:
    """Keep a draft, as `drafts.keep`: a new one for None. Raises Forbidden, NotFound, Invalid, Conflict."""
    return drafts.keep(scope, DeploymentDraft, draft_id, data, fields=FIELDS)


@command(audit=False)
def bind(scope: Scope, draft_id: str | uuid.UUID, *, configuration: uuid.UUID) -> DeploymentDraft | None:
    """Choose a configuration in a draft of one's own; None when the draft is gone. Raises Forbidden."""
    return drafts.choose(scope, get, draft_id, {"configuration": str(configuration), "model": ""})


@command(audit=False)
def submit(
    scope: Scope, draft_id: str | uuid.UUID, *, configuration: uuid.UUID | str, ttl: str = ""
) -> Deployment:
    """Make a deployment of a draft of one's own, which is gone then: of two who do so, one alone makes it.

    Raises Forbidden, Invalid and Conflict as `deployments.create`, and NotFound for a draft that is gone.
    """
    scope.one(every(scope).select_for_update(), pk=draft_id).delete()
    return deployments.create(scope, configuration=configuration, ttl=ttl)


@command(audit=False)
def discard(scope: Scope, draft_id: str | uuid.UUID) -> None:
    """Remove a draft of one's own. Raises Forbidden, NotFound."""
    get(scope, draft_id).delete()
