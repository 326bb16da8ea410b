"""Facts about an artifact's bytes: its files with their checksums, and what ONNX models say of themselves."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils import timezone

from launchpad.access import Scope
from launchpad.errors import Conflict, Invalid
from mlops import storage
from mlops.domain import artifact_seals
from mlops.formats import onnx
from mlops.models import Artifact, ArtifactFacts

FILES_LIMIT = 10_000
MODELS_LIMIT = 10
# What is known of the formats in an artifact, as `ArtifactFacts` keeps it.
Facts = dict[str, list[dict[str, Any]]]


def find(store: storage.Store, path: str, inspection: storage.Inspection) -> Facts:
    """What the ONNX models among the files say, at most 10 of them, read past their weights.

    Never raises: what cannot be read is an `error` in words.
    """
    names = [name for name, _, _ in inspection.files if name.lower().endswith(".onnx")][:MODELS_LIMIT]
    full = (f"{path}/{name}" if inspection.is_folder else path for name in names)
    return {"onnx": [model(store, place, name) for place, name in zip(full, names, strict=True)]}


def model(store: storage.Store, full: str, name: str) -> dict[str, Any]:
    """What one ONNX model says of itself, JSON types only. full: its path in the store; name: as told."""
    try:
        found = onnx.read(store.ranges(full))
    except ValueError as error:
        return {"path": name, "error": f"{name} cannot be read as an ONNX model: {error}."}
    except (Invalid, Conflict) as error:
        return {"path": name, "error": error.message}
    told = asdict(found) | {
        "inputs": [port._asdict() for port in found.inputs],
        "outputs": [port._asdict() for port in found.outputs],
        "opsets": [list(opset) for opset in found.opsets],
    }
    return {"path": name, **told}


def record(scope: Scope, artifact: Artifact, inspection: storage.Inspection, facts: Facts | None) -> None:
    """Keep what was found, signed, inside the transaction that inserts the artifact."""
    files = inspection.files if len(inspection.files) <= FILES_LIMIT else ()
    known = [list(file) for file in files]
    row = ArtifactFacts(artifact=artifact, files=known, **(facts or {}))
    artifact_seals.put(scope, row, artifact, timezone.now())
    row.save(force_insert=True)


def of(scope: Scope, artifact: Artifact) -> ArtifactFacts:
    """What was found in an artifact's bytes; empty for one that nothing is known of."""
    return scope.of(ArtifactFacts).filter(artifact=artifact).first() or ArtifactFacts(artifact=artifact)
