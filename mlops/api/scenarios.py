"""Scenarios, their versions and executables: the catalog of the workspace, read only."""

from __future__ import annotations

from typing import Any

from launchpad.access import Right
from mlops.api.answers import labels, listed, time
from mlops.api.operations import Call, Operations, in_group
from mlops.domain import catalog
from mlops.models import Scenario

operation = Operations("Scenarios")


def scenario_body(scenario: Scenario) -> dict[str, Any]:
    """AiScenario."""
    return {
        "id": scenario.slug,
        "name": scenario.name,
        "description": scenario.description,
        "labels": labels(scenario.labels),
        "createdAt": time(scenario.created_at),
        "modifiedAt": time(scenario.modified_at),
    }


@operation("GET", "/lm/scenarios", in_group(Right.VIEW), name="scenarios.search")
def search(request: Call) -> dict[str, Any]:
    """All scenarios of the workspace."""
    return listed([scenario_body(one) for one in catalog.scenarios(request.auth)])


@operation("GET", "/lm/scenarios/{scenario_id}", in_group(Right.VIEW), name="scenarios.get")
def get(request: Call, scenario_id: str) -> dict[str, Any]:
    """One scenario."""
    return scenario_body(catalog.scenario(request.auth, scenario_id))
