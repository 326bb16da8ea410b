"""Requests on one connection that stays open: no answer may wait for a delayed acknowledgement."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time

from tests.bench import stacks
from tests.bench.rows import Row, p99, spread
from tests.servers import free_port
from tests.waiting import until

HOW = """300 GETs one after the other on one connection, to /healthz and to the sign-in page of the embedded
stack's web server and of a web server on PostgreSQL. A server that lacks TCP_NODELAY and writes head and
body apart stalls a request by 40 ms until the client's delayed acknowledgement; it would show in most of
them. The figure is the 99th percentile, because a single slow answer is the busy machine. The floor is a
bare ASGI application on uvicorn, in the same run."""
REQUESTS = 300
STALL_MS = 40.0
PATHS = {"/healthz": "health", "/sign-in": "sign-in page"}


def measure() -> list[Row]:
    """A row for each server and path, in milliseconds."""
    with stacks.folder() as home:
        port = free_port()
        with (home / "hello.log").open("w") as out:
            bare = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "tests.bench.hello:application", "--port", str(port)]
                + ["--loop", "uvloop", "--http", "httptools", "--ws", "none", "--no-access-log"],
                cwd=stacks.ROOT,
                stdout=out,
                stderr=out,
            )
        try:
            until(lambda: _answers(port), seconds=20)
            floor = requests(port, "/")
            rows = []
            with stacks.embedded() as small:
                rows += _rows("embedded", small.port, p99(floor))
            with stacks.servers() as place, stacks.production(*place) as stack:
                stack.web().close()
                rows += _rows("PostgreSQL", stack.port, p99(floor))
            return rows
        finally:
            bare.terminate()
            bare.wait(10)


def _rows(name: str, port: int, floor: float) -> list[Row]:
    rows = []
    for path, what in PATHS.items():
        took = requests(port, path)
        stalled = sum(value >= STALL_MS for value in took)
        note = f"{spread(took, 'ms')}; {stalled} took 40 ms or more"
        rows.append(Row(f"keep-alive, {what}, {name}, p99", p99(took), "ms", STALL_MS, floor, note))
    return rows


def requests(port: int, path: str) -> list[float]:
    """How long each of the requests took, in milliseconds; all on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    took = []
    socket = None
    for number in range(REQUESTS + 20):
        began = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        value = (time.perf_counter() - began) * 1000
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}.")
        if socket not in (None, connection.sock):
            raise RuntimeError(f"{path}: the server closed the connection.")
        socket = connection.sock
        # The first ones fill caches, and a young connection's acknowledgements are not delayed.
        if number >= 20:
            took.append(value)
    connection.close()
    return took


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
