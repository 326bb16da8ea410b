"""Where the steps of one attempt run: folders, inputs, volumes, variables and limits, as RunSpecs."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, cast

from django.conf import settings
from django.utils import timezone

from launchpad.errors import Invalid
from mlops import storage
from mlops.domain import catalog, run_tokens, signatures, step_inputs, step_secrets, step_volumes
from mlops.domain.step_paths import Paths
from mlops.domain.step_volumes import Limit
from mlops.engine.flow import Made, Slot, Start, Text
from mlops.engine.local import LocalRunner
from mlops.engine.spec import Limits, Mount, RunSpec
from mlops.manifests import ExecutableTemplate
from mlops.manifests.plans import DEFAULT_PLAN, PLANS
from mlops.manifests.spec import InputArtifact, Template
from mlops.models import Artifact, Execution


@functools.cache
def runner() -> LocalRunner:
    """This process's runner. Raises Invalid where plain mode is all there is and it is not allowed."""
    mode = cast(Literal["auto", "sandbox", "plain"], settings.SANDBOX)
    made = LocalRunner(mode=mode, uid=settings.STEP_UID)
    if made.mode == "plain" and not settings.ALLOW_PLAIN_MODE:
        raise Invalid(
            "This worker's host cannot confine executables: bubblewrap is missing or may not be used. "
            "Install it, or set ALLOW_PLAIN_MODE=1 to run without."
        )
    return made


def variable(name: str) -> str:
    """An artifact's name as part of an environment variable: upper case, others as `_`."""
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


@dataclass(frozen=True)
class Stay:
    """One attempt of a step in its place: how to run it, where its files lie, which folders to watch."""

    spec: RunSpec
    paths: Paths
    limits: list[Limit]


class Placement:
    """Where one attempt's steps run and what passes between them. Safe for steps that run side by side.

    passed: what each step left, by index and output; notices: sentences on how it was run.
    """

    def __init__(self, execution: Execution, attempt: int, place: Path) -> None:
        self.execution = execution
        self.attempt = attempt
        self.place = place
        self.passed: dict[Made, Path] = {}
        self.notices: list[str] = list(runner().notices)
        self.tree = place
        self.environment: Path | None = None
        self.values: dict[str, str] = {}
        self.deadline: datetime | None = None
        self.template = catalog.describe(execution.executable_version)
        self._inputs: dict[str, Artifact] = {}
        self._stores: dict[str, storage.Store] = {}
        self._secrets: step_volumes.Secrets = {}

    @classmethod
    def of(
        cls, execution: Execution, attempt: int, place: Path, tree: Path, environment: Path | None
    ) -> Placement:
        """Read what the configuration binds, where that lies, and the secrets that the steps refer to.

        Raises Conflict for a secret that is missing, Invalid for an object store that is.
        """
        made = cls(execution, attempt, place)
        made.tree, made.environment = tree, environment
        bound = {row.key: row.value for row in execution.configuration.parameters.all()}
        made.values = _values(execution, made.template, bound)
        made._inputs = {
            row.key: row.artifact for row in execution.configuration.inputs.select_related("artifact")
        }
        names = {storage.parse_url(artifact.url).store for artifact in made._inputs.values()}
        made._stores = {name: storage.open_store(execution.resource_group, name) for name in names}
        made._secrets = step_secrets.read(execution, made.template)
        seconds = made.template.batch.deadline_seconds
        if seconds is not None:
            made.deadline = (execution.started_at or execution.created_at) + timedelta(seconds=seconds)
        return made

    def enter(self, start: Start) -> Stay:
        """Make the step's folder afresh, bring its inputs in, and say how to run it.

        Raises Invalid or Conflict when an input cannot be had, ValueError for an impossible path, OSError
        when the host has no room.
        """
        template = start.template
        folder = self.place / f"{start.index}-{start.tries}"
        folder.mkdir(mode=0o711)
        volumes, limits = step_volumes.make(
            template, self.template.batch, self._secrets, folder=folder, shared=self.place / "shared"
        )
        paths = Paths(folder, volumes)
        paths.prepare(template)
        for number, wanted in enumerate(template.inputs):
            if (real := self._bring(wanted, start, folder / "inputs" / str(number))) is not None:
                paths.mounts[wanted.path] = Mount(wanted.path, real, read_only=False)
        spec = RunSpec(
            id=f"{self.execution.pk}-{self.attempt}-{start.index}-{start.tries}",
            argv=(*template.command, *template.args),
            env=self._variables(start),
            folder=folder,
            source=self.tree,
            working_dir=template.working_dir,
            script=template.source,
            python_env=self.environment,
            mounts=tuple(paths.mounts.values()),
            limits=limits_of(template),
            deadline_seconds=_deadline(start),
            grace_seconds=settings.GRACE_SECONDS,
            hidden=(Path(settings.LAUNCHPAD_DATA),),
            renamed=paths.renamed,
        )
        return Stay(spec, paths, limits)

    def leave(self, start: Start, stay: Stay) -> tuple[dict[str, str], frozenset[str]]:
        """Take what the step left: its output parameters, and the names of its artifacts.

        Raises Refused with a sentence naming an output that is missing or leads out.
        """
        parameters = stay.paths.parameters(start.template)
        names = set()
        for name, real in stay.paths.artifacts(start.template):
            self.passed[Made(start.index, name)] = self._keep(real, stay, name)
            names.add(name)
        return parameters, frozenset(names)

    def _keep(self, real: Path, stay: Stay, name: str) -> Path:
        """Where an output stays; one in a shared folder is copied, since other steps may change it there."""
        if real.is_relative_to(stay.paths.folder):
            return real
        kept = stay.paths.folder / "kept" / str(len(self.passed)) / re.sub(r"[^\w.-]", "_", name)
        step_inputs.copy(real, kept, sub_path=None)
        return kept

    def _bring(self, wanted: InputArtifact, start: Start, to: Path) -> Path | None:
        """Where an input lies now; None for an optional one that nobody gave."""
        match found := start.artifacts.get(wanted.name):
            case Text():
                step_inputs.write(found.content, to)
                return to
            case Made() if found in self.passed:
                step_inputs.copy(self.passed[found], to, sub_path=wanted.sub_path)
                return to
        if (artifact := self._bound(found)) is not None:
            store = self._stores[storage.parse_url(artifact.url).store]
            step_inputs.fetch(artifact, store, to, sub_path=wanted.sub_path)
            return to
        if not wanted.optional:
            raise Invalid(f"The input {wanted.name} is missing; the template does not call it optional.")
        return None

    def _bound(self, found: object) -> Artifact | None:
        """The registered artifact that an input is, if it is one."""
        return self._inputs.get(found.name) if isinstance(found, Slot) else None

    def _variables(self, start: Start) -> Mapping[str, str]:
        template = start.template
        token = run_tokens.issue(self.execution.pk, self.attempt)
        group = self.execution.resource_group
        ours = {
            "AICORE_EXECUTION_ID": self.execution.pk,
            "AICORE_TRACKING_ENDPOINT": f"{settings.INTERNAL_URL}/runs/{token}",
            "AI-MAIN-TENANT": group.workspace_id,
            "AI-RESOURCE-GROUP": group.slug,
            "LAUNCHPAD_API_URL": f"{settings.INTERNAL_URL}/v2",
            "LAUNCHPAD_RUN_TOKEN": token,
            "PYTHONUNBUFFERED": "1",
            # onnxruntime reports over the network otherwise.
            "ORT_DISABLE_TELEMETRY": "1",
            "OMP_NUM_THREADS": str(PLANS[template.resource_plan or DEFAULT_PLAN].cpu),
        }
        ours |= {f"LAUNCHPAD_INPUT_{variable(item.name)}": item.path for item in template.inputs}
        ours |= {f"LAUNCHPAD_OUTPUT_{variable(item.name)}": item.path for item in template.outputs}
        bound = {name: self._bound(found) for name, found in start.artifacts.items()}
        ours |= signatures.variable({name: one for name, one in bound.items() if one is not None})
        return ours | step_secrets.variables(template, self._secrets) | dict(template.env)


def _deadline(start: Start) -> float | None:
    """The step's own limit or what is left of the whole run's, whichever is shorter.

    The flow keeps the latter too; this one holds while the supervisor waits for the database, so it is a
    little longer.
    """
    own = start.template.deadline_seconds
    if start.until is None:
        return own
    left = max(1.0, (start.until - timezone.now()).total_seconds() + settings.GRACE_SECONDS)
    return min(left, own or left)


def limits_of(template: Template) -> Limits:
    """What the resource plan of a step allows it."""
    plan = PLANS[template.resource_plan or DEFAULT_PLAN]
    memory = settings.STEP_MEMORY_BYTES or plan.memory_gb * 1024**3
    return Limits(memory_bytes=memory, processes=4096)


def _values(execution: Execution, template: ExecutableTemplate, bound: Mapping[str, str]) -> dict[str, str]:
    """What the placeholders of the whole workflow stand for."""
    created, due = (
        at.strftime("%Y-%m-%dT%H:%M:%SZ")
        for at in (execution.created_at, execution.due_at or execution.created_at)
    )
    listed = json.dumps([{"name": key, "value": value} for key, value in bound.items()], ensure_ascii=False)
    values = {f"workflow.parameters.{key}": value for key, value in bound.items()}
    values |= {
        "workflow.parameters": listed,
        "workflow.parameters.json": listed,
        "workflow.name": execution.pk,
        "workflow.uid": execution.pk,
        "workflow.namespace": execution.resource_group.slug,
        "workflow.mainEntrypoint": template.batch.entrypoint,
        "workflow.creationTimestamp": created,
        "workflow.scheduledTime": due,
    }
    for kind in ("labels", "annotations"):
        pairs = dict(getattr(template.batch, kind))
        values |= {f"workflow.{kind}.{key}": value for key, value in pairs.items()}
    return values
