"""What a configuration makes of a serving template: numbers as numbers, the server as one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from launchpad.errors import Invalid
from mlops.manifests import durations
from mlops.manifests.placeholders import names, replace
from mlops.manifests.plans import DEFAULT_PLAN
from mlops.manifests.spec import ExecutableTemplate, Server, Serving, Template, Workflow

PARAMETERS, ARTIFACTS = "inputs.parameters.", "inputs.artifacts."
MODELS = "/mnt/models"
TIMEOUT_SECONDS = 300
_GRACE_SECONDS = 30
_TARGET, _FULL_SHARE, _WINDOW_SECONDS = 100, 0.7, 60


@dataclass(frozen=True)
class Scaling:
    """When servers are added and ended.

    metric: `concurrency`, which counts open requests, or `rps`; target: how much of it one server may have.
    window_seconds: for so long fewer servers must have been enough before one is ended.
    """

    metric: str
    target: float
    window_seconds: int


@dataclass(frozen=True)
class Plan:
    """A serving template with its parameters filled in; artifacts are filled in where they lie.

    replicas: how many servers it starts with; most: how many it may come to. concurrency: requests that one
    of them takes at once, 0 for any number. port: where the template says that the server listens, which
    stands for the one it is given. model: the input that is fetched to MODELS, "" for none. built_in: the
    format of the model that Launchpad's own server serves, "" for a server of the template's own.
    """

    step: Template
    replicas: int
    most: int
    concurrency: int
    timeout_seconds: int
    grace_seconds: int
    port: str
    ready_path: str
    live_path: str
    model: str
    built_in: str
    volumes: Workflow
    scaling: Scaling

    @property
    def resource_plan(self) -> str:
        """The resource plan of each replica."""
        return self.step.resource_plan or DEFAULT_PLAN


def of(template: ExecutableTemplate) -> Serving:
    """The serving part of a template; raises Invalid for one that runs to its end instead."""
    if template.serving is None:
        raise Invalid(
            f"{template.executable_id} runs to an end, it does not serve: "
            "its configurations are for executions, not for deployments."
        )
    return template.serving


def plan(template: ExecutableTemplate, parameters: Mapping[str, str]) -> Plan:
    """Fill the parameters of a configuration in. Raises Invalid for a template that does not serve.

    The configuration has been checked when it was made, so that numbers are numbers. A parameter that a newer
    version of the template brought has its default.
    """
    serving = of(template)
    parameters = {each.name: each.default or "" for each in template.parameters} | dict(parameters)
    server = serving.server or Server(name="model")

    def filled(text: str | None) -> str:
        return fill(text or "", parameters)

    concurrency = int(filled(serving.concurrency) or 0)
    replicas = max(int(filled(serving.min_replicas) or 1), 1)
    most = int(filled(serving.max_replicas) or max(replicas, 2))
    step = Template(
        name=server.name or "server",
        kind="container",
        command=tuple(map(filled, server.command)),
        args=tuple(map(filled, server.args)),
        env=tuple((name, filled(value)) for name, value in server.env if name != "STORAGE_URI"),
        env_secrets=server.env_secrets,
        env_from=server.env_from,
        working_dir=filled(server.working_dir) or None,
        image=server.image,
        volumes=serving.volumes,
        volume_mounts=server.volume_mounts,
        resource_plan=resource_plan(serving.resource_plan, parameters),
    )
    model = server.model or ""
    if serving.model is not None:
        model = serving.model.storage_uri.strip().strip("{}").strip().removeprefix(ARTIFACTS)
    return Plan(
        step=step,
        replicas=replicas,
        most=most,
        concurrency=concurrency,
        timeout_seconds=int(filled(serving.timeout_seconds) or TIMEOUT_SECONDS),
        grace_seconds=int(filled(serving.grace_seconds) or _GRACE_SECONDS),
        port=filled(server.port),
        ready_path=filled(server.ready_path),
        live_path=filled(server.live_path),
        model=model,
        built_in=serving.model.format if serving.model else "",
        volumes=Workflow(entrypoint=step.name, templates=(step,), volumes=serving.volumes),
        scaling=_scaling({key: filled(value) for key, value in serving.autoscaling}, concurrency),
    )


def _scaling(told: Mapping[str, str], concurrency: int) -> Scaling:
    # A server that may take only so many requests at once is helped before it is full.
    usual = concurrency * _FULL_SHARE if concurrency else _TARGET
    return Scaling(
        metric=told.get("metric", "concurrency"),
        target=float(told.get("target", usual)),
        window_seconds=int(durations.seconds(told.get("window", "")) or _WINDOW_SECONDS),
    )


def resource_plan(text: str | None, parameters: Mapping[str, str]) -> str:
    """The resource plan of each replica, of what the template says and a configuration's parameters."""
    return fill(text or "", parameters) or DEFAULT_PLAN


def parameters_in(text: str | None) -> set[str]:
    """Names of the parameters that a text is filled in with."""
    return {name.removeprefix(PARAMETERS) for name in names(text or "") if name.startswith(PARAMETERS)}


def fill(text: str, parameters: Mapping[str, str]) -> str:
    """The text with its parameters filled in; placeholders of artifacts stay."""
    return replace(text, lambda name: _value(name, parameters))


def _value(name: str, parameters: Mapping[str, str]) -> str:
    if name.startswith(PARAMETERS):
        return parameters[name.removeprefix(PARAMETERS)]
    return f"{{{{{name}}}}}"
