"""Orders of configurations and executions: each in its own place, or swapped as a tutorial prints them."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpResponse
from pydantic import BaseModel, Discriminator, Field, Tag, field_validator

from launchpad.access import Scope
from mlops.api.answers import created
from mlops.domain import configurations, executions

# Since when the addresses that only tutorials still use are deprecated: 1 January 2024.
_SINCE = "@1704067200"


class ParameterArgument(BaseModel):
    """A parameter and its value."""

    key: str = Field(max_length=256)
    value: str = Field(max_length=5000)


class ArtifactArgument(BaseModel):
    """An input and its artifact."""

    key: str = Field(max_length=256)
    artifactId: str = Field(max_length=64)


class AiConfigurationBaseData(BaseModel):
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


class AiEnactmentCreationRequest(BaseModel):
    """Which configuration to run."""

    configurationId: str = Field(max_length=64)


def _shape(natural: str) -> Discriminator:
    """Tells the shapes of a body apart. natural: the one of the address, whose fields an odd body is told."""

    def tell(body: Any) -> str:
        if isinstance(body, dict):
            if {"scenarioId", "executableId"} <= body.keys() and "configurationId" not in body:
                return "(configuration)"
            if "configurationId" in body and not {"scenarioId", "executableId"} <= body.keys():
                return "(execution)"
        return natural

    return Discriminator(tell)


_Configuration = Annotated[AiConfigurationBaseData, Tag("(configuration)")]
_Execution = Annotated[AiEnactmentCreationRequest, Tag("(execution)")]
ConfigurationOrder = Annotated[_Configuration | _Execution, _shape("(configuration)")]
ExecutionOrder = Annotated[_Configuration | _Execution, _shape("(execution)")]


def configure(scope: Scope, body: AiConfigurationBaseData) -> HttpResponse:
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


def execute(scope: Scope, configuration_id: str) -> HttpResponse:
    """Submit the configuration and answer so."""
    made = executions.create(scope, configuration=configuration_id)
    told = {
        "id": made.pk,
        "message": "Execution scheduled",
        # What it is by now, the next call tells; the contract says UNKNOWN here.
        "status": "UNKNOWN",
        "targetStatus": made.target_status,
    }
    return created(told, f"/lm/executions/{made.pk}", status=202)


def deprecated(response: HttpResponse, successor: str) -> HttpResponse:
    """The answer with a note that the call belongs elsewhere. successor: the address below /v2."""
    response["Deprecation"] = _SINCE
    response["Link"] = f'</v2{successor}>; rel="successor-version"'
    return response
