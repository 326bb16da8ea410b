"""What the inference gateway adds to a request, and how many it passes on."""

from __future__ import annotations

import contextlib
import itertools
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.bench import stacks
from tests.bench.api import Crowd
from tests.bench.load import Outcome, crowd, request
from tests.bench.rows import Row, p50, spread
from tests.servers import free_port
from tests.waiting import until

HOW = """POSTs of a small JSON body with a service key's token to a deployment whose server answers with 29
bytes at once, on connections that stay open, through one web process on PostgreSQL; counts are written
meanwhile. The crowd of clients, which is one process, the web process, the model server and PostgreSQL
share the machine's cores. What the gateway adds is the middle time of a request through it less that of one
straight to the server. The floor is a bare ASGI application on the same web server: no proxy on it can do
with less. Kept copies: the same with every request and answer stored. Large answers: of 1 MiB, to four
clients; the floor is the server itself."""
SECONDS = 6.0
BODY = b'{"inputs": [5.1, 3.5, 1.4, 0.2]}'
PREFIX = "/v2/inference/deployments/"


def measure() -> list[Row]:
    """What one client waits longer, requests a second of sixteen, with copies kept, MB a second."""
    with (
        stacks.servers() as place,
        stacks.production(*place) as stack,
        _process(stack.home, "-m", "tests.bench.tiny") as tiny,
        _process(stack.home, *_UVICORN) as bare,
    ):
        stack.web().close()
        headers = Crowd(stack, 1).headers(0)
        deployment = stack.do("serve", address=f"127.0.0.1:{tiny}")
        asked = request("POST", f"{PREFIX}{deployment}/v2/predict", headers, BODY)
        straight = request("POST", "/v2/predict", {}, BODY)
        alone, floor = _ask(tiny, straight, 1), _ask(bare, straight, 1)
        web = psutil.Process(stack.processes["web"].pid)
        through = _ask(stack.port, asked, 1)
        rows = [
            Row(
                "gateway, added to a request, 1 client, p50",
                p50(through.took) - p50(alone.took),
                "ms",
                1.0,
                p50(floor.took) - p50(alone.took),
                f"through it {spread(through.took, 'ms')}; straight {spread(alone.took, 'ms')}",
            )
        ]
        floor = _ask(bare, straight, 16)
        before = sum(web.cpu_times()[:2])
        many = _ask(stack.port, asked, 16)
        used = sum(web.cpu_times()[:2]) - before
        rows.append(_rate("gateway, 16 clients", many, 3000.0, floor.rate))
        rows.append(Row("gateway, processor time of a request", used * 1000 / (len(many.took) + 800), "ms"))
        stack.do("keep_predictions", deployment=deployment)
        kept = _ask(stack.port, asked, 16)
        rows.append(_rate("gateway, 16 clients, copies kept", kept, None, floor.rate))
        large = request("GET", f"{PREFIX}{deployment}/large", headers)
        floor = _ask(tiny, request("GET", "/large", {}), 4)
        found = _ask(stack.port, large, 4)
        rows.append(
            Row(
                "gateway, answers of 1 MiB, 4 clients",
                found.rate * 1.048576,
                "MB/s",
                None,
                floor.rate * 1.048576,
                spread(found.took, "ms"),
                at_least=True,
            )
        )
        return rows


def _rate(figure: str, outcome: Outcome, target: float | None, floor: float) -> Row:
    note = f"{spread(outcome.took, 'ms')}; the clients themselves {outcome.own_ms:.2f} ms a request"
    return Row(figure, outcome.rate, "requests/s", target, floor, note, at_least=True)


def _ask(port: int, wire: bytes, clients: int) -> Outcome:
    return crowd([port], [itertools.repeat(wire) for _ in range(clients)], seconds=SECONDS, warm=50)


_UVICORN = ("-m", "uvicorn", "tests.bench.hello:application", "--loop", "uvloop", "--http", "httptools")
_UVICORN += ("--ws", "none", "--no-access-log", "--port")


@contextlib.contextmanager
def _process(home: Path, *words: str) -> Iterator[int]:
    """A server whose last argument is its port; the port, once it listens."""
    port = free_port()
    with (home / f"{port}.log").open("w") as out:
        made = subprocess.Popen([sys.executable, *words, str(port)], cwd=stacks.ROOT, stdout=out, stderr=out)
    try:
        until(lambda: _listens(port), seconds=20)
        yield port
    finally:
        made.terminate()
        made.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
