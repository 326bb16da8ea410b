"""The AI API under one and under many clients, on PostgreSQL."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import psycopg

from tests.bench import fill_deployments, stacks
from tests.bench.load import Outcome, crowd, request
from tests.bench.rows import Row, p50, p95, spread
from tests.servers import free_port
from tests.stack import Stack
from tests.waiting import until

HOW = """Clients with a service key each, so that the limit of requests a client holds for each of them alone
(API_REQUESTS_PER_SECOND is 0 here: unlimited), on connections that stay open, asking the next as soon as they
have the answer. They are one process with one thread that shares the two cores with the server and
PostgreSQL; what it costs is in the notes. Metrics: PATCH of 100 new points, 5 names by 20 steps, each client
to an execution of its own, 6 s; the floor is one bare psycopg connection that inserts 100 such points and
commits, in the same way as the product does. GET by id: of executions that have ended, among 1,000, and of
deployments with their servers and resource plans, among 2,000 of which 200 were not put away; the floor of
executions is one operation of Django and django-ninja with one query and nothing else. Where two web
processes answer, each has its own port, as behind a proxy. Pairs: POST of a configuration with one parameter,
then of an execution of it; no worker runs. Token: queries are counted inside the server's own code; the
revoked key asks until it is refused."""
POINTS = 100
SECONDS = 6.0
EXECUTIONS = 1000
DEPLOYMENTS = 2000
LISTS = 200
LIST = """
SELECT * FROM mlops_execution WHERE resource_group_id = %s AND executable_id = %s AND status = 'COMPLETED'
ORDER BY created_at DESC, id DESC LIMIT 50
"""
DEPLOYMENT_LIST = """
SELECT * FROM mlops_deployment WHERE resource_group_id = %s AND executable_id = %s AND status = 'DEAD'
AND archived_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 50
"""
PLACE = """
SELECT place.id, executable.id FROM resource_groups_resourcegroup place, mlops_executable executable
WHERE place.slug = 'tutorial' AND executable.slug = %s
"""
INSERT = """
INSERT INTO mlops_metricpoint (series_id, step, has_step, recorded_at, value, kind)
SELECT %s, step, true, now(), 0.5, '' FROM unnest(%s::bigint[]) step ON CONFLICT DO NOTHING
"""
SERIES = """
INSERT INTO mlops_metricseries (
    execution_id, resource_group_id, name, labels, labels_digest, count, nan_count, modified_at)
SELECT id, resource_group_id, 'floor', '[]', '', 0, 0, now() FROM mlops_execution WHERE id = %s RETURNING id
"""


class Crowd:
    """Keys on a stack: `headers(n)` are those of the n-th client."""

    def __init__(self, stack: Stack, clients: int) -> None:
        self.stack = stack
        self.web = [stack.port]
        self.keys = [stack.do("issue_key", name=f"bench-{number}") for number in range(clients)]
        self._headers = [self._sign_in(key) for key in self.keys]

    def _sign_in(self, key: dict[str, Any]) -> dict[str, str]:
        form = {
            "grant_type": "client_credentials",
            "client_id": key["clientid"],
            "client_secret": key["clientsecret"],
        }
        said = httpx.post(f"http://127.0.0.1:{self.stack.port}/oauth/token", data=form, timeout=30)
        said.raise_for_status()
        token = said.json()["access_token"]
        return {"Authorization": f"Bearer {token}", "AI-Resource-Group": "tutorial"}

    def headers(self, number: int) -> dict[str, str]:
        """Of one client."""
        return self._headers[number % len(self._headers)]

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """One request of the first client; what its JSON says."""
        answer = httpx.request(
            method,
            f"http://127.0.0.1:{self.stack.port}/v2{path}",
            headers=self.headers(0),
            json=body,
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None


def measure() -> list[Row]:
    """Metrics, GET, pairs, token."""
    with (
        stacks.servers() as place,
        stacks.production(*place, API_REQUESTS_PER_SECOND="0") as stack,
        _second_web(stack) as ports,
    ):
        clients = Crowd(stack, 16)
        configuration = clients.send("POST", "/lm/configurations", _configuration())["id"]
        ids = [
            clients.send("POST", "/lm/executions", {"configurationId": configuration})["id"]
            for _ in range(20)
        ]
        _complete(stack, ids[0])
        fill_deployments.fill(stack.database, DEPLOYMENTS, 1)
        keys = [key for (key,) in stack.rows("SELECT id FROM mlops_execution ORDER BY id")]
        served = stack.rows("SELECT id FROM mlops_deployment WHERE archived_at IS NULL ORDER BY id")
        return [
            *metrics(clients, ids, ports),
            *reading(clients, keys, ports),
            *reading_deployments(clients, [key for (key,) in served], ports),
            *pairs(clients, ports),
            *token(clients),
        ]


@contextlib.contextmanager
def _second_web(stack: Stack) -> Iterator[list[int]]:
    """Two web processes of the stack; their ports."""
    other = free_port()
    stack.web().close()
    stack.web(other).close()
    yield [stack.port, other]


def _configuration() -> dict[str, Any]:
    return {
        "name": "bench",
        "scenarioId": "shell",
        "executableId": "shell-run",
        "parameterBindings": [{"key": "SCRIPT", "value": "true"}],
    }


def _complete(stack: Stack, execution: str) -> None:
    """Many more executions like one of them, all of which have ended."""
    with psycopg.connect(stack.database, autocommit=True) as connection:
        found = connection.execute("SELECT * FROM mlops_execution WHERE id = %s", [execution])
        names = [column.name for column in found.description or ()]
        others = ", ".join(
            name for name in names if name not in ("id", "status", "completed_at", "started_at")
        )
        connection.execute(
            f"INSERT INTO mlops_execution (id, status, completed_at, started_at, {others}) "
            "SELECT 'e' || substr(md5('bench' || n), 1, 15), 'COMPLETED', now(), now(), "
            f"{others} FROM mlops_execution, generate_series(1, %s) n WHERE id = %s",
            [EXECUTIONS, execution],
        )
        connection.execute("ANALYZE")


def metrics(clients: Crowd, executions: list[str], ports: list[int]) -> list[Row]:
    """Points a second from one client, and from eight."""
    floor = _bare_inserts(clients.stack.database, executions[-1])
    rows = []
    for many, web, target in ((1, ports[:1], 10_000.0), (8, ports[:1], 15_000.0), (8, ports, None)):
        first = len(rows) * 1_000_000
        outcome = crowd(
            web,
            [_reports(clients.headers(number), executions[number], first) for number in range(many)],
            seconds=SECONDS,
            expected=(204,),
            warm=3,
        )
        name = f"metrics PATCH of 100 points, {many} client{'s' * (many > 1)}{_webs(web)}"
        rows.append(
            Row(name, outcome.rate * POINTS, "points/s", target, floor, _note(outcome), at_least=True)
        )
    return rows


def _webs(ports: list[int]) -> str:
    return f", {len(ports)} web processes" if len(ports) > 1 else ""


def _note(outcome: Outcome) -> str:
    return (
        f"{outcome.rate:.0f} requests/s; {spread(outcome.took, 'ms')}; "
        f"the clients themselves {outcome.own_ms:.2f} ms a request"
    )


def _reports(headers: dict[str, str], execution: str, first: int) -> Iterator[bytes]:
    """PATCHes without end, none of whose points was sent before."""
    names = ("loss", "accuracy", "learning rate", "validation loss", "validation accuracy")
    one = '{"name":"%s","value":0.%d,"step":%d,"timestamp":"2026-11-21T06:09:53.123456Z"}'
    step = first
    while True:
        points = ",".join(one % (name, at, at) for at in range(step, step + POINTS // 5) for name in names)
        step += POINTS // 5
        body = f'{{"executionId":"{execution}","metrics":[{points}]}}'
        yield request("PATCH", "/v2/lm/metrics", headers, body.encode())


def _bare_inserts(database: str, execution: str) -> float:
    """Points a second that one connection inserts and commits, 100 at a time."""
    with psycopg.connect(database) as connection:
        series = connection.execute(SERIES, [execution]).fetchone()
        assert series is not None
        began, many = time.perf_counter(), 0
        while time.perf_counter() - began < 2:
            connection.execute(INSERT, [series[0], list(range(many, many + POINTS))])
            connection.commit()
            many += POINTS
        return many / (time.perf_counter() - began)


def reading(clients: Crowd, keys: list[str], ports: list[int]) -> list[Row]:
    """GET of one execution, by one client and by sixteen."""
    alone, bare = _bare_reading(clients.stack, keys)
    one = crowd(ports[:1], [_gets(clients.headers(0), keys, 0)], seconds=SECONDS, warm=20)
    rows = [
        Row("GET execution by id, 1 client, p50", p50(one.took), "ms", 6.0, p50(alone.took), _note(one)),
    ]
    for web, target in ((ports[:1], 400.0), (ports, 400.0)):
        many = crowd(
            web,
            [_gets(clients.headers(number), keys, number) for number in range(16)],
            seconds=SECONDS,
            warm=3,
        )
        name = f"GET execution by id, 16 clients{_webs(web)}"
        rows.append(Row(name, many.rate, "requests/s", target, bare.rate, _note(many), at_least=True))
    return rows


def reading_deployments(clients: Crowd, keys: list[str], ports: list[int]) -> list[Row]:
    """GET of one deployment with its servers and resource plan, by one client and by sixteen."""
    rows = []
    for many, web in ((1, ports[:1]), (16, ports[:1]), (16, ports)):
        scripts = [
            _gets(clients.headers(number), keys, number, "/v2/lm/deployments/") for number in range(many)
        ]
        found = crowd(web, scripts, seconds=SECONDS, warm=20 // many + 2)
        if many == 1:
            rows.append(
                Row("GET deployment by id, 1 client, p50", p50(found.took), "ms", 6.0, note=_note(found))
            )
        else:
            name = f"GET deployment by id, 16 clients{_webs(web)}"
            rows.append(Row(name, found.rate, "requests/s", note=_note(found), at_least=True))
    return rows


def _gets(
    headers: dict[str, str], keys: list[str], number: int, path: str = "/v2/lm/executions/"
) -> Iterator[bytes]:
    """GETs without end, of one execution after the other."""
    while True:
        number += 1
        yield request("GET", path + keys[number * 7 % len(keys)], headers)


def _bare_reading(stack: Stack, keys: list[str]) -> tuple[Outcome, Outcome]:
    """The floor: one client, and sixteen."""
    port = free_port()
    with (stack.home / "bare.log").open("w") as out:
        bare = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "tests.bench.bare:application", "--port", str(port)]
            + ["--loop", "uvloop", "--http", "httptools", "--ws", "none", "--no-access-log"],
            cwd=stacks.ROOT,
            env=os.environ | {"DATABASE_URL": stack.database},
            stdout=out,
            stderr=out,
        )
    try:
        until(lambda: _answers(port, keys[0]), seconds=20)
        scripts = [_gets({}, keys, number, "/executions/") for number in range(16)]
        return (
            crowd([port], scripts[:1], seconds=2, warm=20),
            crowd([port], scripts, seconds=3, warm=3),
        )
    finally:
        bare.terminate()
        bare.wait(10)


def _answers(port: int, key: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/executions/{key}").status_code == 200
    except httpx.TransportError:
        return False


def pairs(clients: Crowd, ports: list[int]) -> list[Row]:
    """Configuration and execution, by one client and by eight."""
    rows = []
    for many, web, target in ((1, ports[:1], 60.0), (8, ports[:1], 60.0), (8, ports, 60.0)):
        outcome = crowd(
            web,
            [_pairs(clients.headers(number)) for number in range(many)],
            seconds=SECONDS,
            expected=(201, 202),
            warm=2,
        )
        name = f"configuration + execution, {many} client{'s' * (many > 1)}{_webs(web)}"
        rows.append(Row(name, outcome.rate / 2, "pairs/s", target, note=_note(outcome), at_least=True))
    return rows


def _pairs(headers: dict[str, str]) -> Iterator[Any]:
    """One pair after the other: the second request names what the first one made."""
    first = request("POST", "/v2/lm/configurations", headers, json.dumps(_configuration()).encode())

    def second(body: bytes) -> bytes:
        bound = {"configurationId": json.loads(body)["id"]}
        return request("POST", "/v2/lm/executions", headers, json.dumps(bound).encode())

    while True:
        yield first
        yield second


def listing(stack: Stack) -> list[Row]:
    """Fifty executions, and fifty deployments, by status and executable, where a group has very many."""
    executions = {"status": "COMPLETED", "executableIds": "shell-run", "$top": 50}
    deployments = {"status": "DEAD", "executableIds": "bench-serve", "$top": 50}
    clients = Crowd(stack, 1)
    return [
        _listing(clients, "executions", executions, LIST, "executions by status and executable of 1,000,000"),
        _listing(
            clients,
            "deployments",
            deployments,
            DEPLOYMENT_LIST,
            "deployments by status and executable of 1,000,000, nine of ten put away",
        ),
    ]


def _listing(clients: Crowd, noun: str, query: dict[str, Any], floor: str, about: str) -> Row:
    wire = request("GET", f"/v2/lm/{noun}?{urlencode(query)}", clients.headers(0))
    outcome = crowd([clients.stack.port], [itertools.repeat(wire, LISTS)], seconds=60, warm=5)
    with psycopg.connect(clients.stack.database) as connection:
        alone = []
        place = connection.execute(PLACE, [query["executableIds"]]).fetchone()
        for _ in range(LISTS):
            began = time.perf_counter()
            found = connection.execute(floor, place).fetchall()
            alone.append((time.perf_counter() - began) * 1000)
    if len(found) != 50:
        raise RuntimeError(f"The database has {len(found)} such {noun} instead of 50 and more.")
    return Row(f"AI API, 50 {about}, p95", p95(outcome.took), "ms", 60.0, p95(alone), _note(outcome))


def token(clients: Crowd) -> list[Row]:
    """What a token's check costs, and how long a revoked key is still taken."""
    headers = clients.headers(0)
    first, again = clients.stack.do("token_queries", token=headers["Authorization"].removeprefix("Bearer "))
    key = clients.keys[-1]["clientid"]
    headers = clients.headers(len(clients.keys) - 1)
    address = f"http://127.0.0.1:{clients.stack.port}/v2/lm/scenarios"
    with httpx.Client(headers=headers, timeout=30) as client:
        assert client.get(address).status_code == 200
        clients.stack.do("revoke_key", client_id=key)
        began = time.monotonic()
        until(lambda: client.get(address).status_code == 401, seconds=30)
        took = time.monotonic() - began
    return [
        Row("token check, queries, unknown token", first, "", 1.0),
        Row("token check, queries, again within 5 s", again, "", 0.0),
        Row("revoked key is refused after", took, "s", 5.0),
    ]
