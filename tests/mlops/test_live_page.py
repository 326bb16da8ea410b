"""The page of a running execution in a real browser: lines and curves come by themselves, under the CSP."""

import math
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from playwright.sync_api import expect

from launchpad.access import Role, system_scope
from launchpad.grants import grant
from mlops.domain import log_writers, metrics
from mlops.domain.metric_limits import Point
from mlops.lifecycle import Status
from mlops.models import Execution
from tests.mlops import factories
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

# Reads what a browser refused; a page that is drawn right but complains is not right.
WATCH = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.refused.push(`${event.effectiveDirective} ${event.sourceFile}:${event.lineNumber} ${event.sample}`));
"""


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
def run(web, transactional_db):
    """A running execution, its viewer and the server that shows it."""
    group = factories.place()
    row = factories.execution(factories.configuration(group), status=Status.RUNNING)
    user = User.objects.create_user("viewer")
    grant(Role.VIEWER, user, group)
    return row, web, web.browser(user).cookies["sessionid"]


@pytest.fixture
def page(run, chromium):
    """The execution's page, fully loaded; nothing may have been refused by its content policy."""
    row, server, session = run
    context = chromium.new_context(base_url=server.url, color_scheme="light")
    context.add_cookies([{"name": "sessionid", "value": session, "url": server.url}])
    context.add_init_script(WATCH)
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"/w/local/g/red/executions/{row.pk}/")
    yield page
    assert page.evaluate("window.refused") == []
    assert complaints == []
    context.close()


def write(row, *texts, step=0):
    writer = log_writers.LogWriter(row.pk, 1, step)
    for text in texts:
        writer.say(text)
    assert writer.flush(force=True)


def report(row, steps):
    values = [
        ("loss", lambda step: 1 / (step + 1)),
        ("error_rate", lambda step: math.nan if step == 3 else 0.5),
    ]
    points = [Point(name, value(step), step) for step in steps for name, value in values]
    metrics.record(system_scope(row), row.pk, metrics=points)


def test_lines_appear_as_text_without_reload(run, page, aside):
    row, *_ = run
    lines = page.locator("#log-panel li[data-level]")
    aside(write, row, "first", "<script>alert(1)</script> \x1b[31mred", "ERROR third")
    expect(lines).to_have_count(3)
    expect(lines.nth(1).locator("span")).to_have_text("<script>alert(1)</script> \x1b[31mred")
    expect(lines.nth(2)).to_have_attribute("data-level", "ERROR")
    expect(page.locator("[data-log-count]")).to_have_text("3 lines")
    aside(write, row, "other step", step=1)
    expect(lines).to_have_count(4)
    page.reload()
    expect(lines).to_have_count(4)
    aside(write, row, "after the reload")
    expect(lines).to_have_count(5)


def test_a_flood_is_shown_to_its_end_and_the_page_stays_small(run, page, aside):
    row, *_ = run
    aside(write, row, *(f"line {number}" for number in range(30_000)))
    expect(page.locator("#L1-0-30000")).to_be_visible()
    expect(page.locator("#log-panel li[data-level]")).to_have_count(5000)
    expect(page.locator("#log-panel li.earlier a")).to_have_attribute(
        "href", "?tab=logs&lines_before=1.0.25001"
    )
    expect(page.locator("[data-log-count]")).to_have_text("30,000 lines")


def test_scrolling_away_stops_following_and_the_key_brings_it_back(run, page, aside):
    row, *_ = run
    aside(write, row, *(f"line {number}" for number in range(200)))
    expect(page.locator("#L1-0-200")).to_be_in_viewport()
    follow = page.locator("input[name=follow]")
    page.locator(".log-lines").hover()
    page.mouse.wheel(0, -600)
    expect(follow).not_to_be_checked()
    place = page.locator(".log-lines").evaluate("box => box.scrollTop")
    aside(write, row, *(f"more {number}" for number in range(50)))
    expect(page.locator("#L1-0-250")).to_have_count(1)
    assert page.locator(".log-lines").evaluate("box => box.scrollTop") == place
    page.keyboard.press("f")
    expect(follow).to_be_checked()
    expect(page.locator("#L1-0-250")).to_be_in_viewport()


def test_curves_are_drawn_grow_and_follow_the_theme(run, page, aside):
    row, *_ = run
    aside(report, row, range(6))
    curves = page.locator("#execution-metrics .scatterlayer .trace")
    expect(curves).to_have_count(2)
    # By name: the error rate, whose NaN splits the line, then the loss.
    assert [curve.locator(".js-line").count() for curve in curves.all()] == [2, 1]
    dash = "curve => getComputedStyle(curve.querySelector('.js-line')).strokeDasharray"
    assert [curve.evaluate(dash) == "none" for curve in curves.all()] == [True, False]
    box = page.locator("#execution-metrics .chart").first
    gap = "box => box.data.find((one) => one.name === 'error_rate').y[3]"
    assert box.evaluate(gap) is None
    assert box.evaluate("box => box.querySelector('.plot') === null")
    aside(report, row, range(6, 40))
    until(lambda: box.evaluate("box => box.data[0].x.length") == 40)
    assert "Share" not in page.locator("#execution-metrics .modebar").inner_html()
    colour = "curve => getComputedStyle(curve.querySelector('.js-line')).stroke"
    was = curves.first.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    until(lambda: curves.first.evaluate(colour) != was)


def test_the_end_is_shown_without_reload(run, page, aside):
    row, *_ = run
    tab = page.locator("#execution-head .tabs a", has_text="Events")
    tab.focus()
    aside(write, row, "last words")
    expect(page.locator("#L1-0-1")).to_be_visible()
    ended = {"status": Status.COMPLETED, "completed_at": timezone.now()}
    aside(lambda: Execution.unscoped.filter(pk=row.pk).update(**ended))
    expect(page.locator("#execution-head [data-status=COMPLETED]").first).to_be_visible()
    expect(page.locator("#execution-head:not([hx-get])")).to_be_visible()
    # What had the focus was replaced; its successor has it.
    expect(tab).to_be_focused()


def test_an_answer_older_than_the_end_is_not_the_last(run, page, aside):
    row, *_ = run
    held = []

    def hold(route):
        if route.request.headers.get("hx-target") == "execution-facts" and not held:
            held.append((route, route.fetch()))
        else:
            route.continue_()

    page.route("**/executions/**", hold)
    said = {"status_message": "Nearly done", "modified_at": timezone.now()}
    aside(lambda: Execution.unscoped.filter(pk=row.pk).update(**said))
    until(lambda: page.evaluate("1") and held)
    ended = {"status": Status.COMPLETED, "completed_at": timezone.now()}
    aside(lambda: Execution.unscoped.filter(pk=row.pk).update(**ended))
    expect(page.locator("#execution-head [data-status=COMPLETED]").first).to_be_visible()
    route, answer = held[0]
    route.fulfill(response=answer)
    expect(page.locator("#execution-facts:not([hx-get])")).to_be_visible()


def test_what_could_not_be_asked_for_is_asked_for_again(run, page, aside):
    row, *_ = run
    refused = []

    def refuse(route):
        if route.request.headers.get("hx-target") == "execution-facts" and not refused:
            refused.append(route.abort("connectionrefused"))
        else:
            route.continue_()

    page.route("**/executions/**", refuse)
    ended = {"status": Status.COMPLETED, "completed_at": timezone.now()}
    aside(lambda: Execution.unscoped.filter(pk=row.pk).update(**ended))
    expect(page.locator("#execution-facts:not([hx-get])")).to_be_visible()
    assert refused


def test_a_log_that_stayed_empty_says_so_at_the_end(run, page, aside):
    row, *_ = run
    expect(page.locator("#log-panel")).to_contain_text("No lines yet.")
    ended = {"status": Status.STOPPED, "completed_at": timezone.now()}
    aside(lambda: Execution.unscoped.filter(pk=row.pk).update(**ended))
    expect(page.locator("#log-panel")).to_contain_text("No lines were written.")


def test_the_lines_of_a_log_can_be_skipped_by_keyboard(run, page, aside):
    row, *_ = run
    aside(write, row, *(f"line {number}" for number in range(50)))
    expect(page.locator("#L1-0-50")).to_have_count(1)
    page.get_by_role("link", name="Skip the lines of the log").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#execution-facts a").first).to_be_focused()
