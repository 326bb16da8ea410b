"""Where a reader of a log is: the newest attempt it saw and the next chunk of each of its steps."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db.models import Q

from launchpad.errors import Invalid

_PLACE = re.compile(r"(\d{1,9})\.(\d{1,4})\.(\d{1,9})\Z", re.ASCII)
# How Django and SQL name the same comparison.
_LOOKUPS = {"=": "", ">": "__gt", ">=": "__gte", "IN": "__in"}
_Condition = tuple[str, str, int | list[int]]
_FORM = re.compile(r"(\d{1,9}):((?:\d{1,4}\.\d{1,9}(?:,\d{1,4}\.\d{1,9}){0,799})?)\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """One line of a log: `2.0.123` is line 123 of step 0 in attempt 2."""

    attempt: int
    step: int
    number: int

    def __str__(self) -> str:
        return f"{self.attempt}.{self.step}.{self.number}"

    @classmethod
    def parse(cls, text: str) -> Place | None:
        """The place a text stands for, None when it is not one."""
        match = _PLACE.match(text)
        return cls(int(match[1]), int(match[2]), int(match[3])) if match else None


@dataclass(frozen=True, slots=True)
class Position:
    """All chunks of attempts before `attempt` are seen, of its steps those before `following[step]`.

    Two steps may write at the same time, so that one number would not do. As text, `2:0.14,1.3` is
    attempt 2, chunk 14 of step 0 and chunk 3 of step 1 next.
    """

    attempt: int = 0
    following: tuple[tuple[int, int], ...] = ()

    def __str__(self) -> str:
        return f"{self.attempt}:{','.join(f'{step}.{seq}' for step, seq in self.following)}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """The position a text stands for; "" is the beginning. Raises Invalid."""
        if not text:
            return cls()
        match = _FORM.match(text)
        if match is None:
            raise Invalid("This place in the log is not one that Launchpad gave out. Reload the page.")
        pairs = (pair.split(".") for pair in match[2].split(",") if pair)
        return cls(int(match[1]), tuple(sorted({int(step): int(seq) for step, seq in pairs}.items())))

    def next_of(self, attempt: int, step: int) -> int | None:
        """The number of the next chunk wanted of a step; None when the attempt is over."""
        if attempt < self.attempt:
            return None
        return dict(self.following).get(step, 0) if attempt == self.attempt else 0

    def after(self, attempt: int, step: int, seq: int) -> Position:
        """The position once that chunk is seen too."""
        if attempt < self.attempt:
            return self
        known = dict(self.following) if attempt == self.attempt else {}
        return Position(attempt, tuple(sorted({**known, step: seq + 1}.items())))

    def unseen(self) -> Q:
        """The condition for LogChunk rows that are not seen yet; every branch is a range of its index."""
        rows = Q()
        for one in self._ranges():
            rows |= Q(**{column + _LOOKUPS[sign]: value for column, sign, value in one})
        return rows

    def unseen_sql(self) -> str:
        """The same in SQL, with numbers and no values to bind.

        Who asks for many executions four times a second spends more on phrasing the other than on its answer.
        """
        parts = (
            " AND ".join(f"{column} {sign} {_number(value)}" for column, sign, value in one)
            for one in self._ranges()
        )
        return f"({' OR '.join(f'({part})' for part in parts)})"

    def _ranges(self) -> list[list[_Condition]]:
        """Alternatives, each as conditions on columns that hold together."""
        known = dict(self.following)
        highest = max(known, default=-1)
        now: _Condition = ("attempt", "=", self.attempt)
        ranges: list[list[_Condition]] = [[("attempt", ">", self.attempt)], [now, ("step", ">", highest)]]
        ranges += [[now, ("step", "=", step), ("seq", ">=", seq)] for step, seq in known.items()]
        if between := [step for step in range(highest) if step not in known]:
            ranges.append([now, ("step", "IN", between)])
        return ranges


def _number(value: int | list[int]) -> str:
    return str(int(value)) if isinstance(value, int) else f"({', '.join(str(int(one)) for one in value)})"
