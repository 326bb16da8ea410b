"""The wizard of schedules in a real browser: the next runs while one types, choices that fill the fields."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from launchpad.access import Role
from launchpad.grants import grant
from tests.mlops import factories
from tests.mlops.test_live_page import WATCH

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def bound(transactional_db):
    """A configuration to be scheduled."""
    return factories.configuration(factories.place())


@pytest.fixture
def session(bound, web):
    """An editor's."""
    user = User.objects.create_user("editor")
    grant(Role.EDITOR, user, bound.resource_group)
    return web.browser(user).cookies["sessionid"]


@pytest.fixture
def visit(bound, web, session, chromium):
    """`visit(…)`: the step of times; the content policy refuses nothing, no script complains."""
    opened, complaints = [], []

    def visited(*, script=True, **options):
        context = chromium.new_context(
            base_url=web.url, java_script_enabled=script, timezone_id="Asia/Tokyo", **options
        )
        context.add_cookies([{"name": "sessionid", "value": session, "url": web.url}])
        page = context.new_page()
        if script:
            context.add_init_script(WATCH)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            # The first page tells the zone, the second is in it.
            page.goto("/w/local/g/red/schedules/")
        page.goto(f"/w/local/g/red/schedules/create?configuration={bound.pk}")
        opened.append((context, page, script))
        return page

    yield visited
    for context, page, script in opened:
        if script:
            assert page.evaluate("window.refused") == []
        context.close()
    assert complaints == []


def test_the_next_runs_follow_what_is_typed(visit):
    page = visit()
    zone, cron = page.get_by_label("Time zone"), page.get_by_role("textbox", name="Cron expression")
    preview = page.locator("#schedule-preview")
    expect(zone).to_have_value("Asia/Tokyo")
    cron.press_sequentially("0 6 * * mon-fri", delay=10)
    expect(preview).to_contain_text("At 06:00 on Monday through Friday.")
    expect(cron).to_be_focused()
    zone.fill("Europe/Berlin")
    expect(preview).to_contain_text("by the clock of Europe/Berlin")
    expect(preview.get_by_role("columnheader", name="Yours, Asia/Tokyo")).to_be_visible()
    expect(preview.locator("tbody tr")).to_have_count(10)
    cron.fill("0 6 * *")
    expect(preview).to_contain_text("This one has 4.")


def test_a_choice_fills_the_fields_and_the_next_runs_follow(visit):
    page = visit()
    page.get_by_role("combobox", name="How often").select_option("Every week")
    page.get_by_label("Weekday").select_option("Sunday")
    page.get_by_label("At", exact=True).fill("07:05")
    page.get_by_role("button", name="Fill in the expression").press("Enter")
    expect(page.get_by_role("textbox", name="Cron expression")).to_have_value("5 7 * * SUN")
    expect(page.locator("#schedule-preview")).to_contain_text("At 07:05 on Sunday.")
    page.get_by_label("One-time").check()
    expect(page.get_by_role("textbox", name="Cron expression")).to_be_hidden()
    expect(page.locator("#schedule-preview")).to_contain_text("Choose a date and a time.")
    page.get_by_label("Date and time").fill("2031-03-30T02:30")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    expect(page.locator("#schedule-preview")).to_contain_text("30 Mar 2031, 02:30 does not exist")


def test_made_by_keys_alone(visit):
    page = visit()
    page.get_by_role("textbox", name="Cron expression").fill("0 6 * * *")
    page.get_by_role("textbox", name="Cron expression").press("Enter")
    expect(page.get_by_role("heading", name="Review and create")).to_be_visible()
    page.get_by_role("button", name="Create schedule").last.press("Enter")
    expect(page).to_have_url(re.compile(r"/schedules/[0-9a-f-]{36}/$"))


def test_without_script(visit):
    page = visit(script=False)
    page.get_by_role("textbox", name="Cron expression").fill("0 6 * * *")
    page.get_by_role("button", name="Show the next runs").click()
    expect(page.locator("#schedule-preview")).to_contain_text("At 06:00 every day.")
    expect(page.get_by_role("textbox", name="Cron expression")).to_have_value("0 6 * * *")
