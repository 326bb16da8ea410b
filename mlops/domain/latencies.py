"""Histograms of times: counts by bounds that grow by a third each, from 0.25 ms to 100 s."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, MutableMapping

_PER_DECADE = 8
_FIRST = 0.000_25
# The upper bounds in seconds; times beyond the last one have an index of their own.
BOUNDS = tuple(_FIRST * 10 ** (step / _PER_DECADE) for step in range(46))


def index(seconds: float) -> int:
    """Where a time is counted: the first bound that it does not exceed, len(BOUNDS) beyond the last."""
    return bisect_left(BOUNDS, seconds)


def add(counts: MutableMapping[int, int], seconds: float, times: int = 1) -> None:
    """Count a time."""
    place = index(seconds)
    counts[place] = counts.get(place, 0) + times


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """The time in seconds that a share (0 to 1) of all does not exceed; None without any.

    Between two bounds it is taken as spread evenly by magnitude, so it is off by a third at most; what lies
    beyond the last bound counts as that.
    """
    total = sum(counts.values())
    if not total:
        return None
    wanted, passed = share * total, 0
    for place in sorted(counts):
        count = counts[place]
        if count and passed + count >= wanted:
            if place >= len(BOUNDS):
                return BOUNDS[-1]
            low = BOUNDS[place - 1] if place else BOUNDS[0] / 10 ** (1 / _PER_DECADE)
            return float(low * (BOUNDS[place] / low) ** ((wanted - passed) / count))
        passed += count
    return BOUNDS[-1]
