"""Connections to model servers: HTTP/1.1 as bytes come and go, one request at a time, kept open in between.

Of our own, on the parser that the web server uses: a general client needs more time for one request than all
the rest of the gateway, and tells neither whether a connection had been used before nor what was sent on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

# What is read ahead of a client that takes its time.
_HELD_BYTES = 256 * 1024
_NO_BODY = (204, 304)


class Broken(Exception):
    """The server hung up before the end of its answer, or what it said is no HTTP."""


class Connection(asyncio.Protocol):
    """One connection to one server.

    code, headers: of the answer, names in lower case, once `is_answered`. is_sent: something of the request
    was sent. is_heard: some byte of the answer has come. is_complete: all of it is here. error: why no more
    will come. is_reused: it carried a request before. idle_since: loop time.
    """

    def __init__(self, lost: Callable[[Connection], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._drain: asyncio.Future[None] | None = None
        self.is_open = True
        self.is_reused = False
        self.is_paused = False
        self.idle_since = 0.0
        self._is_busy = False
        self._is_reading = True
        self._stays = False
        self._begin(False)

    def _begin(self, is_head: bool) -> None:
        self.code = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.is_sent = self.is_heard = self.is_answered = self.is_complete = False
        self.error: Exception | None = None
        self._parts: list[bytes] = []
        self._held = 0
        self._is_head = is_head
        self._is_interim = False

    # What the gateway asks for.

    def begin(self, *, is_head: bool) -> None:
        """Get ready for a request; is_head: its answer has no body whatever it says."""
        self._begin(is_head)
        self._is_busy = True
        if not self.is_open:
            self.error = Broken("The server hung up.")

    def write(self, data: bytes) -> None:
        """Send bytes as they are; once `is_paused`, wait for `drained` before there are more."""
        if self._transport is not None:
            self.is_sent = True
            self._transport.write(data)

    async def drained(self) -> None:
        """Wait until the server has taken most of what was written. Raises what ended the connection."""
        while self.is_paused and self.error is None and self.is_open:
            if self._drain is None:
                self._drain = self._loop.create_future()
            await asyncio.shield(self._drain)
        if self.error is not None:
            raise self.error

    async def answered(self) -> None:
        """Wait for the answer's status and headers. Raises Broken, or what `fail` was told."""
        while not self.is_answered:
            if self.error is not None:
                raise self.error
            await self.more()

    async def more(self) -> None:
        """Wait until anything happens; called by one task at a time."""
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    @property
    def is_awaited(self) -> bool:
        """Whether a task is in `more` or `answered`, and will see an error."""
        return self._waiter is not None

    def take(self) -> bytes:
        """What has come of the body since the last time; b"" for nothing."""
        parts = self._parts
        if not parts:
            return b""
        self._parts, self._held = [], 0
        if not self._is_reading and self._transport is not None:
            self._is_reading = True
            self._transport.resume_reading()
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def fail(self, error: Exception) -> None:
        """End the request and the connection; whoever waits is told by this error."""
        if self.error is None and not self.is_complete:
            self.error = error
        self.close()
        self._wake()

    def close(self) -> None:
        """Hang up, whatever is still under way."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def release(self) -> bool:
        """The request is over: whether the connection can carry another one. Closes it otherwise."""
        self._is_busy = False
        if self.is_complete and self._stays and self.is_open and self._is_reading and not self.is_paused:
            self.is_reused = True
            return True
        self.close()
        return False

    def _wake(self) -> None:
        for future in (self._waiter, self._drain):
            if future is not None and not future.done():
                future.set_result(None)
        self._drain = None

    # What the transport and the parser tell.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        # uvloop's has all that one of asyncio has, and is none.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of the answer; at any other time a server has nothing to say."""
        if not self._is_busy or self.is_complete:
            self._stays = False
            self.close()
            return
        self.is_heard = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.fail(Broken(f"What it answered is no HTTP: {error}."))
            return
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def eof_received(self) -> None:
        """The server has said all: an answer without a length ends here."""
        framed = any(name in (b"content-length", b"transfer-encoding") for name, _ in self.headers)
        if self._is_busy and self.is_answered and not framed:
            self.is_complete = True
            self._stays = False
        self.is_open = False

    def connection_lost(self, error: Exception | None) -> None:
        """It is gone."""
        self.is_open = False
        if self._is_busy and not self.is_complete and self.error is None:
            self.error = Broken("The server hung up.")
        self._transport = None
        self._lost(self)
        self._wake()

    def pause_writing(self) -> None:
        """The server takes less than is sent."""
        self.is_paused = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self.is_paused = False
        if self._drain is not None and not self._drain.done():
            self._drain.set_result(None)
        self._drain = None

    def on_message_begin(self) -> None:
        """An answer begins; a second one nobody has asked for."""
        if self.is_complete:
            self._stays = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; of trailers nobody has asked for any."""
        if not self.is_answered:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Status and headers are here."""
        if self.is_answered:
            return
        status = self._parser.get_status_code()
        if status < 200:
            if status == 101:
                raise Broken("It changes the protocol.")
            self.headers = []
            self._is_interim = True
            return
        self.code = status
        self.is_answered = True
        self._stays = self._parser.should_keep_alive()
        if self._is_head or status in _NO_BODY:
            # The parser would wait for the body that the headers tell of.
            self.is_complete = True
            self._parser = httptools.HttpResponseParser(self)

    def on_body(self, body: bytes) -> None:
        """Bytes of the body, without its framing."""
        if self.is_complete:
            self._stays = False
            return
        self._parts.append(body)
        self._held += len(body)
        if self._held > _HELD_BYTES and self._is_reading and self._transport is not None:
            self._is_reading = False
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """The answer ends here."""
        if self._is_interim:
            self._is_interim = False
            return
        self.is_complete = True
