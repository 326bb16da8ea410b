"""Outputs on their way: uploaded outside any transaction, registered with the completion."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from launchpad.access import Scope
from launchpad.errors import LaunchpadError
from mlops import storage
from mlops.domain import artifact_facts, artifacts, signatures
from mlops.domain.placements import Placement
from mlops.engine.flow import Export, Made
from mlops.manifests import OutputSlot
from mlops.manifests.spec import Archive
from mlops.models import Artifact, Execution


@dataclass(frozen=True, slots=True)
class Delivery:
    """One uploaded output: the template's declaration, where it lies, and what it weighs."""

    slot: OutputSlot
    location: storage.Location
    inspection: storage.Inspection
    signature: str
    facts: artifact_facts.Facts


def upload(
    store: storage.Store,
    execution: Execution,
    attempt: int,
    placement: Placement,
    exports: Mapping[str, Export],
    signed: Mapping[str, str],
) -> list[Delivery]:
    """Upload every output that has a globalName to the group's default store; nothing is ever written over.

    exports, signed: outputs and their signatures by globalName. Goes to `ai://default/<execution>/<name>`,
    later attempts to `…/<execution>/<attempt>/<name>`. Raises Invalid for a link that leaves the output's
    folder and for a signature of something else, Conflict when something lies there.
    """
    slots = {slot.name: slot for slot in placement.template.outputs}
    folder = execution.pk if attempt == 1 else f"{execution.pk}/{attempt}"
    sent: list[Delivery] = []
    try:
        for number, (name, export) in enumerate(exports.items()):
            if not isinstance(export.artifact, Made):
                continue
            real, to = placement.passed[export.artifact], placement.place / f"{number}.packed"
            local, ending = _packed(export.archive, real, to)
            location = storage.Location(store.name, f"{folder}/{name}{slots[name].suffix}{ending}")
            inspection = store.upload_tree(local, location.path, within=placement.place)
            signature = signed.get(name, "")
            facts = artifact_facts.find(store, location.path, inspection)
            sent.append(Delivery(slots[name], location, inspection, signature, facts))
            signatures.check(name, signature, inspection)
    except (LaunchpadError, OSError):
        discard(store, sent)
        raise
    return sent


def _packed(archive: Archive, real: Path, to: Path) -> tuple[Path, str]:
    """The file or folder to upload, perhaps packed at `to`, and the ending its archive adds."""
    if archive == "none":
        return real, ""
    if archive == "tar":
        with tarfile.open(to, "w:gz") as tar:
            tar.add(real, arcname="." if real.is_dir() else real.name)
        return to, ".tgz"
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(real.rglob("*")) if real.is_dir() else [real]:
            if path.is_file() and not path.is_symlink():
                packed.write(path, path.relative_to(real) if real.is_dir() else path.name)
    return to, ".zip"


def register(scope: Scope, execution: Execution, delivered: list[Delivery]) -> None:
    """Insert the outputs as artifact versions; runs inside the completion's transaction."""
    for item in delivered:
        made = artifacts.add_version(
            scope,
            kind=item.slot.kind,
            name=item.slot.registered_name,
            url=storage.url(item.location),
            inspection=item.inspection,
            facts=item.facts,
            scenario=execution.executable_version.executable.scenario,
            execution=execution,
            description=item.slot.description,
            labels=item.slot.labels,
            user=execution.created_by,
        )
        if item.signature:
            scope.of(Artifact).filter(pk=made.pk).update(signature=item.signature)


def discard(store: storage.Store, delivered: list[Delivery]) -> None:
    """Remove uploaded outputs that no artifact refers to."""
    for item in delivered:
        store.delete_prefix(item.location.path)
