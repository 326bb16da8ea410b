"""What a configuration serves: its model, the path that its server offers, and what it may be sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from launchpad.access import Scope
from mlops.domain import artifact_facts, catalog, configurations, model_signatures
from mlops.domain.configurations import Bindings
from mlops.domain.model_signatures import Signature
from mlops.manifests.spec import Serving
from mlops.models import Artifact, ArtifactBinding, Configuration, ExecutableVersion

PREDICT = "/v1/predict"
# Own code chooses its path. This template is the one that every course begins with; what it answers is known.
_KNOWN = {"text-clf-infer-tutorial": "/v2/predict"}
_ARTIFACTS = "inputs.artifacts."


@dataclass(frozen=True)
class Served:
    """One configuration as it is served.

    built_in: the format of the model that Launchpad's own server serves, "" for a server of the template's
    own. model: the artifact that it serves, None when none is bound. path: where it is called, "" when only
    its authors know. takes_text: whether it is sent `{"text": …}` there, although no signature says so.
    """

    bindings: Bindings
    built_in: str
    model: Artifact | None
    path: str
    takes_text: bool


def of(configuration: Configuration) -> Served:
    """Look at a configuration, its version as it is served and the executable selected along; two queries."""
    bound = configurations.bindings(configuration)
    version = configuration.executable_version
    serving = catalog.describe(version).serving
    built_in = serving.model.format if serving and serving.model else ""
    is_known = version.executable.slug in _KNOWN
    return Served(bound, built_in, _model(bound, serving), path(version), is_known)


def path(version: ExecutableVersion) -> str:
    """Where a server of this version is called, "" when only its authors know. No query."""
    serving = catalog.describe(version).serving
    is_built_in = serving is not None and serving.model is not None
    return PREDICT if is_built_in else _KNOWN.get(version.executable.slug, "")


def signature(scope: Scope, served: Served) -> Signature | None:
    """What the model of Launchpad's own server takes, as is known of its file; None for others. One query."""
    if served.model is None or not served.built_in:
        return None
    return model_signatures.of_facts(artifact_facts.of(scope, served.model).onnx)


def _model(bound: Bindings, serving: Serving | None) -> Artifact | None:
    """The artifact of the input that is served, else the first model."""
    name = ""
    if serving and serving.model:
        name = serving.model.storage_uri.strip().strip("{}").strip().removeprefix(_ARTIFACTS)
    elif serving and serving.server:
        name = serving.server.model or ""
    named = next((artifact for slot, artifact in bound.artifacts if slot.name == name), None)
    models = (artifact for _, artifact in bound.artifacts if artifact.kind == Artifact.Kind.MODEL)
    return named or next(models, None)


def by_configuration(scope: Scope, configurations: Iterable[UUID]) -> dict[UUID, list[Artifact]]:
    """The models that each of these configurations binds, by its key; one query."""
    wanted = set(configurations)
    rows = scope.of(ArtifactBinding).filter(configuration__in=wanted, artifact__kind=Artifact.Kind.MODEL)
    found: dict[UUID, list[Artifact]] = {key: [] for key in wanted}
    row: Any
    for row in rows.select_related("artifact").order_by("pk"):
        found[row.configuration_id].append(row.artifact)
    return found
