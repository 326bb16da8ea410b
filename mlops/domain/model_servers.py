"""Executables that serve a given model, and the configuration that binds it to one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Subquery

from launchpad.access import Scope
from mlops.domain import catalog, configurations
from mlops.models import Artifact, Configuration, Executable, ExecutableVersion

_LOOKED_AT = 20


@dataclass(frozen=True)
class ModelServer:
    """The newest version of an executable that serves, and the input of it that takes the model.

    needs: whether more is to be chosen than the model: a parameter without a default, another input.
    built_in: the format that Launchpad's own server reads there, "" for a server of the scenario's. is_akin:
    of the model's own scenario.
    """

    version: ExecutableVersion
    slot: str
    needs: bool
    built_in: str
    is_akin: bool

    @property
    def key(self) -> str:
        """Names it in a form: `<executable>:<input>`."""
        return f"{self.version.executable.slug}:{self.slot}"


def of(scope: Scope, model: Artifact) -> list[ModelServer]:
    """What serves an artifact of this kind, of its own scenario first, then by slug."""
    newest = scope.of(ExecutableVersion).filter(executable=OuterRef("executable")).order_by("-number")
    rows = scope.of(ExecutableVersion).filter(
        executable__kind=Executable.Kind.SERVING, pk=Subquery(newest.values("pk")[:1])
    )
    found = [
        _server(version, slot.name, model)
        for version in rows.select_related("executable__scenario").order_by("executable__slug")
        for slot in catalog.describe(version).inputs
        if slot.kind == model.kind
    ]
    return sorted(found, key=lambda one: not one.is_akin)


def _server(version: ExecutableVersion, slot: str, model: Artifact) -> ModelServer:
    template = catalog.describe(version)
    served = template.serving.model if template.serving else None
    is_akin = version.executable.scenario_id == model.scenario_id
    return ModelServer(version, slot, _needs(template, slot), served.format if served else "", is_akin)


def _needs(template: Any, slot: str) -> bool:
    others = any(not one.optional and one.name != slot for one in template.inputs)
    return others or any(told.default is None for told in template.parameters)


def configuration(scope: Scope, server: ModelServer, model: Artifact) -> Configuration:
    """The configuration that binds the model and otherwise what the template says: there already, or new.

    Raises Forbidden; Invalid when the server needs more than the model.
    """
    rows = scope.of(Configuration).filter(
        executable_version=server.version,
        archived_at=None,
        inputs__key=server.slot,
        inputs__artifact=model,
    )
    defaults = {told.name: told.default for told in catalog.describe(server.version).parameters}
    for found in rows.prefetch_related("parameters", "inputs").order_by("-created_at", "-pk")[:_LOOKED_AT]:
        values = {row.key: row.value for row in found.parameters.all()}
        if values == defaults and len(found.inputs.all()) == 1:
            return found
    return configurations.create(
        scope,
        name=_name(server, model),
        version=server.version,
        parameters={},
        artifacts={server.slot: model.pk},
    )


def draft(server: ModelServer, model: Artifact, *, deployment: str) -> dict[str, Any]:
    """A draft of that configuration, for `configurations.save_draft`. deployment: the draft that wants it."""
    return {
        "name": _name(server, model),
        "scenario": server.version.executable.scenario.slug,
        "executable": server.version.executable.slug,
        "version": server.version.number,
        "artifacts": {server.slot: str(model.pk)},
        "deployment": deployment,
    }


def _name(server: ModelServer, model: Artifact) -> str:
    return f"{model.name[:150]} version {model.version} on {server.version.executable.slug}"
