"""Something that is done again and again in the background while there is a reason to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Beat:
    """Calls a deed every so many seconds until it says that nothing is left; `start` begins again.

    Lives on one event loop. The deed handles its own errors.
    """

    def __init__(self, seconds: float, deed: Callable[[], Awaitable[bool]]) -> None:
        self._seconds = seconds
        self._deed = deed
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, unless it is under way."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            more = True
            while more:
                await asyncio.sleep(self._seconds)
                more = await self._deed()
        finally:
            self._task = None

    async def stop(self) -> None:
        """End it, amid the deed too."""
        task = self._task
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
