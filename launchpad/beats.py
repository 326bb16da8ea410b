"""How often Celery's beat rings, also when the host's clock is put."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from celery.beat import PersistentScheduler
from celery.schedules import schedstate, schedule

# Past the second, so that a clock that differs by a little has reached it too.
_LAG = 0.02
# By so much Celery's beat wakes before what it waits for, and then asks without a pause until that comes.
_EARLY = 0.01
# A clock that is put, rather than one that is steered.
_PUT_SECONDS = 1.0


class EverySecond(schedule):
    """Due just after each whole second, as due times of schedules are whole seconds."""

    def __init__(self) -> None:
        super().__init__(run_every=timedelta(seconds=1))

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Whether another second has begun than that of the last time, and how long it is to the next."""
        last, now = (moment.timestamp() - _LAG for moment in (self.maybe_make_aware(last_run_at), self.now()))
        return schedstate(int(now) != int(last), 1 - now % 1 + _EARLY)

    def __reduce__(self) -> tuple[type[EverySecond], tuple[()]]:
        return type(self), ()


class SteadyScheduler(PersistentScheduler):
    """Celery's, which would ring nothing for an hour after the host's clock was put back by an hour.

    It remembers by that clock when it rang last and when it rings next.
    """

    _put: float | None = None

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Ring what is due; seconds until the next look."""
        put = self.app.now().timestamp() - time.monotonic()
        if self._put is None or abs(put - self._put) > _PUT_SECONDS:
            self._forget()
        self._put = put
        waits: float = super().tick(*args, **kwargs)
        return waits

    def _forget(self) -> None:
        """Let what rang last in a future that is none have rung just now."""
        now = self.app.now()
        for entry in self.schedule.values():
            if entry.last_run_at is not None and entry.schedule.maybe_make_aware(entry.last_run_at) > now:
                entry.last_run_at = now
        # It is filled again from the entries.
        self._heap = None
