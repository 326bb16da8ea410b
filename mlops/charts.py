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


def bar_chart(bars: Sequence[tuple[str, float | None]], *, y_title: str) -> Figure:
    """One bar a name, in order; None leaves a gap. Returns {"data", "layout"}: JSON types only."""
    data = {"type": "bar", "x": [name for name, _y in bars], "y": [y for _name, y in bars]}
    return {
        "data": [data],
        "layout": {"xaxis": {"type": "category"}, "yaxis": {"title": {"text": y_title}}},
    }


def scatter_chart(points: Sequence[tuple[str, float | str, float]], *, x_title: str, y_title: str) -> Figure:
    """A dot for each (name, x, y); x may be a text, which makes places side by side of the axis.

    Returns {"data", "layout"}: JSON types only.
    """
    is_text = any(isinstance(x, str) for _name, x, _y in points)
    data = {
        "type": "scatter",
        "mode": "markers",
        "x": [str(x) if is_text else x for _name, x, _y in points],
        "y": [y for _name, _x, y in points],
        "text": [name for name, _x, _y in points],
    }
    axis = {"title": {"text": x_title}, "type": "category" if is_text else "linear"}
    return {"data": [data], "layout": {"xaxis": axis, "yaxis": {"title": {"text": y_title}}}}


def heat_map(
    rows: Sequence[str],
    columns: Sequence[str],
    shades: Sequence[Sequence[float | None]],
    texts: Sequence[Sequence[str]],
) -> Figure:
    """A field for each row and column. shades: 0 to 1, None for an empty field; texts: what stands in it.

    Returns {"data", "layout"}: JSON types only; the first row is drawn on top.
    """
    data = {
        "type": "heatmap",
        "x": list(columns),
        "y": list(rows),
        "z": [list(one) for one in shades],
        "text": [list(one) for one in texts],
    }
    category = {"type": "category"}
    return {"data": [data], "layout": {"xaxis": category, "yaxis": {**category, "autorange": "reversed"}}}


def parallel_coordinates(
    dimensions: Sequence[tuple[str, Sequence[float], Sequence[str]]], shades: Sequence[float]
) -> Figure:
    """A line for each thing through its places on several axes.

    dimensions: (label, places, names); with names the places are their indices. shades: 0 to 1, one a thing.
    Returns {"data", "layout"}: JSON types only.
    """
    axes: list[Figure] = []
    for label, places, names in dimensions:
        axis: Figure = {"label": label, "values": list(places)}
        if names:
            axis |= {"tickvals": list(range(len(names))), "ticktext": list(names)}
        axes.append(axis)
    data = {"type": "parcoords", "dimensions": axes, "line": {"color": list(shades), "cmin": 0, "cmax": 1}}
    return {"data": [data], "layout": {}}
