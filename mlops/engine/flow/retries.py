"""Whether, and after how long, something that failed is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta

from mlops.engine.flow.nodes import Report, status
from mlops.manifests.conditions import parse_expression
from mlops.manifests.needs import Backoff, Retry

LIMIT = 20
_LONGEST_SECONDS = 365 * 86_400.0


def follows(retry: Retry | None, tries: int, last: Report) -> bool:
    """Whether another attempt follows this one, without regard to the wait before it.

    tries: retries so far. Raises ValueError when the expression cannot be answered.
    """
    if retry is None or tries >= limit(retry):
        return False
    if retry.policy == "OnTransientError":
        fits = last.is_transient
    else:
        states = {"OnFailure": ("Failed",), "OnError": ("Errored",)}
        fits = last.state in states.get(retry.policy or "", ("Failed", "Errored"))
    if not fits or not retry.expression:
        return fits
    return parse_expression(retry.expression).holds(lambda name: _last(name, last))


def delay(retry: Retry | None, tries: int, since: datetime, now: datetime, last: Report) -> timedelta | None:
    """How long to wait before the next attempt; None when there is none. since: when the first began."""
    if retry is None or not follows(retry, tries, last):
        return None
    if retry.backoff is None:
        return timedelta()
    wait = timedelta(seconds=_seconds(retry.backoff, tries))
    most = retry.backoff.max_seconds
    if most is not None and (now + wait - since).total_seconds() > most:
        return None
    return wait


def limit(retry: Retry | None) -> int:
    """How often at most it is tried again."""
    if retry is None:
        return 0
    return LIMIT if retry.limit is None else min(retry.limit, LIMIT)


def _last(name: str, last: Report) -> str:
    """`lastRetry.<field>`; an exit code that was not seen is -1."""
    match name.removeprefix("lastRetry."):
        case "exitCode":
            return str(-1 if last.exit_code is None else last.exit_code)
        case "status":
            return status(last.state)
        case "message":
            return last.message
        case "duration" if last.started_at and last.ended_at:
            return str((last.ended_at - last.started_at).total_seconds())
    return "0"


def _seconds(backoff: Backoff, tries: int) -> float:
    try:
        seconds = backoff.duration_seconds * (backoff.factor or 1.0) ** tries
    except OverflowError:
        seconds = _LONGEST_SECONDS
    return max(0.0, min(seconds, backoff.cap_seconds or _LONGEST_SECONDS, _LONGEST_SECONDS))
