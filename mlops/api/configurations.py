"""Configurations: made, listed, counted and read; they are immutable and stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from ninja import Schema
from pydantic import Field, field_validator

from launchpad.access import Right, Scope
from mlops.api import queries
from mlops.api.answers import counted, created, page, time
from mlops.api.documents import AiConfiguration, AiConfigurations, CreationResponse
from mlops.api.operations import Call, Count, Operations, in_group
from mlops.api.queries import Parameters
from mlops.api.scenarios import scenario_body
from mlops.domain import catalog, configuration_search, configurations

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


class ParameterArgument(Schema):
    """A parameter and its value."""

    key: str = Field(max_length=256)
    value: str = Field(max_length=5000)


class ArtifactArgument(Schema):
    """An input and its artifact."""

    key: str = Field(max_length=256)
    artifactId: str = Field(max_length=64)


class AiConfigurationBaseData(Schema):
    """What to configure. Further keys, such as versionId, are ignored: the newest version is bound."""

    name: str = Field(max_length=256)
    scenarioId: str = Field(max_length=64)
    executableId: str = Field(max_length=64)
    parameterBindings: list[ParameterArgument] | None = Field(None, max_length=1000)
    inputArtifactBindings: list[ArtifactArgument] | None = Field(None, max_length=1000)

    @field_validator("parameterBindings", "inputArtifactBindings")
    @classmethod
    def each_key_once(cls, bindings: Any) -> Any:
        """A key given twice would leave open which of the two is meant."""
        keys = [one.key for one in bindings or ()]
        if len(set(keys)) < len(keys):
            raise ValueError("holds a key twice")
        return bindings


@operation(
    "POST",
    "/lm/configurations",
    in_group(Right.CHANGE),
    name="configurations.create",
    answers={201: CreationResponse},
)
def create(request: Call, body: AiConfigurationBaseData) -> HttpResponse:
    """Bind the newest version of an executable to parameters and input artifacts."""
    return configured(request.auth, body)


def configured(scope: Scope, body: AiConfigurationBaseData) -> HttpResponse:
    """Make the configuration and answer so."""
    made = configurations.create_for(
        scope,
        name=body.name,
        scenario=body.scenarioId,
        executable=body.executableId,
        parameters={one.key: one.value for one in body.parameterBindings or ()},
        artifacts={one.key: one.artifactId for one in body.inputArtifactBindings or ()},
    )
    key = str(made.pk)
    return created({"id": key, "message": "Configuration created"}, f"/lm/configurations/{key}")


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
    rows = configuration_search.brief(configuration_search.find(request.auth, **asked))
    return page(request, rows, lambda batch: bodies(request.auth, batch, expand=expand), top=top, skip=skip)


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
