"""Charts of a comparison: figures for the script, a drawing where there is none, a table and a sentence."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from launchpad.access import Scope
from mlops import charts
from mlops.domain import metric_curves
from mlops.domain.boards import Chart
from mlops.domain.comparisons import Subject
from mlops.views.comparison_rows import Directions
from mlops.views.figures import metric, rounded
from mlops.views.plots import Plot, plot, thinned

TITLES = {
    "curves": "Curves",
    "bars": "Bars",
    "scatter": "Scatter",
    "heatmap": "Heat map",
    "parallel": "Parallel coordinates",
}
POINTS, TABLE_ROWS, HEAT_ROWS, AXES = 4_000, 12, 40, 12
_X = {"step": "Step", "time": "Seconds since the start"}
# Plotly makes code for parallel coordinates; no other chart does.
UNSAFE = {"script-src": ("'unsafe-eval'",)}


@dataclass(frozen=True)
class Drawn:
    """One chart. data None: there is nothing to draw, and label says why.

    legend: (number from 1, name, value in words); head and rows: the table; notes: what else to know.
    """

    key: str
    chart: Chart
    title: str
    label: str
    data: dict[str, Any] | None = None
    plot: Plot | None = None
    legend: tuple[tuple[int, str, str], ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def json(self) -> str:
        """The figure as JSON text."""
        return json.dumps(self.data, allow_nan=False, separators=(",", ":"))


class Charts:
    """Draws charts of some subjects; titles of metrics and names of parameters are theirs.

    points: about how many a chart of curves holds at most.
    """

    def __init__(
        self, scope: Scope, subjects: Sequence[Subject], directions: Directions, *, points: int = POINTS
    ) -> None:
        self._points = points
        self._scope = scope
        self._subjects = subjects
        self._directions = directions
        self.metrics = sorted({title for one in subjects for title in one.series})
        curved = {title for one in subjects for title, series in one.series.items() if series.count > 1}
        self.curved = sorted(curved)
        self.parameters = list({name: None for one in subjects for name in one.parameters})

    def draw(self, chart: Chart, key: str) -> Drawn:
        """One chart; of a metric or parameter that none of them has it says so."""
        if not self.metrics:
            return Drawn(key, chart, TITLES[chart.kind], "None of them reported a metric.")
        known = self.curved if chart.kind == "curves" and self.curved else self.metrics
        wanted = chart.metric if chart.metric in self.metrics else known[0]
        draw: Callable[[Chart, str, str], Drawn] = getattr(self, f"_{chart.kind}")
        return draw(chart, key, wanted)

    def _last(self, one: Subject, title: str) -> float | None:
        series = one.series.get(title)
        return series.last if series else None

    def _leader(self, title: str) -> str:
        """The end of a label: who has the best value."""
        known = [(self._last(one, title), one.title) for one in self._subjects]
        values = [(value, name) for value, name in known if value is not None]
        if not values:
            return "no finite value"
        lower = self._directions.is_lower_better(title)
        value, name = min(values) if lower else max(values)
        return f"{name} is best with {metric(value)}"

    def _curves(self, chart: Chart, key: str, title: str) -> Drawn:
        having = [(one, one.series[title]) for one in self._subjects if title in one.series]
        x: metric_curves.AxisName = "time" if chart.x == "time" else "step"
        # Those without steps have a place in time alone.
        stepped = [(one, series) for one, series in having if series.last_step is not None]
        if x == "step" and not stepped:
            x = "time"
        shown = stepped if x == "step" else having
        buckets = max(8, self._points // (2 * max(len(shown), 1)))
        curves, left_out = metric_curves.read(
            self._scope, [series for _, series in shown], x=x, buckets=buckets
        )
        drawn = [
            (one, series, smoothed(curves[series.id].pairs, chart.smooth))
            for one, series in shown
            if series.id in curves
        ]
        notes = []
        if len(having) > len(shown):
            notes.append(f"{len(having) - len(shown)} without steps can be seen by time.")
        if left_out:
            notes.append(f"{left_out} have too many points to be drawn together.")
        if broken := sum(curves[series.id].broken for _, series, _ in drawn):
            notes.append(f"{broken:,} values are NaN or infinite: gaps in the curves.")
        if chart.smooth:
            notes.append(f"Smoothed by {chart.smooth}; the table too.")
        if not drawn:
            return Drawn(key, chart, title, f"{title}: nothing to draw.", notes=tuple(notes))
        data = charts.line_chart(
            {one.title: [(rounded(at), rounded(y)) for at, y in pairs] for one, _, pairs in drawn},
            x_title=_X[x],
            y_title=title,
        )
        data["layout"]["yaxis"]["type"] = chart.scale
        rows = [
            (one.title, f"{at:,.6g}", metric(y) if y is not None else "not finite")
            for one, _, pairs in drawn
            for at, y in thinned(pairs, TABLE_ROWS)
        ]
        return Drawn(
            key,
            chart,
            f"{title} by {'step' if x == 'step' else 'time'}",
            f"{title}, {len(drawn)} {'curve' if len(drawn) == 1 else 'curves'}: {self._leader(title)}",
            data,
            plot([pairs for _, _, pairs in drawn], is_time=False),
            tuple((at, one.title, metric(series.last)) for at, (one, series, _) in enumerate(drawn, start=1)),
            ("Of", _X[x], title),
            tuple(rows),
            tuple(notes),
        )

    def _bars(self, chart: Chart, key: str, title: str) -> Drawn:
        values = [(one.title, self._last(one, title)) for one in self._subjects]
        data = charts.bar_chart([(name, rounded(value)) for name, value in values], y_title=title)
        data["layout"]["yaxis"]["type"] = chart.scale
        return Drawn(
            key,
            chart,
            title,
            f"{title}, last values: {self._leader(title)}",
            data if any(value is not None for _, value in values) else None,
            head=("Of", title),
            rows=tuple((name, metric(value)) for name, value in values),
        )

    def _scatter(self, chart: Chart, key: str, title: str) -> Drawn:
        kind, _, name = chart.against.partition(":")
        if kind == "metric" and name in self.metrics:
            places: list[Any] = [self._last(one, name) for one in self._subjects]
        else:
            if name not in self.parameters:
                name = next(iter(_differing(self._subjects)), next(iter(self.parameters), ""))
            texts = [one.parameters.get(name) for one in self._subjects]
            numbers = [_number(text) for text in texts]
            places = numbers if None not in numbers else texts
        points = [
            (one.title, x, y)
            for one, x in zip(self._subjects, places, strict=True)
            if x is not None and (y := self._last(one, title)) is not None
        ]
        data = charts.scatter_chart(
            [(who, x if isinstance(x, str) else rounded(x), rounded(y)) for who, x, y in points],
            x_title=name,
            y_title=title,
        )
        data["layout"]["yaxis"]["type"] = chart.scale
        return Drawn(
            key,
            chart,
            f"{title} against {name or 'nothing'}",
            f"{title} against {name}, {len(points)} points: {self._leader(title)}",
            data if points else None,
            head=("Of", name, title),
            rows=tuple((who, x if isinstance(x, str) else metric(x), metric(y)) for who, x, y in points),
        )

    def _heatmap(self, chart: Chart, key: str, title: str) -> Drawn:
        rows = self.metrics[:HEAT_ROWS]
        values = [[self._last(one, name) for one in self._subjects] for name in rows]
        texts = [[metric(value) for value in row] for row in values]
        shades = [
            _shades(row, lower=self._directions.is_lower_better(name))
            for name, row in zip(rows, values, strict=True)
        ]
        names = [one.title for one in self._subjects]
        left = len(self.metrics) - len(rows)
        return Drawn(
            key,
            chart,
            "All metrics",
            f"{len(rows)} metrics of {len(names)}; the darker of a row, the better. {title}: "
            f"{self._leader(title)}",
            charts.heat_map(rows, names, shades, texts),
            head=("Metric", *names),
            rows=tuple((name, *row) for name, row in zip(rows, texts, strict=True)),
            notes=(f"{left} more metrics are only in the table above.",) if left else (),
        )

    def _parallel(self, chart: Chart, key: str, title: str) -> Drawn:
        shown = [one for one in self._subjects if self._last(one, title) is not None]
        names = _differing(shown)[: AXES - 1]
        axes: list[tuple[str, list[float], list[str]]] = []
        for name in names:
            texts = [one.parameters.get(name, "") for one in shown]
            numbers = [_number(text) for text in texts]
            if None in numbers:
                known = sorted(set(texts))
                axes.append((name, [float(known.index(text)) for text in texts], known))
            else:
                axes.append((name, [rounded(number) or 0.0 for number in numbers], []))
        last = [self._last(one, title) for one in shown]
        axes.append((title, [rounded(value) or 0.0 for value in last], []))
        lower = self._directions.is_lower_better(title)
        shades = [shade or 0.0 for shade in _shades(last, lower=lower)]
        return Drawn(
            key,
            chart,
            f"Parameters and {title}",
            f"Parameters that differ, and {title}, of {len(shown)}: {self._leader(title)}",
            charts.parallel_coordinates(axes, shades) if len(shown) > 1 else None,
            head=("Of", *names, title),
            rows=tuple(
                (one.title, *(one.parameters.get(name, "–") for name in names), metric(value))
                for one, value in zip(shown, last, strict=True)
            ),
            notes=() if names else ("None of their parameters differs.",),
        )


def smoothed(pairs: Sequence[tuple[float, float | None]], weight: float) -> list[tuple[float, float | None]]:
    """An exponential moving average, begun without a bias towards nought; gaps stay gaps."""
    if not weight:
        return list(pairs)
    held, share, found = 0.0, 0.0, []
    for x, y in pairs:
        if y is None or not math.isfinite(y):
            found.append((x, None))
            continue
        held, share = held * weight + (1 - weight) * y, share * weight + (1 - weight)
        found.append((x, held / share))
    return found


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _differing(subjects: Sequence[Subject]) -> list[str]:
    """Parameters that not all of them have alike."""
    names = {name: None for one in subjects for name in one.parameters}
    return [name for name in names if len({one.parameters.get(name) for one in subjects}) > 1]


def _shades(values: Sequence[float | None], *, lower: bool) -> list[float | None]:
    """0 for the worst, 1 for the best; where all are alike, the middle."""
    known = [value for value in values if value is not None]
    if not known:
        return [None] * len(values)
    low, span = min(known), max(known) - min(known)
    # The span of the largest numbers there are is infinite.
    spread = span if math.isfinite(span) else 0.0
    shades = [None if value is None else (value - low) / spread if spread else 0.5 for value in values]
    return [None if one is None else round(1 - one if lower else one, 4) for one in shades]
