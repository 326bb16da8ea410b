"""From the arrival of a submit to the exec of the user's command, on both stacks."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from mlops.engine.local import LocalRunner
from mlops.engine.spec import RunSpec
from tests.bench import stacks
from tests.bench.rows import Row, p50, spread
from tests.e2e.main_job import Person
from tests.waiting import until

HOW = """A browser's POST to the page `executions.create` starts a shell template without an environment;
the clock runs from just before the request is sent until the keeper's own time of the exec of the user's
command, which is the step's `started_at`. The browser follows the redirect to the execution's page, as a
person's does. 40 submits; each waits until the one before has ended and then for a random pause of 0.2 to
1.2 s, so that the worker is idle and has not just been awake. Redis and PostgreSQL: web, control and one
worker of two slots. Embedded: `manage.py up`, SQLite and the filesystem broker. The floor is the engine
alone: from `LocalRunner.start` to the same `started_at`, once before each submit."""
SUBMITS = 40
PAUSE = (0.2, 1.2)
TARGETS = {"Redis + PostgreSQL": 150.0, "embedded": 350.0}

Rows = Callable[[str], list[tuple[object, ...]]]


def measure() -> list[Row]:
    """One row a stack, in milliseconds."""
    found = []
    with stacks.servers() as place, stacks.production(*place) as stack:
        stack.web().close()
        stack.control()
        stack.worker()
        configuration = stacks.shell_configuration(stack, "true")
        person = stacks.editor(f"http://127.0.0.1:{stack.port}")
        found.append(_row("Redis + PostgreSQL", person, configuration, stack.rows))
    with stacks.embedded() as small:
        configuration = stacks.shell_configuration(small, "true")
        person = stacks.editor(small.url, stacks.password(small))
        found.append(_row("embedded", person, configuration, small.rows))
    return found


def _row(name: str, person: Person, configuration: str, rows: Rows) -> Row:
    pauses = random.Random(2)
    took, alone = [], []
    with stacks.folder() as home:
        runner = LocalRunner()
        for number in range(SUBMITS + 2):
            floor = engine(runner, home / str(number))
            threading.Event().wait(pauses.uniform(*PAUSE))
            value = submit(person, configuration, rows)
            # The first two fill caches.
            if number >= 2:
                alone.append(floor)
                took.append(value)
    note = f"{spread(took, 'ms')}; engine alone {spread(alone, 'ms')} ({runner.mode})"
    return Row(f"submit → exec, {name}, p50", p50(took), "ms", TARGETS[name], p50(alone), note)


def submit(person: Person, configuration: str, rows: Rows) -> float:
    """Submit once and wait for the end; milliseconds until the command was executed."""
    began = time.time()
    page = person.post(f"{stacks.GROUP}/executions/create", {"configuration": configuration})
    found = re.search(r"/executions/(e[0-9a-f]{15})", page.url.path)
    if found is None:
        raise RuntimeError(f"No execution's page after a submit, but {page.url}.")
    # Rarely asked, and not at once: asking costs the machine time that the stack should have.
    threading.Event().wait(0.5)
    query = (
        "SELECT step.started_at FROM mlops_steprun step JOIN mlops_execution run "
        f"ON run.id = step.execution_id WHERE run.id = '{found[1]}' AND run.status = 'COMPLETED'"
    )
    (started,) = until(lambda: rows(query), seconds=30, pause=0.3)[0]
    return (_seconds(started) - began) * 1000


def _seconds(moment: object) -> float:
    """A database's time as seconds since the epoch; SQLite has UTC as text."""
    if isinstance(moment, datetime):
        return moment.timestamp()
    return datetime.fromisoformat(str(moment)).replace(tzinfo=UTC).timestamp()


def engine(runner: LocalRunner, folder: Path) -> float:
    """Start the same command by the engine alone and see it end; milliseconds until it was executed."""
    folder.mkdir(mode=0o755)
    began = time.time()
    step = runner.start(RunSpec(id=f"bench-{folder.name}", argv=("sh", "-c", "true"), folder=folder))
    try:
        while (seen := runner.wait(step, 0.2)).running:
            runner.logs(step)
    finally:
        runner.close(step)
    if seen.started_at is None:
        raise RuntimeError(f"The engine did not start the command: {seen.message}")
    return (seen.started_at.timestamp() - began) * 1000
