"""The ASGI application: addresses, bodies within their limits, and errors as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import encoding
from inference import Answer
from models import log
from refusals import Refused, shown
from served import Served

Headers = list[tuple[bytes, bytes]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# Bodies of so many requests at their limit are held at once; further ones are told to come again.
BODIES_AT_ONCE = 4
# Larger answers go out in pieces, so that a reader that is slow holds them back.
PIECE = 256 * 1024
NOT_READY = "The model is still being loaded."


class Left(Exception):
    """The client went away before its request was whole."""


class Application:
    """Answers for one model, which comes later than the first requests.

    body_limit: bytes of a request; body_seconds: a request may take so long to arrive, an answer to leave.
    """

    def __init__(self, name: str, version: str, *, body_limit: int, body_seconds: float) -> None:
        self.name, self.version = name, version
        self.served: Served | None = None
        self._limit, self._seconds = body_limit, body_seconds
        self._held = 0
        self._routes: dict[str, dict[str, Callable[[Headers, Receive], Awaitable[Answer]]]] = {}
        self._add_routes()

    def _add_routes(self) -> None:
        def get(path: str, told: Callable[[], Any]) -> None:
            async def answer(_headers: Headers, _receive: Receive) -> Answer:
                found = told()
                return Answer(found if type(found) is bytes else encoding.to_json(found))

            self._routes[path] = {"GET": answer, "HEAD": answer}

        get("/v2/health/live", lambda: {"live": True})
        get("/v2/health/ready", lambda: self._ready() and {"live": True})
        get("/v2", lambda: {"name": "launchpad", "version": "2", "extensions": ["binary_tensor_data"]})
        get("/v1/signature", lambda: self._ready().predictions.signature)
        self._routes["/v1/predict"] = {"POST": self._predict}
        self._routes["/v2/repository/index"] = {"POST": self._index}
        for base in (f"/v2/models/{self.name}", f"/v2/models/{self.name}/versions/{self.version}"):
            get(base, lambda: self._ready().metadata())
            get(f"{base}/ready", lambda: self._ready() and {"name": self.name, "ready": True})
            get(f"{base}/config", lambda: self._ready().config())
            get(f"{base}/stats", lambda: self._ready().stats())
            self._routes[f"{base}/infer"] = {"POST": self._infer}

    def _ready(self) -> Served:
        if self.served is None:
            raise Refused(503, NOT_READY)
        return self.served

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        status, more = 200, ()
        try:
            answer = await self._route(scope)(scope["headers"], receive)
        except Refused as error:
            status = error.code
            if status >= 500 and error.text != NOT_READY:
                log.error("%s %s: %s", scope["method"], scope["path"][:200], error.text)
            answer = Answer(encoding.to_json({"error": error.text}))
            if status == 405:
                more = ((b"allow", ", ".join(self._routes[scope["path"]]).encode()),)
            elif status == 503:
                more = ((b"retry-after", b"1"),)
        except Left:
            return
        await self._send(scope["method"], status, answer, more, send)

    def _route(self, scope: dict[str, Any]) -> Callable[[Headers, Receive], Awaitable[Answer]]:
        path = scope["path"]
        methods = self._routes.get(path)
        if methods is None:
            if path.startswith("/v2/models/"):
                known = f"It serves {shown(self.name)}, version {shown(self.version)}."
                raise Refused(404, f"There is no such model, version or call here. {known}")
            raise Refused(404, "There is nothing at this address.")
        found = methods.get(scope["method"])
        if found is None:
            raise Refused(405, f"This address takes {' and '.join(methods)}.")
        return found

    async def _infer(self, headers: Headers, receive: Receive) -> Answer:
        served = self._ready()
        json_length = None
        for name, value in headers:
            if name == b"inference-header-content-length":
                json_length = _number(value, "Inference-Header-Content-Length")
        return await self._with_body(
            headers, receive, lambda body: served.carry_out(served.inference.answer, body, json_length)
        )

    async def _predict(self, headers: Headers, receive: Receive) -> Answer:
        served = self._ready()
        return await self._with_body(
            headers, receive, lambda body: served.carry_out(served.predictions.answer, body)
        )

    async def _index(self, _headers: Headers, _receive: Receive) -> Answer:
        # What the body may ask, whether only what is ready, changes nothing with one model.
        state = "READY" if self.served else "LOADING"
        one = {"name": self.name, "version": self.version, "state": state, "reason": ""}
        return Answer(encoding.to_json([one]))

    async def _with_body(
        self, headers: Headers, receive: Receive, carry_out: Callable[[bytes | bytearray], Awaitable[Answer]]
    ) -> Answer:
        """Read the body and carry its request out. Raises Refused, Left."""
        length = 0
        for name, value in headers:
            if name == b"content-length":
                length = _number(value, "Content-Length")
            elif name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
                raise Refused(415, "Compressed bodies are not taken; send it as it is.")
        if length > self._limit:
            raise self._too_large()
        message = await receive()
        if not message.get("more_body"):
            if message["type"] != "http.request":
                raise Left
            if len(message["body"]) > self._limit:
                raise self._too_large()
            return await carry_out(message["body"])
        # A body without a length counts as the longest one.
        reserved = length or self._limit
        if self._held + reserved > self._limit * BODIES_AT_ONCE:
            raise Refused(503, "Too many large requests at once. Try again.")
        self._held += reserved
        try:
            body = bytearray(message["body"])
            try:
                async with asyncio.timeout(self._seconds):
                    await self._rest(body, receive)
            except TimeoutError as error:
                raise Refused(408, f"The body was not whole within {self._seconds:g} s.") from error
            return await carry_out(body)
        finally:
            self._held -= reserved

    async def _rest(self, body: bytearray, receive: Receive) -> None:
        more = True
        while more:
            if len(body) > self._limit:
                raise self._too_large()
            message = await receive()
            if message["type"] != "http.request":
                raise Left
            body += message["body"]
            more = message.get("more_body", False)
        if len(body) > self._limit:
            raise self._too_large()

    def _too_large(self) -> Refused:
        return Refused(413, f"The body is larger than {self._limit:,} bytes.")

    async def _send(
        self, method: str, status: int, answer: Answer, more: Iterable[tuple[bytes, bytes]], send: Send
    ) -> None:
        headers = [
            (b"content-type", answer.content_type),
            (b"content-length", str(len(answer.body)).encode()),
            *more,
        ]
        if answer.json_length is not None:
            headers.append((b"inference-header-content-length", str(answer.json_length).encode()))
        if status == 408:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        body = b"" if method == "HEAD" else answer.body
        if len(body) <= PIECE:
            await send({"type": "http.response.body", "body": body})
            return
        try:
            async with asyncio.timeout(self._seconds):
                for at in range(0, len(body), PIECE):
                    piece = body[at : at + PIECE]
                    await send(
                        {"type": "http.response.body", "body": piece, "more_body": at + PIECE < len(body)}
                    )
        except TimeoutError:
            # The rest is never sent: the connection is closed by who carries this application out.
            return


def _number(value: bytes, name: str) -> int:
    if not value.isdigit() or len(value) > 15:
        raise Refused(400, f"{name} must be a whole number.")
    return int(value)
