"""What becomes of a due time: how soon it runs, five hundred at once, a preview, a tick with nothing due."""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from cronsim import CronSim

from tests.bench import bare_task, fill_schedules, stacks
from tests.bench.rows import Row, p50, p95, spread
from tests.e2e.due import copies, make_due
from tests.servers import Redis
from tests.stack import Stack
from tests.waiting import until

HOW = """Redis and PostgreSQL, the product's own intervals. Due → process: one control worker with its beat
and one worker of two slots, both idle; schedules of a shell template are due one after another at a whole
second, with a random pause of 1 to 3 s between; the clock runs from that second to the keeper's own time
of the exec of the user's command. The floor, in turn with them: a bare Celery worker on the same broker,
rung at a whole second, until its task begins. 500 schedules: due in the same second, no worker; from the
first whole second after they were made due until a query finds all executions, the slowest of 5 turns;
each turn asserts that each schedule has exactly one more execution and one more row in its ledger. The
preview is asked 40 times in one process through Django's test client; its floor is ten due times of
cronsim alone. The tick with nothing due is called 40 times in one process on 100,000 active schedules with
2,000,000 rows in their ledgers, none of which runs; database time is that of its queries as the process
waits for them. The list pages are asked in the same process."""
DUE, PAUSE = 36, (1.0, 3.0)
MANY, TURNS = 500, 5
TOTAL, REQUESTS = 100_000, 40
PREVIEW = (
    f"{stacks.GROUP}/schedules/preview?rule=recurring&cron=30+2+*+*+MON-FRI&zone=Europe%2FBerlin"
    "&catch_up_limit=10&retries=0"
)
FRAGMENT = {"HX-Request": "true", "HX-Target": "schedule-preview"}


def measure() -> list[Row]:
    """Milliseconds, each with its target."""
    with stacks.servers() as place, stacks.production(*place) as stack:
        rows = _due(stack, place[1])
        stack.kill("executions")
        rows += _many(stack)
        rows += _filled(stack)
    return rows


def _due(stack: Stack, redis: Redis) -> list[Row]:
    control = stack.control()
    stack.worker()
    took, bare = [], []
    pauses = random.Random(4)
    with _bare(stack, redis) as ring:
        for number in range(DUE + 3):
            value, floor = _process(stack, number), ring(number)
            threading.Event().wait(pauses.uniform(*PAUSE))
            # The first three fill caches.
            if number >= 3:
                took.append(value)
                bare.append(floor)
    assert control.poll() is None
    note = f"{spread(took, 'ms')}; bare task {spread(bare, 'ms')}"
    return [
        Row("due → training process started, p50", p50(took), "ms", 800.0, p50(bare), note),
        Row("due → training process started, p95", p95(took), "ms", 1500.0, p95(bare)),
    ]


def _process(stack: Stack, number: int) -> float:
    """Have a schedule be due once; milliseconds until its command was executed."""
    key = stack.do("schedule", name=f"once {number}", once_in=3)
    query = (
        "SELECT schedule.once_at, step.started_at FROM mlops_schedule schedule "
        "JOIN mlops_execution run ON run.schedule_id = schedule.id "
        "JOIN mlops_steprun step ON step.execution_id = run.id "
        "WHERE schedule.id = %s AND run.status = 'COMPLETED' AND step.kind = 'leaf'"
    )
    # Rarely asked, and not before it is due: asking costs the machine time that the stack should have.
    threading.Event().wait(3.5)
    ((due, started),) = until(lambda: stack.rows(query, key), seconds=60, pause=0.3)
    return float((started - due).total_seconds() * 1000)


@contextlib.contextmanager
def _bare(stack: Stack, redis: Redis) -> Iterator[Any]:
    """A bare worker on the same broker; a call rings it at the next whole second: milliseconds from that."""
    env = stacks.clean() | {"BARE_BROKER": redis.url, "PYTHONPATH": str(stacks.ROOT)}
    log = (stack.home / "bare.log").open("w")
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "tests.bench.bare_task", "worker", "-P", "threads", "-c", "1"]
        + ["-Q", bare_task.QUEUE, "-n", "bare@%h", "-l", "INFO", "--without-gossip", "--without-mingle"],
        cwd=stacks.ROOT,
        env=env,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    bare_task.app.conf.broker_url = redis.url

    def ring(number: int) -> float:
        place = stack.home / f"bare{number}"
        at = int(time.time()) + 1
        threading.Event().wait(at - time.time())
        bare_task.note.apply_async((str(place),))
        until(place.exists, seconds=30, pause=0.1)
        return (float(place.read_text()) - at) * 1000

    try:
        until(lambda: " ready." in (stack.home / "bare.log").read_text(), seconds=60)
        yield ring
    finally:
        worker.terminate()
        worker.wait(30)
        log.close()


def _many(stack: Stack) -> list[Row]:
    key = stack.do("schedule", name="one of many", cron="0 0 1 1 *", overlap="allow")
    keys = copies(stack, key, MANY)
    one = _turns(stack, keys)
    for name in ("second", "third"):
        stack.control(name)
        log = stack.home / f"{name}.log"
        until(lambda log=log: " ready." in log.read_text(), seconds=60)
    three = _turns(stack, keys)
    for name in ("control", "second", "third"):
        stack.kill(name)
        stack.processes[name].wait(20)
    title = f"{MANY} due in one second → all executions created"
    return [
        Row(f"{title}, the slowest", max(one), "ms", 2000.0, note=spread(one, "ms")),
        Row(f"{title}, three schedulers, the slowest", max(three), "ms", None, note=spread(three, "ms")),
    ]


def _turns(stack: Stack, keys: list[str]) -> list[float]:
    return [_turn(stack, keys) for _ in range(TURNS)]


def _turn(stack: Stack, keys: list[str]) -> float:
    ((before,),) = stack.rows("SELECT min(fire_at) FROM mlops_tick WHERE schedule_id = ANY(%s::uuid[])", keys)
    # In the middle of a second: the beat rings just after the next one begins.
    threading.Event().wait((0.4 - time.time()) % 1)
    due = make_due(stack, *keys, before=before)
    began = int(time.time()) + 1
    # Others may have been due at that minute.
    count = (
        "SELECT count(*), count(DISTINCT schedule_id) FROM mlops_{} "
        "WHERE {} = %s AND schedule_id = ANY(%s::uuid[])"
    )
    created = count.format("execution", "due_at")
    threading.Event().wait(began - time.time())
    until(lambda: stack.rows(created, due, keys)[0][0] >= MANY, seconds=60, pause=0.02)
    took = (time.time() - began) * 1000
    for found in (stack.rows(created, due, keys), stack.rows(count.format("tick", "fire_at"), due, keys)):
        if found != [(MANY, MANY)]:
            raise RuntimeError(f"Of {MANY} schedules were decided: {found}.")
    return took


def _filled(stack: Stack) -> list[Row]:
    with psycopg.connect(stack.database) as connection:
        connection.execute("UPDATE mlops_schedule SET status = 'INACTIVE', next_run_at = NULL")
        # What the turns before left waiting for a worker.
        connection.execute("UPDATE mlops_tick SET is_open = false")
    model = stack.do("schedule", name="model of all", cron="0 0 1 1 *")
    fill_schedules.fill(stack.database, model, TOTAL)
    middle = stack.rows(
        "SELECT (extract(epoch FROM created_at) * 1000000)::bigint, id FROM mlops_schedule "
        "ORDER BY created_at, id OFFSET %s LIMIT 1",
        TOTAL // 2,
    )[0]
    pages = {
        "first page": f"{stacks.GROUP}/schedules/",
        "middle page": f"{stacks.GROUP}/schedules/?before={middle[0]}.{middle[1]}",
    }
    with _probe(stack) as ask:
        preview = _asked(ask, {"path": PREVIEW, "headers": FRAGMENT})
        tick = _asked(ask, {"tick": True})
        lists = {name: _asked(ask, {"path": path}) for name, path in pages.items()}
    took, waited = ([one[key] for one in preview] for key in ("ms", "sql_ms"))
    rows = [
        Row(
            "preview of ten runs, server time, p95",
            p95(took),
            "ms",
            20.0,
            p95(_cronsim()),
            f"{spread(took, 'ms')}, of it {p50(waited):.1f} ms in the database",
        ),
        Row(
            f"{TOTAL:,} schedules, none due: database time of one tick, p95",
            p95([one["sql_ms"] for one in tick]),
            "ms",
            5.0,
            note=f"{spread([one['sql_ms'] for one in tick], 'ms')}, {tick[0]['queries']:.0f} queries; "
            f"the whole tick {spread([one['ms'] for one in tick], 'ms')}",
        ),
    ]
    for name, asked in lists.items():
        note = f"{spread([one['ms'] for one in asked], 'ms')}; {asked[0]['queries']:.0f} queries"
        floor = p95([one["main_ms"] for one in asked])
        title = f"list of schedules, {name}, {TOTAL:,} rows, p95"
        rows.append(Row(title, p95([one["ms"] for one in asked]), "ms", 150.0, floor, note))
    return rows


def _cronsim() -> list[float]:
    took = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        list(itertools.islice(CronSim("30 2 * * MON-FRI", datetime.now(UTC) + timedelta(days=1)), 10))
        took.append((time.perf_counter() - began) * 1000)
    return took


@contextlib.contextmanager
def _probe(stack: Stack) -> Iterator[Any]:
    """A process that answers what something costs in it; a call asks it."""
    probe = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.probe"],
        cwd=stacks.ROOT,
        env=stack.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert probe.stdin is not None and probe.stdout is not None
    asked, answers = probe.stdin, probe.stdout

    def ask(question: dict[str, Any]) -> dict[str, float]:
        asked.write(json.dumps(question) + "\n")
        asked.flush()
        line = answers.readline()
        if not line:
            raise RuntimeError(f"The probe gave up on {question}; its words are above.")
        found: dict[str, float] = json.loads(line)
        return found

    try:
        yield ask
    finally:
        probe.stdin.close()
        probe.wait(20)
        probe.stdout.close()


def _asked(ask: Any, question: dict[str, Any]) -> list[dict[str, float]]:
    """Answers to a question asked again and again, those left out that filled caches."""
    return [ask(question) for _ in range(REQUESTS + 3)][3:]
