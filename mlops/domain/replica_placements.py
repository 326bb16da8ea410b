"""Where a replica runs: its folder, environment, model files, port, variables and limits, as a RunSpec."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from launchpad.errors import Invalid
from mlops import storage
from mlops.domain import servings, step_inputs, step_secrets, step_volumes
from mlops.domain.placements import limits_of, variable
from mlops.engine.probes import Checks
from mlops.engine.spec import Mount, RunSpec
from mlops.manifests.placeholders import replace
from mlops.models import Artifact, Deployment, Replica, Revision

SERVER = Path(__file__).resolve().parents[1] / "serving"
_SERVER_AT, _ARTIFACTS_AT = "/mnt/launchpad-server", "/mnt/artifacts"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Bound:
    """What a replica serves: read from the database before anything is brought to its place."""

    replica: Replica
    deployment: Deployment
    revision: Revision
    plan: servings.Plan
    artifacts: Mapping[str, Artifact]
    stores: Mapping[str, storage.Store]
    secrets: step_volumes.Secrets

    @property
    def model(self) -> Artifact | None:
        """The artifact that is fetched to MODELS, if there is one."""
        return self.artifacts.get(self.plan.model)


@dataclass(frozen=True)
class Stay:
    """A replica in its place. address: `host:port` by which web processes reach it."""

    spec: RunSpec
    checks: Checks
    address: str
    limits: list[step_volumes.Limit]


def requirements(bound: Bound, tree: Path, place: Path) -> Path | None:
    """The file of what the server needs; None where the worker's own interpreter is enough.

    Launchpad's own server brings its own; a scikit-learn model is read by what the scenario trains with.
    """
    own = tree / "requirements.txt"
    if not bound.plan.built_in:
        return own if own.exists() else None
    if bound.plan.built_in == "onnx":
        return SERVER / "onnx-requirements.txt"
    if not own.exists():
        return SERVER / "sklearn-requirements.txt"
    both = place / "requirements.txt"
    both.write_text(f"{own.read_text()}\n{(SERVER / 'http-requirements.txt').read_text()}")
    return both


def enter(bound: Bound, place: Path, tree: Path, environment: Path | None, port: int) -> Stay:
    """Bring what the server needs to its place, and say how to run it.

    Raises Invalid or Conflict when an artifact cannot be had, OSError when the host has no room.
    """
    step, plan = bound.plan.step, bound.plan
    folder = place / "server"
    folder.mkdir(mode=0o711)
    mounts, watched = step_volumes.make(
        step, plan.volumes, bound.secrets, folder=folder, shared=place / "shared"
    )
    paths = _bring(bound, folder)
    mounts |= {path: Mount(path, real, read_only=True) for path, real in paths.items()}
    host = settings.DEPLOYMENT_HOST
    listens = host if host in _LOOPBACK else "0.0.0.0"

    def filled(text: str) -> str:
        named = replace(text, lambda name: _folder(bound, name))
        return re.sub(rf"(?<![\w.]){re.escape(plan.port)}(?![\w.])", str(port), named) if plan.port else named

    argv = tuple(map(filled, (*step.command, *step.args)))
    if plan.built_in:
        copied = folder / "launchpad-server"
        shutil.copytree(SERVER, copied, ignore=shutil.ignore_patterns("__pycache__", "*-requirements.txt"))
        mounts[_SERVER_AT] = Mount(_SERVER_AT, copied, read_only=True)
        argv = ("python", f"{_SERVER_AT}/main.py", "--format", plan.built_in, "--model", servings.MODELS)
        argv += ("--name", _model_name(bound), "--host", listens, "--port", str(port))
        argv += ("--version", str(bound.model.version if bound.model else 1))
    spec = RunSpec(
        id=f"{bound.deployment.pk}-{bound.revision.number}-{bound.replica.index}-{bound.replica.attempt}",
        argv=argv,
        env={name: filled(value) for name, value in step.env} | _variables(bound, listens, port),
        folder=folder,
        source=tree,
        working_dir=step.working_dir,
        python_env=environment,
        mounts=tuple(mounts.values()),
        limits=limits_of(step),
        grace_seconds=plan.grace_seconds,
        hidden=(Path(settings.LAUNCHPAD_DATA),),
    )
    checks = Checks(
        host,
        port,
        ready="/v2/health/ready" if plan.built_in else plan.ready_path,
        live="/v2/health/live" if plan.built_in else plan.live_path,
        seconds=settings.PROBE_SECONDS,
    )
    return Stay(spec, checks, f"{host}:{port}", watched)


def _bring(bound: Bound, folder: Path) -> dict[str, Path]:
    """Fetch the artifacts; where each lies, by the path that the server finds it at."""
    paths = {}
    for number, (name, artifact) in enumerate(bound.artifacts.items()):
        real = folder / "artifacts" / str(number)
        store = bound.stores[storage.parse_url(artifact.url).store]
        step_inputs.fetch(artifact, store, real, sub_path=None)
        at = servings.MODELS if name == bound.plan.model else f"{_ARTIFACTS_AT}/{name}"
        if at == servings.MODELS and real.is_file():
            # The variable says folder: a model of one file is a file in it.
            inside = folder / "artifacts" / f"{number}-folder"
            inside.mkdir()
            real = real.rename(inside / Path(storage.parse_url(artifact.url).path).name)
            real = inside
        paths[at] = real
    return paths


def _folder(bound: Bound, name: str) -> str:
    """Where the server finds the artifact of a placeholder."""
    slot = name.removeprefix(servings.ARTIFACTS)
    if slot not in bound.artifacts:
        raise Invalid(f"The input {slot} is missing; the template does not call it optional.")
    return servings.MODELS if slot == bound.plan.model else f"{_ARTIFACTS_AT}/{slot}"


def _variables(bound: Bound, listens: str, port: int) -> dict[str, str]:
    group = bound.deployment.resource_group
    ours = {
        "HOST": listens,
        "PORT": str(port),
        "AICORE_DEPLOYMENT_ID": bound.deployment.pk,
        "AI-RESOURCE-GROUP": group.slug,
        "PYTHONUNBUFFERED": "1",
        # onnxruntime reports over the network otherwise.
        "ORT_DISABLE_TELEMETRY": "1",
    }
    for name in bound.artifacts:
        ours[f"LAUNCHPAD_INPUT_{variable(name)}"] = _folder(bound, f"{servings.ARTIFACTS}{name}")
    if bound.plan.model:
        ours |= {"MODEL_DIR": servings.MODELS, "STORAGE_URI": servings.MODELS}
    return ours | step_secrets.variables(bound.plan.step, bound.secrets)


def _model_name(bound: Bound) -> str:
    return re.sub(r"[^\w.-]", "-", bound.model.name if bound.model else "model")[:128]
