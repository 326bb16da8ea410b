"""What comes in over ASGI, in the form WSGI can take: whole bodies with a length, ASCII for every query."""

from __future__ import annotations

import asyncio
import re
import secrets
import tempfile
from dataclasses import dataclass
from typing import IO

from django.conf import settings
from django.db import Error

from launchpad.accounts import bearers
from launchpad.streams import Message, Receive, Send, in_thread

GATHERED_BYTES = 8 * 1024 * 1024
# Files of datasets may be larger; what is more than gathered of one waits on disk.
FILE_BYTES = 100 * 1024 * 1024
_FILES = "/v2/lm/dataset/files/"
_BLOCK_BYTES = 1024 * 1024
# What all waiting requests may hold together; beyond it a request begins with what it has.
ALL_GATHERED_BYTES = 128 * 1024 * 1024
_APIS = re.compile(r"/(v2|runs|api/v1|oauth)/(?!lm/dataset/)")
_LATE = b'{"error": {"code": "01010408", "message": "%s", "requestId": "%s", "target": "", "details": {}}}'
_SENTENCE = b"The body stopped coming. Send it again, without pauses."
_held_bytes = 0


class _Gone(Exception):
    """There is nobody left to answer."""


@dataclass(frozen=True)
class Request:
    """A request as the WSGI side reads it. body: what has come of it. rest: gives what is still to come.

    file: the whole body instead, on disk, to be closed.
    """

    scope: Message
    body: bytes = b""
    rest: Receive | None = None
    file: IO[bytes] | None = None


async def take(scope: Message, receive: Receive, send: Send) -> Request | None:
    """The request as the WSGI side reads it; None when there is nothing left to answer.

    A body is gathered before a thread has anything to do with it, up to GATHERED_BYTES: threads are few, and
    nobody holds one by being slow. WSGI knows no body without a length, so one that came in chunks gets its
    own; one that came to an API in chunks and is larger is cut there and said to be larger, which is refused.
    A client that is silent for BODY_SILENCE_SECONDS amid its body gets 408. A dataset's file is gathered on
    disk, but only for clients with a token: strangers fill no disk.
    """
    query = scope.get("query_string", b"")
    if not query.isascii():
        escaped = b"".join(b"%%%02X" % byte if byte > 127 else bytes((byte,)) for byte in query)
        scope = {**scope, "query_string": escaped}
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"")
    chunked = b"transfer-encoding" in headers and not length
    if not chunked and (not length.isdigit() or int(length) == 0):
        return Request(scope)
    is_api = _APIS.match(scope["path"]) is not None
    is_file = scope["path"].startswith(_FILES)
    limit = GATHERED_BYTES if is_api else FILE_BYTES
    if (is_api or is_file) and not chunked and int(length) > limit:
        # Refused before any of it is read.
        return Request(scope, rest=receive)
    found = await _gather(receive, send)
    if found is None:
        return None
    body, whole = found
    if is_file and not whole and await in_thread(_is_client, headers.get(b"authorization", b"")):
        return await _on_disk(scope, body, receive, send)
    if chunked and (whole or is_api):
        scope = _with_length(scope, len(body))
        whole = True
    return Request(scope, body) if whole else Request(scope, rest=_again(body, receive))


def _with_length(scope: Message, size: int) -> Message:
    """The request's scope as if its body had come with its length."""
    told = (b"transfer-encoding", b"content-length")
    kept = [(name, value) for name, value in scope["headers"] if name not in told]
    return {**scope, "headers": [*kept, (b"content-length", str(size).encode())]}


def _is_client(authorization: bytes) -> bool:
    """Whether the header bears the token of an API client; a database that is away knows none."""
    kind, _, token = authorization.decode("latin-1").partition(" ")
    try:
        return kind.lower() == "bearer" and bearers.client(token.strip()) is not None
    except Error:
        return False


async def _on_disk(scope: Message, body: bytes, receive: Receive, send: Send) -> Request | None:
    """The request with its body in a file, cut as soon as it is larger than a file may be."""
    # Closed by whoever reads it.
    file = tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115
    try:
        size, waiting, more = len(body), [body], True
        while more and size <= FILE_BYTES:
            part, more = await _part(receive, send)
            waiting.append(part)
            size += len(part)
            if not more or sum(map(len, waiting)) >= _BLOCK_BYTES:
                await asyncio.to_thread(file.write, b"".join(waiting))
                waiting = []
        await asyncio.to_thread(file.write, b"".join(waiting))
        file.seek(0)
    except _Gone:
        file.close()
        return None
    except BaseException:
        file.close()
        raise
    return Request(_with_length(scope, size), file=file)


async def _gather(receive: Receive, send: Send) -> tuple[bytes, bool] | None:
    """What has come of a body, and whether that is all of it; None for clients that left or fell silent."""
    global _held_bytes
    parts: list[bytes] = []
    size = 0
    try:
        while True:
            part, more = await _part(receive, send)
            parts.append(part)
            size += len(part)
            _held_bytes += len(part)
            if not more:
                return b"".join(parts), True
            if size > GATHERED_BYTES or _held_bytes > ALL_GATHERED_BYTES:
                return b"".join(parts), False
    except _Gone:
        return None
    finally:
        _held_bytes -= size


async def _part(receive: Receive, send: Send) -> tuple[bytes, bool]:
    """The next part of a body, and whether there is more. Raises _Gone for who left or fell silent."""
    try:
        async with asyncio.timeout(settings.BODY_SILENCE_SECONDS):
            message = await receive()
    except TimeoutError as error:
        await _refuse(send)
        raise _Gone from error
    if message["type"] != "http.request":
        raise _Gone
    return message.get("body", b""), message.get("more_body", False)


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives what was gathered, then what else comes."""
    given = False

    async def gathered() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": True}

    return gathered


async def _refuse(send: Send) -> None:
    name = secrets.token_hex(8).encode()
    body = _LATE % (_SENTENCE, name)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", name),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 408, "headers": headers})
    await send({"type": "http.response.body", "body": body})
