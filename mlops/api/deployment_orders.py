"""Orders of deployments: what is to be served for how long, and what one or many are to become."""

from __future__ import annotations

from typing import Literal, Self

from django.http import HttpResponse
from pydantic import BaseModel, Field, model_validator

from launchpad.access import Scope
from mlops.api.answers import created, present
from mlops.api.wishes import Wishes
from mlops.domain import deployments


class Lifetime(BaseModel):
    """ttl: how long it lives, a whole number and m, h or d, from 10m; nothing for ever."""

    ttl: str | None = Field(None, min_length=1, max_length=64)


class AiDeploymentCreationRequest(Lifetime):
    """Which configuration to serve, and for how long."""

    configurationId: str = Field(max_length=64)


class AiDeploymentModificationRequest(BaseModel):
    """What the deployment is to become, or which configuration it is to serve: one of the two."""

    targetStatus: Literal["STOPPED"] | None = None
    configurationId: str | None = Field(None, max_length=64)

    @model_validator(mode="after")
    def one_of_them(self) -> Self:
        """A deployment that stops serves nothing else."""
        if (self.targetStatus is None) == (self.configurationId is None):
            raise ValueError("give either targetStatus or configurationId")
        return self


class AiDeploymentBulkModificationRequest(BaseModel):
    """What 1 to 100 deployments are to become, each named once."""

    deployments: Wishes


def deploy(scope: Scope, configuration_id: str, ttl: str | None) -> HttpResponse:
    """Create the deployment and answer so."""
    made = deployments.create(scope, configuration=configuration_id, ttl=ttl or "")
    answer = {
        "id": made.pk,
        "message": "Deployment scheduled.",
        "deploymentUrl": "",
        # What it is by now, the next call tells; the contract says UNKNOWN here.
        "status": "UNKNOWN",
        "ttl": made.ttl or None,
    }
    return created(present(answer), f"/lm/deployments/{made.pk}", status=202)
