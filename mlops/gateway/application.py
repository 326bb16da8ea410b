"""The gateway as an ASGI application: rights, limits, a place, the exchange, and what is noted of it."""

from __future__ import annotations

import asyncio
import logging

from django.conf import settings

from launchpad.access import request_id
from launchpad.streams import Message, Receive, Send
from mlops.gateway import refusals, rights
from mlops.gateway.connections import Broken
from mlops.gateway.counting import Counting
from mlops.gateway.exchanges import TOO_LARGE, Exchange
from mlops.gateway.lanes import Lane, Line
from mlops.gateway.predictions import Log
from mlops.gateway.refusals import Refused
from mlops.gateway.requests import PREFIX, Request
from mlops.gateway.rights import Rights
from mlops.gateway.routes import Routes
from mlops.gateway.waiting import Gone, Inlet, place

logger = logging.getLogger(__name__)

ENCODED = "A body comes with a length or in chunks, in no other encoding. Say Content-Encoding instead."
WEBSOCKET = "WebSockets are not passed on to deployments. Send requests, and read answers as they come."


class Gateway:
    """All of it in one web process, on one event loop."""

    def __init__(self) -> None:
        self.routes = Routes()
        self.rights = Rights()
        self.counting = Counting()
        self.log = Log()
        self._open: set[Exchange] = set()

    def serves(self, scope: Message) -> bool:
        """Whether a connection is a request to a deployment."""
        return scope["type"] == "http" and bool(scope["raw_path"].startswith(PREFIX))

    async def serve(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request. Returning without an end makes the web server cut the connection."""
        began = asyncio.get_running_loop().time()
        request = Request(scope)
        try:
            await self._serve(request, scope, receive, send, began)
        except Refused as refused:
            request_id.set(request.id.decode())
            await refusals.answer(refused, scope, send, request_id=request.id)
        except Gone:
            return

    async def _serve(
        self, request: Request, scope: Message, receive: Receive, send: Send, began: float
    ) -> None:
        if request.credential is None:
            raise Refused(401, refusals.UNKNOWN)
        line = self.routes.known(request.deployment, began) or await self.routes.find(request.deployment)
        decision = await self.rights.decide(request, scope, line.route, began)
        rights.check(decision, request)
        if request.read.get(b"upgrade", b"").lower() == b"websocket":
            raise Refused(501, WEBSOCKET)
        if request.read.get(b"transfer-encoding", b"chunked").strip().lower() != b"chunked":
            raise Refused(501, ENCODED)
        if request.length is not None and request.length > settings.GATEWAY_BODY_BYTES:
            raise Refused(413, TOO_LARGE.format(settings.GATEWAY_BODY_BYTES // 1024**2))
        line.take_turn(began)
        lane = line.enter()
        if lane is None:
            self.counting.waits(line)
            receive = inlet = Inlet(receive)
            lane = await place(line, inlet)
        try:
            await self._exchange(request, line, lane, decision.caller, receive, send, began)
        finally:
            line.leave(lane)

    async def _exchange(
        self,
        request: Request,
        line: Line,
        lane: Lane,
        caller: str,
        receive: Receive,
        send: Send,
        began: float,
    ) -> None:
        """Pass a request on, and note how it went."""
        share = line.route.share if line.route is not None else 0
        copy = None
        if share:
            copy = self.log.copy(request, share=share, revision=lane.revision, caller=caller)
        self.counting.began(line, lane)
        exchange = Exchange(request, line, lane, receive, send, copy)
        self._open.add(exchange)
        status = 0
        try:
            await exchange.run()
            status = exchange.code
        except Refused as refused:
            if not exchange.is_started:
                status = refused.code
                raise
            # Amid an answer nothing can be said any more; an end that is none says it.
        except Gone:
            status = exchange.code
        except Broken as error:
            # The status counts as failed: nobody got the whole answer.
            logger.warning("Deployment %s broke off an answer: %s", request.deployment, error)
        finally:
            self._open.discard(exchange)
            seconds = asyncio.get_running_loop().time() - began
            self.counting.ended(lane, status, seconds)
            if copy is not None:
                self.log.add(copy.kept(status, seconds))

    def end(self) -> None:
        """Cut what is still open; the web server waits for it otherwise, as long as it lasts."""
        for exchange in list(self._open):
            exchange.abort()

    async def close(self) -> None:
        """End with the web server: store what is counted and kept, close every connection."""
        await self.counting.close()
        await self.log.close()
        await self.routes.close()


gateway = Gateway()
