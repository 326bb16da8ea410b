"""A cheap crowd of HTTP clients: bytes prepared beforehand, connections that stay, one thread for all.

It shares the machine with the server it measures, so it parses no more of an answer than status and length.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

Prepare = Callable[[bytes], bytes | None]


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request's bytes. body: JSON."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        *(f"{name}: {one}" for name, one in headers.items()),
    ]
    if body or method != "GET":
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join((*lines, "", "")).encode() + body


@dataclass
class Outcome:
    """What a crowd has seen. took: milliseconds of each request, in the order of their ends.

    seconds: from the first request to the last answer. own_seconds: processor time of the crowd itself.
    """

    took: list[float] = field(default_factory=list)
    seconds: float = 0.0
    own_seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.took) / self.seconds

    @property
    def own_ms(self) -> float:
        """Milliseconds of processor time that the crowd needs for one request."""
        return self.own_seconds * 1000 / len(self.took)


class _Visitor:
    """One connection: sends the next request as soon as it has the answer to the one before."""

    def __init__(self, port: int, script: Iterator[bytes | Prepare], expected: tuple[int, ...]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.script = script
        self.expected = expected
        self.read = b""
        self.began = 0.0
        self.body = b""

    def ask(self) -> bool:
        """Send the next request; False when there is none."""
        step = next(self.script, None)
        wire = step(self.body) if callable(step) else step
        if wire is None:
            return False
        self.began = time.perf_counter()
        self.socket.sendall(wire)
        return True

    def answered(self) -> bool:
        """Take what has come; whether the answer is whole. Raises RuntimeError for another status."""
        part = self.socket.recv(1 << 18)
        if not part:
            raise RuntimeError(f"The server hung up after {self.read[:300]!r}.")
        self.read += part
        head, end, body = self.read.partition(b"\r\n\r\n")
        if not end:
            return False
        status = int(head[9:12])
        if status not in self.expected:
            raise RuntimeError(f"The server answered {self.read[:1500]!r}.")
        at = head.lower().find(b"content-length:")
        if at < 0 and status != 204:
            # Chunked: ends with the empty piece.
            if not body.endswith(b"0\r\n\r\n"):
                return False
        elif at >= 0 and len(body) < int(head[at + 15 :].split(b"\r\n", 1)[0]):
            return False
        self.body, self.read = body, b""
        return True


def crowd(
    ports: list[int],
    scripts: Iterable[Iterator[bytes | Prepare]],
    *,
    seconds: float,
    expected: tuple[int, ...] = (200,),
    warm: int = 0,
) -> Outcome:
    """Let one client a script ask, all at once, until the scripts or the seconds are over.

    ports: of one or more web processes, among which the clients are shared. A step of a script is a request's
    bytes, or what makes them of the body of the answer before. warm: so many answers of each are not counted.
    """
    visitors = [
        _Visitor(ports[number % len(ports)], script, expected) for number, script in enumerate(scripts)
    ]
    outcome = Outcome()
    try:
        for visitor in visitors:
            for _ in range(warm):
                visitor.ask()
                while not visitor.answered():
                    pass
        with selectors.DefaultSelector() as ready:
            own, began = time.process_time(), time.perf_counter()
            for visitor in visitors:
                if visitor.ask():
                    ready.register(visitor.socket, selectors.EVENT_READ, visitor)
            until = began + seconds
            while ready.get_map():
                for key, _ in ready.select(30):
                    if not key.data.answered():
                        continue
                    now = time.perf_counter()
                    outcome.took.append((now - key.data.began) * 1000)
                    if now >= until or not key.data.ask():
                        ready.unregister(key.fileobj)
            outcome.seconds = time.perf_counter() - began
            outcome.own_seconds = time.process_time() - own
    finally:
        for visitor in visitors:
            visitor.socket.close()
    return outcome
