"""Faults around the clock of schedules: each due time gets one execution and one row that tells.

The product has no places to be stopped at. Triggers in the database of the test make them: a scheduler that
comes to the point waits there for a lock until it has been killed.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.e2e.conftest import make
from tests.e2e.due import (
    CLAIMED,
    COMMITTING,
    SUBMITTED,
    TOLD,
    Hold,
    copies,
    decided,
    executions,
    ledger,
    make_due,
    ran_once,
)
from tests.e2e.test_faults import pause
from tests.servers import Postgres, Redis
from tests.stack import Stack
from tests.waiting import until

pytestmark = pytest.mark.server

Servers = tuple[Postgres, Redis, Path]
KILLS = [signal.SIGKILL, signal.SIGTERM]
_numbers = itertools.count(1)


def scheduler(stack: Stack) -> str:
    """Start a control worker with a beat of its own; its name."""
    name = f"control{next(_numbers)}"
    stack.control(name)
    return name


def living(stack: Stack) -> list[str]:
    """Names of the schedulers that run."""
    found = stack.processes.items()
    return [name for name, process in found if name.startswith("control") and process.poll() is None]


def ready(stack: Stack, number: int) -> None:
    """Have so many schedulers run and listen."""
    while len(living(stack)) < number:
        scheduler(stack)
    for name in living(stack):
        log = stack.home / f"{name}.log"
        until(lambda log=log: " ready." in log.read_text())


@pytest.fixture(scope="module")
def pair(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for all that ends schedulers only; what is ended is started again by the next test."""
    made = make(servers, tmp_path_factory.mktemp("pair"))
    made.worker()
    yield made
    made.close()


@pytest.fixture
def two(pair: Stack) -> Stack:
    """The stack with two schedulers."""
    ready(pair, 2)
    return pair


def end(stack: Stack, name: str, number: signal.Signals, let_go: Callable[[], None]) -> None:
    """Send a signal to whoever stands still at a point and let it go on, as far as it still can."""
    process = stack.processes[name]
    process.send_signal(number)
    if number == signal.SIGKILL:
        process.wait(120)
    let_go()
    process.wait(120)


@pytest.mark.parametrize("number", KILLS, ids=lambda number: number.name)
@pytest.mark.parametrize(
    "point", [CLAIMED, SUBMITTED, TOLD, COMMITTING], ids=["claimed", "submitted", "told", "committing"]
)
def test_a_scheduler_ended_on_its_way_to_the_commit(two: Stack, point: str, number: signal.Signals) -> None:
    key, other = (
        two.do("schedule", name="held", cron="0 0 1 1 *"),
        two.do("schedule", name="other", cron="0 0 1 1 *"),
    )
    with Hold(two, point, key) as hold:
        due = make_due(two, key)
        name = hold.holder()
        # Whoever is not stuck goes on with what else is due.
        ran_once(two, other, make_due(two, other))
        assert executions(two, key) == []
        end(two, name, number, hold.release)
    ran_once(two, key, due)
    again = make_due(two, key, before=due)
    ran_once(two, key, due, again)


@pytest.mark.parametrize("number", KILLS, ids=lambda number: number.name)
def test_a_scheduler_ended_after_the_commit_before_it_rang(
    two: Stack, servers: Servers, number: signal.Signals
) -> None:
    key = two.do("schedule", name="unrung", cron="0 0 1 1 *")
    broker = servers[1].process
    assert broker is not None
    with Hold(two, COMMITTING, key) as hold:
        due = make_due(two, key)
        name = hold.holder()
        broker.send_signal(signal.SIGSTOP)
        try:
            hold.release()
            decided(two, key, due)
            two.kill(name, number)
            assert [status for _, status in executions(two, key)] == ["PENDING"]
        finally:
            broker.send_signal(signal.SIGCONT)
        two.processes[name].wait(120)
    ran_once(two, key, due)
    ran_once(two, key, due, make_due(two, key, before=due))


def test_a_configuration_archived_while_its_schedule_is_decided(two: Stack) -> None:
    key = two.do("schedule", name="archived", cron="0 0 1 1 *")
    with Hold(two, CLAIMED, key) as hold:
        due = make_due(two, key)
        hold.holder()
        name = two.do("archive_configuration", schedule=key)
        hold.release()
    ran_once(two, key, due)
    archived = make_due(two, key, before=due)
    outcome, reason = decided(two, key, archived)
    assert outcome == "SKIPPED" and reason.startswith(f"The configuration {name} is archived.")
    assert [at for at, _ in executions(two, key)] == [due]
    two.do("restore_configuration", schedule=key)
    assert decided(two, key, make_due(two, key, before=archived))[0] in ("FIRED", "CAUGHT_UP")


def test_three_schedulers_and_five_hundred_schedules_of_one_second(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack()
    keys = copies(stack, stack.do("schedule", name="one of many", cron="0 0 1 1 *"), 500)
    ready(stack, 3)
    count = "SELECT count(*), count(DISTINCT schedule_id), count(DISTINCT execution_id) FROM mlops_tick "
    of_runs = "SELECT count(*), count(DISTINCT schedule_id), min(due_at), max(due_at) FROM mlops_execution"
    due = make_due(stack, *keys)
    until(lambda: stack.rows(f"{count} WHERE fire_at = %s", due) == [(500, 500, 500)])
    assert stack.rows(of_runs) == [(500, 500, due, due)]
    # Nobody carries them out: what is due once more is skipped, each for its own execution.
    again = make_due(stack, *keys, before=due)
    skipped = f"{count} WHERE fire_at = %s AND outcome = 'SKIPPED' AND reason LIKE '%% still waits.'"
    until(lambda: stack.rows(skipped, again) == [(500, 500, 0)])
    assert stack.rows(of_runs) == [(500, 500, due, due)]
    assert stack.rows("SELECT count(*) FROM mlops_schedule WHERE next_run_at > now()") == [(500,)]
    assert "could not be decided" not in stack.tell()


def test_a_database_that_is_away_for_half_a_minute(new_stack: Callable[..., Stack], servers: Servers) -> None:
    stack = new_stack()
    stack.worker()
    ready(stack, 2)
    held = stack.do("schedule", name="held", cron="0 0 1 1 *")
    once = stack.do("schedule", name="once", once_in=25)
    ((at,),) = stack.rows("SELECT once_at FROM mlops_schedule WHERE id = %s", once)
    with Hold(stack, TOLD, held) as hold:
        due = make_due(stack, held)
        hold.holder()
        servers[0].stop()
        pause(30.0)
        servers[0].start()
    ran_once(stack, held, due)
    assert decided(stack, once, at)[0] == "FIRED"
    assert "s after it was due" in ledger(stack, once)[at][1]
    until(lambda: executions(stack, once) == [(at, "COMPLETED")])
    ran_once(stack, held, due, make_due(stack, held, before=due))
    assert len(living(stack)) == 2


def put_clock(stack: Stack, by: str) -> None:
    """Put the clock of the database's host by so much from what it really is."""
    with psycopg.connect(stack.database) as connection:
        connection.execute("UPDATE clock_put SET by = %s::interval", (by,))


@pytest.fixture
def puttable(new_stack: Callable[..., Stack]) -> Stack:
    """A stack whose database can be told what time it is.

    In its databases PostgreSQL's own function is hidden by one of the test, which the product then asks.
    """
    stack = new_stack()
    with psycopg.connect(stack.database, autocommit=True) as connection:
        connection.execute("CREATE TABLE clock_put AS SELECT interval '0' AS by")
        connection.execute(
            "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS "
            "'SELECT pg_catalog.clock_timestamp() + by FROM public.clock_put'"
        )
        name = stack.database.rsplit("/", 1)[1]
        connection.execute(f'ALTER DATABASE "{name}" SET search_path = public, pg_catalog')
    ready(stack, 2)
    return stack


def test_a_clock_put_an_hour_forth_and_back(puttable: Stack) -> None:
    stack = puttable
    key = stack.do(
        "schedule", name="minutely", cron="* * * * *", overlap="allow", catch_up="all", catch_up_limit=100
    )
    ((first,),) = stack.rows("SELECT next_run_at FROM mlops_schedule WHERE id = %s", key)

    def passed() -> int:
        return len(ledger(stack, key))

    put_clock(stack, "1 hour")
    until(lambda: passed() >= 60)
    accounted(stack, key, first)
    # It is put right: what was due by the wrong clock is not due once more, and others are due as ever.
    put_clock(stack, "0")
    other = stack.do("schedule", name="other", cron="0 0 1 1 *")
    assert decided(stack, other, make_due(stack, other))[0] in ("FIRED", "CAUGHT_UP")
    accounted(stack, key, first)
    before = passed()
    put_clock(stack, "-1 hour")
    another = stack.do("schedule", name="another", cron="0 0 1 1 *")
    due = make_due(stack, another)
    assert decided(stack, another, due)[0] in ("FIRED", "CAUGHT_UP")
    put_clock(stack, "0")
    assert decided(stack, another, make_due(stack, another, before=due))[0] == "SKIPPED"
    assert passed() == before
    put_clock(stack, "62 minutes")
    until(lambda: passed() > before)
    accounted(stack, key, first)
    assert len(executions(stack, other)) == len(executions(stack, another)) == 1


def accounted(stack: Stack, key: str, first: object) -> None:
    """Every minute since the first has one row and one execution."""
    # A minute may pass between the two looks.
    until(lambda: [at for at, _ in executions(stack, key)] == sorted(ledger(stack, key)))
    times = sorted(ledger(stack, key))
    assert times[0] == first
    assert all((later - sooner).total_seconds() == 60 for sooner, later in itertools.pairwise(times))


def test_a_resource_group_deleted_while_its_schedules_are_due(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack()
    stack.worker()
    ready(stack, 2)
    key, other = (stack.do("schedule", name=name, cron="0 0 1 1 *") for name in ("held", "other"))
    with psycopg.connect(stack.database, autocommit=True) as connection:
        connection.execute("CREATE TABLE told (schedule_id uuid, outcome text, reason text)")
        connection.execute(
            "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO told "
            "VALUES (NEW.schedule_id, NEW.outcome, NEW.reason); RETURN NULL; END $$"
        )
        connection.execute(
            "CREATE TRIGGER tell AFTER INSERT ON mlops_tick FOR EACH ROW EXECUTE FUNCTION tell()"
        )
    with Hold(stack, SUBMITTED, key) as hold:
        make_due(stack, key)
        hold.holder()
        stack.do("delete_group")
        make_due(stack, other)
        hold.release()
    gone = "SELECT 1 FROM resource_groups_resourcegroup WHERE slug = 'tutorial'"
    try:
        until(lambda: not stack.rows(gone))
    except AssertionError as error:
        raise AssertionError(stack.tell()) from error
    # What was under way was told, then stopped and removed; of what came later nothing was started.
    told = stack.rows("SELECT schedule_id::text, outcome, reason FROM told ORDER BY 2")
    assert [one for one in told if one[0] == other] in (
        [],
        [(other, "SKIPPED", "Its resource group is being deleted.")],
    )
    ((outcome, _),) = (one[1:] for one in told if one[0] == key)
    assert outcome in ("FIRED", "CAUGHT_UP")
    for table in ("schedule", "tick", "execution"):
        assert stack.rows(f"SELECT count(*) FROM mlops_{table}") == [(0,)]
    assert len(living(stack)) == 2


@pytest.mark.slow
@pytest.mark.chaos
def test_every_minute_is_accounted_for_while_schedulers_are_killed(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack()
    stack.worker(slots=4)
    key = stack.do(
        "schedule", name="minutely", cron="* * * * *", overlap="allow", catch_up="all", catch_up_limit=100
    )
    keys = copies(stack, key, 20)
    begin = min(at for (at,) in stack.rows("SELECT next_run_at FROM mlops_schedule"))
    chance = random.Random(8)
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        ready(stack, 3)
        victim = chance.choice(living(stack))
        stack.kill(victim, chance.choice(KILLS))
        pause(chance.uniform(1, 6))
    ready(stack, 3)
    ((now,),) = stack.rows("SELECT clock_timestamp()")
    with contextlib.suppress(AssertionError):
        until(lambda: all(max(ledger(stack, one), default=begin) > now for one in keys), seconds=90, pause=1)
    for one in keys:
        accounted(stack, one, begin)
        assert {outcome for outcome, _ in ledger(stack, one).values()} <= {"FIRED", "CAUGHT_UP"}
    assert min(len(ledger(stack, one)) for one in keys) >= 4
    open_ticks = "SELECT count(*) FROM mlops_tick WHERE is_open OR result <> 'COMPLETED'"
    until(lambda: stack.rows(open_ticks) == [(0,)], seconds=120)
