"""uvicorn, kept from clients that hold it up before a request is whole, and from dying of its signals."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Bytes that may come without being a body: request line, headers, and what stands around chunks.
HEAD_LIMIT = 64 * 1024
SWEEP_SECONDS = 5.0
CONNECTIONS = 1000
# A gateway keeps its connections; it should be the one that closes them.
KEEP_ALIVE_SECONDS = 75


class Protocol(HttpToolsProtocol):
    """Closes connections whose headers are too long."""

    _idle_bytes = 0
    # Since when the end of a head is awaited, or the end of the connection; None while neither is.
    waits_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.waits_since = self.loop.time()

    def end_if_stuck(self, seconds: float) -> None:
        """Drop the connection if its head, or a reader of the last bytes, has kept it waiting for so long."""
        now = self.loop.time()
        if self.waits_since is None and self.transport.is_closing():
            self.waits_since = now
        if self.waits_since is not None and now - self.waits_since > seconds:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self._idle_bytes += len(data)
        super().data_received(data)
        if self._idle_bytes > HEAD_LIMIT:
            self.transport.abort()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.waits_since = self.loop.time()

    def on_headers_complete(self) -> None:
        self.waits_since = None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._idle_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._idle_bytes = 0
        super().on_message_complete()


class Server(uvicorn.Server):
    """Serves until `should_exit`, which SIGTERM and SIGINT set; open requests are finished first."""

    def __init__(
        self, application: Any, *, host: str, port: int, grace_seconds: int, patience_seconds: float
    ) -> None:
        """patience_seconds: how long a head, or a reader of an answer's last bytes, may take."""
        config = uvicorn.Config(
            application,
            host=host,
            port=port,
            loop="uvloop",
            http=Protocol,
            ws="none",
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=grace_seconds,
        )
        super().__init__(config)
        self._patience = patience_seconds

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals as a wish to end; uvicorn would end itself by them once more afterwards."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end)
        sweep = loop.create_task(self._sweep())
        try:
            yield
        finally:
            sweep.cancel()

    def end(self) -> None:
        """Stop accepting and finish."""
        self.should_exit = True

    async def _sweep(self) -> None:
        """Drop connections that do not come to an end."""
        while True:
            await asyncio.sleep(min(SWEEP_SECONDS, self._patience))
            for one in list(self.server_state.connections):
                one.end_if_stuck(self._patience)
