"""An execution's metrics as charts: the data for the script, a drawing and a table for those without."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from mlops import charts
from mlops.domain import metrics
from mlops.domain.metrics import SeriesPoints, SeriesSummary
from mlops.views.plots import Plot, plot, thinned

# plotly.js makes one empty style element, which it fills by rules, and one of this text.
CONTENT_SECURITY = {
    "style-src": (
        "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
        "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='",
    )
}
OVERVIEW = 5
DRAWN = 24
TABLE_ROWS = 20
_TITLES = {"step": "Step", "time": "Time (UTC)"}


@dataclass(frozen=True)
class Chart:
    """One chart. key: unique on the page. data: what charts.js draws; rows: x and value of each series."""

    key: str
    title: str
    axis: str
    legend: tuple[tuple[int, SeriesSummary], ...]
    data: dict[str, Any]
    plot: Plot | None
    columns: tuple[tuple[SeriesSummary, list[tuple[Any, float | None]]], ...]
    shown: int
    total: int

    @property
    def data_id(self) -> str:
        """The id of the element that holds the data."""
        return f"chart-{self.key}-data"

    @property
    def json(self) -> str:
        """The data as JSON text."""
        return json.dumps(self.data, allow_nan=False, separators=(",", ":"))

    @property
    def x_title(self) -> str:
        """What the horizontal axis counts."""
        return _TITLES[self.axis]

    @property
    def label(self) -> str:
        """The chart's finding in a sentence."""
        last = ", ".join(
            f"{summary.title} {summary.last:.4g}" for _, summary in self.legend if summary.last is not None
        )
        return f"{self.title}: last values {last}" if last else f"{self.title}: no finite value"


class Charts:
    """query: `x` is "step" (default) or "time"."""

    def __init__(
        self, scope: Scope, execution: Any, series: Sequence[SeriesSummary], query: QueryDict
    ) -> None:
        self._scope = scope
        self._execution = execution
        self._series = series
        self.x = "time" if query.get("x") == "time" else "step"

    @property
    def _curves(self) -> list[SeriesSummary]:
        return [one for one in self._series if one.count > 1]

    @cached_property
    def overview(self) -> Chart | None:
        """The first curves together, None while there are none."""
        chosen = self._curves[:OVERVIEW]
        drawn = self._points(chosen)
        # Steps and times cannot share an axis; what differs from the first has its place on the other tab.
        alike = [one for one in drawn if one.axis == drawn[0].axis]
        title = "Metrics by step" if alike and alike[0].axis == "step" else "Metrics over time"
        return _chart("overview", title, alike) if alike else None

    @cached_property
    def by_name(self) -> list[Chart]:
        """One chart a metric name, its label sets as curves; a series of one value has no curve."""
        drawn = self._points(self._curves[:DRAWN])
        return [
            _chart(f"metric-{index}", name, list(rows))
            for index, (name, rows) in enumerate(groupby(drawn, key=lambda one: one.summary.name))
        ]

    @cached_property
    def broken(self) -> list[tuple[str, metrics.Broken]]:
        """Values that no curve can show, with the title of their series: the first hundred."""
        known = {one.id: one.title for one in self._series if one.nan_count}
        if not known:
            return []
        found = metrics.broken(self._scope, self._execution, list(known)[:DRAWN])
        return [(known[one.series], one) for one in found]

    @property
    def left_out(self) -> int:
        """How many curves are only in the table."""
        return max(0, len(self._curves) - DRAWN)

    def _points(self, chosen: Sequence[SeriesSummary]) -> list[SeriesPoints]:
        return metrics.points(self._scope, self._execution, [one.id for one in chosen], x=self.x)


def _chart(key: str, title: str, drawn: list[SeriesPoints]) -> Chart:
    axis = drawn[0].axis
    return Chart(
        key,
        title,
        axis,
        tuple(enumerate((one.summary for one in drawn), start=1)),
        charts.line_chart(
            {one.summary.title: one.pairs for one in drawn},
            x_title=_TITLES[axis],
            y_title=title,
            x_axis=axis,
        ),
        plot([one.pairs for one in drawn], is_time=axis == "time"),
        tuple((one.summary, list(_rows(one))) for one in drawn),
        sum(one.shown for one in drawn),
        sum(one.total for one in drawn),
    )


def _rows(drawn: SeriesPoints) -> Iterator[tuple[Any, float | None]]:
    for x, y in thinned(drawn.pairs, TABLE_ROWS):
        yield (int(x) if drawn.axis == "step" else datetime.fromtimestamp(x / 1000, UTC)), y
