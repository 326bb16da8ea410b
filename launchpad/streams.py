"""Responses that last: sent natively by the ASGI side, behind the same policies as every page."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Hashable,
    Iterator,
    Mapping,
    MutableMapping,
)
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.db import Error, close_old_connections
from django.http import HttpResponse

from launchpad.access import Scope
from launchpad.errors import LaunchpadError
from launchpad.middleware import Sessions

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
T = TypeVar("T")
# For so long somebody who has lost a role may go on watching.
RECHECK_SECONDS = 5.0

HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
# Reads of a stream take milliseconds, however long it lasts; a few threads serve any number of them.
_threads = ThreadPoolExecutor(4, thread_name_prefix="stream")


@dataclass(frozen=True)
class Visit:
    """One request for a stream. kwargs: the address's, without its place.

    allowed: whether it may still be seen; asks anew every few seconds, so a stream may call it at every step.
    """

    scope: Scope
    request: ASGIRequest
    kwargs: Mapping[str, Any]
    allowed: Callable[[], Awaitable[bool]]


@dataclass(frozen=True)
class Stream:
    """What is sent: headers, then the body as it comes. lost: set it to drop a client that is too slow."""

    headers: Mapping[str, str]
    body: AsyncGenerator[bytes, None]
    lost: asyncio.Event = field(default_factory=asyncio.Event)


Opening = Callable[[Visit], Awaitable[Stream]]


def streamed(opening: Opening) -> Callable[[Any], Any]:
    """Send GETs of a view as a stream. The view itself answers HEAD, and whatever is refused.

    opening: called as `await opening(visit)` once the view's policy has opened the scope; raises
    LaunchpadError to leave the answer to the view.
    """

    def decorate(view: Any) -> Any:
        view.stream = opening
        return view

    return decorate


async def in_thread(function: Callable[..., T], *args: Any) -> T:
    """Call a function that blocks, in a thread that keeps its database connection as a page's does."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _call, function, args)


def _call(function: Callable[..., T], args: tuple[Any, ...]) -> T:
    close_old_connections()
    try:
        return function(*args)
    finally:
        close_old_connections()


class Permits:
    """Whether streams may go on, asked once for all that hang on the same thing, every so many seconds.

    seconds: for so long an answer holds. Lives on one event loop.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._asked: dict[Hashable, tuple[int, asyncio.Future[bool]]] = {}
        self._streams: Counter[Hashable] = Counter()

    def enter(self, key: Hashable) -> None:
        """Another stream hangs on the key, for which the answer has just been yes."""
        self._streams[key] += 1
        if key not in self._asked:
            answer = asyncio.get_running_loop().create_future()
            answer.set_result(True)
            self._asked[key] = (self._beat(key), answer)

    def leave(self, key: Hashable) -> None:
        """One of them is over."""
        self._streams[key] -= 1
        if not self._streams[key]:
            del self._streams[key]
            self._asked.pop(key, None)

    async def holds(self, key: Hashable, ask: Callable[[], Awaitable[bool]]) -> bool:
        """The answer to `ask` for the key, at most `seconds` old."""
        beat = self._beat(key)
        known = self._asked.get(key)
        if known is None or known[0] != beat:
            known = self._asked[key] = (beat, asyncio.ensure_future(ask()))
        # Whoever waits may be gone before the others have their answer.
        return known[1].result() if known[1].done() else await asyncio.shield(known[1])

    def _beat(self, key: Hashable) -> int:
        """A number that changes every so many seconds; not for all keys at once."""
        return int(asyncio.get_running_loop().time() / self._seconds + hash(key) % 97 / 97)


_permits = Permits(RECHECK_SECONDS)


async def chunked(chunks: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The chunks of a blocking iterator; no thread is held between them."""
    while (chunk := await in_thread(next, chunks, None)) is not None:
        yield chunk


def signed_in(asgi: Message) -> ASGIRequest | None:
    """The request with its session and user; None for nobody, or a host that is none of ours. Blocks."""
    request = ASGIRequest(dict(asgi), io.BytesIO())
    try:
        request.get_host()
    except DisallowedHost:
        return None
    for middleware in (Sessions, AuthenticationMiddleware):
        middleware(_never).process_request(request)
    return request if request.user.is_authenticated else None


def _open(asgi: Message, view: Any, kwargs: dict[str, Any]) -> tuple[ASGIRequest, Scope] | None:
    """The request with its user, and the scope that the view's policy opens; None when it opens none."""
    request = signed_in(asgi)
    if request is None:
        return None
    try:
        return request, view.open(request, kwargs)
    except LaunchpadError:
        return None


def _never(request: Any) -> HttpResponse:
    """The middlewares are asked to prepare the request only."""
    raise AssertionError("not called")


async def serve(asgi: Message, receive: Receive, send: Send, view: Any, kwargs: dict[str, Any]) -> bool:
    """Send the view's stream; False, with nothing sent, when the view's own answer is due instead."""

    async def ask() -> bool:
        try:
            return await in_thread(_open, asgi, view, kwargs) is not None
        except Error:
            # Nothing can be read meanwhile either; the next check decides.
            return True

    # All that `_open` goes by.
    cookies = tuple(value for name, value in asgi["headers"] if name == b"cookie")
    key = (view, kwargs.get("workspace"), kwargs.get("resource_group"), cookies)

    async def allowed() -> bool:
        return await _permits.holds(key, ask)

    try:
        opened = await in_thread(_open, asgi, view, kwargs)
    except Error:
        return False
    if opened is None:
        return False

    request, scope = opened
    rest = {key: value for key, value in kwargs.items() if key not in ("workspace", "resource_group")}
    try:
        stream = await view.stream(Visit(scope, request, rest, allowed))
    except (LaunchpadError, Error):
        return False
    _permits.enter(key)
    sending = [
        asyncio.create_task(_send(stream, send)),
        asyncio.create_task(_gone(receive)),
        asyncio.create_task(stream.lost.wait()),
    ]
    try:
        await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
    finally:
        _permits.leave(key)
        for task in sending:
            task.cancel()
        results = await asyncio.gather(*sending, return_exceptions=True)
        await stream.body.aclose()
    if isinstance(results[0], Exception):
        raise results[0]
    return True


async def _send(stream: Stream, send: Send) -> None:
    headers = {**HEADERS, **stream.headers}
    start = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 200, "headers": start})
    async for chunk in stream.body:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
