"""Configurations: made, listed, counted and read; they are immutable and stay."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from ninja import Body

from launchpad.access import Right, Scope
from mlops.api import queries
from mlops.api.answers import counted, page, time
from mlops.api.documents import (
    AiConfiguration,
    AiConfigurations,
    AiExecutionCreationResponse,
    CreationResponse,
)
from mlops.api.operations import Call, Count, Operations, in_group
from mlops.api.orders import (
    AiEnactmentCreationRequest,
    ConfigurationOrder,
    configure,
    deprecated,
    execute,
)
from mlops.api.queries import Parameters
from mlops.api.scenarios import scenario_body
from mlops.domain import catalog, configuration_search

operation = Operations("Configurations")
FILTERS = (
    queries.identifier("scenarioId", "scenario", "Of this scenario."),
    queries.identifiers("executableIds", "executables", "Of any of these executables."),
    *queries.search("the name"),
)
EXPAND = queries.expand("scenario")
LIST = Parameters(*FILTERS, queries.top(), queries.skip(), EXPAND)
COUNT = Parameters(*FILTERS)
ONE = Parameters(EXPAND)


@operation(
    "POST",
    "/lm/configurations",
    in_group(Right.CHANGE),
    name="configurations.create",
    answers={201: CreationResponse, 202: AiExecutionCreationResponse},
)
def create(request: Call, body: Body[ConfigurationOrder]) -> HttpResponse:
    """Bind the newest version of an executable to parameters and input artifacts.

    A body that asks for an execution starts one; that call is deprecated.
    """
    if isinstance(body, AiEnactmentCreationRequest):
        return deprecated(execute(request.auth, body.configurationId), "/lm/executions")
    return configure(request.auth, body)


@operation(
    "GET",
    "/lm/configurations",
    in_group(Right.VIEW),
    name="configurations.search",
    answers={200: AiConfigurations},
    query=LIST,
)
def search(request: Call) -> HttpResponseBase:
    """Configurations of the resource group, newest first."""
    asked = LIST.read(request)
    top, skip, expand = (asked.pop(key) for key in ("top", "skip", "expand"))
    found = configuration_search.find(request.auth, **asked)
    shape = partial(bodies, request.auth, expand=expand)
    return page(request, found, configuration_search.brief, shape, top=top, skip=skip)


@operation(
    "POST",
    "/lm/configurations/{configuration_id}/executions",
    in_group(Right.CHANGE),
    name="configurations.execute",
    answers={202: AiExecutionCreationResponse},
    deprecated=True,
)
def start(request: Call, configuration_id: str) -> HttpResponse:
    """Run a configuration, as a tutorial does; `POST /v2/lm/executions` is the call for it."""
    return deprecated(execute(request.auth, configuration_id), "/lm/executions")


@operation(
    "GET",
    "/lm/configurations/$count",
    in_group(Right.VIEW),
    name="configurations.count",
    answers={200: Count},
    query=COUNT,
)
def count(request: Call) -> HttpResponse:
    """How many configurations a list with the same filters has."""
    return counted(configuration_search.find(request.auth, **COUNT.read(request)).count())


@operation(
    "GET",
    "/lm/configurations/{configuration_id}",
    in_group(Right.VIEW),
    name="configurations.get",
    answers={200: AiConfiguration},
    query=ONE,
    quick=True,
)
def get(request: Call, configuration_id: str) -> dict[str, Any]:
    """One configuration."""
    expand = ONE.read(request)["expand"]
    found = configuration_search.get(request.auth, configuration_id)
    return bodies(request.auth, [found], expand=expand)[0]


def bodies(scope: Scope, rows: Sequence[Any], *, expand: str | None) -> list[dict[str, Any]]:
    """AiConfiguration of configurations in brief. expand: whether with their scenarios, which is a query."""
    bound = configuration_search.bindings(scope, [row.id for row in rows])
    made = [
        {
            "id": str(row.id),
            "name": row.name,
            "scenarioId": row.scenario_slug,
            "executableId": row.executable_slug,
            "parameterBindings": [{"key": key, "value": value} for key, value in bound[row.id].parameters],
            "inputArtifactBindings": [
                {"key": key, "artifactId": str(artifact)} for key, artifact in bound[row.id].artifacts
            ],
            "createdAt": time(row.created_at),
        }
        for row in rows
    ]
    if expand:
        scenarios = {one.slug: scenario_body(one) for one in catalog.scenarios(scope)}
        for one in made:
            one["scenario"] = scenarios[one["scenarioId"]]
    return made
