"""Uploads of people: files, and zip files that are unpacked on the way, become one artifact's folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any, Protocol

from django.conf import settings

from launchpad.access import Right, Scope
from launchpad.errors import Invalid
from mlops.domain import artifacts
from mlops.formats import zips
from mlops.models import Artifact


class Uploaded(Protocol):
    """A file that came with a form."""

    name: str
    file: IO[bytes]

    def chunks(self) -> Iterable[bytes]:
        """Its bytes."""


def upload(scope: Scope, *, files: Sequence[Uploaded], unpack: bool, **entry: Any) -> Artifact:
    """As `artifacts.upload`; zip files become what they hold, unless `unpack` is false.

    Raises what that raises, and Invalid at `files` for a zip that is broken, holds links, encrypted files or
    too many, or unpacks to more than settings.UNPACKED_BYTES.
    """
    scope.require(Right.CHANGE)
    return artifacts.upload(scope, files=_opened(files, unpack=unpack), **entry)


def _opened(files: Sequence[Uploaded], *, unpack: bool) -> list[tuple[str, Iterable[bytes]]]:
    found: list[tuple[str, Iterable[bytes]]] = []
    for file in files:
        if not (unpack and file.name.lower().endswith(".zip")):
            found.append((file.name, file.chunks()))
            continue
        try:
            inside = zips.entries(
                file.file, files_limit=settings.UPLOAD_FILES, bytes_limit=settings.UNPACKED_BYTES
            )
        except zips.Refused as error:
            raise _refused(file, error) from error
        if not inside:
            raise _refused(file, zips.Refused("It holds no files."))
        found += [(path, _unpacked(file, chunks)) for path, chunks in inside]
    if len(found) > settings.UPLOAD_FILES:
        sentence = f"{len(found):,} files come together; at most {settings.UPLOAD_FILES:,} are taken at once."
        raise Invalid(sentence, fields={"files": sentence})
    return found


def _unpacked(file: Uploaded, chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from chunks
    except zips.Refused as error:
        raise _refused(file, error) from error


def _refused(file: Uploaded, error: zips.Refused) -> Invalid:
    sentence = f"{file.name[:80]} was not unpacked: {error}"
    return Invalid(sentence, fields={"files": sentence})
