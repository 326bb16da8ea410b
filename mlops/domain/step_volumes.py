"""The volumes of a step: empty folders, folders shared within an execution, secrets as files."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from launchpad.errors import Invalid
from mlops.engine.spec import Mount
from mlops.manifests.spec import Template, Volume, VolumeMount, Workflow

Secrets = Mapping[str, Mapping[str, bytes]]


@dataclass(frozen=True, slots=True)
class Limit:
    """A folder and how many bytes it may hold."""

    name: str
    folder: Path
    size_bytes: int


def used(template: Template, workflow: Workflow) -> dict[str, Volume]:
    """The volumes that a template mounts, by name; its own hide those of the workflow."""
    known = {volume.name: volume for volume in (*workflow.volumes, *template.volumes)}
    return {mount.volume: known[mount.volume] for mount in template.volume_mounts}


def make(
    template: Template, workflow: Workflow, secrets: Secrets, *, folder: Path, shared: Path
) -> tuple[dict[str, Mount], list[Limit]]:
    """Make the folders of a step's volumes; what it mounts by path, and the limits to watch.

    folder: the step's own; shared: where those of the execution lie. Raises Invalid for a part that leads
    out of its volume or is missing from a secret.
    """
    places: dict[str, Path] = {}
    limits: list[Limit] = []
    for number, (name, volume) in enumerate(used(template, workflow).items()):
        if volume.kind == "shared":
            # Numbered, because names come from templates and paths must not.
            place = shared / str(workflow.volumes.index(volume) if volume in workflow.volumes else name)
            place.mkdir(parents=True, exist_ok=True)
        elif volume.kind == "scratch":
            place = folder / "volumes" / str(number)
            place.mkdir(parents=True)
        else:
            place = folder / "secrets" / str(number)
            _write_secret(place, volume, secrets.get(volume.secret or "", {}))
        places[name] = place
        if volume.size_bytes is not None and volume.kind != "secret":
            limits.append(Limit(name, place, volume.size_bytes))
    kinds = {name: volume.kind for name, volume in used(template, workflow).items()}
    return {
        mount.path: Mount(
            mount.path,
            _part(mount, places[mount.volume], is_secret=kinds[mount.volume] == "secret"),
            read_only=mount.read_only or kinds[mount.volume] == "secret",
            files={"shared": "shared", "secret": "secret"}.get(kinds[mount.volume], "own"),  # type: ignore[arg-type]
        )
        for mount in template.volume_mounts
    }, limits


def _part(mount: VolumeMount, place: Path, *, is_secret: bool) -> Path:
    """The part of a volume that is mounted. An earlier step may have left links in a shared one."""
    if not mount.sub_path:
        return place
    real = Path(os.path.realpath(place / mount.sub_path))
    if not real.is_relative_to(os.path.realpath(place)):
        raise Invalid(f"The part {mount.sub_path} leads out of the volume {mount.volume}.")
    if not real.exists():
        if is_secret:
            raise Invalid(f"The volume {mount.volume} has nothing at {mount.sub_path}.")
        real.mkdir(parents=True)
    return real


def _write_secret(place: Path, volume: Volume, values: Mapping[str, bytes]) -> None:
    """Each value as a file that only its owner may read; the runner makes the step's user the owner."""
    place.mkdir(parents=True, mode=0o700)
    chosen = dict(volume.items) or {key: key for key in values}
    for key, path in chosen.items():
        if key not in values:
            if volume.optional:
                continue
            raise Invalid(f"The secret {volume.secret} has no key {key}.")
        relative = PurePosixPath(path)
        if relative.is_absolute() or ".." in relative.parts or not relative.parts:
            raise Invalid(f"The volume {volume.name} cannot hold a file at {path}.")
        to = place / relative
        to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        number = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        with os.fdopen(number, "wb") as file:
            file.write(values[key])


def forget_secrets(folder: Path) -> None:
    """Remove the secret files of a step that has ended."""
    shutil.rmtree(folder / "secrets", ignore_errors=True)


def size(folder: Path) -> int:
    """Bytes on disk below a folder; what is closed to us or vanishes meanwhile does not count."""
    return sum(found.st_blocks * 512 for found in _entries(str(folder)) if not stat.S_ISDIR(found.st_mode))


def _entries(top: str) -> Iterator[os.stat_result]:
    waiting = [top]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    try:
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        yield entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
        except (FileNotFoundError, PermissionError, NotADirectoryError):
            continue
