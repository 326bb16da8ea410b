"""Curves over time for a deployment's page, and small ones that fit beside a figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mlops import charts
from mlops.views.execution_charts import TABLE_ROWS, Chart
from mlops.views.plots import Pair, plot, thinned

_TOP, _BOTTOM = 8.33, 91.67


@dataclass(frozen=True)
class Curve:
    """One curve. pairs: milliseconds since 1970 and a value, None for a gap; at least one."""

    title: str
    pairs: Sequence[Pair]

    @property
    def last(self) -> float | None:
        """The newest value that there is."""
        return next((y for _, y in reversed(self.pairs) if y is not None), None)


def chart(key: str, title: str, curves: Sequence[Curve]) -> Chart:
    """A chart of curves over time, with its drawing and its table. key: unique on the page."""
    figure = charts.line_chart(
        {one.title: one.pairs for one in curves}, x_title="Time (UTC)", y_title=title, x_axis="time"
    )
    # Nothing here falls below zero; three charts stand side by side, with room for few times each.
    figure["layout"]["yaxis"] |= {"rangemode": "tozero"}
    figure["layout"]["xaxis"] |= {"nticks": 4, "tickangle": 0}
    return Chart(
        key,
        title,
        "time",
        tuple(enumerate(curves, start=1)),
        figure,
        plot([one.pairs for one in curves], is_time=True),
        tuple((one, [(_moment(x), y) for x, y in thinned(one.pairs, TABLE_ROWS)]) for one in curves),
        sum(len(one.pairs) for one in curves),
        sum(len(one.pairs) for one in curves),
    )


def milliseconds(at: datetime) -> float:
    """A moment as charts have it."""
    return round(at.timestamp() * 1000)


def _moment(x: float) -> datetime:
    return datetime.fromtimestamp(x / 1000, UTC)


@dataclass(frozen=True)
class Spark:
    """A small curve in a box of 100 × 100: its line and the area below, as path data."""

    line: str
    band: str


def spark(values: Sequence[float | None]) -> Spark:
    """Draw values at equal distances, the lowest of them and zero at the bottom; None leaves a gap."""
    known = [value for value in values if value is not None]
    high = max(known, default=0) or 1
    across = 100 / max(len(values) - 1, 1)

    def at(place: int, value: float) -> str:
        return f"{place * across:.2f} {_BOTTOM - (value / high) * (_BOTTOM - _TOP):.2f}"

    lines, bands = [], []
    for run in _runs(values):
        places = [at(place, value) for place, value in run]
        first, last = run[0][0] * across, run[-1][0] * across
        lines.append(f"M{places[0]}L{' '.join(places[1:])}" if len(places) > 1 else f"M{places[0]}h.01")
        bands.append(f"M{' '.join(places)}L{last:.2f} 100 {first:.2f} 100Z" if len(places) > 1 else "")
    return Spark("".join(lines), "".join(bands))


def _runs(values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """Stretches without a gap, each value with its place."""
    run: list[tuple[int, float]] = []
    for place, value in enumerate(values):
        if value is not None:
            run.append((place, value))
        elif run:
            yield run
            run = []
    if run:
        yield run
