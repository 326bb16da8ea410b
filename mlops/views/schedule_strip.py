"""A schedule's newest due times as a strip of marks, each told by its shape and its colour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from mlops.domain.schedule_filters import STRIP, Mark
from mlops.lifecycle import Outcome, Status

STEP, HEIGHT = 5, 16
SKIPPED = "SKIPPED"
# The state of a due time: in words, the status that its mark is coloured by, and where the middles of its
# bands lie. The style sheet tells how thick they are: each state has a shape of its own, told without colour.
_MARKS: dict[str, tuple[str, str, tuple[float, ...]]] = {
    Status.COMPLETED: ("completed", Status.COMPLETED, (8,)),
    Status.DEAD: ("failed", Status.DEAD, (8,)),
    Status.STOPPED: ("stopped", Status.STOPPED, (12,)),
    Status.RUNNING: ("running", Status.RUNNING, (3, 8, 13)),
    Status.PENDING: ("waiting", Status.PENDING, (13,)),
    SKIPPED: ("skipped", Status.UNKNOWN, (14,)),
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
        """The marks of each state: the status that colours and shapes them, and their path.

        Neighbours that are alike are one line, which the style sheet cuts into marks.
        """
        drawn: dict[str, str] = {}
        begin = self.width - STEP * len(self._states)
        for one, alike in groupby(self._states):
            length = STEP * len(list(alike))
            bands = "".join(f"M{begin} {middle}h{length}" for middle in _MARKS[one][2])
            drawn[one] = drawn.get(one, "") + bands
            begin += length
        return [(_MARKS[one][1], path) for one, path in drawn.items()]

    @property
    def words(self) -> str:
        """`30 ticks: 25 completed, 3 failed, 2 skipped`."""
        counts = Counter(self._states)
        told = ", ".join(f"{counts[one]} {word}" for one, (word, *_) in _MARKS.items() if counts[one])
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
