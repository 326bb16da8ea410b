"""What the lifecycle operations answer, as the documentation tells it and the tests hold it against answers.

Nothing is checked with these at run time: a list of a hundred thousand would take minutes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AwareDatetime, ConfigDict, Field

Id = Annotated[str, Field(pattern=r"^[\w.-]{4,64}$")]
Name = Annotated[str, Field(max_length=256)]
Text = Annotated[str, Field(max_length=5000)]
Kind = Literal["model", "dataset", "resultset", "other"]
StatusName = Literal["PENDING", "RUNNING", "COMPLETED", "DEAD", "STOPPING", "STOPPED", "UNKNOWN"]
TargetStatusName = Literal["COMPLETED", "RUNNING", "STOPPED", "DELETED"]


class Answer(Schema):
    """An object of exactly these keys; those with a default may be missing."""

    model_config = ConfigDict(extra="forbid")


class AiLabel(Answer):
    """A label."""

    key: str = Field(max_length=256)
    value: Text


class AiScenario(Answer):
    """A scenario: what a family of executables is for."""

    id: Id
    name: Name
    description: Text = ""
    labels: list[AiLabel]
    createdAt: AwareDatetime
    modifiedAt: AwareDatetime


class AiScenarios(Answer):
    """Scenarios."""

    count: int
    resources: list[AiScenario]


class AiVersion(Answer):
    """A version label of a scenario's executables."""

    id: str
    scenarioId: Id
    description: Text = ""
    createdAt: AwareDatetime
    modifiedAt: AwareDatetime


class AiVersions(Answer):
    """Versions."""

    count: int
    resources: list[AiVersion]


class AiModels(Answer):
    """Foundation models: there are none."""

    count: int
    resources: list[dict[str, Any]] = Field(max_length=0)


class AiExecutableParameter(Answer):
    """A parameter of an executable; without a default it is mandatory."""

    name: str
    description: str = ""
    default: str | None = None
    type: Literal["string"]


class AiExecutableArtifact(Answer):
    """An input or output of an executable."""

    name: str
    kind: Kind
    description: str = ""
    labels: list[AiLabel] = []


class AiExecutable(Answer):
    """An executable in one version. deployable: it serves, otherwise it runs to its end."""

    id: Id
    scenarioId: Id
    versionId: str
    name: str
    description: str = ""
    labels: list[AiLabel] = []
    deployable: bool
    parameters: list[AiExecutableParameter]
    inputArtifacts: list[AiExecutableArtifact]
    outputArtifacts: list[AiExecutableArtifact]
    createdAt: AwareDatetime
    modifiedAt: AwareDatetime


class AiExecutables(Answer):
    """Executables."""

    count: int
    resources: list[AiExecutable]


class AiArtifact(Answer):
    """A file or folder of an object store, registered. scenario: with `$expand=scenario` only."""

    id: Id
    name: Name
    kind: Kind
    url: str = Field(max_length=1024)
    description: Text = ""
    labels: list[AiLabel]
    scenarioId: Id
    configurationId: Id | None = None
    executionId: Id | None = None
    createdAt: AwareDatetime
    modifiedAt: AwareDatetime
    scenario: AiScenario | None = None


class AiArtifacts(Answer):
    """Artifacts."""

    count: int
    resources: list[AiArtifact]


class AiArtifactCreationResponse(Answer):
    """An artifact was registered."""

    id: Id
    message: str
    url: str


class AiParameterArgumentBinding(Answer):
    """A parameter and its value."""

    key: str = Field(max_length=256)
    value: Text


class AiArtifactArgumentBinding(Answer):
    """An input and its artifact."""

    key: str = Field(max_length=256)
    artifactId: Id


class AiConfiguration(Answer):
    """An executable with its parameters and inputs. scenario: with `$expand=scenario` only."""

    id: Id
    name: Name
    executableId: Id
    scenarioId: Id
    parameterBindings: list[AiParameterArgumentBinding]
    inputArtifactBindings: list[AiArtifactArgumentBinding]
    createdAt: AwareDatetime
    scenario: AiScenario | None = None


class AiConfigurations(Answer):
    """Configurations."""

    count: int
    resources: list[AiConfiguration]


class CreationResponse(Answer):
    """Something was made."""

    id: Id
    message: str


class Acknowledgement(Answer):
    """What was asked for is done or under way. targetStatus: what an object was asked to become."""

    id: Id
    message: str
    targetStatus: TargetStatusName | None = None


class AiExecutionStatusDetails(Answer):
    """What else is known of an execution's state. attempt: how often it was begun."""

    message: str
    attempt: int
    notices: list[str]


class AiExecutionStatus(Answer):
    """An execution with `$select=status`."""

    id: Id
    configurationId: Id
    status: StatusName
    statusDetails: AiExecutionStatusDetails
    createdAt: AwareDatetime
    modifiedAt: AwareDatetime


class AiExecution(Answer):
    """A run of a configuration. statusDetails: when it is asked for by its id.

    executionScheduleId: of one that a schedule started, which may be deleted by now.
    """

    id: Id
    configurationId: Id
    configurationName: Name
    executableId: Id
    scenarioId: Id
    status: StatusName
    targetStatus: TargetStatusName
    statusMessage: str = Field(max_length=256)
    statusDetails: AiExecutionStatusDetails | None = None
    outputArtifacts: list[AiArtifact]
    executionScheduleId: Id | None = None
    createdAt: AwareDatetime
    modifiedAt: AwareDatetime
    submissionTime: AwareDatetime
    startTime: AwareDatetime | None = None
    completionTime: AwareDatetime | None = None


class AiExecutions(Answer):
    """Executions; with `$select=status` of these keys only."""

    count: int
    resources: list[AiExecution | AiExecutionStatus]


class AiExecutionCreationResponse(Answer):
    """An execution was submitted."""

    id: Id
    message: str
    status: StatusName
    targetStatus: TargetStatusName


class BulkError(Answer):
    """Why one of several could not be changed."""

    code: str
    message: str
    requestId: str
    target: str


class BulkRefusal(Answer):
    """One of several that stays as it is."""

    id: Id
    error: BulkError


class AiExecutionBulkModificationResponse(Answer):
    """What became of each, in the order asked."""

    executions: list[Acknowledgement | BulkRefusal]


class AiExecutionSchedule(Answer):
    """A configuration that is run by the clock.

    timeZone: the one that cron is read in, when it is not UTC; schedules made in the pages may have one. A
    schedule that runs once is told as the cron expression of its minute, with start and end around it.
    """

    id: Id
    name: Name
    configurationId: Id
    cron: str
    timeZone: str | None = None
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    status: Literal["ACTIVE", "INACTIVE"]
    createdAt: AwareDatetime
    modifiedAt: AwareDatetime


class AiExecutionSchedules(Answer):
    """Execution schedules."""

    count: int
    resources: list[AiExecutionSchedule]


class RTALogCommonResultItem(Answer):
    """A line of a log. pod: the attempt or revision. container: the step or server."""

    timestamp: AwareDatetime
    msg: str
    container: str
    pod: str
    stream: Literal["stdout", "stderr"]


class RTALogCommonData(Answer):
    """Lines of a log."""

    result: list[RTALogCommonResultItem]


class RTALogCommonResponse(Answer):
    """A log."""

    data: RTALogCommonData


class DSetFileCreationResponse(Answer):
    """That a file was stored, and its address for artifacts."""

    message: str
    url: str
