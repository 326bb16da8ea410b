"""Scenarios, their versions, executables and models: the catalog of the workspace, read only."""

from __future__ import annotations

from typing import Any

from launchpad.access import Right
from mlops.api import queries
from mlops.api.answers import labels, listed, time
from mlops.api.documents import (
    AiExecutable,
    AiExecutables,
    AiModels,
    AiScenario,
    AiScenarios,
    AiVersions,
)
from mlops.api.operations import Call, Operations, in_group
from mlops.api.queries import Parameters
from mlops.domain import catalog, releases
from mlops.manifests import Label
from mlops.models import Executable, ExecutableVersion, Scenario

operation = Operations("Scenarios")
VERSIONS = Parameters(queries.labelled("labelSelector", "selectors"))
EXECUTABLES = Parameters(
    queries.text("versionId", "label", "Of this version.", pattern="^.+$", limit=256),
)


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


@operation("GET", "/lm/scenarios", in_group(Right.VIEW), name="scenarios.search", answers={200: AiScenarios})
def search(request: Call) -> dict[str, Any]:
    """All scenarios of the workspace."""
    return listed([scenario_body(one) for one in catalog.scenarios(request.auth)])


@operation(
    "GET",
    "/lm/scenarios/{scenario_id}",
    in_group(Right.VIEW),
    name="scenarios.get",
    answers={200: AiScenario},
)
def get(request: Call, scenario_id: str) -> dict[str, Any]:
    """One scenario."""
    return scenario_body(catalog.scenario(request.auth, scenario_id))


@operation(
    "GET",
    "/lm/scenarios/{scenario_id}/versions",
    in_group(Right.VIEW),
    name="releases.search",
    answers={200: AiVersions},
    query=VERSIONS,
)
def search_releases(request: Call, scenario_id: str) -> dict[str, Any]:
    """The version labels that the scenario's executables bear, the newest first."""
    asked = VERSIONS.read(request)
    scenario = catalog.scenario(request.auth, scenario_id)
    return listed(
        [
            {
                "id": release.label,
                "scenarioId": scenario.slug,
                "createdAt": time(release.created_at),
                "modifiedAt": time(release.modified_at),
            }
            for release in releases.search(request.auth, scenario, **asked)
        ]
    )


@operation(
    "GET",
    "/lm/scenarios/{scenario_id}/models",
    in_group(Right.VIEW),
    name="scenarios.models",
    answers={200: AiModels},
)
def models(request: Call, scenario_id: str) -> dict[str, Any]:
    """The foundation models of the scenario: none, Launchpad serves what its executables train."""
    return listed([])


@operation(
    "GET",
    "/lm/scenarios/{scenario_id}/executables",
    in_group(Right.VIEW),
    name="executables.search",
    answers={200: AiExecutables},
    query=EXECUTABLES,
)
def search_executables(request: Call, scenario_id: str) -> dict[str, Any]:
    """The scenario's executables, each in its newest version or in the newest one labelled `versionId`."""
    asked = EXECUTABLES.read(request)
    scenario = catalog.scenario(request.auth, scenario_id)
    newest = catalog.newest_versions(request.auth, scenario, **asked)
    return listed([executable_body(version, scenario.slug) for version in newest])


@operation(
    "GET",
    "/lm/scenarios/{scenario_id}/executables/{executable_id}",
    in_group(Right.VIEW),
    name="executables.get",
    answers={200: AiExecutable},
)
def get_executable(request: Call, scenario_id: str, executable_id: str) -> dict[str, Any]:
    """One executable in its newest version."""
    return executable_body(catalog.newest_version(request.auth, scenario_id, executable_id), scenario_id)


def executable_body(version: ExecutableVersion, scenario_id: str) -> dict[str, Any]:
    """AiExecutable."""
    template = catalog.describe(version)
    return {
        "id": template.executable_id,
        "scenarioId": scenario_id,
        "versionId": version.label,
        "name": template.name,
        "description": template.description,
        "labels": _labels(template.labels),
        "deployable": version.executable.kind == Executable.Kind.SERVING,
        "parameters": [
            {"name": one.name, "description": one.description, "type": "string"}
            | ({} if one.default is None else {"default": one.default})
            for one in template.parameters
        ],
        # Clients refuse artifacts with any further key.
        "inputArtifacts": [
            {
                "name": slot.name,
                "kind": slot.kind,
                "description": slot.description,
                "labels": _labels(slot.labels),
            }
            for slot in template.inputs
        ],
        "outputArtifacts": [
            {
                "name": slot.name,
                "kind": slot.kind,
                "description": slot.description,
                "labels": _labels(slot.labels),
            }
            for slot in template.outputs
        ],
        "createdAt": time(version.executable.created_at),
        "modifiedAt": time(version.created_at),
    }


def _labels(declared: tuple[Label, ...]) -> list[dict[str, str]]:
    return [{"key": label.key, "value": label.value} for label in declared]
