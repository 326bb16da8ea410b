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

from tests.bench import stacks
from tests.bench.load import Outcome, crowd, request
from tests.bench.rows import Row, p50, p99
from tests.mlops.serving_server import graphs
from tests.mlops.serving_server.process import ModelServer
from tests.servers import free_port
from tests.waiting import until

HOW = """A small ONNX classifier (64 floats in, a label and ten probabilities out) behind the built-in model
server, and behind the least that serves it: a bare ASGI application on the same uvicorn that believes every
request (json.loads, session.run, json.dumps). 16 clients with a connection each, one row a request in JSON
of the Open Inference Protocol, 5 s each, three times in turns; the best of each counts, as the machine is
shared with the clients. Also one client alone, rows by the thousand, and the memory (RSS) after all of it."""
CLIENTS, SECONDS, TURNS = 16, 5.0, 3
WIDTH = 64
PATH = "/v2/models/m/infer"


def measure() -> list[Row]:
    """Requests a second of many clients, of one, of large requests; memory."""
    with stacks.folder() as home:
        model = graphs.classifier(home / "model" / "model.onnx", width=WIDTH, labels=10)
        server = ModelServer(home, model.parent)
        try:
            with _floor(model) as floor:
                server.ready()
                fresh = server.memory_mb()
                many = _rates((server.port, floor), clients=CLIENTS, rows=1)
                alone = _rates((server.port, floor), clients=1, rows=1)
                large = _rates((server.port, floor), clients=4, rows=1000)
            used = server.memory_mb()
        finally:
            server.close()
    figures = (
        ("16 clients, one row", many, 0.8 * many[1].rate),
        ("one client, one row", alone, None),
        ("4 clients, 1,000 rows", large, None),
    )
    rows = [_row(name, ours, least, target) for name, (ours, least), target in figures]
    note = f"{fresh:.0f} MB before the first request"
    return [*rows, Row("model server, memory (RSS)", used, "MB", target=120, note=note)]


def _row(name: str, ours: Outcome, floor: Outcome, target: float | None) -> Row:
    note = f"p50 {p50(ours.took):.2f}, p99 {p99(ours.took):.2f} ms; the floor's {p50(floor.took):.2f}, "
    return Row(
        f"model server, {name}",
        ours.rate,
        "/s",
        target=target,
        floor=floor.rate,
        at_least=True,
        note=f"{note}{p99(floor.took):.2f} ms",
    )


def _rates(ports: tuple[int, int], *, clients: int, rows: int) -> tuple[Outcome, Outcome]:
    """The best of some turns of each server."""
    values = [(number * 37 % 97) / 10 for number in range(rows * WIDTH)]
    tensor = {"name": "x", "datatype": "FP32", "shape": [rows, WIDTH], "data": values}
    wire = request("POST", PATH, {}, json.dumps({"inputs": [tensor]}).encode())
    found: tuple[list[Outcome], list[Outcome]] = ([], [])
    for _ in range(TURNS):
        for port, outcomes in zip(ports, found, strict=True):
            outcomes.append(crowd([port], [repeat(wire) for _ in range(clients)], seconds=SECONDS, warm=5))
    best = [max(outcomes, key=lambda one: one.rate) for outcomes in found]
    return best[0], best[1]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def _floor(model: Path) -> Iterator[int]:
    """The port of the floor's process."""
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
        yield port
    finally:
        process.kill()
        process.wait(30)
