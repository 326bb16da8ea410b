"""From the order of a deployment to RUNNING, an update under load, and what a small model holds of memory."""

from __future__ import annotations

import threading
import time

from tests.bench import stacks
from tests.bench.rows import Row, p50, spread
from tests.e2e.calling import Load, call, token
from tests.stack import Stack
from tests.waiting import until

HOW = """Redis and PostgreSQL, web, control and one deployments worker, the product's own intervals. A small
ONNX classifier behind the built-in server, its environment built before: the clock runs from just before
`deployments.create` until the take-over as the database notes it (`ready_at` of the revision), 12 times, the
worker idle and nothing else deployed. Memory: proportional memory (PSS) of all processes of one such
deployment once it has answered 200 requests. The update: a small server of standard Python under 200
requests a second from 8 clients, updated, updated with one that fails, updated back, while all go on;
failures are answers other than 200 and broken connections."""
TIMES, RATE = 12, 200.0


def measure() -> list[Row]:
    """Milliseconds to RUNNING, failed requests, megabytes."""
    with stacks.servers() as place, stacks.production(*place) as stack:
        stack.web().close()
        stack.control()
        stack.server()
        bearer = token(stack)
        took = [_deploy(stack, bearer) for _ in range(TIMES + 1)][1:]
        memory = _memory(stack, bearer)
        load = _update(stack, bearer)
    good = sum(load.words.values())
    return [
        Row("create → RUNNING, small ONNX model, p50", p50(took), "ms", 2500.0, note=spread(took, "ms")),
        Row("memory of a small ONNX deployment (PSS)", memory, "MB", 120.0),
        Row(
            "update under 200 requests/s, failed requests",
            float(len(load.failures)),
            "",
            0.0,
            note=f"{good} answered; {dict(load.words)}",
        ),
    ]


def _deploy(stack: Stack, bearer: str) -> float:
    """Deploy, wait until it answers, stop; milliseconds until it was RUNNING."""
    began = time.time()
    deployment = stack.do("deploy_model")
    query = "SELECT ready_at FROM mlops_revision WHERE deployment_id = %s AND ready_at IS NOT NULL"
    # Rarely asked, and not at once: asking costs the machine time that the stack should have.
    threading.Event().wait(0.8)
    ((ready_at,),) = until(lambda: stack.rows(query, deployment), seconds=300, pause=0.1)
    until(lambda: call(stack, bearer, deployment, "/v2/health/ready").status_code == 200)
    _stop(stack, deployment)
    return (ready_at.timestamp() - began) * 1000


def _stop(stack: Stack, deployment: str) -> None:
    stack.do("stop_deployment", deployment=deployment)
    stopped = "SELECT 1 FROM mlops_deployment WHERE id = %s AND status = 'STOPPED'"
    until(lambda: stack.rows(stopped, deployment), pause=0.1)


def _memory(stack: Stack, bearer: str) -> float:
    deployment = stack.do("deploy_model")
    until(lambda: call(stack, bearer, deployment, "/v2/health/ready").status_code == 200)
    for _ in range(200):
        assert call(stack, bearer, deployment, "/v2/models/small").status_code == 200
    measured = "SELECT memory_bytes FROM mlops_replica WHERE deployment_id = %s AND memory_bytes > 0"
    ((held,),) = until(lambda: stack.rows(measured, deployment), pause=0.5)
    _stop(stack, deployment)
    return float(held) / 1e6


def _update(stack: Stack, bearer: str) -> Load:
    deployment = stack.do("deploy", word="old")
    until(lambda: call(stack, bearer, deployment).status_code == 200)
    states = "SELECT number, status FROM mlops_revision WHERE deployment_id = %s"

    def reached(number: int, status: str) -> bool:
        return dict(stack.rows(states, deployment)).get(number) == status

    with Load(stack.port, bearer, deployment, clients=8, per_second=RATE) as load:
        until(lambda: load.count > 5 * RATE)
        stack.do("update_deployment", deployment=deployment, word="new")
        until(lambda: reached(2, "RUNNING") and reached(1, "STOPPED"), pause=0.2)
        stack.do("update_deployment", deployment=deployment, word="crash")
        until(lambda: reached(3, "DEAD"), seconds=180, pause=0.2)
        stack.do("update_deployment", deployment=deployment, word="old")
        until(lambda: reached(4, "RUNNING") and reached(2, "STOPPED"), pause=0.2)
        count = load.count
        until(lambda: load.count > count + 2 * RATE)
    return load
