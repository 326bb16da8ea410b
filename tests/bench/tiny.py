"""`python -m tests.bench.tiny <port>`: a model server that costs next to nothing, to see what is before it.

Takes requests whose body comes with its length and answers each with the same JSON; `/large` with 1 MiB.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop

BODY = b'{"predictions": [0.12, 0.88]}'
LARGE = b"x" * 1024 * 1024
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
SMALL_ANSWER, LARGE_ANSWER = _HEAD % len(BODY) + BODY, _HEAD % len(LARGE) + LARGE


class Tiny(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._read = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Answer whatever has come whole."""
        self._read += data
        while True:
            head, end, rest = self._read.partition(b"\r\n\r\n")
            if not end:
                return
            at = head.lower().find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(rest) < length:
                return
            self._read = rest[length:]
            self._transport.write(LARGE_ANSWER if b"/large" in head[:100] else SMALL_ANSWER)


async def main() -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Tiny, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
