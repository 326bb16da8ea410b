"""A schedule's newest due times as a strip of marks, each told by its shape and its colour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mlops.domain.schedule_filters import STRIP, Mark
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

    width, height = STRIP * STEP, HEIGHT

    def __init__(self, marks: Sequence[Mark]) -> None:
        self._marks = marks
        self._states = [state(mark) for mark in marks]

    def __bool__(self) -> bool:
        return bool(self._marks)

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
        for mark in reversed(self._marks):
            if mark.tries:
                status = mark.run_status or mark.result
                return Last(status, mark.execution_id or "", bool(mark.timed_out)) if status else None
        return None

    @property
    def is_moving(self) -> bool:
        """Whether the end of one is still to be seen."""
        return any(mark.is_open for mark in self._marks)


def state(mark: Mark) -> str:
    """What became of a due time so far: a status, or SKIPPED."""
    if mark.outcome == Outcome.SKIPPED:
        return SKIPPED
    if mark.is_open:
        if mark.retry_at or not mark.run_status:
            return Status.PENDING
        return _ON_THE_WAY.get(Status(mark.run_status), mark.run_status)
    if mark.timed_out:
        return Status.DEAD
    # Of a run whose execution was deleted before its end was seen, nothing else is known.
    return mark.result if mark.result in _MARKS else Status.STOPPED
