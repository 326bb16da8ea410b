"""An execution's log and state as server-sent events, and its log as a download."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncGenerator, Iterable

from launchpad.streams import RECHECK_SECONDS, Stream, Visit, chunked, in_thread
from mlops.domain import deployments, executions, logs, watching
from mlops.domain.log_position import Position
from mlops.domain.logs import Owner
from mlops.domain.watching import State
from mlops.live.hub import Piece, Subscription, encoded, hub
from mlops.models import Execution

HEARTBEAT_SECONDS = 15.0
EVENTS = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
TEXT = {"Content-Type": "text/plain; charset=utf-8"}
RETRY = b"retry: 1000\n\n"
_PART = re.compile(r"(\d{1,9})(?:\.(\d{1,4}))?", re.ASCII)
END = b"event: end\ndata: {}\n\n"


async def stream_execution(visit: Visit) -> Stream:
    """Events `log` (a list of lines), `state` and, when nothing can follow, `end`.

    Starts after the Last-Event-ID header or the query's `after`, else at the beginning of the log. The
    id of an event is where the log goes on, so that a browser that comes back misses and repeats nothing.
    """
    execution = await in_thread(executions.get, visit.scope, visit.kwargs["execution_id"])
    place = Position.parse(visit.request.headers.get("Last-Event-ID") or visit.request.GET.get("after", ""))
    lost = asyncio.Event()
    return Stream(EVENTS, _Follower(visit, execution, place, lost).events(), lost)


async def download_log(visit: Visit) -> Stream:
    """The log so far of an execution or deployment as a text file, whole or a part of it."""
    get, name = executions.get, "execution_id"
    if "deployment_id" in visit.kwargs:
        get, name = deployments.get, "deployment_id"
    owner: Owner = await in_thread(get, visit.scope, visit.kwargs[name])
    part = log_part(visit.request.GET.get("part", ""))
    texts = (text.encode() for text in logs.text(visit.scope, owner, **part))
    return Stream({**TEXT, **attachment(owner, part)}, chunked(texts))


def log_part(text: str) -> dict[str, int]:
    """Attempt and step of "<attempt>.<step index>", or the attempt of "<attempt>".

    Empty, which means the whole log, for other texts.
    """
    match = _PART.fullmatch(text)
    if match is None:
        return {}
    return {"attempt": int(match[1])} | ({"step": int(match[2])} if match[2] else {})


def attachment(execution: Owner, part: dict[str, int]) -> dict[str, str]:
    """The header that makes a browser save the log."""
    name = "-".join([execution.pk, *map(str, part.values())])
    return {"Content-Disposition": f'attachment; filename="{name}.log"'}


def log_event(place: Position, data: bytes) -> bytes:
    """Lines as an event. place: behind them."""
    return b"event: log\nid: %s\ndata: %s\n\n" % (str(place).encode(), data)


def state_event(state: State) -> bytes:
    """A state as an event."""
    data = {"status": state.status, "version": state.version, "over": state.is_over}
    return b"event: state\ndata: %s\n\n" % json.dumps(data).encode()


def snapshot(pieces: Iterable[watching.Piece], place: Position, state: State) -> bytes:
    """What a server without streams can say: everything new, then good-bye until the browser asks again."""
    events = [b"retry: 2000\n\n"]
    is_empty = True
    for piece in pieces:
        is_empty = False
        place = place.after(piece.attempt, piece.step, piece.seq)
        events.append(log_event(place, encoded(piece.lines)))
    events.append(state_event(state))
    if state.is_over and is_empty:
        events.append(END)
    return b"".join(events)


class _Follower:
    """One reader's way through the log: first from the table, then from the hub."""

    def __init__(self, visit: Visit, execution: Execution, place: Position, lost: asyncio.Event) -> None:
        self.visit, self.execution, self.place, self.lost = visit, execution, place, lost
        self.is_behind = True
        self.told: State | None = None

    async def events(self) -> AsyncGenerator[bytes, None]:
        """Everything, till the end of the execution, of the right to see it, or of the server."""
        clock = asyncio.get_running_loop().time
        reader = hub.subscribe(self.execution.pk, self.lost)
        said = clock()
        try:
            yield RETRY
            while True:
                if not await self.visit.allowed():
                    return
                events = await self._next(reader)
                if events is None:
                    return
                if events or clock() - said >= HEARTBEAT_SECONDS:
                    yield events or b":\n\n"
                    said = clock()
                if self.told is not None and self.told.is_over:
                    yield END
                    return
        finally:
            hub.unsubscribe(reader)

    async def _next(self, reader: Subscription) -> bytes | None:
        """The next events, b"" when there are none for a while, None at the end."""
        if not reader.watch.ready.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RECHECK_SECONDS):
                    await reader.watch.ready.wait()
            return b""
        if self.is_behind:
            return await self._catch_up(reader)
        try:
            # `wait_for` would make a task of each.
            async with asyncio.timeout(RECHECK_SECONDS):
                item = await reader.queue.get()
        except TimeoutError:
            return b""
        if item is None:
            return None
        if isinstance(item, State):
            return self._state(item)
        return self._piece(item)

    async def _catch_up(self, reader: Subscription) -> bytes:
        pieces = await in_thread(watching.follow, self.visit.scope, self.execution, self.place)
        if not pieces:
            self.is_behind = False
            return self._state(reader.watch.state) if reader.watch.state else b""
        events = []
        for piece in pieces:
            self.place = self.place.after(piece.attempt, piece.step, piece.seq)
            events.append(log_event(self.place, encoded(piece.lines)))
        return b"".join(events)

    def _piece(self, piece: Piece) -> bytes:
        wanted = self.place.next_of(piece.attempt, piece.step)
        if wanted is None or piece.seq < wanted:
            return b""
        self.place = self.place.after(piece.attempt, piece.step, piece.seq)
        return log_event(self.place, piece.data)

    def _state(self, state: State) -> bytes:
        if state == self.told:
            return b""
        self.told = state
        return state_event(state)
