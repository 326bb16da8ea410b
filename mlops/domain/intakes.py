"""Intakes: templates and their packed source trees on their way from a folder into the catalog."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mlops import manifests, storage
from mlops.engine import sources
from mlops.manifests import ExecutableTemplate, Finding

if TYPE_CHECKING:
    from launchpad.workspaces.models import Workspace


@dataclass(frozen=True)
class Intake:
    """Templates with the digest and size of their packed source trees, and what was found on the way.

    trees: by executable id; a template without one keeps the tree of its executable's newest version.
    """

    templates: tuple[ExecutableTemplate, ...]
    trees: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        return ", ".join(template.executable_id for template in self.templates)


def read(folder: Path) -> Intake:
    """The folder's good templates, ids unique among them; their trees are not packed yet."""
    reading = manifests.read_folder(folder)
    return Intake(reading.templates, findings=reading.findings)


def pack(workspace: Workspace, folder: Path, intake: Intake) -> Intake:
    """Store the source trees of the templates' folders; templates whose folder cannot be packed fall out."""
    store = storage.open_source_trees(workspace)
    packed: dict[Path, tuple[str, int] | str] = {}
    kept, findings = [], list(intake.findings)
    trees: dict[str, tuple[str, int]] = {}
    for template in intake.templates:
        home = (folder / template.file).parent
        if home not in packed:
            packed[home] = _store_tree(store, home)
        tree = packed[home]
        if isinstance(tree, str):
            findings.append(finding(template, "error", "", f"its folder cannot be packed: {tree}"))
        else:
            kept.append(template)
            trees[template.executable_id] = tree
    return replace(intake, templates=tuple(kept), trees=trees, findings=tuple(findings))


def _store_tree(store: storage.Store, home: Path) -> tuple[str, int] | str:
    """Digest and packed size of a folder that now lies in the store, or why it cannot be packed."""
    with tempfile.TemporaryDirectory() as place:
        archive = Path(place, "tree.tar")
        try:
            digest = sources.pack(home, archive)
        except (ValueError, OSError) as error:
            return str(error)
        if not store.exists(tree_path(digest)):
            # Named by their content: two writers at once write the same bytes.
            with archive.open("rb") as file:
                store.write(tree_path(digest), iter(lambda: file.read(1024 * 1024), b""), overwrite=True)
        return digest, archive.stat().st_size


def pack_files(
    workspace: Workspace, files: Iterable[tuple[str, bytes]], intake: Intake, *, keeping: Collection[str]
) -> Intake:
    """As `pack`, of files that lie in no folder: their tree is the files themselves.

    files: (plain name, content). keeping: ids of executables that are there; they keep the tree they have.
    """
    if all(template.executable_id in keeping for template in intake.templates):
        return intake
    with tempfile.TemporaryDirectory() as place:
        for name, content in files:
            Path(place, name).write_bytes(content)
        packed = pack(workspace, Path(place), intake)
    trees = {slug: tree for slug, tree in packed.trees.items() if slug not in keeping}
    return replace(packed, trees=trees)


def tree_path(digest: str) -> str:
    """Where a packed tree lies in its workspace's store."""
    return f"{digest}.tar"


def finding(
    template: ExecutableTemplate, severity: Literal["error", "notice"], field: str, reason: str
) -> Finding:
    """A finding at the place where the template begins."""
    return Finding(severity=severity, file=template.file, line=template.line, field=field, reason=reason)
