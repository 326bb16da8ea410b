"""Lists as CSV: the rows that the page lists, filters, order and chosen metrics as shown, no one else's."""

import csv
import io
from datetime import timedelta

import pytest

from launchpad.access import system_scope
from mlops.domain import metrics
from mlops.domain.metric_limits import Point
from mlops.lifecycle import Status
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]
PLACE = "/w/north/g/red"


def read(client, address):
    """The file behind an address, as headings and rows by heading."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.content
    assert "attachment" in answer["Content-Disposition"]
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def runs(red, blue):
    """Two ended executions of red with an accuracy, one that waits, and one of a neighbour."""
    bound = factories.configuration(red, name="=petals")
    found = [
        factories.execution(bound, status=status, took=timedelta(seconds=90))
        for status in (Status.COMPLETED, Status.DEAD)
    ]
    for value, row in zip((0.5, 0.75), found, strict=True):
        metrics.record(system_scope(red), row.pk, metrics=[Point("accuracy", value)])
    factories.execution(bound)
    factories.execution(factories.configuration(blue, name="theirs"))
    return [row.pk for row in found]


def test_executions_leave_as_they_are_filtered_and_sorted(runs, browse, viewer):
    address = f"{PLACE}/executions/export?status=COMPLETED&status=DEAD&measure=accuracy&sort=metric:accuracy"
    rows = read(browse(viewer), address)
    assert [(row["id"], row["metric accuracy"]) for row in rows] == [(runs[1], "0.75"), (runs[0], "0.5")]
    assert [(row["status"], row["duration_seconds"]) for row in rows] == [
        ("DEAD", "90.0"),
        ("COMPLETED", "90.0"),
    ]
    assert {row["configuration"] for row in rows} == {"'=petals"}
    assert len(read(browse(viewer), f"{PLACE}/executions/export")) == 3


def test_configurations_leave_as_they_are_filtered(runs, browse, viewer):
    (row,) = read(browse(viewer), f"{PLACE}/configurations/export?q=PETALS")
    assert (row["name"], row["executable"], row["executions"]) == ("'=petals", "petals-train", "3")
    assert read(browse(viewer), f"{PLACE}/configurations/export?q=theirs") == []


def test_scenarios_leave_with_what_they_hold(runs, browse, viewer):
    (row,) = read(browse(viewer), f"{PLACE}/scenarios/export?q=petals")
    assert (row["id"], row["executables"], row["versions"]) == ("petals-tutorial", "1", "1")
    assert read(browse(viewer), "/w/north/scenarios/export?q=tulips") == []


@pytest.mark.parametrize("noun", ["executions", "configurations", "scenarios"])
def test_the_page_leads_to_its_file(runs, browse, viewer, noun):
    shown = browse(viewer).get(f"{PLACE}/{noun}/?q=petals").content.decode()
    assert f'href="{PLACE}/{noun}/export?q=petals"' in shown


@pytest.mark.parametrize("kind", ["executions", "models"])
@pytest.mark.parametrize("asked", ["", "?id=e0123456789abcde", "?id=%00&hide=x"])
def test_a_comparison_of_nothing_is_refused_in_words(red, browse, viewer, kind, asked):
    answer = browse(viewer).get(f"{PLACE}/compare/{kind}.csv{asked}")
    assert answer.status_code == 422
    assert f"Choose at least two {kind}" in answer.content.decode()


def test_a_comparison_leaves_with_a_column_for_each(runs, browse, viewer):
    rows = read(browse(viewer), f"{PLACE}/compare/executions.csv?id={runs[0]}&id={runs[1]}&all=1")
    (accuracy,) = [list(row.values()) for row in rows if "accuracy" in row.values()]
    assert [value for value in accuracy if value.startswith("0.")] == ["0.5", "0.75"]
