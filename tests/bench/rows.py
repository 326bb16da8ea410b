"""What a figure gives back: lines of the table, and the percentiles they are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table.

    measured, target, floor: in `unit`; the target is the most that will do, or with `at_least` the least,
    None where there is none. floor: what the same work costs, or how much of it is done, without Launchpad,
    measured in the same run. note: what else was seen.
    """

    figure: str
    measured: float
    unit: str
    target: float | None = None
    floor: float | None = None
    note: str = ""
    at_least: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times the floor was measured."""
        return self.measured / self.floor if self.floor else None

    @property
    def is_missed(self) -> bool:
        """Whether there is a target and it was not reached."""
        if self.target is None:
            return False
        return self.measured < self.target if self.at_least else self.measured > self.target


def quantile(values: Sequence[float], part: float) -> float:
    """The smallest of the values that at least this part of them does not exceed; at least one value."""
    ordered = sorted(values)
    return ordered[max(math.ceil(part * len(ordered)), 1) - 1]


def p50(values: Sequence[float]) -> float:
    """The middle one."""
    return quantile(values, 0.5)


def p95(values: Sequence[float]) -> float:
    """The one that a twentieth of them exceeds."""
    return quantile(values, 0.95)


def spread(values: Sequence[float], unit: str) -> str:
    """A note on how values lie, for one that names only one of them."""
    digits = 0 if p50(values) >= 10 else 2
    shown = [f"{value:.{digits}f}" for value in (p50(values), p95(values), max(values))]
    return f"p50 {shown[0]}, p95 {shown[1]}, max {shown[2]} {unit} of {len(values)}"


def p99(values: Sequence[float]) -> float:
    """The one that a hundredth of them exceeds."""
    return quantile(values, 0.99)
