"""Responses that last: sent natively by the ASGI side, behind the same policies as every page."""

from __future__ import annotations

import asyncio
import io
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
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
from django.db import Error, connections
from django.http import HttpResponse

from launchpad.access import Scope
from launchpad.errors import LaunchpadError
from launchpad.middleware import Sessions

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
T = TypeVar("T")

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
    """One request for a stream. kwargs: the address's, without its place. allowed: asks anew."""

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
    """Call a function that blocks, in a thread whose database connection is given back afterwards."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _call, function, args)


def _call(function: Callable[..., T], args: tuple[Any, ...]) -> T:
    try:
        return function(*args)
    finally:
        connections.close_all()


async def chunked(chunks: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The chunks of a blocking iterator; no thread is held between them."""
    while (chunk := await in_thread(next, chunks, None)) is not None:
        yield chunk


def _open(asgi: Message, view: Any, kwargs: dict[str, Any]) -> tuple[ASGIRequest, Scope] | None:
    """The request with its user, and the scope that the view's policy opens; None when it opens none."""
    request = ASGIRequest(dict(asgi), io.BytesIO())
    try:
        request.get_host()
    except DisallowedHost:
        return None
    for middleware in (Sessions, AuthenticationMiddleware):
        middleware(_never).process_request(request)
    if not request.user.is_authenticated:
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

    async def allowed() -> bool:
        try:
            return await in_thread(_open, asgi, view, kwargs) is not None
        except Error:
            # Nothing can be read meanwhile either; the next check decides.
            return True

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
    sending = [
        asyncio.create_task(_send(stream, send)),
        asyncio.create_task(_gone(receive)),
        asyncio.create_task(stream.lost.wait()),
    ]
    try:
        await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
    finally:
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
