"""Answers of the gateway itself: errors in the envelope of the AI API, where no server has answered."""

from __future__ import annotations

import io

from django.core.handlers.asgi import ASGIRequest

from launchpad import dialects
from launchpad.streams import Message, Send

UNKNOWN = "The token is missing or not one of this Launchpad. Send a valid one."


class Refused(Exception):
    """The request is answered by the gateway.

    code: the status. message: a sentence. retry_after: seconds, 0 for no such hint.
    """

    def __init__(self, code: int, message: str, *, retry_after: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after


async def answer(refused: Refused, scope: Message, send: Send, *, request_id: bytes) -> None:
    """Send it, as the API does for the same error; `launchpad.access.request_id` is set."""
    response = dialects.answer(ASGIRequest(dict(scope), io.BytesIO()), refused.code, refused.message)
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.items()]
    headers += [
        (b"content-length", str(len(response.content)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-request-id", request_id),
    ]
    if refused.retry_after:
        headers.append((b"retry-after", str(refused.retry_after).encode()))
    await send({"type": "http.response.start", "status": refused.code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})
