"""Several executions at once: who qualifies, then what became of each."""

import re

import pytest

from mlops.lifecycle import Status
from mlops.models import Execution
from tests.mlops import factories

BULK = "/w/north/g/red/executions/bulk"


@pytest.fixture
def rows(red):
    """A pending, a running and two ended executions, by status."""
    bound = factories.configuration(red)
    statuses = (Status.PENDING, Status.RUNNING, Status.COMPLETED, Status.DEAD)
    return {status: factories.execution(bound, status=status).pk for status in statuses}


def text(response):
    return response.content.decode()


def post(browser, verb, keys, **values):
    return browser.post(BULK, {"verb": verb, "id": keys, **values})


def offered(page):
    return set(re.findall(r'name="id" value="(\w+)" checked', page))


@pytest.mark.parametrize(
    ("verb", "able", "why"),
    [
        (
            "stop",
            {Status.PENDING, Status.RUNNING},
            "It is dead; only a pending or running one can be stopped.",
        ),
        ("delete", {Status.COMPLETED, Status.DEAD}, "It is running; only one that has ended can be deleted."),
        (
            "archive",
            {Status.COMPLETED, Status.DEAD},
            "It is pending; only one that has ended can be archived.",
        ),
        ("restore", set(), "It is not archived."),
    ],
)
def test_a_page_says_how_many_qualify_and_why_others_do_not(rows, editor, browse, verb, able, why):
    shown = text(post(browse(editor), verb, list(rows.values())))
    assert f"{len(able)} of the 4 selected qualif" in shown
    assert offered(shown) == {rows[status] for status in able}
    assert why in shown
    assert {row.status for row in Execution.unscoped.all()} == set(rows)


def test_each_is_told_what_became_of_it(rows, blue, editor, browse):
    theirs = factories.execution(factories.configuration(blue), status=Status.DEAD).pk
    keys = [*rows.values(), theirs, "<b>"]
    shown = text(post(browse(editor), "archive", keys, confirmed="1"))
    assert "Archived: 2 executions" in shown and "4 stayed as they were" in shown
    assert shown.count("only one that has ended can be archived.") == 2
    assert "<b>" not in shown.partition("What became of each")[2].partition("</section>")[0].replace(
        "<b>Se", ""
    )
    archived = Execution.unscoped.exclude(archived_at=None).values_list("pk", flat=True)
    assert set(archived) == {rows[Status.COMPLETED], rows[Status.DEAD]}
    assert text(post(browse(editor), "restore", keys, confirmed="1")).count("is not archived.") == 2


def test_stopped_and_deleted(rows, editor, browse):
    post(browse(editor), "stop", [rows[Status.PENDING], rows[Status.DEAD]], confirmed="1")
    post(browse(editor), "delete", [rows[Status.COMPLETED]], confirmed="1")
    now = {row.pk: row.status for row in Execution.unscoped.all()}
    assert now[rows[Status.PENDING]] == Status.STOPPED
    assert now[rows[Status.COMPLETED]] == Status.DELETING
    assert now[rows[Status.DEAD]] == Status.DEAD


@pytest.mark.parametrize(
    ("verb", "keys"),
    [("stop", []), ("fly", ["e1"]), ("", ["e1"]), ("stop", [f"e{n}" for n in range(101)])],
)
def test_what_cannot_be_done_is_refused(rows, editor, browse, verb, keys):
    assert post(browse(editor), verb, keys, confirmed="1").status_code == 422
    assert post(browse(editor), verb, keys).status_code == 422


def test_an_impossible_key_is_only_one_that_is_not_there(rows, editor, browse):
    shown = text(post(browse(editor), "stop", ["a\x00b", rows[Status.RUNNING]]))
    assert "1 of the 2 selected qualifies" in shown and "It does not exist any more." in shown


def test_compare_leads_there(rows, editor, browse):
    response = post(browse(editor), "compare", list(rows.values())[:2])
    assert response.status_code == 303
    assert all(f"id={key}" in response["Location"] for key in list(rows.values())[:2])


def test_viewers_compare_only(rows, viewer, browse):
    assert post(browse(viewer), "stop", list(rows.values()), confirmed="1").status_code == 403
    shown = text(browse(viewer).get("/w/north/g/red/executions/"))
    assert "/compare/executions" in shown and 'value="stop"' not in shown
