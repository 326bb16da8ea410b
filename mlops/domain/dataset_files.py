"""Single files in a group's object stores, put there and taken away by clients: `<store>/<path>`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import accumulate

from launchpad.access import NOTHING_HERE, Right, Scope
from launchpad.commands import command
from launchpad.errors import Invalid, NotFound
from mlops import storage
from mlops.domain.metric_limits import TooMuch
from mlops.models import Artifact

BYTES_LIMIT = 100 * 1024 * 1024
TOO_LARGE = "A file may have at most 100 MB here. Put a larger one into the object store itself."
_ADDRESS = re.compile(r"(?P<store>[\w.-]+)(?P<first>:[\w.-]+)?(?P<rest>/[\w./-]*[\w.-])?/?\Z", re.ASCII)


def location(address: str) -> storage.Location:
    """The place that `<store>/<path>` names; `<store>:<folder>/<path>` is another way to write the same.

    Raises Invalid for anything else.
    """
    found = _ADDRESS.match(address) if len(address) <= storage.URL_LIMIT else None
    path = f"{(found['first'] or '')[1:]}{found['rest'] or ''}".removeprefix("/") if found else ""
    if found is None or not path or address.endswith("/"):
        raise Invalid(
            "A file's address is an object store and a path of letters, digits, dots, hyphens and "
            "underscores, such as default/data/train.csv."
        )
    return storage.parse_url(f"ai://{found['store']}/{path}")


def upload(scope: Scope, address: str, *, chunks: Iterable[bytes], overwrite: bool = False) -> str:
    """Store a file of at most 100 MB from its chunks, whole or not at all; return its `ai://` address.

    Raises Forbidden; Invalid for another address, an unknown store, and for writing over what an artifact was
    registered with; TooMuch; Taken when a file is there and is not to be overwritten; what `chunks` raises.
    """
    scope.require(Right.CHANGE)
    place = location(address)
    store = _store(scope, place)
    if overwrite and store.is_file(place.path):
        _check_unregistered(scope, place, "overwritten")
    inspection = store.write(place.path, _counted(chunks), overwrite=overwrite)
    try:
        return note_upload(scope, url=storage.url(place), size_bytes=inspection.size_bytes)
    except BaseException:
        if not overwrite:
            store.delete(place.path)
        raise


@command(verb="upload")
def note_upload(_scope: Scope, *, url: str, size_bytes: int) -> str:
    """The audit event of `upload`, whose bytes are in the store by then."""
    return url


def get(scope: Scope, address: str) -> storage.Content:
    """A file's size and bytes. Raises Invalid for another address, NotFound when there is no such file."""
    place = location(address)
    try:
        return _store(scope, place).open(place.path)
    except Invalid as error:
        raise NotFound(NOTHING_HERE) from error


def delete(scope: Scope, address: str) -> str:
    """Remove a file, unless an artifact was registered with it; return its `ai://` address.

    Raises Forbidden, Invalid, and NotFound when there is no such file.
    """
    scope.require(Right.CHANGE)
    place = location(address)
    try:
        store = _store(scope, place)
    except Invalid as error:
        raise NotFound(NOTHING_HERE) from error
    if not store.is_file(place.path):
        raise NotFound(NOTHING_HERE)
    _check_unregistered(scope, place, "removed")
    store.delete(place.path)
    return note_removal(scope, url=storage.url(place))


@command(verb="delete")
def note_removal(_scope: Scope, *, url: str) -> str:
    """The audit event of `delete`."""
    return url


def _store(scope: Scope, place: storage.Location) -> storage.Store:
    if scope.resource_group is None:
        raise TypeError("Files belong to a resource group, the scope names none.")
    return storage.open_store(scope.resource_group, place.store)


def _counted(chunks: Iterable[bytes]) -> Iterable[bytes]:
    """The chunks as long as they come to no more than allowed, whatever length was announced."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > BYTES_LIMIT:
            raise TooMuch(
                f"A file may have at most {BYTES_LIMIT // 1024**2} MB here. Put larger ones into a store."
            )
        yield chunk


def _check_unregistered(scope: Scope, place: storage.Location, act: str) -> None:
    """Artifacts never change: what one was registered with stays, be it the file or a folder around it."""
    paths = accumulate(place.path.split("/"), "{}/{}".format)
    urls = [storage.url(storage.Location(place.store, path)) for path in paths]
    artifact = scope.of(Artifact).filter(url__in=urls).first()
    if artifact is not None:
        raise Invalid(
            f"{storage.url(place)} belongs to the {artifact.kind} {artifact}, so it cannot be {act}. "
            "Store the new file under another path."
        )
