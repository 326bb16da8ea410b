"""Charts as plain data: what `static/js/charts.js` hands to Plotly with the page's colours and type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

Figure = dict[str, Any]
MAX_SERIES = 50


def line_chart(
    series: Mapping[str, Sequence[tuple[float, float | None]]],
    *,
    x_title: str,
    y_title: str,
    x_axis: Literal["step", "time"] = "step",
) -> Figure:
    """Curves against a step or the time.

    series: legend → (x, y) points in ascending x, y None for a gap, at most 50 series. x_axis: with
    "time" x is milliseconds since 1970, shown in UTC. Returns {"data", "layout"}: JSON types only; look,
    legend and a scale of one's own are the script's. Raises ValueError for more than 50 series.
    """
    if len(series) > MAX_SERIES:
        raise ValueError(f"One chart shows at most {MAX_SERIES} series.")
    data = [
        {"type": "scatter", "name": name, "x": [x for x, _y in points], "y": [y for _x, y in points]}
        for name, points in series.items()
    ]
    axis = {"title": {"text": x_title}, "type": "date" if x_axis == "time" else "linear"}
    return {"data": data, "layout": {"xaxis": axis, "yaxis": {"title": {"text": y_title}}}}
