"""Seals of artifacts: the record of a registration, signed with a key of the installation."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from launchpad import vault
from launchpad.access import Scope
from mlops.models import Artifact, ArtifactFacts

State = Literal["none", "valid", "older", "changed", "unknown"]


@dataclass(frozen=True)
class Seal:
    """What is known of an artifact's seal. by, at: who or what registered it and when, as it was signed.

    state: "valid"; "older" when it is true under a key that is not the first any more; "changed" when the
    record is not what was signed; "unknown" when its key is gone, so that nothing can be told; "none" without
    a seal.
    """

    state: State
    by: str = ""
    at: datetime | None = None

    @property
    def is_true(self) -> bool:
        """Whether the record is what was signed."""
        return self.state in ("valid", "older")


def put(scope: Scope, facts: ArtifactFacts, artifact: Artifact, at: datetime) -> None:
    """Sign the record of an artifact that is being registered; `facts` is yet to be stored."""
    made = f"execution {artifact.execution_id}" if artifact.execution_id else scope.actor
    facts.sealed_by, facts.sealed_at = made[:256], at
    facts.seal = vault.sign(_record(artifact, facts))


def look(artifact: Artifact, facts: ArtifactFacts) -> Seal:
    """Compare the record as it is now with what was signed; reads no bytes of the artifact."""
    if not facts.seal:
        return Seal("none")
    key = vault.signer(facts.seal)
    if key is None:
        return Seal("unknown", facts.sealed_by, facts.sealed_at)
    if not vault.is_signed(_record(artifact, facts), facts.seal):
        return Seal("changed", facts.sealed_by, facts.sealed_at)
    return Seal("older" if key else "valid", facts.sealed_by, facts.sealed_at)


def _record(artifact: Artifact, facts: ArtifactFacts) -> bytes:
    """What a seal vouches for: which version it is, what lay there, file by file, and who says so when."""
    at = facts.sealed_at.astimezone(UTC).isoformat() if facts.sealed_at else ""
    files = json.dumps(facts.files, separators=(",", ":"))
    told = [
        *(str(artifact.pk), str(artifact.resource_group_id), artifact.kind, artifact.name, artifact.version),
        *(artifact.url, artifact.size_bytes, artifact.file_count, artifact.digest),
        *(hashlib.sha256(files.encode()).hexdigest(), facts.sealed_by, at),
    ]
    return json.dumps(told, separators=(",", ":")).encode()
