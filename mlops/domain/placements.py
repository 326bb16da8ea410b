"""A step's place on the host: its folders, inputs, environment variables and limits, as a RunSpec."""

from __future__ import annotations

import functools
import json
import lzma
import os
import re
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Literal, cast

from django.conf import settings
from django.utils import timezone

from launchpad.errors import Invalid
from mlops import storage
from mlops.domain import catalog, run_tokens
from mlops.engine import archives
from mlops.engine.local import LocalRunner
from mlops.engine.spec import Limits, Mount, Observation, RunSpec
from mlops.lifecycle import Status
from mlops.manifests import ExecutableTemplate, InputPlan, OutputPlan, StepPlan, fill
from mlops.manifests.plans import DEFAULT_PLAN, PLANS
from mlops.models import Artifact, Execution

_NO_PARENT = frozenset(map(PurePosixPath, ("/", "/tmp", "/home", "/opt", "/mnt", "/srv", "/root", "/var")))
_STRFTIME = "aAbBcdHIjmMpSUwWxXyYZ"
# A step may have written the archive itself. The last one stands for encryption and unknown methods.
_BROKEN_ARCHIVE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError)


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


class Placement:
    """Where one attempt's steps run and what passes between them.

    passed: (step, output) to the local path it left; notices: sentences on how it was run.
    """

    def __init__(self, execution: Execution, attempt: int, place: Path) -> None:
        self.execution = execution
        self.attempt = attempt
        self.place = place
        self.passed: dict[tuple[str, str], Path] = {}
        self.delivered: dict[str, tuple[OutputPlan, Path]] = {}
        self.notices: list[str] = list(runner().notices)
        self.tree = place
        self.environment: Path | None = None
        self.values: dict[str, str] = {}
        self.inputs: dict[str, Artifact] = {}
        self.run_seconds: int | None = None
        self._numbers: dict[str, int] = {}
        self.store = storage.open_store(execution.resource_group)

    @classmethod
    def of(
        cls, execution: Execution, attempt: int, place: Path, tree: Path, environment: Path | None
    ) -> Placement:
        """Read what the configuration binds."""
        made = cls(execution, attempt, place)
        made.tree, made.environment = tree, environment
        bound = {row.key: row.value for row in execution.configuration.parameters.all()}
        template = catalog.describe(execution.executable_version)
        made.run_seconds = template.batch.deadline_seconds
        made.values = _values(execution, template, bound)
        made.inputs = {
            row.key: row.artifact for row in execution.configuration.inputs.select_related("artifact")
        }
        return made

    def enter(self, step: StepPlan, tries: int) -> RunSpec:
        """Make the step's folder afresh, bring its inputs in, and say how to run it.

        Raises Invalid when an input is missing from the store, ValueError for an impossible path.
        """
        folder = self._folder(step, tries)
        folder.mkdir(mode=0o711)
        step = fill(
            step, {**self.values, "retries": str(tries), "node.name": step.name, "pod.name": step.name}
        )
        mounts = self._output_mounts(step, folder)
        for number, wanted in enumerate(step.inputs):
            if (real := self._bring(wanted, folder / "inputs" / str(number))) is not None:
                mounts[wanted.path] = real
        return RunSpec(
            id=f"{self.execution.pk}-{self.attempt}-{step.name}-{tries}",
            argv=(*step.command, *step.args),
            env=self._variables(step),
            folder=folder,
            source=self.tree,
            working_dir=step.working_dir,
            script=step.source,
            python_env=self.environment,
            mounts=tuple(Mount(path=path, real=real, read_only=False) for path, real in mounts.items()),
            limits=_limits(step),
            deadline_seconds=self._deadline(step),
            grace_seconds=settings.GRACE_SECONDS,
            hidden=(Path(settings.LAUNCHPAD_DATA),),
        )

    def _folder(self, step: StepPlan, tries: int) -> Path:
        """Numbered, because names come from templates and paths must not."""
        return self.place / f"{self._numbers.setdefault(step.name, len(self._numbers))}-{tries}"

    def _deadline(self, step: StepPlan) -> float | None:
        """The step's own limit or what is left of the whole run's, whichever is shorter."""
        if self.run_seconds is None:
            return step.deadline_seconds
        since = self.execution.started_at or self.execution.created_at
        left = max(1.0, self.run_seconds - (timezone.now() - since).total_seconds())
        return min(left, step.deadline_seconds or left)

    def leave(self, step: StepPlan, tries: int) -> str:
        """Take the step's outputs; return a sentence naming one that is missing or leads out, else ""."""
        folder = self._folder(step, tries)
        for output in step.outputs:
            # We may read what the step may not: a link of its making must not make us follow it elsewhere.
            real = Path(os.path.realpath(self._real(output.path, folder)))
            if not real.is_relative_to(os.path.realpath(folder)):
                return f"Its output {output.name} at {output.path} is a link that leads out of the step."
            if not real.exists():
                if output.optional:
                    continue
                return f"The command ended well, but its output {output.name} is missing at {output.path}."
            self.passed[step.name, output.name] = real
            if output.global_name:
                self.delivered[output.global_name] = (output, real)
        return ""

    def tell_ended(self, step: StepPlan, status: Status, seen: Observation) -> None:
        """Let later steps refer to this one."""
        phase = "Succeeded" if status is Status.COMPLETED else "Failed"
        for key, value in {
            "id": step.name,
            "status": phase,
            "exitCode": str(seen.exit_code or 0),
            "startedAt": _text(seen.started_at),
            "finishedAt": _text(seen.ended_at),
        }.items():
            self.values[f"steps.{step.name}.{key}"] = value

    def _output_mounts(self, step: StepPlan, folder: Path) -> dict[str, Path]:
        """The folder that is to hold each output, writable; the output itself is the command's to make."""
        mounts: dict[str, Path] = {}
        for output in step.outputs:
            real = self._real(output.path, folder)
            parent = PurePosixPath(output.path).parent
            mounted = output.path if parent in _NO_PARENT else str(parent)
            target = real if parent in _NO_PARENT else real.parent
            target.mkdir(parents=True, exist_ok=True)
            mounts[mounted] = target
        return mounts

    @staticmethod
    def _real(path: str, folder: Path) -> Path:
        return folder / "outputs" / PurePosixPath(path).relative_to("/")

    def _bring(self, wanted: InputPlan, to: Path) -> Path | None:
        to.parent.mkdir(parents=True, exist_ok=True)
        if wanted.raw is not None:
            to.write_text(wanted.raw)
        elif wanted.from_step is not None:
            source = self.passed.get((wanted.from_step, str(wanted.from_output)))
            if source is None:
                return self._absent(wanted)
            _copy(_part(source, wanted.sub_path), to)
        elif (artifact := self.inputs.get(str(wanted.slot))) is not None:
            location = storage.parse_url(artifact.url)
            self.store.fetch(location.path, to, sub_path=wanted.sub_path or "")
            _unpack_our_archive(artifact, to)
        else:
            return self._absent(wanted)
        return to

    @staticmethod
    def _absent(wanted: InputPlan) -> None:
        if not wanted.optional:
            raise Invalid(f"The input {wanted.name} is missing; the template does not call it optional.")

    def _variables(self, step: StepPlan) -> Mapping[str, str]:
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
            "OMP_NUM_THREADS": str(PLANS[step.resource_plan or DEFAULT_PLAN].cpu),
        }
        ours |= {f"LAUNCHPAD_INPUT_{variable(item.name)}": item.path for item in step.inputs}
        ours |= {f"LAUNCHPAD_OUTPUT_{variable(item.name)}": item.path for item in step.outputs}
        return ours | dict(step.env)


def _limits(step: StepPlan) -> Limits:
    plan = PLANS[step.resource_plan or DEFAULT_PLAN]
    memory = settings.STEP_MEMORY_BYTES or plan.memory_gb * 1024**3
    return Limits(memory_bytes=memory, processes=4096)


def _values(execution: Execution, template: ExecutableTemplate, bound: Mapping[str, str]) -> dict[str, str]:
    """What the placeholders of the whole workflow stand for."""
    created = execution.created_at
    listed = json.dumps([{"name": key, "value": value} for key, value in bound.items()])
    values = {f"workflow.parameters.{key}": value for key, value in bound.items()}
    values |= {
        "workflow.parameters": listed,
        "workflow.parameters.json": listed,
        "workflow.name": execution.pk,
        "workflow.uid": execution.pk,
        "workflow.namespace": execution.resource_group.slug,
        "workflow.mainEntrypoint": template.batch.entrypoint,
        "workflow.creationTimestamp": _text(created),
        "workflow.scheduledTime": _text(created),
    }
    values |= {f"workflow.creationTimestamp.{letter}": created.strftime(f"%{letter}") for letter in _STRFTIME}
    for kind in ("labels", "annotations"):
        pairs = dict(getattr(template.batch, kind))
        values |= {f"workflow.{kind}.{key}": value for key, value in pairs.items()}
    return values


def _text(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


def _part(source: Path, sub_path: str | None) -> Path:
    """A part of what an earlier step left, where `leave` found it; a link must not lead anywhere else."""
    if not sub_path:
        return source
    part = Path(os.path.realpath(source / sub_path))
    if not part.is_relative_to(source):
        raise Invalid(f"The sub-path {sub_path} leads out of the output it belongs to.")
    if not part.exists():
        raise Invalid(f"The output has nothing at {sub_path}.")
    return part


def _copy(source: Path, to: Path) -> None:
    """Copy what an earlier step left; links are copied as links and never followed."""
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, to, symlinks=True)
    else:
        shutil.copy2(source, to, follow_symlinks=False)


def _unpack_our_archive(artifact: Artifact, at: Path) -> None:
    """An output stored as one archive becomes its content again when it is an input."""
    if artifact.execution_id is None or not at.is_file():
        return
    packed = at.with_name(at.name + ".packed")
    try:
        if artifact.url.endswith(".tgz"):
            at.rename(packed)
            archives.extract(packed, at)
        elif artifact.url.endswith(".zip"):
            at.rename(packed)
            with zipfile.ZipFile(packed) as archive:
                archive.extractall(at)
    except _BROKEN_ARCHIVE as error:
        raise Invalid(f"The input {artifact} is no archive that can be unpacked: {error}") from error
    packed.unlink(missing_ok=True)
