"""Schedules of a running stack made due, and held at a point of their way, for tests of faults."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psutil
import psycopg

from tests.stack import Stack
from tests.waiting import until

# Where a scheduler can be stopped on its way from the claim to the commit, as what the database does there.
CLAIMED = "AFTER UPDATE OF next_run_at ON mlops_schedule"
SUBMITTED = "AFTER INSERT ON mlops_execution"
TOLD = "AFTER INSERT ON mlops_tick"
COMMITTING = "AFTER INSERT ON mlops_tick DEFERRABLE INITIALLY DEFERRED"
_LOCK = 4711
_numbers = itertools.count(1)


def make_due(stack: Stack, *keys: str, before: datetime | None = None) -> datetime:
    """Make schedules due at one whole minute, this one or the one before some other, and then not for a day.

    Nobody has looked at the clock since; when they are due.
    """
    ((due,),) = stack.rows("SELECT date_trunc('minute', clock_timestamp())")
    if before is not None:
        due = before - timedelta(minutes=1)
    with psycopg.connect(stack.database) as connection:
        connection.execute(
            "UPDATE mlops_schedule SET next_run_at = %s, status = 'ACTIVE', "
            "cron = to_char(%s AT TIME ZONE 'UTC', 'FMMI FMHH24 \"* * *\"') WHERE id = ANY(%s::uuid[])",
            (due, due, list(keys)),
        )
    return due


def copies(stack: Stack, key: str, number: int) -> list[str]:
    """So many schedules like one; the keys of all, with its own."""
    columns = stack.rows(
        "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns "
        "WHERE table_name = 'mlops_schedule' AND column_name <> 'id'"
    )[0][0]
    made = stack.rows(
        f"INSERT INTO mlops_schedule (id, {columns}) SELECT gen_random_uuid(), {columns} "
        "FROM mlops_schedule, generate_series(1, %s) WHERE id = %s RETURNING id",
        number - 1,
        key,
    )
    return [key, *(str(each) for (each,) in made)]


def ledger(stack: Stack, key: str) -> dict[datetime, tuple[str, str]]:
    """Outcome and reason by due time."""
    rows = stack.rows("SELECT fire_at, outcome, reason FROM mlops_tick WHERE schedule_id = %s", key)
    found = {due: (outcome, reason) for due, outcome, reason in rows}
    assert len(found) == len(rows)
    return found


def executions(stack: Stack, key: str) -> list[tuple[datetime, str]]:
    """Due time and status of every execution of the schedule, in the order of their due times."""
    return stack.rows(
        "SELECT due_at, status FROM mlops_execution WHERE schedule_id = %s ORDER BY due_at", key
    )


def decided(stack: Stack, key: str, due: datetime) -> tuple[str, str]:
    """Wait until the ledger tells of a due time; outcome and reason."""
    try:
        return until(lambda: ledger(stack, key).get(due))
    except AssertionError as error:
        raise AssertionError(f"{key} at {due}\n{stack.tell()}") from error


def ran_once(stack: Stack, key: str, *due: datetime) -> None:
    """Wait until each due time has run to its end; then there is one execution of each, and no other."""
    for each in due:
        assert decided(stack, key, each)[0] in ("FIRED", "CAUGHT_UP")
    ended = "SELECT count(*) FROM mlops_tick WHERE schedule_id = %s AND result = 'COMPLETED' AND NOT is_open"
    try:
        until(lambda: stack.rows(ended, key)[0][0] == len(due))
    except AssertionError as error:
        raise AssertionError(f"{executions(stack, key)}\n{stack.tell()}") from error
    assert executions(stack, key) == [(each, "COMPLETED") for each in sorted(due)]
    assert set(ledger(stack, key)) == set(due)
    rows = stack.rows(
        "SELECT run.due_at = told.fire_at AND told.tries = 1, schedule.next_run_at > told.fire_at "
        "FROM mlops_tick told JOIN mlops_execution run ON run.id = told.execution_id "
        "JOIN mlops_schedule schedule ON schedule.id = told.schedule_id WHERE told.schedule_id = %s",
        key,
    )
    assert rows == [(True, True)] * len(due)


class Hold:
    """While it is open, whoever brings a schedule to a point stands still there, inside its transaction."""

    def __init__(self, stack: Stack, point: str, key: str) -> None:
        self.stack = stack
        self._connection = psycopg.connect(stack.database, autocommit=True)
        self._connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        column = "id" if point == CLAIMED else "schedule_id"
        # Making it due sets its time back, moving it on does not.
        forth = "AND NEW.next_run_at > OLD.next_run_at" if point == CLAIMED else ""
        kind = "CONSTRAINT TRIGGER" if point == COMMITTING else "TRIGGER"
        self._connection.execute(
            "CREATE OR REPLACE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN PERFORM pg_advisory_xact_lock_shared({_LOCK}); RETURN NULL; END $$"
        )
        self._connection.execute(
            f"CREATE {kind} hold_{next(_numbers)} {point} FOR EACH ROW "
            f"WHEN (NEW.{column} = '{key}' {forth}) EXECUTE FUNCTION hold()"
        )

    def holder(self) -> str:
        """Wait until somebody stands still; the name of the process."""
        query = (
            "SELECT activity.client_port FROM pg_locks held JOIN pg_stat_activity activity USING (pid) "
            "WHERE held.locktype = 'advisory' AND held.objid = %s AND NOT held.granted"
        )
        try:
            found = until(lambda: self.stack.rows(query, _LOCK))
        except AssertionError as error:
            raise AssertionError(self.stack.tell()) from error
        ((port,),) = found
        (name,) = (name for name in self.stack.processes if port in _ports(self.stack, name))
        return name

    def release(self) -> None:
        """Let whoever stands still go on."""
        with contextlib.suppress(psycopg.OperationalError):
            self._connection.execute("SELECT pg_advisory_unlock_all()")
        self._connection.close()

    def __enter__(self) -> Hold:
        return self

    def __exit__(self, *_: Any) -> None:
        self.release()


def _ports(stack: Stack, name: str) -> Iterator[int]:
    """Ports of a process's own ends of its connections."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for one in psutil.Process(stack.processes[name].pid).net_connections():
            yield one.laddr.port
