"""Bars of the overview, one for each group, and what failed there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlops.domain.overview import Count, GroupFigures


@dataclass(frozen=True)
class Segment:
    """A part of a bar. x, width: percent; word and count say what it is."""

    colour: str
    word: str
    count: Count
    x: str
    width: str


@dataclass(frozen=True)
class Failure:
    """An execution or deployment that failed. group: where; url: its page."""

    run: Any
    group: str
    url: str


def bars(told: Sequence[GroupFigures], parts: Sequence[tuple[str, str, str]]) -> list[list[Segment]]:
    """A bar for each group. parts: name of a count, its colour and its word."""
    most = max((sum(one.counts[name].value for name, *_ in parts) for one in told), default=0)
    found = []
    for one in told:
        at, bar = 0.0, []
        for name, colour, word in parts:
            if count := one.counts[name]:
                width = count.value / most * 100
                bar.append(Segment(colour, word, count, f"{at:.2f}%", f"{width:.2f}%"))
                at += width
        found.append(bar)
    return found
