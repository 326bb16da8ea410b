"""Servers of a deployment as one web process sees them: open requests, idle connections, who is down."""

from __future__ import annotations

import asyncio

from mlops.domain.routing import Server
from mlops.gateway.connections import Connection

CONNECT_SECONDS = 2.0
# For so long nobody asks a server that could not be reached, while there is another one.
DOWN_SECONDS = 1.0
# Model servers hang up after five seconds and more; a request sent at that moment would be in vain.
IDLE_SECONDS = 4.0
_IDLE = 128


class Unreachable(Exception):
    """Nobody takes connections at the server's address."""


class Upstream:
    """One server. open: requests it holds now. down_until: loop time until when it is passed over."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.host, _, port = server.address.rpartition(":")
        self.port = int(port)
        self.open = 0
        self.down_until = 0.0
        self.head = b"host: %b\r\n" % server.address.encode()
        self._idle: list[Connection] = []
        self._is_retired = False

    async def connection(self, *, fresh: bool) -> Connection:
        """A connection for one request, to be given back. fresh: none that was used before.

        Raises Unreachable, after which the server counts as down for a second.
        """
        while self._idle and not fresh:
            kept = self._idle.pop()
            if kept.is_open:
                return kept
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, made = await loop.create_connection(
                    lambda: Connection(self._lost), self.host.strip("[]"), self.port
                )
        except (OSError, TimeoutError) as error:
            self.down_until = loop.time() + DOWN_SECONDS
            raise Unreachable(str(error)) from error
        return made

    def give_back(self, connection: Connection, *, now: float) -> None:
        """The request on a connection is over; the connection is kept if it may be."""
        if not connection.release():
            return
        if self._is_retired or len(self._idle) >= _IDLE:
            connection.close()
            return
        connection.idle_since = now
        self._idle.append(connection)

    def tidy(self, now: float) -> None:
        """Close connections that nobody has needed for a while."""
        for kept in [one for one in self._idle if one.idle_since + IDLE_SECONDS < now]:
            kept.close()

    def retire(self) -> None:
        """It gets no more requests; those it holds go on to their end."""
        self._is_retired = True
        for kept in list(self._idle):
            kept.close()

    def _lost(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
