"""Long answers: written to a temporary file as fast as they are made, sent from there natively.

The thread that makes an answer is free again before the client has read any of it, however slow it is, and
the answer is never in memory as a whole.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import IO, Any

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

_KEY = "launchpad.spool"
_CHUNK_BYTES = 256 * 1024


def spooled(request: HttpRequest, pieces: Iterable[str], *, content_type: str) -> HttpResponseBase:
    """The response to a request with the pieces as its body; they are all made before this returns."""
    # Closed by whoever sends it.
    file = tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115
    try:
        for piece in pieces:
            file.write(piece.encode())
        size_bytes = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    connection = request.META.get("asgi.scope")
    if connection is None:
        return FileResponse(file, content_type=content_type)
    connection[_KEY] = file
    response = HttpResponse(content_type=content_type)
    response["Content-Length"] = str(size_bytes)
    return response


def sender(connection: Message, send: Send) -> Send:
    """What to send a connection's answer with: the file left for it stands in for the body."""

    async def sending(message: Message) -> None:
        file = connection.get(_KEY)
        if file is None or message["type"] != "http.response.body":
            await send(message)
        elif not message.get("more_body", False):
            await _send_file(file, send)

    return sending


async def _send_file(file: IO[bytes], send: Send) -> None:
    with file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
