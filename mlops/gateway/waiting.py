"""Waiting for a free place, as long as the client does."""

from __future__ import annotations

import asyncio
from collections import deque

from launchpad.streams import Message, Receive
from mlops.gateway.lanes import Lane, Line

# The web server holds back what is more.
_KEPT_BYTES = 64 * 1024


class Gone(Exception):
    """The client has left."""


class Inlet:
    """What comes from a client, which may be looked at before it is read."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept: deque[Message] = deque()
        self._size = 0

    async def __call__(self) -> Message:
        """The next message, as the web server gives it."""
        return self._kept.popleft() if self._kept else await self._receive()

    async def left(self) -> None:
        """Return when the client has left; what comes of the body is kept, up to 64 KiB of it."""
        while self._size <= _KEPT_BYTES:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return
            self._kept.append(message)
            self._size += len(message.get("body", b""))
        await asyncio.get_running_loop().create_future()


async def place(line: Line, inlet: Inlet) -> Lane:
    """A place once there is one, to be left again. Raises Refused, and Gone when the client does not wait."""
    waiting = asyncio.ensure_future(line.wait())
    leaving = asyncio.ensure_future(inlet.left())
    try:
        await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            raise Gone
        return waiting.result()
    except asyncio.CancelledError:
        if waiting.done() and not waiting.cancelled() and waiting.exception() is None:
            line.leave(waiting.result())
        raise
    finally:
        waiting.cancel()
        leaving.cancel()
