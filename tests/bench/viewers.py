"""A crowd that watches executions: `python -m tests.bench.viewers` holds many event streams open at once.

Reads one JSON object, {"port": …, "cookies": [header of each person], "paths": [address of each stream]},
opens every stream and says {"connected": number}. With the next line it forgets what has come so far; with
the one after it answers {"lines": number, "late": [milliseconds …], "lost": streams that ended} and ends. A
line of a log ends with the wall clock of its writing.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from typing import Any

from tests.bench.load import request

# How many may wait for their first bytes at a time.
AT_ONCE = 50
# So many of the lines are kept for the percentiles.
KEPT = 200_000
WRITTEN = re.compile(rb'written (\d+\.\d+)"')


class Viewer(asyncio.Protocol):
    """One stream: parses no more of it than the clock in each line."""

    def __init__(self, crowd: Crowd, request: bytes) -> None:
        self.crowd, self.request = crowd, request
        self.opened: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.rest = b""

    def connection_made(self, transport: Any) -> None:
        """Ask for the stream."""
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Note how late each line comes."""
        if not self.opened.done():
            self.opened.set_result(data[9:12])
        data = self.rest + data
        end = data.rfind(b"\n") + 1
        self.rest = data[end:]
        now = time.time()
        for found in WRITTEN.finditer(data, 0, end):
            self.crowd.lines += 1
            if len(self.crowd.late) < KEPT:
                self.crowd.late.append((now - float(found[1])) * 1000)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it: no stream should end."""
        self.crowd.lost += 1
        if not self.opened.done():
            self.opened.set_result(b"")


class Crowd:
    """All viewers and what they have seen."""

    def __init__(self) -> None:
        self.lines = self.lost = 0
        self.late: list[float] = []

    async def run(self) -> None:
        """Connect everybody, then answer line by line."""
        loop = asyncio.get_running_loop()
        told = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
        door = asyncio.Semaphore(AT_ONCE)

        async def enter(number: int, path: str) -> bytes:
            cookie = told["cookies"][number % len(told["cookies"])]
            head = request("GET", path, {"Accept": "text/event-stream", "Cookie": cookie})
            async with door:
                made = await loop.create_connection(lambda: Viewer(self, head), "127.0.0.1", told["port"])
                return await asyncio.wait_for(made[1].opened, 60)

        answers = await asyncio.gather(*(enter(*one) for one in enumerate(told["paths"])))
        _say(connected=answers.count(b"200"))
        await loop.run_in_executor(None, sys.stdin.readline)
        self.lines, self.late = 0, []
        await loop.run_in_executor(None, sys.stdin.readline)
        _say(lines=self.lines, late=sorted(self.late)[:: max(len(self.late) // 5000, 1)], lost=self.lost)


def _say(**answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(Crowd().run())
