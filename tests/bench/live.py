"""What it costs a web process to show running executions to many people, and how late the lines are."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
from typing import Any

import httpx
import psutil
import psycopg

from tests.bench import stacks
from tests.bench.rows import Row, p95, spread
from tests.stack import Stack

HOW = """200 running executions log 5 lines a second each, in chunks every LOG_FLUSH_SECONDS (0.4) that a
process of its own inserts by SQL as the engine does, over one connection. 1,000 event streams of executions'
pages, five to an execution, are held open by one asyncio process; they are of 100 people signed in, ten pages
each. One web process (uvicorn) on PostgreSQL serves them. Once all are connected the executions begin to log;
5 s later its user and system time over 30 s is taken, as a part of one core. A line is late from the wall
clock of its writing, which it bears, to its coming to the viewer; the 0.4 s that lines are gathered are part
of it. All processes share the machine; what the others took is in the note."""
VIEWERS, EXECUTIONS, PEOPLE = 1000, 200, 100
LINES, FLUSH = 5, 0.4
SETTLE_SECONDS, SECONDS = 5.0, 30.0
# Copies of one execution that wait for nothing: no worker runs.
RUNNING = """
INSERT INTO mlops_execution SELECT (jsonb_populate_record(run, jsonb_build_object(
    'id', 'e' || substr(md5('live' || n), 1, 15), 'status', 'RUNNING', 'attempt', 1, 'started_at', now(),
    'user_code_started', true))).*
FROM mlops_execution run, generate_series(1, %s) n WHERE run.id = %s RETURNING id
"""
PEOPLE_TOO = """
INSERT INTO auth_user SELECT (jsonb_populate_record(one, jsonb_build_object(
    'id', nextval(pg_get_serial_sequence('auth_user', 'id')), 'username', 'viewer-' || n))).*
FROM auth_user one, generate_series(1, %s) n WHERE one.username = 'editor' RETURNING id
"""
ROLES = """
INSERT INTO {table} SELECT (jsonb_populate_record(held, jsonb_build_object(
    'id', nextval(pg_get_serial_sequence('{table}', 'id')), 'user_id', person.id))).*
FROM {table} held JOIN auth_user one ON one.id = held.user_id AND one.username = 'editor',
     auth_user person WHERE person.username LIKE 'viewer-%%'
"""
TABLES = ("workspaces_workspaceuserpermission", "resource_groups_resourcegroupuserpermission")


def measure() -> list[Row]:
    """Two rows: percent of a core, and milliseconds."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8 * VIEWERS + 4096), most))
    with stacks.servers() as place, stacks.production(*place, name="live") as stack:
        origin = stack.do("submit", executable="shell-run", SCRIPT="true")
        keys = _fill(stack.database, origin)
        stack.web().close()
        cookies = _cookies(stack)
        told = {"port": stack.port, "cookies": cookies}
        told["paths"] = [
            f"{stacks.GROUP}/executions/{keys[number % len(keys)]}/stream" for number in range(VIEWERS)
        ]
        with _aside(stack, "writers") as writers, _aside(stack, "viewers") as viewers:
            try:
                _tell(viewers, told)
                connected = _heard(viewers)["connected"]
                if connected != VIEWERS:
                    raise RuntimeError(f"Only {connected} of {VIEWERS} streams were opened.\n{stack.tell()}")
                order = {"database": stack.database, "executions": keys, "lines": LINES, "flush": FLUSH}
                _tell(writers, order)
                threading.Event().wait(SETTLE_SECONDS)
                return _watch(stack, writers, viewers)
            finally:
                writers.kill()
                viewers.kill()


def _fill(database: str, origin: str) -> list[str]:
    with psycopg.connect(database, autocommit=True) as connection:
        keys = [key for (key,) in connection.execute(RUNNING, [EXECUTIONS, origin]).fetchall()]
        connection.execute(PEOPLE_TOO, [PEOPLE])
        for table in TABLES:
            connection.execute(ROLES.format(table=table).encode())
        connection.execute("ANALYZE")
    return keys


def _cookies(stack: Stack) -> list[str]:
    """The session of each person, who signs in with the editor's password."""
    found = []
    for number in range(1, PEOPLE + 1):
        with httpx.Client(base_url=f"http://127.0.0.1:{stack.port}") as http:
            page = http.get("/sign-in")
            token = page.cookies["csrftoken"]
            form = {"username": f"viewer-{number}", "password": "editor", "csrfmiddlewaretoken": token}
            http.post("/sign-in", data=form, headers={"Referer": str(http.base_url)})
            if "sessionid" not in http.cookies:
                raise RuntimeError(f"viewer-{number} was not let in.")
            found.append(f"sessionid={http.cookies['sessionid']}")
    return found


def _aside(stack: Stack, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.bench.{name}"],
        cwd=stacks.ROOT,
        env=stack.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _tell(process: subprocess.Popen[str], what: object) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(what) + "\n")
    process.stdin.flush()


def _heard(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("The viewers have ended; their words are above.")
    return json.loads(line)


def _watch(stack: Stack, writers: subprocess.Popen[str], viewers: subprocess.Popen[str]) -> list[Row]:
    processes = {
        "web": psutil.Process(stack.processes["web"].pid),
        "viewers": psutil.Process(viewers.pid),
        "writers": psutil.Process(writers.pid),
    }
    _tell(viewers, "forget")
    before = {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}
    threading.Event().wait(SECONDS)
    after = {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}
    _tell(viewers, "answer")
    seen = _heard(viewers)
    due = VIEWERS * LINES * SECONDS
    if seen["lost"] or seen["lines"] < 0.9 * due:
        raise RuntimeError(f"{seen['lines']} of {due:.0f} lines came; {seen['lost']} streams ended.")
    used = {name: (after[name] - before[name]) / SECONDS * 100 for name in processes}
    note = f"{seen['lines'] / SECONDS:,.0f} lines/s; " + ", ".join(
        f"{name} {value:.0f} %" for name, value in used.items() if name != "web"
    )
    crowd = f"{VIEWERS:,} live viewers of {EXECUTIONS} executions"
    late = seen["late"]
    return [
        Row(f"{crowd}, CPU of the web process", used["web"], "%", 50.0, note=note),
        Row(f"{crowd}, line written → at the viewer, p95", p95(late), "ms", note=spread(late, "ms")),
    ]
