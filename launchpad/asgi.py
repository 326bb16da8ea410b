"""The ASGI application: the gateway and streams go native, the rest to Django in a pool of threads."""

from __future__ import annotations

import asyncio
import functools
import logging
import signal
import threading
from types import FrameType

from django.conf import settings
from django.urls import Resolver404, ResolverMatch, URLResolver, path
from django.urls.resolvers import RegexPattern

from launchpad.wsgi import application as wsgi

# isort: split
# Below is what needs Django set up, as the import above does.
from launchpad import checks, collection, intake, spools, streams
from launchpad.bridge import Bridge
from launchpad.streams import Message, Receive, Send
from mlops.gateway.application import gateway
from mlops.live.hub import hub

# A thread is held while a page is made, never while somebody looks at it.
pages = Bridge(wsgi, workers=16)


class WithoutTokens(logging.Filter):
    """Keeps addresses that hold a run's token out of the logs of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record may be written."""
        return not (
            isinstance(record.args, tuple) and any(str(part).startswith("/runs/") for part in record.args)
        )


for _name in ("uvicorn.access", "django.request"):
    logging.getLogger(_name).addFilter(WithoutTokens())


async def application(scope: Message, receive: Receive, send: Send) -> None:
    """Answer one connection: a request, or the server's start and end."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    if scope["type"] != "http":
        await send({"type": "websocket.close", "code": 1000})
        return
    if gateway.serves(scope):
        await gateway.serve(scope, receive, send)
        return
    match = _match(scope)
    if match and await streams.serve(scope, receive, send, match.func, dict(match.kwargs)):
        return
    request = await intake.take(scope, receive, send)
    if request is not None:
        await pages(request, spools.sender(request.scope, receive, send))


@functools.cache
def _streaming() -> URLResolver:
    """The addresses of views that stream: a few, found sooner than among all."""
    found = [
        path(route, pattern.callback)
        for route, _name, pattern in checks.routes()
        if hasattr(pattern.callback, "stream")
    ]
    return URLResolver(RegexPattern(r"^/"), found)


def _match(scope: Message) -> ResolverMatch | None:
    """The view of a GET if it is one that streams."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    try:
        return _streaming().resolve(scope["path"])
    except Resolver404:
        return None


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    # The first visitor should not wait for all modules to be imported.
    _match({"type": "http", "method": "GET", "path": "/"})
    _end_streams_on_signals()
    collection.settle()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    hub.close()
    await gateway.close()
    await send({"type": "lifespan.shutdown.complete"})


def _end_streams_on_signals() -> None:
    """End live streams as soon as the server is told to go; it waits for open responses first.

    Requests to deployments get GRACE_SECONDS for their answers.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)

        def leave(received: int, frame: FrameType | None, before: object = before) -> None:
            loop.call_soon_threadsafe(hub.close)
            loop.call_soon_threadsafe(loop.call_later, settings.GRACE_SECONDS, gateway.end)
            if callable(before):
                before(received, frame)

        signal.signal(number, leave)
