"""Artifacts: registered, listed, counted and read; they are immutable and stay."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from pydantic import BaseModel, Field

from launchpad.access import Right, Scope
from mlops.api import queries
from mlops.api.answers import counted, created, labels, page, present, time
from mlops.api.documents import AiArtifact, AiArtifactCreationResponse, AiArtifacts, Kind
from mlops.api.operations import Call, Count, Operations, in_group
from mlops.api.queries import Parameters
from mlops.api.scenarios import scenario_body
from mlops.domain import artifact_search, artifacts, catalog
from mlops.models import Artifact

operation = Operations("Artifacts")
FILTERS = (
    queries.identifier("scenarioId", "scenario", "Of this scenario."),
    queries.identifier("executionId", "execution", "Made by this execution."),
    queries.named("name", "name", "Of exactly this name."),
    queries.choice("kind", "kind", Artifact.Kind.values, "Of this kind."),
    *queries.search("name or description"),
    queries.labelled("artifactLabelSelector", "selectors"),
)
EXPAND = queries.expand("scenario")
LIST = Parameters(*FILTERS, queries.top(), queries.skip(), EXPAND)
COUNT = Parameters(*FILTERS)
ONE = Parameters(EXPAND)


class Label(BaseModel):
    """A label."""

    key: str = Field(max_length=256)
    value: str = Field(max_length=5000)


class AiArtifactPostData(BaseModel):
    """What to register. url: `ai://<object store>/<path>` of a file or folder that is there."""

    name: str = Field(max_length=256)
    kind: Kind
    url: str = Field(max_length=1024)
    scenarioId: str = Field(max_length=64)
    description: str | None = Field(None, max_length=5000)
    labels: list[Label] | None = None


@operation(
    "POST",
    "/lm/artifacts",
    in_group(Right.CHANGE),
    name="artifacts.register",
    answers={201: AiArtifactCreationResponse},
)
def register(request: Call, body: AiArtifactPostData) -> HttpResponse:
    """Register a file or folder of the object store. Its bytes are read, so that a change shows later."""
    made = artifacts.register(
        request.auth,
        kind=body.kind,
        name=body.name,
        url=body.url.removesuffix("/"),
        scenario=body.scenarioId,
        description=body.description or "",
        labels=[{"key": one.key, "value": one.value} for one in body.labels or ()],
    )
    key = str(made.pk)
    told = {"id": key, "message": "Artifact acknowledged", "url": made.url}
    return created(told, f"/lm/artifacts/{key}")


@operation(
    "GET",
    "/lm/artifacts",
    in_group(Right.VIEW),
    name="artifacts.search",
    answers={200: AiArtifacts},
    query=LIST,
)
def search(request: Call) -> HttpResponseBase:
    """Artifacts of the resource group, newest first."""
    asked = LIST.read(request)
    top, skip, expand = (asked.pop(key) for key in ("top", "skip", "expand"))
    found = artifact_search.search(request.auth, **asked)
    shape = partial(bodies, request.auth, expand=expand)
    return page(request, found, artifact_search.brief, shape, top=top, skip=skip)


@operation(
    "GET",
    "/lm/artifacts/$count",
    in_group(Right.VIEW),
    name="artifacts.count",
    answers={200: Count},
    query=COUNT,
)
def count(request: Call) -> HttpResponse:
    """How many artifacts a list with the same filters has."""
    return counted(artifact_search.search(request.auth, **COUNT.read(request)).count())


@operation(
    "GET",
    "/lm/artifacts/{artifact_id}",
    in_group(Right.VIEW),
    name="artifacts.get",
    answers={200: AiArtifact},
    query=ONE,
    quick=True,
)
def get(request: Call, artifact_id: str) -> dict[str, Any]:
    """One artifact."""
    expand = ONE.read(request)["expand"]
    found = artifact_search.get(request.auth, artifact_id)
    return bodies(request.auth, [found], expand=expand)[0]


def bodies(scope: Scope, rows: Sequence[Any], *, expand: str | None) -> list[dict[str, Any]]:
    """AiArtifact of artifacts in brief. expand: whether with their scenarios, which takes a query."""
    made = [artifact_body(row) for row in rows]
    if expand:
        scenarios = {one.slug: scenario_body(one) for one in catalog.scenarios(scope)}
        for one in made:
            one["scenario"] = scenarios[one["scenarioId"]]
    return made


def artifact_body(row: Any) -> dict[str, Any]:
    """AiArtifact of an artifact in brief."""
    return present(
        {
            "id": str(row.id),
            "name": row.name,
            "kind": row.kind,
            "url": row.url,
            "description": row.description,
            "labels": labels(row.labels),
            "scenarioId": row.scenario_slug,
            "configurationId": str(row.configuration_id) if row.configuration_id else None,
            "executionId": row.execution_id,
            "createdAt": time(row.created_at),
            "modifiedAt": time(row.modified_at),
        }
    )
