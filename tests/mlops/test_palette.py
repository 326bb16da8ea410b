"""The palette, keys and toasts in a real browser."""

import os

import pytest
from django.contrib.auth.models import User

from launchpad.access import Role, open_scope
from launchpad.grants import grant
from mlops.domain import flags
from mlops.lifecycle import Status
from tests.mlops import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
GROUP = "/w/local/g/red"


@pytest.fixture
def place(transactional_db, web):
    """A server, a session and an execution with an open flag. Made before the browser runs its loop."""
    group = factories.place()
    row = factories.execution(factories.configuration(group), status=Status.COMPLETED)
    user = User.objects.create_user("editor")
    grant(Role.EDITOR, user, group)
    scope = open_scope(user, "local", "red")
    flags.create(scope, kind="executions", key=row.pk, text="The labels of class 2 look wrong.")
    yield web.url, web.browser(user).cookies["sessionid"], row.pk


@pytest.fixture
def page(place, chromium):
    """A page in which the editor is signed in, seven hours behind UTC."""
    url, session, _ = place
    context = chromium.new_context(base_url=url, timezone_id="America/Phoenix")
    context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    yield context.new_page()
    context.close()


def picture(page, name):
    """Kept for looking at when a folder is named for it."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png")


def test_ctrl_k_goes_to_anything_by_the_start_of_its_id(page, place):
    key = place[2]
    page.goto(f"{GROUP}/scenarios/")
    page.keyboard.press("Control+k")
    assert page.locator("#palette-search").evaluate("one => one === document.activeElement")
    offered = page.locator("#palette-results").get_by_role("group", name="Pages").get_by_role("option")
    assert offered.all_inner_texts()[:3] == ["Workspaces\nG W", "Overview\nG O", "Scenarios\nG S"]
    assert offered.count() == page.locator(".sidenav a[href]").count() > 10
    picture(page, "palette-empty")
    page.keyboard.type(key[:7])
    page.locator(f"#palette-results [href='{GROUP}/executions/{key}/']").wait_for()
    page.keyboard.press("ArrowDown")
    chosen = page.locator("#palette-results [aria-selected=true]")
    assert chosen.get_attribute("id") == page.locator("#palette-search").get_attribute(
        "aria-activedescendant"
    )
    picture(page, "palette")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/executions/{key}/")
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    assert not page.locator("#palette").is_visible()


def test_single_keys_do_nothing_once_turned_off(page):
    page.goto(f"{GROUP}/scenarios/")
    page.keyboard.press("?")
    assert page.locator("#shortcuts").is_visible()
    assert "Go to Schedules" in page.locator("#shortcut-keys").inner_text()
    page.keyboard.press("Escape")
    page.locator("summary[aria-label*=' account of ']").click()
    page.get_by_role("button", name="Off").click()
    page.wait_for_function("document.body.dataset.keys === 'off'")
    page.keyboard.press("?")
    assert not page.locator("#shortcuts").is_visible()
    page.keyboard.press("Control+k")
    assert page.locator("#palette").is_visible()


def test_a_closed_flag_is_opened_again_by_the_toast(page, place):
    page.goto(f"{GROUP}/executions/{place[2]}/?tab=discussion")
    picture(page, "discussion")
    page.get_by_text("Answer and close").click()
    page.get_by_label("Answer", exact=True).fill("They were; relabelled.")
    page.get_by_role("button", name="Close flag").click()
    page.locator(".said", has_text="relabelled").wait_for()
    undo = page.locator(".toast").get_by_role("button", name="Undo")
    picture(page, "toast")
    undo.click()
    page.locator(".toast", has_text="open again").wait_for()
    assert page.url.endswith("?tab=discussion")
    assert page.locator("#discussion .tag-accent", has_text="Open flag").count() == 1


def test_the_server_learns_the_readers_zone(page, place):
    page.goto(f"{GROUP}/executions/{place[2]}/?tab=discussion")
    assert [one["value"] for one in page.context.cookies() if one["name"] == "zone"] == ["America/Phoenix"]
    shown = page.locator("#discussion time").first
    by_script = shown.inner_text()
    html = page.request.get(page.url).text()
    assert f">{by_script}</time>" in html.split('id="discussion"')[1]
