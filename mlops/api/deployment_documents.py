"""What the operations on deployments answer; as in `documents`, nothing is checked with these at run time."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from mlops.api.documents import Acknowledgement, Answer, BulkRefusal, Id, Name, StatusName, TargetStatusName

Address = Annotated[str, Field(max_length=1024)]
Ttl = Annotated[str, Field(pattern=r"^[0-9]+[mhdMHD]$")]
LastOperation = Literal["CREATE", "UPDATE", "DELETE", "CASCADE-UPDATE"]


class AiDeploymentStatusDetails(Answer):
    """What else is known of a deployment's state.

    revision: the one that is wished for. servingRevision: the one that gets the requests.
    """

    message: str
    revision: int
    servingRevision: int | None = None


class Replicas(Answer):
    """Servers: how many it starts with, how many it may come to, how many get requests now."""

    minReplicas: int
    maxReplicas: int
    runningReplicas: int


class Plan(Answer):
    """The resource plan of each server."""

    resourcePlan: str


class PredictorReplicas(Answer):
    """Of the model server."""

    predictor: Replicas


class PredictorPlan(Answer):
    """Of the model server."""

    predictor: Plan


class AiScalingDetails(Answer):
    """How many servers."""

    backendDetails: PredictorReplicas


class AiResourcesDetails(Answer):
    """On what they run."""

    backendDetails: PredictorPlan


class AiDeploymentDetails(Answer):
    """Servers of a deployment."""

    scaling: AiScalingDetails
    resources: AiResourcesDetails


class AiDeploymentStatus(Answer):
    """A deployment with `$select=status`."""

    id: Id
    configurationId: Id
    status: StatusName
    statusDetails: AiDeploymentStatusDetails
    createdAt: AwareDatetime
    modifiedAt: AwareDatetime


class AiDeployment(Answer):
    """A configuration that is served. configurationId: of what is wished for, also before it serves.

    deploymentUrl: where it is called, the same all its life. statusDetails: when it is asked for by its id.
    """

    id: Id
    deploymentUrl: Address
    configurationId: Id
    configurationName: Name
    executableId: Id
    scenarioId: Id
    status: StatusName
    targetStatus: TargetStatusName
    statusMessage: str = Field(max_length=256)
    statusDetails: AiDeploymentStatusDetails | None = None
    lastOperation: LastOperation
    latestRunningConfigurationId: Id | None = None
    ttl: Ttl | None = None
    details: AiDeploymentDetails
    createdAt: AwareDatetime
    modifiedAt: AwareDatetime
    submissionTime: AwareDatetime
    startTime: AwareDatetime | None = None
    completionTime: AwareDatetime | None = None


class AiDeployments(Answer):
    """Deployments; with `$select=status` of these keys only."""

    count: int
    resources: list[AiDeployment | AiDeploymentStatus]


class AiDeploymentCreationResponse(Answer):
    """A deployment was created. deploymentUrl: "", it is told with the deployment."""

    id: Id
    message: str
    deploymentUrl: str
    status: StatusName
    ttl: Ttl | None = None


class AiDeploymentBulkModificationResponse(Answer):
    """What became of each, in the order asked."""

    deployments: list[Acknowledgement | BulkRefusal]
