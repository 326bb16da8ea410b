"""Editing what is said of an execution, archiving and restoring, as pages."""

import re

import pytest

from launchpad.access import system_scope
from mlops.domain import executions
from mlops.lifecycle import Status
from tests.mlops import factories

LIST = "/w/north/g/red/executions/"


@pytest.fixture
def ended(red):
    """A completed execution in red."""
    return factories.execution(factories.configuration(red), status=Status.COMPLETED)


def text(response):
    return response.content.decode()


def sent(page, **values):
    """What a browser sends of the form on this page."""
    version = re.search(r'name="version" value="(\w+)"', page)[1]
    return {"name": "", "notes": "", "labels": "", "version": version} | values


def test_edit_saves_and_shows_it_as_text(ended, editor, browse):
    browser, url = browse(editor), f"{LIST}{ended.pk}/edit"
    values = {"name": "best <b>", "notes": "first\n<script>", "labels": "team = vision\n\nstage=gold"}
    response = browser.post(url, sent(text(browser.get(url)), **values))
    assert (response.status_code, response["Location"]) == (303, f"{LIST}{ended.pk}/")
    shown = text(browser.get(response["Location"]))
    assert "best &lt;b&gt;" in shown and "first<br>&lt;script&gt;" in shown
    assert "team: vision" in shown and "stage: gold" in shown


def test_the_second_editor_keeps_the_text_and_sees_the_first(red, ended, editor, browse):
    browser, url = browse(editor), f"{LIST}{ended.pk}/edit"
    mine = sent(text(browser.get(url)), name="mine")
    executions.edit(system_scope(red), ended.pk, name="theirs")
    response = browser.post(url, mine)
    shown = text(response)
    assert response.status_code == 409
    assert 'value="mine"' in shown and "<dd>theirs</dd>" in shown and "Save over it" in shown
    assert browser.post(url, sent(shown, name="mine")).status_code == 303
    ended.refresh_from_db()
    assert ended.name == "mine"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"labels": "no pair <i>"}, "“no pair &lt;i&gt;” has no ="),
        ({"labels": "a=1\na=2"}, "The label a is given twice"),
        ({"name": "n" * 257}, "at most 256"),
        ({"notes": "a\x00b"}, "Null characters"),
    ],
)
def test_what_cannot_be_saved_is_said_beside_its_field(ended, editor, browse, values, told):
    browser, url = browse(editor), f"{LIST}{ended.pk}/edit"
    response = browser.post(url, sent(text(browser.get(url)), **values))
    assert response.status_code == 422
    assert told in text(response)


def test_archive_then_restore_from_the_page(ended, editor, browse):
    browser, page = browse(editor), f"{LIST}{ended.pk}/"
    assert f"{page}archive" in text(browser.get(page))
    assert browser.post(f"{page}archive").status_code == 303
    shown = text(browser.get(page))
    assert "Archived" in shown and f"{page}restore" in shown and f"{page}archive" not in shown
    assert browser.post(f"{page}archive").status_code == 409
    assert browser.post(f"{page}restore").status_code == 303
    assert f"{page}archive" in text(browser.get(page))


def test_viewers_may_not(ended, viewer, browse):
    for verb in ("edit", "archive", "restore"):
        assert browse(viewer).post(f"{LIST}{ended.pk}/{verb}").status_code == 403
    assert "Edit name" not in text(browse(viewer).get(f"{LIST}{ended.pk}/"))
