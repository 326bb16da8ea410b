"""The typed form of an AI Core template: plain frozen values, JSON types only inside."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from mlops.manifests import codec
from mlops.manifests.needs import (
    Backoff,
    EnvFrom,
    EnvSecret,
    Pairs,
    Retry,
    SecretKey,
    Volume,
    VolumeKind,
    VolumeMount,
)

__all__ = [
    "Archive",
    "ArtifactSlot",
    "ArtifactSource",
    "Backoff",
    "EnvFrom",
    "EnvSecret",
    "ExecutableTemplate",
    "Finding",
    "InputArtifact",
    "Label",
    "Loop",
    "OutputArtifact",
    "OutputParameter",
    "OutputSlot",
    "Pairs",
    "Parameter",
    "Reading",
    "Retry",
    "SecretKey",
    "Sequence",
    "ServedModel",
    "Server",
    "Serving",
    "Step",
    "Template",
    "TemplateKind",
    "Volume",
    "VolumeKind",
    "VolumeMount",
    "Workflow",
]

Archive = Literal["none", "tar", "zip"]
TemplateKind = Literal["container", "script", "steps", "dag"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the reader refuses (error) or accepts and ignores (notice). line: from 1."""

    severity: Literal["error", "notice"]
    file: str
    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a scenario, executable or artifact."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter; default None means mandatory, enum () means any value."""

    name: str
    default: str | None = None
    description: str = ""
    enum: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ArtifactSlot:
    """An input a configuration binds; optional only when every step that reads it says so."""

    name: str
    kind: str
    description: str
    labels: tuple[Label, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class OutputSlot:
    """An output that is registered; name is its `globalName`, registered_name the artifact's name."""

    name: str
    kind: str
    registered_name: str
    description: str
    suffix: str
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class ArtifactSource:
    """Where an artifact comes from; exactly one way is given.

    step with output: an output of an earlier step or task; input: an input of the template itself;
    raw: a text; global_name: what a step before it leaves under this `globalName`.
    """

    step: str | None = None
    output: str | None = None
    input: str | None = None
    raw: str | None = None
    global_name: str | None = None


@dataclass(frozen=True, slots=True)
class InputArtifact:
    """An input of one template; source None: whatever the caller gives, else the configuration."""

    name: str
    path: str
    optional: bool = False
    sub_path: str | None = None
    source: ArtifactSource | None = None


@dataclass(frozen=True, slots=True)
class OutputArtifact:
    """A file or folder a template leaves behind; of steps and dags: the source it is passed up from."""

    name: str
    path: str
    global_name: str | None = None
    archive: Archive = "tar"
    optional: bool = False
    source: ArtifactSource | None = None


@dataclass(frozen=True, slots=True)
class OutputParameter:
    """A text a template gives back: a file's content, or what a step or task of its own gave.

    path: the file; default: the text when it is missing; source: the name of a placeholder, such as
    `steps.a.outputs.parameters.b`; global_name: as which it is known to the whole workflow.
    """

    name: str
    path: str | None = None
    default: str | None = None
    source: str | None = None
    global_name: str | None = None


@dataclass(frozen=True, slots=True)
class Sequence:
    """Numbers as items: count of them from start, or from start to end; texts, perhaps with placeholders."""

    count: str | None = None
    start: str | None = None
    end: str | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """A step that is called once for each of at most 100 items; one way to name them is given.

    items: JSON texts, texts too as JSON; param: a text, perhaps with placeholders, that is a JSON list.
    """

    items: tuple[str, ...] | None = None
    param: str | None = None
    sequence: Sequence | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a template: a step of a group, or a task of a dag.

    when, depends: see `conditions`; depends None on a task: it waits for nothing. on_exit: the template
    that runs after the call, whatever came of it.
    """

    name: str
    template: str
    parameters: Pairs = ()
    artifacts: tuple[tuple[str, ArtifactSource], ...] = ()
    when: str | None = None
    loop: Loop | None = None
    continue_on_failed: bool = False
    continue_on_error: bool = False
    depends: str | None = None
    on_exit: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """One template; what it leaves open is filled in already from the workflow's defaults.

    groups: steps of an inner tuple run together, the tuples in turn. tasks: of a dag, in document order;
    target (): all of them. fail_fast, parallelism: of steps and dags. deadline_seconds and retry of
    steps and dags mean the template as a whole.
    """

    name: str
    kind: TemplateKind
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    source: str | None = None
    env: Pairs = ()
    env_secrets: tuple[EnvSecret, ...] = ()
    env_from: tuple[EnvFrom, ...] = ()
    working_dir: str | None = None
    image: str | None = None
    image_pull_policy: str | None = None
    volumes: tuple[Volume, ...] = ()
    volume_mounts: tuple[VolumeMount, ...] = ()
    groups: tuple[tuple[Step, ...], ...] = ()
    tasks: tuple[Step, ...] = ()
    fail_fast: bool = True
    target: tuple[str, ...] = ()
    parallelism: int | None = None
    parameters: tuple[Parameter, ...] = ()
    inputs: tuple[InputArtifact, ...] = ()
    outputs: tuple[OutputArtifact, ...] = ()
    output_parameters: tuple[OutputParameter, ...] = ()
    deadline_seconds: int | None = None
    retry: Retry | None = None
    resource_plan: str | None = None

    @property
    def calls(self) -> tuple[Step, ...]:
        """The steps or tasks in document order."""
        return self.tasks if self.kind == "dag" else tuple(step for group in self.groups for step in group)


@dataclass(frozen=True, slots=True)
class Workflow:
    """The body of a WorkflowTemplate; deadline_seconds limits the whole run.

    on_exit: the template that runs at the end, whatever came of the rest.
    """

    entrypoint: str
    templates: tuple[Template, ...]
    deadline_seconds: int | None = None
    labels: Pairs = ()
    annotations: Pairs = ()
    image_pull_secrets: tuple[str, ...] = ()
    parallelism: int | None = None
    on_exit: str | None = None
    volumes: tuple[Volume, ...] = ()


@dataclass(frozen=True, slots=True)
class Server:
    """The one container of a predictor. port: where it listens; ready_path None: ready once it accepts.

    live_path None: it lives as long as its process. model: the input that is fetched to /mnt/models first.
    """

    name: str
    image: str | None = None
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Pairs = ()
    env_secrets: tuple[EnvSecret, ...] = ()
    env_from: tuple[EnvFrom, ...] = ()
    working_dir: str | None = None
    image_pull_policy: str | None = None
    volume_mounts: tuple[VolumeMount, ...] = ()
    model: str | None = None
    port: str | None = None
    ready_path: str | None = None
    ready_port: str | None = None
    live_path: str | None = None
    live_port: str | None = None


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model for the built-in server. format: onnx or sklearn; storage_uri: `{{inputs.artifacts.NAME}}`."""

    format: str
    storage_uri: str


@dataclass(frozen=True, slots=True)
class Serving:
    """The body of a ServingTemplate: exactly one of server and model.

    Every text may hold placeholders, numbers too, which are therefore texts: they are filled in from a
    configuration and converted then. autoscaling: annotation's last part to its value.
    """

    api_version: str
    server: Server | None = None
    model: ServedModel | None = None
    resource_plan: str | None = None
    autoscaling: Pairs = ()
    min_replicas: str | None = None
    max_replicas: str | None = None
    concurrency: str | None = None
    timeout_seconds: str | None = None
    grace_seconds: str | None = None
    volumes: tuple[Volume, ...] = ()
    image_pull_secrets: tuple[str, ...] = ()
    cascade_update: bool = False


@dataclass(frozen=True, slots=True)
class ExecutableTemplate:
    """One document that was read without errors; kind says which of workflow and serving is given.

    source: its exact text; line: where it begins.
    """

    file: str
    line: int
    executable_id: str
    name: str
    description: str
    scenario_id: str
    scenario_name: str
    scenario_description: str
    scenario_labels: tuple[Label, ...]
    labels: tuple[Label, ...]
    version: str
    kind: Literal["workflow", "serving"]
    parameters: tuple[Parameter, ...]
    inputs: tuple[ArtifactSlot, ...]
    outputs: tuple[OutputSlot, ...]
    workflow: Workflow | None
    serving: Serving | None
    source: str
    notices: tuple[Finding, ...]

    @property
    def batch(self) -> Workflow:
        """The workflow of a template that runs to its end; raises ValueError for one that serves."""
        if self.workflow is None:
            raise ValueError(f"{self.executable_id} serves: it has no steps to run.")
        return self.workflow

    @property
    def image_pull_secrets(self) -> tuple[str, ...]:
        """Names of Docker secrets, which only container runners use."""
        body = self.workflow or self.serving
        return body.image_pull_secrets if body else ()

    def to_json(self) -> dict[str, Any]:
        """JSON types only; `from_json` gives an equal template back."""
        made: dict[str, Any] = codec.encode(self)
        return made

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ExecutableTemplate:
        """Raises ValueError when data is not what `to_json` writes."""
        return codec.decode(cls, data)

    @property
    def digest(self) -> str:
        """SHA-256 in hex of what the template means: place, notices, comments and layout do not count."""
        meaning = {
            key: value
            for key, value in self.to_json().items()
            if key not in ("file", "line", "notices", "source")
        }
        text = json.dumps(meaning, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading: templates without errors in document order, and every finding."""

    templates: tuple[ExecutableTemplate, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def notices(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "notice")
