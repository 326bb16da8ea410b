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
from mlops.models import Artifact, ArtifactBinding, Configuration

PREDICT = "/v1/predict"
# Own code chooses its path. This template is the one that every course begins with; what it answers is known.
_KNOWN = {"text-clf-infer-tutorial": "/v2/predict"}
_ARTIFACTS = "inputs.artifacts."


@dataclass(frozen=True)
class Served:
    """One configuration as it is served.

    built_in: the format of the model that Launchpad's own server serves, "" for a server of the template's
    own. model: the artifact that it serves, None when none is bound. path: where it is called, "" when only
    its authors know. signature: what the model takes, None when that is not known. takes_text: whether it is
    sent `{"text": …}` there, although no signature says so.
    """

    bindings: Bindings
    built_in: str
    model: Artifact | None
    path: str
    signature: Signature | None
    takes_text: bool


def of(scope: Scope, configuration: Configuration) -> Served:
    """Look at a configuration, its version selected along; four queries."""
    bound = configurations.bindings(configuration)
    serving = catalog.describe(configuration.executable_version).serving
    built_in = serving.model.format if serving and serving.model else ""
    model = _model(bound, serving)
    known = _KNOWN.get(configuration.executable_version.executable.slug, "")
    signature = None
    if model is not None and built_in:
        signature = model_signatures.of_facts(artifact_facts.of(scope, model).onnx)
    return Served(bound, built_in, model, PREDICT if built_in else known, signature, bool(known))


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
