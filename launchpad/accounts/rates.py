"""How fast one API client may ask: a bucket of requests for each, in the memory of each web process."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable

from django.conf import settings

from launchpad.errors import TooMany

_KEPT = 10_000
_lock = threading.Lock()
# Client to what its bucket held, and when: API_BURST at first, filled with API_REQUESTS_PER_SECOND.
_buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()


def take(client: Hashable, *, now: float | None = None) -> None:
    """Take one request out of the client's bucket; raises TooMany when it is empty.

    A refused request costs nothing. API_REQUESTS_PER_SECOND 0 lets everyone ask at any speed.
    now: monotonic seconds.
    """
    rate, burst = settings.API_REQUESTS_PER_SECOND, max(1, settings.API_BURST)
    if not rate:
        return
    now = time.monotonic() if now is None else now
    with _lock:
        held, at = _buckets.get(client, (burst, now))
        held = min(burst, held + max(0.0, now - at) * rate)
        enough = held >= 1
        _buckets[client] = (held - 1 if enough else held, now)
        _buckets.move_to_end(client)
        while len(_buckets) > _KEPT:
            _buckets.popitem(last=False)
    if not enough:
        raise TooMany(
            f"This client asks more than {rate} times a second. Send less, or more in one request.",
            seconds=math.ceil((1 - held) / rate),
        )


def forget_all() -> None:
    """Begin anew."""
    with _lock:
        _buckets.clear()
