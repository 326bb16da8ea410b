"""How often Celery's beat rings."""

from __future__ import annotations

from datetime import datetime, timedelta

from celery.schedules import schedstate, schedule

# Past the second, so that a clock that differs by a little has reached it too.
_LAG = 0.02


class EverySecond(schedule):
    """Due just after each whole second, as due times of schedules are whole seconds."""

    def __init__(self) -> None:
        super().__init__(run_every=timedelta(seconds=1))

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Whether a second has begun since the last time, and how long it is to the next."""
        last, now = (moment.timestamp() - _LAG for moment in (self.maybe_make_aware(last_run_at), self.now()))
        return schedstate(int(now) > int(last), 1 - now % 1)

    def __reduce__(self) -> tuple[type[EverySecond], tuple[()]]:
        return type(self), ()
