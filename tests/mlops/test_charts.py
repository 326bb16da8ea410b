"""Figures are plain JSON, and gaps stay gaps."""

import json

import pytest

from mlops import charts


def test_a_line_chart_holds_its_points_and_gaps():
    figure = charts.line_chart({"loss": [(0, 0.5), (1, None), (2, 0.25)]}, x_title="Step", y_title="Loss")
    assert json.loads(json.dumps(figure, allow_nan=False)) == {
        "data": [{"type": "scatter", "name": "loss", "x": [0, 1, 2], "y": [0.5, None, 0.25]}],
        "layout": {
            "xaxis": {"title": {"text": "Step"}, "type": "linear"},
            "yaxis": {"title": {"text": "Loss"}},
        },
    }


def test_times_are_dates():
    figure = charts.line_chart({"loss": [(1.7e12, 1.0)]}, x_title="Time", y_title="", x_axis="time")
    assert figure["layout"]["xaxis"]["type"] == "date"


def test_one_chart_takes_fifty_series():
    series = {str(number): [(0.0, 0.0)] for number in range(50)}
    assert len(charts.line_chart(series, x_title="", y_title="")["data"]) == 50
    with pytest.raises(ValueError, match="50"):
        charts.line_chart({**series, "one more": []}, x_title="", y_title="")
