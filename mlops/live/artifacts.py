"""Files of artifacts as downloads: any size, in constant memory, and never shown as a page."""

from __future__ import annotations

from pathlib import PurePosixPath

from django.utils.http import content_disposition_header

from launchpad.streams import Stream, Visit, chunked, in_thread
from mlops.domain import artifacts
from mlops.storage import Content


async def download_file(visit: Visit) -> Stream:
    """One file of an artifact, from the object store to the client."""
    artifact = await in_thread(artifacts.get, visit.scope, visit.kwargs["artifact_id"])
    path = visit.kwargs["path"]
    content = await in_thread(lambda: artifacts.content(visit.scope, artifact, path=path))
    return Stream(headers(path, content), chunked(content.chunks))


def headers(path: str, content: Content) -> dict[str, str]:
    """Saved as a file under its own name, whatever it holds."""
    return {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(content.size_bytes),
        "Content-Disposition": content_disposition_header(True, PurePosixPath(path).name) or "attachment",
    }
