"""The list of executions in a real browser: selection and open menus outlive its polls, in every width."""

import os

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from launchpad.access import Role, system_scope
from launchpad.grants import grant
from mlops.domain import executions
from mlops.lifecycle import Status
from tests.mlops import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

LIST = "/w/local/g/red/executions/"


@pytest.fixture
def place(transactional_db, web):
    """A server, a session, and the keys of a running and of two ended executions."""
    group = factories.place()
    bound = factories.configuration(group, name="sweep, learning rate 0.001")
    statuses = (Status.DEAD, Status.COMPLETED, Status.RUNNING)
    rows = [factories.execution(bound, status=status).pk for status in statuses]
    executions.edit(system_scope(group), rows[1], name="best so far", labels=[("team", "vision")])
    user = User.objects.create_user("editor")
    grant(Role.EDITOR, user, group)
    yield web.url, web.browser(user).cookies["sessionid"], rows


@pytest.fixture
def page(place, chromium):
    """A page of the list, signed in, its clock in a zone of its own."""
    url, session, _ = place
    context = chromium.new_context(base_url=url, timezone_id="Asia/Tokyo")
    context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    page = context.new_page()
    yield page
    context.close()


def picture(page, name):
    """Kept where PICTURES says, to be looked at."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png")


def test_selection_and_menus_outlive_a_poll(place, page):
    _, _, rows = place
    page.goto(LIST)
    box = page.locator(f"#x-{rows[1]} .check")
    box.check()
    page.locator(f"#x-{rows[0]} details.menu summary").click()
    assert page.locator("[data-picked]").text_content() == "1 selected"
    with page.expect_response(lambda answer: "executions" in answer.url and answer.request.method == "GET"):
        page.evaluate("htmx.ajax('GET', location.href, {target: '#execution-table', swap: 'outerHTML'})")
    page.wait_for_function("!document.querySelector('.htmx-request')")
    assert box.is_checked()
    assert page.locator(f"#x-{rows[0]} details.menu").get_attribute("open") is not None
    assert page.locator("[data-picked]").text_content() == "1 selected"
    assert page.locator(".bulkbar").is_visible()
    picture(page, "list-selected")


def test_all_of_a_page_are_picked_archived_and_told(place, page):
    page.goto(LIST)
    page.locator("[data-pick-all]").check()
    assert page.locator("[data-picked]").text_content() == "3 selected"
    page.get_by_role("button", name="Archive").first.click()
    expect(page.get_by_text("2 of the 3 selected qualify")).to_be_visible()
    picture(page, "bulk")
    page.get_by_role("button", name="Archive 2 executions").click()
    page.locator(".toast", has_text="Archived 2 executions.").get_by_role("button", name="Undo").click()
    page.locator(".toast", has_text="Restored 2 executions.").wait_for()
    expect(page.locator("tr[id^=x-]")).to_have_count(3)


def test_days_are_offered_in_the_zone_of_the_reader(page):
    page.goto(f"{LIST}?filter=created")
    assert page.locator("#f-zone").input_value() == "Asia/Tokyo"
    picture(page, "created")


@pytest.mark.parametrize("width", [320, 390, 800, 1440])
def test_nothing_scrolls_sideways(place, page, width):
    page.set_viewport_size({"width": width, "height": 900})
    for query in (
        "",
        "?filter=source",
        "?filter=status&label=team=vision&metric=a>1&archived=1&column=labels",
    ):
        page.goto(LIST + query)
        wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wider) == 0, query
        picture(page, f"list-{width}-{len(query)}")
