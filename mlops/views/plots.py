"""Charts drawn by the server as SVG paths: what is seen before, and without, the script that draws better."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from django.utils import timezone

Pair = tuple[float, float | None]
TICKS = 5


@dataclass(frozen=True)
class Plot:
    """A drawing in a box of 100 × 100, y downwards.

    lines: (class number from 1, path data) of each series; dots: likewise, series of a single point.
    x, y: tick labels at equal distances from low to high. grid: heights of the horizontal lines.
    """

    lines: tuple[tuple[int, str], ...]
    dots: tuple[tuple[int, str], ...]
    x: tuple[str, ...]
    y: tuple[str, ...]
    grid: tuple[str, ...]


def plot(series: Sequence[Sequence[Pair]], *, is_time: bool) -> Plot | None:
    """Draw series of (x, y) pairs, x ascending, y None for a gap; None when no y is finite.

    is_time: x is in milliseconds since 1970, told in the reader's zone.
    """
    points = [(x, y) for pairs in series for x, y in pairs if _is_finite(y)]
    if not points:
        return None
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    low, high, part = _bounds([y for _, y in points])
    # A single place is drawn in the middle; two equal ends would divide by nothing.
    if left == right:
        left, right = left - 1, right + 1

    def at(x: float, y: float) -> str:
        return f"{(x - left) / (right - left) * 100:.2f} {(high - y / part) / (high - low) * 100:.2f}"

    lines, dots = [], []
    for number, pairs in enumerate(series, start=1):
        for run in _runs(pairs):
            places = [at(x, y) for x, y in run]
            if len(places) > 1:
                lines.append((number, f"M{places[0]}L{' '.join(places[1:])}"))
            else:
                dots.append((number, f"M{places[0]}h.01"))
    steps = [step / (TICKS - 1) for step in range(TICKS)]
    parts = TICKS - 1 if is_time else _whole_parts(right - left)
    moments = [left + (right - left) * part / parts for part in range(parts + 1)]
    return Plot(
        tuple(lines),
        tuple(dots),
        tuple(_clock(x, right - left) if is_time else _figure(x) for x in moments),
        tuple(_figure((low + (high - low) * step) * part) for step in steps),
        tuple(f"{100 * step:.0f}" for step in steps),
    )


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _runs(pairs: Sequence[Pair]) -> Iterator[list[tuple[float, float]]]:
    """Stretches of finite values."""
    run: list[tuple[float, float]] = []
    for x, y in pairs:
        if _is_finite(y):
            run.append((x, y))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _bounds(values: Sequence[float]) -> tuple[float, float, int]:
    """The ends of the axis, and by what values are divided first: the span of the largest is infinite."""
    low, high = min(values), max(values)
    part = 1 if math.isfinite(high - low) else 4
    return *_rounded(low / part, high / part), part


def _rounded(low: float, high: float) -> tuple[float, float]:
    """Bounds whose four equal steps are round numbers of the size of the data."""
    if low == high:
        room = abs(low) / 2 or 0.5
        low, high = low - room, high + room
    raw = (high - low) / (TICKS - 1)
    if not math.isfinite(raw) or raw == 0:
        return low, high if high > low else low + 1
    power = 10.0 ** math.floor(math.log10(raw))
    for factor in (1, 2, 2.5, 5, 10, 20):
        step = factor * power
        start = math.floor(low / step + 1e-9) * step
        if start + (TICKS - 1) * step >= high - step * 1e-9:
            return start, start + (TICKS - 1) * step
    return low, high


def _whole_parts(span: float) -> int:
    """Into how many parts an axis of steps is divided, so that each is a whole number of them if possible."""
    return next((parts for parts in (5, 4, 6, 3, 7, 2) if span % parts == 0), 1)


def _figure(value: float) -> str:
    value = min(max(value, -sys.float_info.max), sys.float_info.max)
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    return f"{value:.3g}"


def _clock(milliseconds: float, span: float) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, timezone.get_current_timezone())
    return f"{moment:%H:%M:%S}" if span < 24 * 3600 * 1000 else f"{moment.day} {moment:%b %H:%M}"


def thinned(pairs: Sequence[Pair], rows: int) -> list[Pair]:
    """At most `rows` of the pairs for a table, evenly chosen, first and last among them."""
    if len(pairs) <= rows:
        return list(pairs)
    places = [round(index * (len(pairs) - 1) / (rows - 1)) for index in range(rows)]
    return [pairs[place] for place, following in pairwise([*places, -1]) if place != following]
