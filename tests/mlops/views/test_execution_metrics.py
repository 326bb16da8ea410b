"""Metrics and custom info on an execution's page: search, values that are not finite, CSV, tables."""

import json
import math
from datetime import UTC, datetime

import pytest

from launchpad.access import system_scope
from mlops.domain import metrics
from mlops.domain.metric_limits import Point
from mlops.lifecycle import Status
from mlops.models import MetricSeries
from mlops.views.custom_info import CustomInfo
from tests.mlops import factories

pytestmark = pytest.mark.database
LIST = "/w/north/g/red/executions/"
AT = datetime(2026, 6, 18, 14, 30, tzinfo=UTC)


@pytest.fixture
def run(red):
    """One that reported a loss of two kinds and an accuracy with values that no curve can show."""
    row = factories.execution(factories.configuration(red), status=Status.COMPLETED)
    points = [
        Point("loss", 1 / (step + 1), step, AT, (("split", split),))
        for step in range(3)
        for split in ("train", "valid")
    ]
    points += [
        Point("accuracy", value, step, AT, ()) for step, value in enumerate((0.5, math.nan, -math.inf))
    ]
    metrics.record(system_scope(red), row.pk, metrics=points)
    return row


def page(browser, row, **query):
    response = browser.get(f"{LIST}{row.pk}/", {"tab": "metrics", **query})
    assert response.status_code == 200
    return response.content.decode()


def test_metrics_are_found_by_name_and_label(run, viewer, browse):
    browser = browse(viewer)
    shown = page(browser, run, metric="VALID")
    assert "1 of 3" in shown and "split: valid" in shown and "split: train" not in shown
    assert shown.count('class="chart"') == 1
    nothing = page(browser, run, metric="<i>no such")
    assert "No name or label of a metric holds this text" in nothing and "<i>no" not in nothing
    assert "Nothing" not in page(browser, run, metric="\x00" * 300)


def test_values_that_are_not_finite_are_told_as_such(run, viewer, browse):
    shown = page(browse(viewer), run)
    table = shown.partition('id="broken-title"')[2].partition("</table>")[0]
    assert "NaN" in table and "−∞" in table and table.count("accuracy") == 2
    assert "broken-title" not in page(browse(viewer), run, metric="loss")


def test_values_leave_as_csv(run, viewer, browse):
    browser = browse(viewer)
    response = browser.get(f"{LIST}{run.pk}/metrics.csv")
    assert f'filename="{run.pk}-metrics.csv"' in response["Content-Disposition"]
    lines = b"".join(response).decode().splitlines()
    assert lines[0] == "metric,labels,step,recorded_at,value"
    assert len(lines) == 10
    series = MetricSeries.unscoped.get(execution=run, name="accuracy")
    one = b"".join(browser.get(f"{LIST}{run.pk}/metrics.csv", {"series": series.pk})).decode().splitlines()
    assert one[1:] == [
        f"accuracy,,{step},2026-06-18T14:30:00.000Z,{value}"
        for step, value in enumerate(("0.5", "nan", "-inf"))
    ]
    nothing = browser.get(f"{LIST}{run.pk}/metrics.csv", {"series": "9" * 18})
    assert b"".join(nothing).count(b"\n") == 1


def test_another_groups_values_stay_there(run, neighbour, browse):
    assert browse(neighbour).get(f"{LIST}{run.pk}/metrics.csv").status_code == 404


def cells(text):
    return [[cell for cell, _is_number in row] for row in CustomInfo("info", text).rows]


def test_lists_and_objects_are_tables():
    info = CustomInfo("info", json.dumps([{"a": 1, "b": "x"}, {"a": 2.5, "c": None}]))
    assert info.columns == ["a", "b", "c"]
    assert info.rows == [[("1", True), ("x", False), ("", False)], [("2.5", True), ("", False), ("", False)]]
    assert cells('{"rate": 0.1, "of": [1, 2]}') == [["rate", "0.1"], ["of", "[1, 2]"]]
    assert cells("{'kind': 'A', 'good': True}") == [["kind", "A"], ["good", "True"]]
    assert cells("[1, 'two', None]") == [["1"], ["two"], [""]]
    assert cells("[[1, 2], [3]]") == [["1", "2"], ["3", ""]]
    many = CustomInfo("info", json.dumps(list(range(1000))))
    assert (len(many.rows), many.left_out) == (200, 800)


@pytest.mark.parametrize(
    "text",
    [
        "plain words",
        "{'broken': ",
        "[]",
        "{}",
        "[" * 5000,
        "__import__('os').getcwd()",
        "[__import__('os').getcwd()]",
        '"text"',
        "[" + "1," * 300_000 + "1]",
        json.dumps([{str(n): n for n in range(50)}]),
    ],
)
def test_what_cannot_be_read_or_is_too_large_stays_text(text):
    info = CustomInfo("info", text)
    assert (info.columns, info.rows, info.matrix, info.left_out) == ([], [], None, 0)


def test_custom_info_is_drawn_and_escaped(red, run, viewer, browse):
    cell = "{'Predicted': '%s', 'Actual': '%s', 'value': %d}"
    pairs = [("False", "False", 34), ("True", "False", 3), ("False", "True", 2), ("True", "True", 61)]
    matrix = "[" + ", ".join(cell % pair for pair in pairs) + "]"
    told = [("confusion", matrix), ("params", '{"<b>": "<i>"}'), ("words", "<u>as it is")]
    metrics.record(system_scope(red), run.pk, custom_info=told)
    shown = page(browse(viewer), run)
    assert '<td class="num hot">34</td><td class="num">3</td>' in shown
    assert "95 of 100 right" in shown
    assert "<td>&lt;b&gt;</td><td>&lt;i&gt;</td>" in shown
    assert "<code>&lt;u&gt;as it is</code>" in shown
