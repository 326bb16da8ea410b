"""Search as a page and in the palette, and the cookies of a reader: zone and keys."""

import datetime

import pytest

from launchpad.access import system_scope
from mlops.domain import comments
from mlops.lifecycle import Status
from mlops.models import Comment
from tests.mlops import factories

pytestmark = pytest.mark.django_db
GROUP = "/w/north/g/red/"
PALETTE = {"HX-Request": "true", "HX-Target": "palette-results"}


def text(response):
    return response.content.decode()


@pytest.fixture
def run(red):
    return factories.execution(factories.configuration(red), status=Status.COMPLETED)


def test_every_page_opens_it_and_it_works_without_script(run, viewer, browse):
    browser = browse(viewer)
    for page in (GROUP + "executions/", "/w/north/scenarios/", "/workspaces/"):
        shown = text(browser.get(page))
        url = shown.split('<a class="search" href="')[1].split('"')[0]
        found = text(browser.get(url, {"q": run.pk[:8]}))
        assert f'href="{GROUP}executions/{run.pk}/"' in found


def test_the_palette_gets_options(run, viewer, editor, browse):
    found = text(browse(editor).get(f"{GROUP}search", {"q": "execution"}, headers=PALETTE))
    assert found.strip().startswith('<div class="results" id="palette-results" role="listbox"')
    assert f'role="option" tabindex="-1" id="found-1-1" href="{GROUP}executions/create"' in found
    assert "Create execution" not in text(
        browse(viewer).get(f"{GROUP}search", {"q": "execution"}, headers=PALETTE)
    )


def test_markup_is_shown_and_nothing_found_is_said(red, viewer, browse):
    shown = text(browse(viewer).get(f"{GROUP}search", {"q": "<b>\0x"}))
    assert "Nothing here is called “&lt;b&gt;x”" in shown


def test_a_neighbour_finds_nothing_of_red(run, neighbour, browse):
    assert run.pk not in text(browse(neighbour).get("/search", {"q": run.pk[:6]}))


def test_single_keys_can_be_turned_off(red, viewer, browse):
    browser = browse(viewer)
    assert 'data-keys="off"' not in text(browser.get(f"{GROUP}executions/"))
    answer = browser.post("/preferences/shortcuts", {"keys": "off", "next": f"{GROUP}executions/"})
    assert answer["Location"] == f"{GROUP}executions/"
    assert '<body class="app" data-keys="off"' in text(browser.get(f"{GROUP}executions/"))
    assert browser.post("/preferences/shortcuts", {"next": "https://elsewhere.example/"})["Location"] == "/"
    assert 'data-keys="off"' not in text(browser.get(f"{GROUP}executions/"))


def test_times_are_in_the_zone_that_the_browser_told(red, run, viewer, browse):
    comments.add(system_scope(red), kind="executions", key=run.pk, text="Late.")
    Comment.unscoped.update(created_at=datetime.datetime(2020, 6, 30, 23, 30, tzinfo=datetime.UTC))
    url, browser = f"{GROUP}comments/executions/{run.pk}/", browse(viewer)
    assert 'title="2020-06-30 23:30:00 UTC">30 Jun 2020<' in text(browser.get(url))
    browser.cookies["zone"] = "Europe/Berlin"
    assert 'title="2020-06-30 23:30:00 UTC">1 Jul 2020<' in text(browser.get(url))
    for wrong in ("Nowhere/Land", "../../etc/passwd", "Europe", "x" * 3000):
        browser.cookies["zone"] = wrong
        assert ">30 Jun 2020<" in text(browser.get(url))
