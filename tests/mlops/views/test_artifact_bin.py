"""The bin's page, undo of a deletion, and the check of stored bytes on an artifact's page."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from launchpad.access import system_scope
from mlops.domain import artifact_checks, artifacts
from mlops.models import Artifact
from tests.mlops import factories

pytestmark = pytest.mark.django_db
GROUP = "/w/north/g/red/"


def text(response):
    return response.content.decode()


def test_a_deletion_is_undone_by_its_toast(red, editor, browse):
    data = factories.artifact(red, name="<petals>")
    browser = browse(editor)
    assert "from where it can be had back for 30 days" in text(
        browser.get(f"{GROUP}datasets/{data.pk}/?tab=uses")
    )
    answer = browser.post(f"{GROUP}artifacts/{data.pk}/delete")
    shown = text(browser.get(answer["Location"]))
    assert f'action="{GROUP}artifacts/{data.pk}/restore"' in shown
    assert browser.get(f"{GROUP}datasets/{data.pk}/").status_code == 404
    binned = text(browser.get(f"{GROUP}bin/"))
    assert "&lt;petals&gt;" in binned
    assert "1 in the bin" in binned
    back = browser.post(f"{GROUP}artifacts/{data.pk}/restore", {"undone-at": f"{GROUP}datasets/"})
    assert (back.status_code, back["Location"]) == (303, f"{GROUP}datasets/")
    assert "&lt;petals&gt;" in text(browser.get(f"{GROUP}datasets/"))
    assert "The bin is empty" in text(browser.get(f"{GROUP}bin/"))


def test_viewers_see_the_bin_and_restore_nothing(red, viewer, browse):
    data = factories.artifact(red)
    artifacts.delete(system_scope(red), data.pk)
    browser = browse(viewer)
    shown = text(browser.get(f"{GROUP}bin/"))
    assert data.name in shown
    assert "Restore" not in shown
    assert browser.post(f"{GROUP}artifacts/{data.pk}/restore").status_code == 403


def test_as_many_queries_for_three_as_for_one(red, viewer, browse):
    browser, asked = browse(viewer), []
    for _ in range(3):
        artifacts.delete(system_scope(red), factories.artifact(red).pk)
        with CaptureQueriesContext(connection) as queries:
            browser.get(f"{GROUP}bin/")
        asked.append(len(queries))
    assert asked[0] == asked[2]
    assert asked[0] <= 8


def test_the_page_follows_a_check_and_keeps_its_result(red, editor, viewer, browse):
    data = factories.artifact(red)
    url, browser = f"{GROUP}datasets/{data.pk}/", browse(editor)
    assert "They have not been read since" in text(browser.get(url))
    assert browser.post(f"{GROUP}artifacts/{data.pk}/check").status_code == 303
    card = text(browser.get(url, headers={"HX-Request": "true", "HX-Target": "artifact-check"}))
    assert 'hx-trigger="every 3s"' in card
    assert "Waiting to be read" in card
    artifact_checks.carry_out_one()
    shown = text(browse(viewer).get(url))
    assert "Every byte is as it was registered." in shown
    assert 'hx-trigger="every 3s"' not in shown
    assert f"artifacts/{data.pk}/check" not in shown


def test_big_things_are_not_read_while_a_page_waits(red, viewer, browse):
    data = factories.artifact(red)
    url = f"{GROUP}datasets/{data.pk}/?tab=files"
    assert "check=bytes" in text(browse(viewer).get(url))
    Artifact.unscoped.update(size_bytes=65 * 1024 * 1024)
    assert "Every stored byte is as it was registered" not in text(browse(viewer).get(f"{url}&check=bytes"))


def test_the_lineage_of_an_artifact_has_a_tab(red, viewer, browse):
    data = factories.artifact(red)
    shown = text(browse(viewer).get(f"{GROUP}datasets/{data.pk}/?tab=lineage"))
    assert "Nothing went into it and nothing has been made from it yet." in shown
