"""Outputs on their way: uploaded outside any transaction, registered with the completion."""

from __future__ import annotations

import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from launchpad.access import Scope
from launchpad.errors import LaunchpadError
from mlops import storage
from mlops.domain import artifacts, catalog
from mlops.domain.placements import Placement
from mlops.manifests import OutputPlan, OutputSlot
from mlops.models import Execution


@dataclass(frozen=True, slots=True)
class Delivery:
    """One uploaded output: the template's declaration, where it lies, and what it weighs."""

    slot: OutputSlot
    location: storage.Location
    inspection: storage.Inspection


def upload(execution: Execution, attempt: int, placement: Placement) -> list[Delivery]:
    """Upload every output that has a globalName; nothing is ever written over.

    Goes to `ai://default/<execution>/<name>`, later attempts to `…/<execution>/<attempt>/<name>`.
    Raises Invalid for a link that leaves the output's folder, Conflict when something lies there.
    """
    template = catalog.describe(execution.executable_version)
    slots = {slot.name: slot for slot in template.outputs}
    folder = execution.pk if attempt == 1 else f"{execution.pk}/{attempt}"
    sent: list[Delivery] = []
    try:
        for name, (output, real) in placement.delivered.items():
            local, ending = _packed(output, real, placement.place)
            location = storage.Location("default", f"{folder}/{name}{slots[name].suffix}{ending}")
            inspection = placement.store.upload_tree(local, location.path, within=placement.place)
            sent.append(Delivery(slots[name], location, inspection))
    except (LaunchpadError, OSError):
        discard(execution, sent)
        raise
    return sent


def _packed(output: OutputPlan, real: Path, place: Path) -> tuple[Path, str]:
    """The file or folder to upload, and the ending its archive adds."""
    if output.archive == "none":
        return real, ""
    to = place / f"{output.name}.packed"
    if output.archive == "tar":
        with tarfile.open(to, "w:gz") as archive:
            archive.add(real, arcname="." if real.is_dir() else real.name)
        return to, ".tgz"
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(real.rglob("*")) if real.is_dir() else [real]:
            if path.is_file() and not path.is_symlink():
                archive.write(path, path.relative_to(real) if real.is_dir() else path.name)
    return to, ".zip"


def register(scope: Scope, execution: Execution, delivered: list[Delivery]) -> None:
    """Insert the outputs as artifact versions; runs inside the completion's transaction."""
    for item in delivered:
        artifacts.add_version(
            scope,
            kind=item.slot.kind,
            name=item.slot.registered_name,
            url=storage.url(item.location),
            inspection=item.inspection,
            scenario=execution.executable_version.executable.scenario,
            execution=execution,
            description=item.slot.description,
            labels=item.slot.labels,
            user=execution.created_by,
        )


def discard(execution: Execution, delivered: list[Delivery]) -> None:
    """Remove uploaded outputs that no artifact refers to."""
    store = storage.open_store(execution.resource_group)
    for item in delivered:
        store.delete_prefix(item.location.path)
