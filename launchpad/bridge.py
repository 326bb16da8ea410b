"""Carries requests from ASGI to WSGI: a thread makes the answer, the loop sends it."""

from __future__ import annotations

import asyncio
import contextvars
import io
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from a2wsgi.wsgi import Body, build_environ

from launchpad.intake import Request
from launchpad.streams import Message, Send

Application = Callable[[dict[str, Any], Callable[..., None]], Iterable[bytes]]


@dataclass
class _Answer:
    """status: the code. headers: as ASGI has them. body: the whole of it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def start(self) -> Message:
        """The message that begins it."""
        return {"type": "http.response.start", "status": self.status, "headers": self.headers}


class Bridge:
    """An ASGI application around a WSGI one, for requests whose body has been taken in.

    The general bridge of a2wsgi makes thread and loop wait for each other at every step of an answer; here an
    answer that is at hand crosses once. workers: how many answers are made at the same time.
    """

    def __init__(self, application: Application, workers: int) -> None:
        self.application = application
        self.threads = ThreadPoolExecutor(workers, thread_name_prefix="page")

    async def __call__(self, request: Request, send: Send) -> None:
        """Answer one request."""
        loop = asyncio.get_running_loop()
        body = request.file or (
            io.BytesIO(request.body) if request.rest is None else Body(loop, request.rest)
        )
        environ = build_environ(request.scope, body)
        context = contextvars.copy_context()
        try:
            answer = await loop.run_in_executor(self.threads, context.run, self._made, environ, send, loop)
        finally:
            if request.file is not None:
                request.file.close()
        if answer is not None:
            await send(answer.start())
            await send({"type": "http.response.body", "body": answer.body})

    def _made(self, environ: dict[str, Any], send: Send, loop: asyncio.AbstractEventLoop) -> _Answer | None:
        """The answer with its whole body; None for one that was made part by part, and has been sent."""
        answer = _Answer(500, [], b"")

        def start(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
            answer.status = int(status.split(" ", 1)[0])
            answer.headers = [
                (name.strip().lower().encode("latin1"), value.strip().encode("latin1"))
                for name, value in headers
            ]

        result = self.application(environ, start)
        try:
            if not getattr(result, "streaming", True):
                answer.body = b"".join(result)
                return answer
            self._send(answer.start(), send, loop)
            for part in result:
                self._send({"type": "http.response.body", "body": part, "more_body": True}, send, loop)
            self._send({"type": "http.response.body", "body": b""}, send, loop)
            return None
        finally:
            getattr(result, "close", lambda: None)()

    def _send(self, message: Message, send: Send, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.run_coroutine_threadsafe(send(message), loop).result()
