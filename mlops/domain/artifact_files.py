"""Files of artifacts: what lies at their addresses now, read, listed, compared with what was registered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from launchpad.access import Scope
from launchpad.errors import Conflict, Invalid, NotFound
from mlops import storage
from mlops.domain import artifact_facts
from mlops.models import Artifact

State = Literal["ok", "missing", "changed", "unreadable"]
_GONE = "{} has no such file, or it was removed from the object store."
_MADE_HERE = re.compile(r"(uploads|e[0-9a-f]{15})\Z")


@dataclass(frozen=True)
class Contents:
    """The files at an artifact's address, by path. state: whether they are as registered.

    "unreadable": the store is gone or does not answer, and reason is a sentence that says so. odd: by path,
    what is "new" or "changed" since the registration; missing: paths that are gone. Both are empty where the
    single files were not recorded.
    """

    state: State
    files: tuple[storage.StoredFile, ...] = ()
    reason: str = ""
    odd: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def addresses(scope: Scope) -> list[str]:
    """The `ai://` addresses of what lies at the top of the group's default store, by name.

    Without what uploads and executions put there: that is registered already. None when the store fails:
    they are a help for writing an address, which is checked when it is given.
    """
    try:
        found = store(scope, storage.Location(storage.DEFAULT, "")).top()
    except Conflict:
        return []
    names = [name for name in found if not is_made_here(name)]
    return [storage.url(storage.Location(storage.DEFAULT, name)) for name in names]


def files(scope: Scope, artifact: Artifact) -> list[storage.StoredFile]:
    """The artifact's files by path. Raises Invalid when they are gone."""
    location = storage.parse_url(artifact.url)
    return store(scope, location).files(location.path)


def contents(scope: Scope, artifact: Artifact) -> Contents:
    """What lies at the artifact's address now; reads the listing only."""
    location = storage.parse_url(artifact.url)
    try:
        place = store(scope, location)
        found = tuple(place.files(location.path)) if place.exists(location.path) else ()
    except (Invalid, Conflict) as error:
        return Contents("unreadable", reason=error.message)
    size_bytes = sum(file.size_bytes for file in found)
    is_same = (size_bytes, len(found)) == (artifact.size_bytes, artifact.file_count)
    known = {path: size for path, size, _ in artifact_facts.of(scope, artifact).files}
    odd, missing = _compared(known, {file.path: file.size_bytes for file in found})
    state: State = "missing" if not found else "ok" if is_same and not odd and not missing else "changed"
    return Contents(state, found, odd=odd, missing=missing)


def _compared(
    known: Mapping[str, object], now: Mapping[str, object]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """What of the files is new or changed, and which are gone; nothing where none are known."""
    if not known:
        return {}, ()
    odd = {
        path: "changed" if path in known else "new" for path, value in now.items() if known.get(path) != value
    }
    return odd, tuple(path for path in known if path not in now)


def content(scope: Scope, artifact: Artifact, path: str) -> storage.Content:
    """One of the artifact's files as a stream. path: as `files` tells it. Raises NotFound."""
    place, full = locate(scope, artifact, path)
    return place.open(full)


def locate(scope: Scope, artifact: Artifact, path: str) -> tuple[storage.Store, str]:
    """Store and path in it of one of the artifact's files. path: as `files` tells it. Raises NotFound."""
    location = storage.parse_url(artifact.url)
    try:
        place = store(scope, location)
        full = _full(place, location, path)
        if place.is_file(full):
            return place, full
    except Invalid as error:
        raise NotFound(_GONE.format(artifact)) from error
    raise NotFound(_GONE.format(artifact))


def file_url(scope: Scope, artifact: Artifact, path: str) -> str:
    """The `ai://` address of one of the artifact's files. path: as `files` tells it. Raises Invalid."""
    location = storage.parse_url(artifact.url)
    full = _full(store(scope, location), location, path)
    return storage.url(storage.Location(location.store, full))


def check(scope: Scope, artifact: Artifact) -> Contents:
    """As `contents`, and reads all of the bytes when their size and number are as registered."""
    found = contents(scope, artifact)
    if found.state != "ok":
        return found
    location = storage.parse_url(artifact.url)
    try:
        inspection = store(scope, location).inspect(location.path)
    except (Invalid, Conflict) as error:
        return Contents("unreadable", reason=error.message)
    if inspection.digest == artifact.digest:
        return found
    known = {path: digest for path, _, digest in artifact_facts.of(scope, artifact).files}
    odd, missing = _compared(known, {path: digest for path, _, digest in inspection.files})
    return Contents("changed", found.files, odd=odd, missing=missing)


def is_made_here(path: str) -> bool:
    """Whether a path in a store is one that uploads and executions write to."""
    return _MADE_HERE.match(path.split("/")[0]) is not None


def _full(place: storage.Store, location: storage.Location, path: str) -> str:
    """The path in the store of one of the artifact's files; a single file goes by its own name."""
    if not place.is_file(location.path):
        return f"{location.path}/{path}"
    if path != location.path.rsplit("/", 1)[-1]:
        raise Invalid("The artifact is a single file of another name.")
    return location.path


def store(scope: Scope, location: storage.Location) -> storage.Store:
    """The group's object store that an address names. Raises Invalid, Conflict."""
    if scope.resource_group is None:
        raise TypeError("Artifacts belong to a resource group, the scope names none.")
    return storage.open_store(scope.resource_group, location.store)
