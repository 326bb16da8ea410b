"""Routes of the deployments in use, half a second old at most; the last known without the database."""

from __future__ import annotations

import asyncio
import logging

from django.db import Error

from launchpad.streams import in_thread
from mlops.domain import routing
from mlops.gateway.beats import Beat
from mlops.gateway.lanes import Line
from mlops.gateway.refusals import Refused

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 0.5
_USED_SECONDS = 60.0
_ASK_SECONDS = 5.0
# Addresses that lead nowhere are forgotten at the next look; so many may be asked for in between.
_LINES = 10_000
_KEY_LENGTH = 16


class Routes:
    """Lines by deployment; one query for all of them twice a second while there are any. On one loop."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}
        self._asked: dict[str, asyncio.Task[Line]] = {}
        self._beat = Beat(REFRESH_SECONDS, self._refresh)
        self._is_away = False

    def known(self, deployment: str, now: float) -> Line | None:
        """The line of a deployment if it is at hand; now: loop time."""
        line = self._lines.get(deployment)
        if line is not None:
            line.used_at = now
        return line

    async def find(self, deployment: str) -> Line:
        """The line of a deployment, asked of the database; its route is None where there is none.

        Whoever asks for the same meanwhile waits for the same answer. Raises Refused while the database is
        away.
        """
        if len(deployment) > _KEY_LENGTH:
            return Line(deployment, None, asyncio.get_running_loop().time())
        task = self._asked.get(deployment)
        if task is None:
            task = self._asked[deployment] = asyncio.get_running_loop().create_task(self._find(deployment))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                return await asyncio.shield(task)
        except (Error, TimeoutError) as error:
            sentence = "The database does not answer, so this deployment cannot be found. Try again soon."
            raise Refused(503, sentence, retry_after=2) from error

    async def _find(self, deployment: str) -> Line:
        try:
            route = await in_thread(routing.find, deployment)
        finally:
            del self._asked[deployment]
        now = asyncio.get_running_loop().time()
        line = Line(deployment, route, now)
        if len(self._lines) < _LINES:
            self._lines[deployment] = line
            self._beat.start()
        return line

    async def _refresh(self) -> bool:
        now = asyncio.get_running_loop().time()
        for key, line in list(self._lines.items()):
            is_over = line.used_at + _USED_SECONDS < now
            is_nothing = line.route is None and line.known_at + REFRESH_SECONDS < now
            if (is_over or is_nothing) and not line.is_busy:
                del self._lines[key]
                line.close()
            else:
                line.tidy(now)
        wanted = [key for key, line in self._lines.items() if line.route is not None]
        if not wanted:
            return bool(self._lines)
        try:
            found = await in_thread(routing.look_up, wanted)
        except Error as error:
            if not self._is_away:
                logger.warning(
                    "The gateway goes on with the routes it knows, without the database: %s", error
                )
            self._is_away = True
            return True
        if self._is_away:
            logger.warning("The gateway reads routes from the database again.")
        self._is_away = False
        now = asyncio.get_running_loop().time()
        for key in wanted:
            if key in self._lines:
                self._lines[key].update(found.get(key), now)
        return True

    async def close(self) -> None:
        """End the background task and let go of every connection."""
        await self._beat.stop()
        for line in self._lines.values():
            line.close()
        self._lines.clear()
