"""Long answers, sent natively: from a temporary file they were written to, or from chunks as they are read.

The thread that makes an answer is free again before the client has read any of it, however slow it is, and
the answer is never in memory as a whole.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping, MutableMapping
from typing import IO, Any

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
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
    connection[_KEY] = _read(file)
    response = HttpResponse(content_type=content_type)
    response["Content-Length"] = str(size_bytes)
    return response


def carried(request: HttpRequest, chunks: Iterator[bytes], *, headers: Mapping[str, str]) -> HttpResponseBase:
    """The response to a request with the chunks as its body, read as fast as the client takes them.

    headers: with the Content-Length. Reading a chunk takes no database; an error amid them cuts the answer.
    """
    connection = request.META.get("asgi.scope")
    if connection is not None:
        connection[_KEY] = chunks
    response = StreamingHttpResponse(chunks) if connection is None else HttpResponse()
    for name, value in headers.items():
        response[name] = value
    return response


def _read(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def sender(connection: Message, receive: Receive, send: Send) -> Send:
    """What to send a connection's answer with: the chunks left for it stand in for the body."""

    async def sending(message: Message) -> None:
        chunks = connection.get(_KEY)
        if chunks is None or message["type"] != "http.response.body":
            await send(message)
        elif not message.get("more_body", False):
            await _send_while_there(chunks, receive, send)

    return sending


async def _send_while_there(chunks: Iterator[bytes], receive: Receive, send: Send) -> None:
    """Send the chunks, no further than the client is there to take them."""
    sending, leaving = asyncio.create_task(_send(chunks, send)), asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, leaving):
            task.cancel()
        sent, _ = await asyncio.gather(sending, leaving, return_exceptions=True)
    if isinstance(sent, Exception):
        raise sent


async def _send(chunks: Iterator[bytes], send: Send) -> None:
    try:
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        # A thread that still reads when the client leaves is the last to hold them, and lets them go.
        if isinstance(chunks, Generator) and not chunks.gi_running:
            chunks.close()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
