"""A schedule's newest due times as a strip of marks, each told by its shape and its colour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from mlops.domain.schedule_filters import STRIP, Mark
from mlops.lifecycle import Outcome, Status

SKIPPED = "SKIPPED"
# The state of a due time: in words, the class of its mark, and where the middles of its bands lie. The style
# sheet tells how thick they are and their colour: each state has a shape of its own, told without colour.
# A class is one letter, since a list has hundreds of them.
_MARKS: dict[str, tuple[str, str, tuple[int, ...]]] = {
    Status.COMPLETED: ("completed", "c", (8,)),
    Status.DEAD: ("failed", "d", (8,)),
    Status.STOPPED: ("stopped", "x", (12,)),
    Status.RUNNING: ("running", "r", (3, 8, 13)),
    Status.PENDING: ("waiting", "p", (13,)),
    SKIPPED: ("skipped", "s", (14,)),
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

    def __init__(self, marks: Sequence[Mark]) -> None:
        self._marks = marks
        self._states = [state(mark) for mark in marks]

    def __bool__(self) -> bool:
        return bool(self._marks)

    @property
    def paths(self) -> list[tuple[str, str]]:
        """The marks of each state: their class, and their path, a tick wide for each.

        Neighbours that are alike are one line, which the style sheet stretches and cuts into marks.
        """
        places: dict[str, list[tuple[int, int]]] = {}
        begin = STRIP - len(self._states)
        for one, alike in groupby(self._states):
            length = len(list(alike))
            places.setdefault(one, []).append((begin, length))
            begin += length
        return [
            (_MARKS[one][1], "".join(_band(found, middle) for middle in _MARKS[one][2]))
            for one, found in places.items()
        ]

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


def _band(places: list[tuple[int, int]], middle: int) -> str:
    """One line with gaps, in the shortest words of a path: each piece from where the one before it ended."""
    (begin, length), *rest = places
    path, end = f"M{begin} {middle}h{length}", begin + length
    for begin, length in rest:
        path, end = f"{path}m{begin - end} 0h{length}", begin + length
    return path


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
