"""Keyset pages and capped counts."""

from datetime import timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from launchpad.access import system_scope
from mlops import paging
from mlops.domain import executions
from mlops.lifecycle import Status
from tests.mlops import factories

pytestmark = pytest.mark.database


@pytest.fixture
def rows(red):
    """Seven executions of red, newest first; three share one moment."""
    bound = factories.configuration(red)
    start = timezone.now()
    ages = (0, 1, 2, 2, 2, 3, 4)
    made = [
        factories.execution(bound, status=Status.DEAD, created_at=start - timedelta(minutes=age))
        for age in ages
    ]
    return sorted(made, key=lambda row: (row.created_at, row.pk), reverse=True)


@pytest.fixture
def everything(red):
    return executions.search(system_scope(red))


def shown(everything, address=""):
    return paging.page(everything, QueryDict(address.lstrip("?")), size=2)


def test_older_then_newer_shows_every_row_once_in_order(rows, everything):
    pages = [shown(everything)]
    while pages[-1].older:
        pages.append(shown(everything, pages[-1].older))
    assert [row.pk for page in pages for row in page.rows] == [row.pk for row in rows]
    back = [pages[-1]]
    while back[-1].newer:
        back.append(shown(everything, back[-1].newer))
    # Going back ends at the newest row, with the one page that is not full at that end.
    assert [row.pk for page in back[::-1] for row in page.rows] == [row.pk for row in rows]


@pytest.mark.parametrize("descending", [False, True])
def test_rows_of_one_value_are_sorted_among_themselves(rows, everything, descending):
    for row, status in zip(rows, (Status.STOPPED, Status.DEAD, Status.COMPLETED) * 3, strict=False):
        row.status = status
        row.save()
    wanted = sorted(rows, key=lambda row: row.status)
    wanted = wanted[::-1] if descending else wanted
    by_status = paging.Order("status", descending=descending, within="created_at")

    def at(address=""):
        return paging.page(everything, QueryDict(address.lstrip("?")), size=2, order=by_status)

    pages = [at()]
    while pages[-1].older:
        pages.append(at(pages[-1].older))
    assert [row.pk for page in pages for row in page.rows] == [row.pk for row in wanted]
    back = [pages[-1]]
    while back[-1].newer:
        back.append(at(back[-1].newer))
    assert [row.pk for page in back[::-1] for row in page.rows] == [row.pk for row in wanted]


@pytest.mark.parametrize(
    "cursor", ["DEAD", "DEAD.x.e1", "DEAD.99999999999999999999999.e1", ".1.e1", "..", "\x00.1.e1"]
)
def test_a_cursor_of_two_values_that_cannot_be_read_is_no_error(rows, everything, cursor):
    query = QueryDict(mutable=True)
    query["before"] = cursor
    order = paging.Order("status", descending=False, within="created_at")
    assert len(paging.page(everything, query, size=2, order=order).rows) in (0, 2)


def test_a_page_at_an_end_says_so(rows, everything):
    assert shown(everything).newer == ""
    everywhere = paging.page(everything, QueryDict(""), size=7)
    assert (everywhere.newer, everywhere.older) == ("", "")
    assert len(everywhere.rows) == 7


def test_filters_stay_in_the_addresses(rows, everything):
    query = QueryDict("status=DEAD&status=STOPPED&q=a+b&before=junk")
    older = QueryDict(paging.page(everything, query, size=2).older.lstrip("?"))
    assert older.getlist("status") == ["DEAD", "STOPPED"]
    assert older["q"] == "a b"
    assert older["before"] != "junk"


@pytest.mark.parametrize("cursor", ["", "x", "1.2.3", "99999999999999999999999.e1", "-1.e1", "1.\x00"])
def test_a_cursor_that_cannot_be_read_is_no_error(rows, everything, cursor):
    query = QueryDict(mutable=True)
    query["before"] = cursor
    assert len(paging.page(everything, query, size=2).rows) in (0, 2)


def test_rows_that_went_meanwhile_leave_a_way_back(rows, everything):
    older = shown(everything).older
    for row in rows[2:]:
        row.delete()
    page = shown(everything, older)
    assert page.rows == []
    assert shown(everything, page.newer).rows == shown(everything).rows


def test_counts_take_one_query_and_stop_at_the_cap(rows, everything, monkeypatch):
    wanted = {"all": everything, "dead": everything.filter(status=Status.DEAD), "running": everything.none()}
    with CaptureQueriesContext(connection) as queries:
        found = paging.counts(wanted)
    assert found == {"all": 7, "dead": 7, "running": 0}
    assert len(queries) == 1
    monkeypatch.setattr(paging, "COUNT_CAP", 5)
    assert paging.counts(wanted)["all"] == 6
    assert paging.capped(6) == "5+"


def test_counts_of_nothing_are_zero(red, everything):
    assert paging.counts({"all": everything, "dead": everything}) == {"all": 0, "dead": 0}


def test_newest_reads_the_window_only(rows, everything, monkeypatch):
    assert paging.newest(everything, everything).count() == 7
    monkeypatch.setattr(paging, "WINDOW", 2)
    assert set(paging.newest(everything, everything)) == set(rows[:2])


def test_thousands_are_told_apart():
    assert paging.capped(10_000) == "10,000"
    assert paging.capped(10_001) == "10,000+"
