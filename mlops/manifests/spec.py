"""The typed form of an AI Core template: plain frozen values, JSON types only inside."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from mlops.manifests import codec

Archive = Literal["none", "tar", "zip"]
TemplateKind = Literal["container", "script", "steps"]
Pairs = tuple[tuple[str, str], ...]


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
    """Where an input comes from: an output of an earlier step, an input of the caller, or a text."""

    step: str | None = None
    output: str | None = None
    input: str | None = None
    raw: str | None = None


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
    """A file or folder a template leaves behind."""

    name: str
    path: str
    global_name: str | None = None
    archive: Archive = "tar"
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a template by a template with steps."""

    name: str
    template: str
    parameters: Pairs = ()
    artifacts: tuple[tuple[str, ArtifactSource], ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """One template; what it leaves open is filled in already from the workflow's defaults."""

    name: str
    kind: TemplateKind
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    source: str | None = None
    env: Pairs = ()
    working_dir: str | None = None
    image: str | None = None
    image_pull_policy: str | None = None
    steps: tuple[Step, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    inputs: tuple[InputArtifact, ...] = ()
    outputs: tuple[OutputArtifact, ...] = ()
    deadline_seconds: int | None = None
    retry_limit: int = 0
    retry_policy: str = "OnFailure"
    resource_plan: str | None = None


@dataclass(frozen=True, slots=True)
class Workflow:
    """The body of a WorkflowTemplate; deadline_seconds limits the whole run."""

    entrypoint: str
    templates: tuple[Template, ...]
    deadline_seconds: int | None = None
    labels: Pairs = ()
    annotations: Pairs = ()
    image_pull_secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExecutableTemplate:
    """One document that was read without errors. source: its exact text; line: where it begins."""

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
    kind: Literal["workflow"]
    parameters: tuple[Parameter, ...]
    inputs: tuple[ArtifactSlot, ...]
    outputs: tuple[OutputSlot, ...]
    workflow: Workflow
    source: str
    notices: tuple[Finding, ...]

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
