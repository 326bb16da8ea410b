"""The built-in model server beside the least that can serve the same model."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import psutil

from tests.bench import stacks
from tests.bench.load import crowd, request
from tests.bench.rows import Row, p50
from tests.mlops.serving_server import graphs
from tests.mlops.serving_server.process import ModelServer
from tests.servers import free_port
from tests.waiting import until

HOW = """A small ONNX classifier (64 floats in, a label and ten probabilities out) behind the built-in model
server, and behind the least that serves it: a bare ASGI application on the same uvicorn that believes every
request (json.loads, session.run, json.dumps). 16 clients with a connection each, one row a request in JSON
of the Open Inference Protocol, in turns of a second, eleven for each server, one after the other's; the
middle one counts, as the machine is shared with the clients. The note has the processor time that a request
costs, which a busy machine changes least. Also one client alone, rows by the thousand, and the memory (RSS)
after all of it."""
CLIENTS, SECONDS, TURNS = 16, 1.0, 11
WIDTH = 64
PATH = "/v2/models/m/infer"
Served = tuple[psutil.Process, int]


def measure() -> list[Row]:
    """Requests a second of many clients, of one, of large requests; memory."""
    with stacks.folder() as home:
        model = graphs.classifier(home / "model" / "model.onnx", width=WIDTH, labels=10)
        server = ModelServer(home, model.parent)
        try:
            with _floor(model) as floor:
                server.ready()
                fresh = server.memory_mb()
                both = (psutil.Process(server.process.pid), server.port), floor
                rows = [
                    _row("16 clients, one row", both, clients=CLIENTS, rows=1, share=0.8),
                    _row("one client, one row", both, clients=1, rows=1),
                    _row("4 clients, 1,000 rows", both, clients=4, rows=1000),
                ]
            used = server.memory_mb()
        finally:
            server.close()
    note = f"{fresh:.0f} MB before the first request"
    return [*rows, Row("model server, memory (RSS)", used, "MB", target=120, note=note)]


def _row(
    name: str, both: tuple[Served, Served], *, clients: int, rows: int, share: float | None = None
) -> Row:
    """Our server beside the floor. share: of the floor's rate that is aimed at."""
    values = [(number * 37 % 97) / 10 for number in range(rows * WIDTH)]
    tensor = {"name": "x", "datatype": "FP32", "shape": [rows, WIDTH], "data": values}
    wire = request("POST", PATH, {}, json.dumps({"inputs": [tensor]}).encode())
    rates: tuple[list[float], list[float]] = ([], [])
    costs: tuple[list[float], list[float]] = ([], [])
    for _ in range(TURNS):
        for (process, port), rate, cost in zip(both, rates, costs, strict=True):
            before = sum(process.cpu_times()[:2])
            seen = crowd([port], [repeat(wire) for _ in range(clients)], seconds=SECONDS, warm=5)
            rate.append(seen.rate)
            cost.append((sum(process.cpu_times()[:2]) - before) * 1000 / (len(seen.took) + 5 * clients))
    floor = p50(rates[1])
    return Row(
        f"model server, {name}",
        p50(rates[0]),
        "/s",
        target=None if share is None else share * floor,
        floor=floor,
        at_least=True,
        note=f"{p50(costs[0]):.2f} ms of a processor for each request, the floor's {p50(costs[1]):.2f} ms",
    )


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def _floor(model: Path) -> Iterator[Served]:
    """The floor's process and port."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.bench.model_floor:application", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--ws", "none", "--lifespan", "off"]
    process = subprocess.Popen(
        [*command, "--no-access-log", "--log-level", "error"],
        cwd=stacks.ROOT,
        env=stacks.clean()
        | {"MODEL": str(model), "PYTHONPATH": os.fspath(stacks.ROOT), "ORT_DISABLE_TELEMETRY": "1"},
    )
    try:
        until(lambda: _listens(port))
        yield psutil.Process(process.pid), port
    finally:
        process.kill()
        process.wait(30)
