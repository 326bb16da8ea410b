"""Slows down guessing of passwords: failures by username and address, in the memory of each web process."""

import threading
import time
from collections import OrderedDict

FAILURES = 10
WINDOW_SECONDS = 300
_KEPT = 10_000
_failures: OrderedDict[tuple[str, str], list[float]] = OrderedDict()
_lock = threading.Lock()


def wait_seconds(username: str, address: str) -> int:
    """How long this pair must wait before the next try; 0 if it may try now."""
    with _lock:
        recent = _recent(username, address)
        return (
            0
            if len(recent) < FAILURES
            else max(1, round(recent[-FAILURES] + WINDOW_SECONDS - time.monotonic()))
        )


def failed(username: str, address: str) -> None:
    """Count one failure; tries made while waiting do not prolong the wait."""
    with _lock:
        recent = _recent(username, address)
        if len(recent) < FAILURES:
            recent.append(time.monotonic())
        _failures[(username.lower(), address)] = recent
        _failures.move_to_end((username.lower(), address))
        while len(_failures) > _KEPT:
            _failures.popitem(last=False)


def succeeded(username: str, address: str) -> None:
    """Forget the failures of this pair."""
    with _lock:
        _failures.pop((username.lower(), address), None)


def _recent(username: str, address: str) -> list[float]:
    since = time.monotonic() - WINDOW_SECONDS
    return [at for at in _failures.get((username.lower(), address), []) if at > since]
