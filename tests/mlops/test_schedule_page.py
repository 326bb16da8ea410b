"""Schedules in a real browser: what is done from a row of the list, and a choice without script."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection
from playwright.sync_api import expect

from launchpad.access import Role, system_scope
from launchpad.grants import grant
from mlops.domain import schedules
from mlops.domain.timings import Timing
from mlops.models import Execution
from tests.mlops import factories, ledgers
from tests.mlops.test_live_page import WATCH

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
LIST = "/w/local/g/red/schedules/"


@pytest.fixture
def aside():
    """`aside(function, …)`: call it in a thread; Playwright's own loop keeps Django's ORM out of this one."""

    def called(function, *args, **kwargs):
        def call():
            try:
                return function(*args, **kwargs)
            finally:
                connection.close()

        return pool.submit(call).result(120)

    with ThreadPoolExecutor(1) as pool:
        yield called


@pytest.fixture
def hourly(transactional_db):
    """A schedule with a run that waits, a completed and a failed one."""
    made = factories.schedule(factories.configuration(factories.place()), Timing("0 * * * *"), name="hourly")
    ledgers.fill(made, "cdp")
    return made


@pytest.fixture
def session(hourly, web):
    """An editor's."""
    user = User.objects.create_user("editor")
    grant(Role.EDITOR, user, factories.place())
    return web.browser(user).cookies["sessionid"]


@pytest.fixture
def visit(hourly, web, session, chromium):
    """`visit(path)`: the editor's page; its content policy refuses nothing, no script complains."""
    opened, complaints = [], []

    def visited(path="", *, script=True):
        context = chromium.new_context(base_url=web.url, java_script_enabled=script)
        context.add_cookies([{"name": "sessionid", "value": session, "url": web.url}])
        page = context.new_page()
        if script:
            context.add_init_script(WATCH)
            page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{LIST}{path}")
        opened.append((context, page, script))
        return page

    yield visited
    for context, page, script in opened:
        if script:
            assert page.evaluate("window.refused") == []
        context.close()
    assert complaints == []


def open_menu(page):
    page.locator("tbody summary").click()


def test_a_row_is_paused_and_resumed_without_leaving_the_list(visit):
    page = visit()
    open_menu(page)
    page.get_by_role("button", name="Pause").click()
    row = page.locator("tbody tr")
    expect(row).to_contain_text("Paused by editor.")
    toast = page.locator(".toast", has_text="hourly is paused. What runs goes on.")
    expect(toast).to_be_visible()
    assert page.url.endswith(LIST)
    toast.get_by_role("button", name="Resume").click()
    expect(page.locator(".toast", has_text="hourly is active again. Nothing was missed.")).to_be_visible()
    expect(page.locator("tbody tr")).not_to_contain_text("Paused by editor.")
    assert page.url.endswith(LIST)


def test_the_dialog_of_a_deletion_takes_what_runs_along(visit, hourly, aside):
    page = visit()
    open_menu(page)
    page.get_by_role("button", name="Delete").click()
    dialog = page.locator("#confirm-delete")
    expect(dialog.get_by_role("button", name="Keep schedule")).to_be_focused()
    dialog.get_by_label("Also stop its executions that wait or run now").check()
    dialog.get_by_role("button", name="Delete schedule").click()
    expect(page.locator("tbody tr")).to_have_count(0)

    def statuses():
        rows = Execution.unscoped.filter(schedule=hourly.pk).order_by("due_at")
        return list(rows.values_list("status", flat=True))

    assert aside(statuses) == ["COMPLETED", "DEAD", "STOPPED"]


def test_what_was_missed_is_chosen_and_deletion_asked_for_without_script(visit, hourly, aside):
    aside(lambda: schedules.pause(system_scope(factories.place()), hourly.pk))
    aside(lambda: ledgers.missed(hourly, 3))
    page = visit(f"{hourly.pk}/", script=False)
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("3 due times passed while it was paused.")).to_be_visible()
    page.get_by_label("None of them").check()
    page.get_by_role("button", name="Resume schedule").click()
    expect(page.get_by_text("hourly is active again.")).to_be_visible()
    page.get_by_label("More actions").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Delete this schedule?")).to_be_visible()
    page.get_by_role("button", name="Delete schedule").click()
    expect(page.get_by_text("hourly was deleted. Its executions stay.")).to_be_visible()
