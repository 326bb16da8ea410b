"""Files of artifacts as downloads and pictures: any size, in constant memory, and never shown as a page."""

from __future__ import annotations

from pathlib import PurePosixPath

from django.utils.http import content_disposition_header

from launchpad.streams import Stream, Visit, chunked, in_thread
from mlops.domain import artifact_files, artifacts, previews
from mlops.storage import Content


async def download_file(visit: Visit) -> Stream:
    """One file of an artifact, from the object store to the client."""
    artifact = await in_thread(artifacts.get, visit.scope, visit.kwargs["artifact_id"])
    path = visit.kwargs["path"]
    content = await in_thread(lambda: artifact_files.content(visit.scope, artifact, path=path))
    return Stream(headers(path, content), chunked(content.chunks))


def headers(path: str, content: Content) -> dict[str, str]:
    """Saved as a file under its own name, whatever it holds."""
    return {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(content.size_bytes),
        "Content-Disposition": content_disposition_header(True, PurePosixPath(path).name) or "attachment",
    }


async def show_picture(visit: Visit) -> Stream:
    """One picture of an artifact, from the object store to the browser."""
    artifact = await in_thread(artifacts.get, visit.scope, visit.kwargs["artifact_id"])
    path = visit.kwargs["path"]
    kind, content = await in_thread(previews.picture, visit.scope, artifact, path)
    return Stream(picture_headers(kind, content), chunked(content.chunks))


def picture_headers(kind: str, content: Content) -> dict[str, str]:
    """Shown as what it is, alone and without script; an artifact's bytes never change."""
    return {
        "Content-Type": kind,
        "Content-Length": str(content.size_bytes),
        "Content-Disposition": "inline",
    }
