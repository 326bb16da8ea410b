"""The log of an ended execution in a real browser: lines by address, searches that go on behind the page."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from launchpad.access import Role
from launchpad.grants import grant
from mlops.lifecycle import Status
from tests.mlops import factories
from tests.mlops.domain.test_log_search import long_log

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def run(transactional_db, web):
    """An execution with a log of 20,000 lines, the server that shows it, and a viewer's session."""
    group = factories.place()
    row = factories.execution(factories.configuration(group), status=Status.COMPLETED)
    long_log(row, 200, size=100)
    user = User.objects.create_user("viewer")
    grant(Role.VIEWER, user, group)
    yield row, web, web.browser(user).cookies["sessionid"]


@pytest.fixture
def page(run, chromium):
    """The tab of its log, fully loaded."""
    row, server, session = run
    context = chromium.new_context(base_url=server.url)
    context.add_cookies([{"name": "sessionid", "value": session, "url": server.url}])
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"/w/local/g/red/executions/{row.pk}/?tab=logs")
    yield page
    assert complaints == []
    context.close()


@pytest.mark.parametrize("mark", ["#L1-0-777", "#L777"])
def test_a_link_to_a_line_opens_there(page, mark):
    expect(page.locator("#L1-0-20000")).to_be_in_viewport()
    page.evaluate("mark => { location.hash = mark; }", mark)
    expect(page.locator("#L1-0-777")).to_be_in_viewport()
    assert "at=" in page.url
    expect(page.locator("#L1-0-777")).to_have_class("here")


def test_the_number_of_a_line_is_its_address(page):
    page.locator("#L1-0-19990 > a").click()
    page.wait_for_url("**/?tab=logs&at=1.0.19990#L1-0-19990")
    expect(page.locator("#L1-0-20000")).to_have_count(1)
    page.reload()
    expect(page.locator("#L1-0-19990")).to_be_in_viewport()


def test_a_search_is_counted_to_its_end_behind_the_page(page):
    page.get_by_role("searchbox", name="Search the log").fill("line 1")
    page.keyboard.press("Enter")
    expect(page.locator("#log-found")).to_contain_text("11,111 lines found")
    page.locator(".log-lines li[data-level] > a", has_text="155").first.click()
    expect(page.locator("#L1-0-155")).to_be_in_viewport()
    page.get_by_role("link", name="Next hit").click()
    expect(page.locator("#L1-0-156")).to_have_class("here")
