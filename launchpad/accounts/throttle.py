"""Slows down guessing of passwords: failures by username and address, in the memory of each web process."""

import threading
import time
import unicodedata
from collections import OrderedDict

FAILURES = 10
WINDOW_SECONDS = 300
_KEPT = 10_000
_failures: OrderedDict[tuple[str, str], list[float]] = OrderedDict()
_lock = threading.Lock()


def wait_seconds(username: str, address: str, *, now: float | None = None) -> int:
    """How long this pair must wait before the next try; 0 if it may try now. now: monotonic seconds."""
    now = time.monotonic() if now is None else now
    with _lock:
        recent = _recent(username, address, now)
        return 0 if len(recent) < FAILURES else max(1, round(recent[0] + WINDOW_SECONDS - now))


def failed(username: str, address: str, *, now: float | None = None) -> None:
    """Count one failure; call it only for a try that was let through, so that waiting is not prolonged."""
    now = time.monotonic() if now is None else now
    with _lock:
        _failures[_key(username, address)] = [*_recent(username, address, now), now]
        _failures.move_to_end(_key(username, address))
        while len(_failures) > _KEPT:
            _failures.popitem(last=False)


def succeeded(username: str, address: str) -> None:
    """Forget the failures of this pair."""
    with _lock:
        _failures.pop(_key(username, address), None)


def forget_all() -> None:
    """Begin anew."""
    with _lock:
        _failures.clear()


def _key(username: str, address: str) -> tuple[str, str]:
    # As the form reads it: blanks around a name and other shapes of its letters are the same name.
    return unicodedata.normalize("NFKC", username.strip()).casefold()[:150], address


def _recent(username: str, address: str, now: float) -> list[float]:
    return [at for at in _failures.get(_key(username, address), []) if at > now - WINDOW_SECONDS]
