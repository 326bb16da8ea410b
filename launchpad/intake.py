"""What comes in over ASGI, in the form that WSGI can take: a length for every body, ASCII for every query."""

from __future__ import annotations

import re
from collections import deque

from launchpad.streams import Message, Receive

GATHERED_BYTES = 8 * 1024 * 1024
_APIS = re.compile(r"/(v2|runs|api/v1|oauth)/(?!lm/dataset/)")


async def fit(scope: Message, receive: Receive) -> tuple[Message, Receive]:
    """The request as the WSGI side reads it.

    WSGI knows no body without a length. One that comes to an API in chunks is gathered first, up to
    GATHERED_BYTES; a larger one is cut there and said to be larger, which is refused.
    """
    if scope["type"] != "http":
        return scope, receive
    query = scope.get("query_string", b"")
    if not query.isascii():
        escaped = b"".join(b"%%%02X" % byte if byte > 127 else bytes((byte,)) for byte in query)
        scope = {**scope, "query_string": escaped}
    names = {name for name, _value in scope["headers"]}
    if b"transfer-encoding" not in names or b"content-length" in names or not _APIS.match(scope["path"]):
        return scope, receive
    parts: deque[bytes] = deque()
    size, more = 0, True
    while more and size <= GATHERED_BYTES:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
    body = b"".join(parts)

    async def gathered() -> Message:
        nonlocal body
        given, body = body, b""
        return {"type": "http.request", "body": given, "more_body": False}

    kept = [(name, value) for name, value in scope["headers"] if name != b"transfer-encoding"]
    return {**scope, "headers": [*kept, (b"content-length", str(size).encode())]}, gathered
