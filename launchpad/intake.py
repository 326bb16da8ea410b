"""What comes in over ASGI, in the form WSGI can take: whole bodies with a length, ASCII for every query."""

from __future__ import annotations

import asyncio
import re
import secrets
from dataclasses import dataclass

from django.conf import settings

from launchpad.streams import Message, Receive, Send

GATHERED_BYTES = 8 * 1024 * 1024
# What all waiting requests may hold together; beyond it a request begins with what it has.
ALL_GATHERED_BYTES = 128 * 1024 * 1024
_APIS = re.compile(r"/(v2|runs|api/v1|oauth)/(?!lm/dataset/)")
_LATE = b'{"error": {"code": "01010408", "message": "%s", "requestId": "%s", "target": "", "details": {}}}'
_SENTENCE = b"The body stopped coming. Send it again, without pauses."
_held_bytes = 0


@dataclass(frozen=True)
class Request:
    """A request as the WSGI side reads it. body: what has come of it. rest: gives what is still to come."""

    scope: Message
    body: bytes = b""
    rest: Receive | None = None


async def take(scope: Message, receive: Receive, send: Send) -> Request | None:
    """The request as the WSGI side reads it; None when there is nothing left to answer.

    A body is gathered before a thread has anything to do with it, up to GATHERED_BYTES: threads are few, and
    nobody holds one by being slow. WSGI knows no body without a length, so one that came in chunks gets its
    own; one that came to an API in chunks and is larger is cut there and said to be larger, which is refused.
    A client that is silent for BODY_SILENCE_SECONDS amid its body gets 408.
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
    if is_api and not chunked and int(length) > GATHERED_BYTES:
        # Refused before any of it is read.
        return Request(scope, rest=receive)
    found = await _gather(receive, send)
    if found is None:
        return None
    body, whole = found
    if chunked and (whole or is_api):
        kept = [(name, value) for name, value in scope["headers"] if name != b"transfer-encoding"]
        scope = {**scope, "headers": [*kept, (b"content-length", str(len(body)).encode())]}
        whole = True
    return Request(scope, body) if whole else Request(scope, rest=_again(body, receive))


async def _gather(receive: Receive, send: Send) -> tuple[bytes, bool] | None:
    """What has come of a body, and whether that is all of it; None for clients that left or fell silent."""
    global _held_bytes
    parts: list[bytes] = []
    size = 0
    try:
        while True:
            try:
                async with asyncio.timeout(settings.BODY_SILENCE_SECONDS):
                    message = await receive()
            except TimeoutError:
                await _refuse(send)
                return None
            if message["type"] != "http.request":
                return None
            part = message.get("body", b"")
            parts.append(part)
            size += len(part)
            _held_bytes += len(part)
            if not message.get("more_body", False):
                return b"".join(parts), True
            if size > GATHERED_BYTES or _held_bytes > ALL_GATHERED_BYTES:
                return b"".join(parts), False
    finally:
        _held_bytes -= size


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
