"""Turns the keeper's bare facts into an Observation with a sentence for people."""

import os
import signal
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mlops.engine.spec import Cause, Observation, RunSpec

_NEAR = 0.8  # of the memory limit: a kill from outside is then put down to memory


def ended(spec: RunSpec, started_at: datetime | None, facts: Mapping[str, Any]) -> Observation:
    """The final observation of a step whose process tree is gone. facts: the keeper's last report."""
    code, number = _split(facts["status"])
    if facts["killed"] and facts["status"] is None:
        number = int(signal.SIGKILL)
    cause = _cause(spec, started_at, facts, code, number)
    if cause == "not_started":
        code = number = None
    return Observation(
        running=False,
        started=started_at is not None,
        started_at=started_at,
        ended_at=datetime.fromtimestamp(facts["ended"], UTC),
        exit_code=code,
        signal=number,
        cause=cause,
        message=_message(spec, cause, facts, code, number),
    )


def lost(spec: RunSpec, started_at: datetime | None, left: int) -> Observation:
    """The final observation of a step whose keeper died without a word. left: processes that still live."""
    message = "Ended: the process that guards the step was killed from outside, so the rest was killed too."
    if left:
        message = (
            f"The process that guards the step was killed from outside; {left} of its processes still live."
        )
    return Observation(
        running=False,
        started=started_at is not None,
        started_at=started_at,
        ended_at=datetime.now(UTC),
        cause="lost",
        message=message,
        pids_left=left,
    )


def _split(status: int | None) -> tuple[int | None, int | None]:
    if status is None:
        return None, None
    code = os.waitstatus_to_exitcode(status)
    return (code, None) if code >= 0 else (None, -code)


def _cause(
    spec: RunSpec,
    started_at: datetime | None,
    facts: Mapping[str, Any],
    code: int | None,
    number: int | None,
) -> Cause:
    if facts["cause"]:
        told: Cause = facts["cause"]
        return told
    if started_at is None:
        return "not_started"
    limit = spec.limits.memory_bytes
    # A shell tells the KILL of its child as exit code 137.
    if (
        limit
        and facts["peak"] >= _NEAR * limit
        and (number == signal.SIGKILL or code == 128 + signal.SIGKILL)
    ):
        return "memory"
    return "completed" if code == 0 else "exit"


def _message(
    spec: RunSpec, cause: Cause, facts: Mapping[str, Any], code: int | None, number: int | None
) -> str:
    if cause == "not_started":
        said = facts["setup"].strip().splitlines()
        return (
            facts["failure"] or f"The command could not be started: {said[-1] if said else 'no reason known'}"
        )
    if cause == "memory":
        return f"Killed: it needed more than {_size(spec.limits.memory_bytes or 0)} of memory."
    if cause == "worker_lost":
        return "Ended: the worker that ran it is gone."
    if cause in ("stopped", "deadline"):
        why = "Stopped on request."
        if cause == "deadline":
            why = f"Stopped: it ran longer than its time limit of {_seconds(spec.deadline_seconds or 0)}."
        late = f" It did not end within {_seconds(spec.grace_seconds)} and was killed."
        return why + (late if facts["killed"] and facts["started"] else "")
    how = f"The command ended with exit code {code}."
    if code is None:
        how = f"The command was ended by {_signal(number)}."
    if number == signal.SIGKILL:
        how += " The system also does this when memory runs out."
    left = facts["leftovers"]
    return how + (f" Processes it left behind were ended: {left}." if left else "")


def _signal(number: int | None) -> str:
    if number is None:
        return "a signal that was not seen"
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


def _size(size: int) -> str:
    return f"{size / 1024**3:.1f} GiB" if size >= 1024**3 else f"{size / 1024**2:.0f} MiB"


def _seconds(seconds: float) -> str:
    return f"{seconds:g} s"
