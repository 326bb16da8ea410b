"""The input artifacts of a step on their way into its folder."""

from __future__ import annotations

import lzma
import os
import shutil
import tarfile
import zipfile
import zlib
from pathlib import Path

from launchpad.errors import Invalid
from mlops import storage
from mlops.engine import archives
from mlops.models import Artifact

# A step may have written the archive itself. The last one stands for encryption and unknown methods.
_BROKEN_ARCHIVE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError)


def write(text: str, to: Path) -> None:
    """A text as a file."""
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(text)


def fetch(artifact: Artifact, store: storage.Store, to: Path, *, sub_path: str | None) -> None:
    """Copy a registered artifact, or the part of it at sub_path, from its store; archives are unpacked.

    Raises Invalid when nothing lies there or it is no archive after all, Conflict for a store that fails.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    store.fetch(storage.parse_url(artifact.url).path, to, sub_path=sub_path or "")
    _unpack_our_archive(artifact, to)


def copy(source: Path, to: Path, *, sub_path: str | None) -> None:
    """Copy what an earlier step left; links are copied as links and never followed. Raises Invalid."""
    to.parent.mkdir(parents=True, exist_ok=True)
    part = _part(source, sub_path)
    if part.is_dir() and not part.is_symlink():
        shutil.copytree(part, to, symlinks=True)
    else:
        shutil.copy2(part, to, follow_symlinks=False)


def _part(source: Path, sub_path: str | None) -> Path:
    """A part of what an earlier step left; a link must not lead anywhere else."""
    if not sub_path:
        return source
    part = Path(os.path.realpath(source / sub_path))
    if not part.is_relative_to(source):
        raise Invalid(f"The sub-path {sub_path} leads out of the output it belongs to.")
    if not part.exists():
        raise Invalid(f"The output has nothing at {sub_path}.")
    return part


def _unpack_our_archive(artifact: Artifact, at: Path) -> None:
    """An output stored as one archive becomes its content again when it is an input."""
    if artifact.execution_id is None or not at.is_file():
        return
    packed = at.with_name(at.name + ".packed")
    try:
        if artifact.url.endswith(".tgz"):
            at.rename(packed)
            archives.extract(packed, at)
        elif artifact.url.endswith(".zip"):
            at.rename(packed)
            with zipfile.ZipFile(packed) as archive:
                archive.extractall(at)
    except _BROKEN_ARCHIVE as error:
        raise Invalid(f"The input {artifact} is no archive that can be unpacked: {error}") from error
    packed.unlink(missing_ok=True)
