"""One request on its way to a server and the answer on its way back, streaming both ways."""

from __future__ import annotations

import asyncio

from django.conf import settings

from launchpad.streams import Receive, Send
from mlops.gateway import answers
from mlops.gateway.connections import Broken, Connection
from mlops.gateway.lanes import Lane, Line
from mlops.gateway.predictions import Copy
from mlops.gateway.refusals import Refused
from mlops.gateway.requests import Request
from mlops.gateway.servers import Unreachable, Upstream
from mlops.gateway.waiting import Gone

# A body that has been read so far and no further can be sent once more.
REPLAYED_BYTES = 1024 * 1024
# Most requests are over by then; whoever waits longer is watched.
_PATIENCE_SECONDS = 0.05
_LOOK_SECONDS = 5.0
TOO_LARGE = "The body may hold at most {} MiB. Send it in parts."


class Exchange:
    """A request that has a place. code: status of the server's answer, 0 before there is one.

    is_started: the client has got the head of the answer. is_whole: all of it was passed on.
    """

    def __init__(
        self, request: Request, line: Line, lane: Lane, receive: Receive, send: Send, copy: Copy | None
    ) -> None:
        self._request = request
        self._line = line
        self._lane = lane
        self._receive = receive
        self._send = send
        self._copy = copy
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._connection: Connection | None = None
        self._aside: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        # Of the body: what may have to be sent again, None once that is too much; whether all has come.
        self._gathered: list[bytes] | None = []
        self._size = 0
        self._has_come = not request.has_body
        self._awaits_client = False
        self._moved_at = 0.0
        self.code = 0
        self.is_started = False
        self.is_whole = False

    async def run(self) -> None:
        """Pass the request on and its answer back.

        Raises Refused where the gateway has to answer, Gone where nobody is there to read an answer, Broken
        when the answer ended amid its body: the client must not take it for whole.
        """
        self._moved_at = self._loop.time()
        self._timer = self._loop.call_later(_PATIENCE_SECONDS, self._look)
        try:
            await self._serve()
        except asyncio.CancelledError:
            if self._failure is None or self._task is None:
                raise
            self._task.uncancel()
            raise self._failure from None
        finally:
            self._timer.cancel()
            if self._aside is not None:
                self._aside.cancel()

    async def _serve(self) -> None:
        tried: set[Upstream] = set()
        fresh = False
        while True:
            upstream = self._lane.choose(tried, self._loop.time())
            if upstream is None:
                raise Refused(
                    503, "No server of this deployment can be reached. Try again soon.", retry_after=1
                )
            upstream.open += 1
            try:
                try:
                    connection = await upstream.connection(fresh=fresh)
                except Unreachable:
                    # Nothing was sent: another one may take it.
                    tried.add(upstream)
                    continue
                try:
                    await self._ask(connection, upstream)
                    await self._answer(connection)
                    return
                except Broken as error:
                    if self.is_started:
                        raise
                    if fresh or not self._may_go_again(connection):
                        raise Refused(502, f"The server gave no answer. {error}") from error
                    fresh = True
                    await self._leave_off()
                finally:
                    self._connection = None
                    if not self._has_come:
                        connection.close()
                    upstream.give_back(connection, now=self._loop.time())
            finally:
                upstream.open -= 1

    def _may_go_again(self, connection: Connection) -> bool:
        """Whether a server that hung up may not have seen the request, and all of it so far is at hand.

        A connection that was kept open may be closed by the server at any moment; a fresh one that breaks had
        the request.
        """
        unseen = not connection.is_sent or (connection.is_reused and not connection.is_heard)
        return unseen and self._gathered is not None

    async def _leave_off(self) -> None:
        """End what is still sending to a connection that is gone."""
        if self._aside is not None:
            self._aside.cancel()
            await asyncio.gather(self._aside, return_exceptions=True)
            self._aside = None
            self._awaits_client = False

    async def _ask(self, connection: Connection, upstream: Upstream) -> None:
        """Send the request and wait for the head of the answer."""
        if not self._has_come and not self._size:
            body = await self._part()
        else:
            body = b"".join(self._gathered or ())
        head = self._request.head(
            upstream.head + self._line.head, whole=self._size if self._has_come else None
        )
        connection.begin(is_head=self._request.method == "HEAD")
        self._connection = connection
        if self._failure is not None:
            raise self._failure
        if self._has_come:
            connection.write(head + body)
        else:
            connection.write(head + self._framed(body))
            self._aside = self._loop.create_task(self._pour(connection))
        await connection.answered()

    def _framed(self, part: bytes) -> bytes:
        """A part of the body as it goes on: in chunks where it came in chunks."""
        if self._request.length is not None or not part:
            return part
        return b"%x\r\n%b\r\n" % (len(part), part)

    async def _part(self) -> bytes:
        """The next part of the body. Raises Gone, Refused for a body that is too large."""
        self._awaits_client = True
        message = await self._receive()
        self._awaits_client = False
        if message["type"] != "http.request":
            raise Gone
        part: bytes = message.get("body", b"")
        self._has_come = not message.get("more_body", False)
        self._size += len(part)
        if self._size > settings.GATEWAY_BODY_BYTES:
            raise Refused(413, TOO_LARGE.format(settings.GATEWAY_BODY_BYTES // 1024**2))
        if self._gathered is not None:
            self._gathered.append(part)
            if self._size > REPLAYED_BYTES:
                self._gathered = None
        if self._copy is not None:
            self._copy.asked(part)
        self._moved_at = self._loop.time()
        return part

    async def _pour(self, connection: Connection) -> None:
        """Send what is still to come of the body, as fast as the server takes it; then watch the client."""
        try:
            while not self._has_come:
                part = self._framed(await self._part())
                if self._has_come and self._request.length is None:
                    part += b"0\r\n\r\n"
                connection.write(part)
                if connection.is_paused:
                    await connection.drained()
                    self._moved_at = self._loop.time()
            await self._watch()
        except (Gone, Refused) as error:
            self._fail(error)
        except Broken:
            # Whoever waits for the answer is told as well.
            return

    async def _watch(self) -> None:
        """Wait until the client leaves. Raises Gone."""
        while (await self._receive())["type"] != "http.disconnect":
            continue
        raise Gone

    async def _attend(self) -> None:
        try:
            await self._watch()
        except Gone as error:
            self._fail(error)

    def _look(self) -> None:
        """Look after a request that takes its time: is the client there, does anything move?"""
        now = self._loop.time()
        limit = settings.BODY_SILENCE_SECONDS if self._awaits_client else self._lane.timeout_seconds
        left = self._moved_at + limit - now
        if left <= 0:
            self._fail(self._silence())
            return
        if self._aside is None and self._has_come and self._connection is not None:
            self._aside = self._loop.create_task(self._attend())
        pause = _PATIENCE_SECONDS if self._aside is None else _LOOK_SECONDS
        self._timer = self._loop.call_later(min(left, pause), self._look)

    def _silence(self) -> Refused:
        if self._awaits_client:
            return Refused(408, "The body stopped coming. Send it again, without pauses.")
        seconds = self._lane.timeout_seconds
        return Refused(504, f"The server has been silent for {seconds:g} s, as long as its template allows.")

    def _fail(self, error: Exception) -> None:
        """End it: whatever the task of this exchange waits for, it goes on with the error."""
        if self._failure is not None:
            return
        self._failure = error
        connection = self._connection
        awaited = connection is not None and connection.is_awaited
        if connection is not None:
            connection.fail(error)
        if not awaited and self._task is not None:
            self._task.cancel()

    def abort(self) -> None:
        """The web server ends: what has no answer yet gets this one, what has is cut off."""
        self._fail(Refused(503, "The web server ends. Try again.", retry_after=1))

    async def _answer(self, connection: Connection) -> None:
        """Pass the answer on."""
        own = (self._lane.header, (b"x-request-id", self._request.id))
        headers = answers.passed_on(connection.code, connection.headers, own)
        self.code = connection.code
        copy = self._copy
        if copy is not None:
            copy.begins(connection.headers)
        send = self._send
        self.is_started = True
        await send({"type": "http.response.start", "status": connection.code, "headers": headers})
        while True:
            part = connection.take()
            if copy is not None and part:
                copy.answered(part)
            if connection.is_complete:
                await send({"type": "http.response.body", "body": part})
                self.is_whole = True
                return
            if part:
                await send({"type": "http.response.body", "body": part, "more_body": True})
                self._moved_at = self._loop.time()
            elif connection.error is not None:
                raise connection.error
            else:
                await connection.more()
