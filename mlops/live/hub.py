"""One poll of the database for everybody in this process who watches an execution."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from django.db import Error, connections

from mlops.domain import watching
from mlops.domain.log_lines import Line
from mlops.domain.log_position import Position
from mlops.domain.watching import Seen, State

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.25
# Pieces of a log, of up to 64 KiB; a client that is this far behind is dropped and resumes.
QUEUE_LENGTH = 256


@dataclass(frozen=True, slots=True)
class Piece:
    """One chunk of a log, its lines ready to be sent."""

    attempt: int
    step: int
    seq: int
    data: bytes


Item = Piece | State | None


def encoded(lines: Iterable[Line]) -> bytes:
    """Lines as JSON for the browser, which shows text as text: nothing is escaped for HTML."""
    rows = [
        {
            "key": line.key,
            "number": line.number,
            "attempt": line.attempt,
            "step": line.name,
            "at": line.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": line.level,
            "text": line.said,
        }
        for line in lines
    ]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(eq=False)
class Watch:
    """An execution and its readers. position: None until the first poll, which makes it ready."""

    position: Position | None = None
    state: State | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    readers: set[Subscription] = field(default_factory=set)


@dataclass(eq=False)
class Subscription:
    """One reader of one execution. lost: set when it fell too far behind to be kept.

    Once `watch.ready` is set, nothing that is not in the table yet can be missed.
    """

    key: str
    watch: Watch
    lost: asyncio.Event
    queue: asyncio.Queue[Item] = field(default_factory=lambda: asyncio.Queue(QUEUE_LENGTH))

    def put(self, item: Item) -> None:
        """Hand it an item; None is the last. Never waits."""
        try:
            self.queue.put_nowait(item)
        except asyncio.QueueFull:
            self.lost.set()


class Hub:
    """Polls while there is somebody to tell; lives on one event loop.

    A reader is told, in order and once each, every piece of the log that is not in the table yet when
    its watch is ready, and every change of the state; earlier pieces it reads by itself.
    """

    def __init__(self) -> None:
        self._watches: dict[str, Watch] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hub")
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._is_failing = False

    def subscribe(self, key: str, lost: asyncio.Event) -> Subscription:
        """Start telling a reader about an execution."""
        watch = self._watches.setdefault(key, Watch())
        reader = Subscription(key, watch, lost)
        watch.readers.add(reader)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        self._wake.set()
        return reader

    def unsubscribe(self, reader: Subscription) -> None:
        """Stop telling a reader; repeats are harmless."""
        reader.watch.readers.discard(reader)
        if not reader.watch.readers and self._watches.get(reader.key) is reader.watch:
            del self._watches[reader.key]

    def close(self) -> None:
        """End every stream; browsers come back by themselves and resume."""
        for watch in self._watches.values():
            watch.ready.set()
            for reader in watch.readers:
                reader.put(None)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._watches:
                self._wake.clear()
                watches = dict(self._watches)
                positions = {key: watch.position for key, watch in watches.items()}
                seen = await loop.run_in_executor(self._thread, self._poll, positions)
                for key, one in seen.items():
                    _tell(watches[key], one)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
        finally:
            # Whoever subscribes from here on starts the next run; whoever is still there comes back.
            self._task = None
            self.close()
        await loop.run_in_executor(self._thread, connections.close_all)

    def _poll(self, positions: Mapping[str, Position | None]) -> dict[str, Seen]:
        """In the hub's thread: what is new; nothing while the database is away."""
        try:
            seen = watching.poll(positions)
        except Error as error:
            if not self._is_failing:
                logger.warning("Live pages wait for the database: %s", error)
            self._is_failing = True
            connections.close_all()
            return {}
        if self._is_failing:
            logger.warning("Live pages go on.")
        self._is_failing = False
        return seen


def _tell(watch: Watch, seen: Seen) -> None:
    watch.position = seen.position
    for piece in seen.pieces:
        item = Piece(piece.attempt, piece.step, piece.seq, encoded(piece.lines))
        for reader in watch.readers:
            reader.put(item)
    if seen.state is not None and seen.state != watch.state:
        watch.state = seen.state
        for reader in watch.readers:
            reader.put(seen.state)
    watch.ready.set()


hub = Hub()
