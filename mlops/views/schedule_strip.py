"""A schedule's newest due times as a strip of marks, each told by its shape and its colour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlops.lifecycle import Outcome, Status

STEP, WIDTH, HEIGHT = 5, 3, 16
SKIPPED = "SKIPPED"
# The state of a due time: in words, the path of its mark from its left edge on, and the status it is coloured
# by. Bars reach as high as things went well, so that they are told apart without colour.
_MARKS = {
    Status.COMPLETED: ("completed", "v14h3v-14z", Status.COMPLETED),
    Status.DEAD: ("failed", "m0 3l3 3m0-3l-3 3m0 2h3v6h-3z", Status.DEAD),
    Status.STOPPED: ("stopped", "m0 7v7h3v-7z", Status.STOPPED),
    Status.RUNNING: ("running", "m0 3v5h3v-5zm0 7v4h3v-4z", Status.RUNNING),
    Status.PENDING: ("waiting", "m0 10v4h3v-4z", Status.PENDING),
    SKIPPED: ("skipped", "m0 12.5v1.5h3v-1.5z", Status.UNKNOWN),
}
_ON_THE_WAY = {Status.STOPPING: Status.RUNNING, Status.DELETING: Status.STOPPED}


@dataclass(frozen=True)
class Last:
    """How the newest run went. status: of the execution, which may be gone; key: its own, "" then."""

    status: str
    key: str
    timed_out: bool


class Strip:
    """The newest rows of one ledger, oldest first."""

    width, height = 30 * STEP, HEIGHT

    def __init__(self, ticks: Sequence[Any]) -> None:
        self._ticks = ticks
        self._states = [state(tick) for tick in ticks]

    def __bool__(self) -> bool:
        return bool(self._ticks)

    @property
    def paths(self) -> list[tuple[str, str]]:
        """The marks of each state: the status that colours them, and their path."""
        begin = self.width - STEP * len(self._states)
        drawn: dict[str, str] = {}
        for place, one in enumerate(self._states):
            drawn[one] = drawn.get(one, "") + f"M{begin + place * STEP} 1{_MARKS[one][1]}"
        return [(str(_MARKS[one][2]), path) for one, path in drawn.items()]

    @property
    def words(self) -> str:
        """`30 ticks: 25 completed, 3 failed, 2 skipped`."""
        counts = Counter(self._states)
        told = ", ".join(f"{counts[one]} {word}" for one, (word, _, _) in _MARKS.items() if counts[one])
        number = len(self._states)
        return f"{number} tick{'' if number == 1 else 's'}: {told}" if number else "No ticks yet"

    @property
    def last(self) -> Last | None:
        """How the newest of them that ran went; None where none did."""
        for tick in reversed(self._ticks):
            if tick.tries:
                status = tick.execution.status if tick.execution else tick.result
                return Last(status, tick.execution_id or "", tick.timed_out) if status else None
        return None

    @property
    def is_moving(self) -> bool:
        """Whether the end of one is still to be seen."""
        return any(tick.is_open for tick in self._ticks)


def state(tick: Any) -> str:
    """What became of a due time so far: a status, or SKIPPED."""
    if tick.outcome == Outcome.SKIPPED:
        return SKIPPED
    if tick.is_open:
        if tick.retry_at is not None or tick.execution is None:
            return Status.PENDING
        now = tick.execution.status
        return _ON_THE_WAY.get(now, now)
    if tick.timed_out:
        return Status.DEAD
    # Of a run whose execution was deleted before its end was seen, nothing else is known.
    return tick.result if tick.result in _MARKS else Status.STOPPED
