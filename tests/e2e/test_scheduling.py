"""A configuration is made to recur in a real browser on the embedded stack: its minute comes and it runs."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.aiapi.client import Client
from tests.e2e import trained
from tests.e2e.main_job import TUTORIAL
from tests.e2e.served_pages import SECONDS, shot
from tests.e2e.test_embedded import Up
from tests.e2e.test_every_page import AXE, CHECK, FOREIGN
from tests.e2e.test_path import FLAGS
from tests.waiting import until

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.browser,
    pytest.mark.slow,
    # Playwright leaves its own pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
# Until the next minute has come and what it started has ended, on a machine with much to do.
A_RUN = 240
PAGE = re.compile(r"/schedules/[0-9a-f-]{36}/$")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; skipped by name where there is none, which CI does not allow."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The embedded stack."""
    made = Up(tmp_path_factory.mktemp("scheduling") / "data")
    try:
        yield made.ready()
    finally:
        made.end()


@pytest.fixture(scope="module")
def bound(up: Up) -> str:
    """The id of a configuration that runs for seconds."""
    with Client(json.loads(up.manage("create_service_key", "mine", *trained.KEY)), "tutorial") as client:
        return trained.configuration(
            client, trained.DIGITS, "digits-train", "quick digits", trained.FEW_ROUNDS, {}
        )


@pytest.fixture
def open_page(browser: Browser, up: Up) -> Iterator[Callable[..., Page]]:
    """`open_page(who)`: the page of somebody signed in, in Berlin; what the console complains of fails it."""
    complaints: list[str] = []
    contexts = []
    passwords = json.loads((up.data / "passwords.json").read_text())

    def opened(who: str = "editor", script: bool = True) -> Page:
        context = browser.new_context(
            base_url=up.url,
            viewport={"width": 1280, "height": 900},
            java_script_enabled=script,
            timezone_id="Europe/Berlin",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/")
        page.get_by_label("Username").fill(who)
        page.get_by_label("Password").fill(passwords[who])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/sign-in" not in url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def accessible(page: Page, name: str) -> None:
    """axe finds nothing on the page as it is."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm install --prefix .venv/npm axe-core")
    page.evaluate(AXE.read_text())
    assert page.evaluate(CHECK, FOREIGN) == [], name
    shot(page, name)


def cron(page: Page) -> Locator:
    """The field of the five fields."""
    return page.get_by_role("textbox", name="Cron expression")


def tick(page: Page, outcome: str) -> Locator:
    """A row of the last ticks whose execution completed."""
    rows = page.locator("#schedule-recent tbody tr").filter(has_text=outcome)
    return rows.filter(has=page.locator("[data-status=COMPLETED]")).first


def ran(page: Page, outcome: str) -> None:
    """A due time with this outcome has led to an execution that completed, on the page as it follows."""
    expect(tick(page, outcome)).to_be_visible(timeout=A_RUN * SECONDS)


def minutely(page: Page, bound: str, name: str) -> None:
    """The step of times of a schedule that is due every minute."""
    page.goto(f"{TUTORIAL}/configurations/{bound}/")
    page.get_by_role("link", name="Schedule this").click()
    expect(page.locator("#step")).to_have_text("Schedule")
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    cron(page).fill("* * * * *")


def test_a_schedule_is_made_fires_pauses_resumes_and_is_backfilled(
    open_page: Callable[..., Page], bound: str
) -> None:
    page = open_page()
    page.goto(f"{TUTORIAL}/schedules/")
    page.get_by_role("link", name="Create schedule").first.click()
    page.locator(".choice", has_text="digits").first.click()
    page.get_by_role("button", name="Continue to executable").last.click()
    page.locator(".choice", has_text="digits-train").click()
    page.get_by_role("button", name="Continue to configuration").last.click()
    page.locator(".choice", has_text="quick digits").click()
    page.get_by_role("button", name="Continue to schedule").last.click()

    expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")
    page.get_by_role("textbox", name="Name", exact=True).fill("every minute")
    preview = page.locator("#schedule-preview")
    cron(page).press_sequentially("30 2 * 3,10 sun", delay=10)
    expect(preview).to_contain_text("02:30 does not exist")
    expect(preview).to_contain_text("02:30 comes twice")
    accessible(page, "schedule-times")
    cron(page).fill("* * * * *")
    expect(preview).to_contain_text("It runs more often than every 5 minutes.")
    page.locator(".choice", has_text="Let both run").click()
    page.get_by_role("button", name="Continue to review").last.click()
    expect(page.get_by_label("What will run")).to_contain_text("What comes due starts, whatever still runs.")
    accessible(page, "schedule-review")
    page.get_by_role("button", name="Create schedule").last.click()
    expect(page).to_have_url(PAGE)
    there = page.url

    ran(page, "Fired")
    accessible(page, "schedule-fired")
    page.get_by_role("button", name="Run now").click()
    ran(page, "By hand")

    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#schedule-head")).to_contain_text("Paused by")
    expect(page.locator("#schedule-upcoming")).to_contain_text("Nothing is due while it is paused.")

    def is_missed() -> bool:
        page.goto(f"{there}resume")
        return "passed while it was paused" in page.get_by_role("main").inner_text()

    until(is_missed, seconds=A_RUN, pause=1)
    accessible(page, "schedule-resume")
    page.locator(".choice", has_text="last").first.click()
    page.get_by_role("button", name="Resume schedule").click()
    expect(page).to_have_url(PAGE)
    ran(page, "Caught up")

    page.goto(f"{there}edit")
    cron(page).fill("0 0 1 1 *")
    expect(page.locator("#schedule-preview")).to_contain_text("on January 1")
    accessible(page, "schedule-edit")
    page.get_by_role("button", name="Save changes").last.click()
    expect(page).to_have_url(PAGE)
    expect(page.locator("#schedule-head")).to_contain_text("on January 1")

    page.goto(f"{there}backfill")
    page.get_by_label("From").fill("2024-12-31T00:00")
    page.get_by_label("Until and with").fill("2026-01-01T12:00")
    page.get_by_role("button", name="Show what would run").click()
    expect(page.get_by_role("region", name="Due times that would run").locator("tbody tr")).to_have_count(2)
    accessible(page, "schedule-backfill")


def test_a_viewer_sees_it_and_changes_nothing(open_page: Callable[..., Page], bound: str) -> None:
    editor = open_page()
    minutely(editor, bound, "for viewers")
    editor.get_by_role("button", name="Continue to review").last.click()
    editor.get_by_role("button", name="Create schedule").last.click()
    expect(editor).to_have_url(PAGE)

    page = open_page("viewer")
    page.goto(f"{TUTORIAL}/overview/")
    runs = page.locator("section[aria-labelledby=runs]")
    runs.get_by_text("Next runs").click()
    accessible(page, "overview-with-schedules")
    runs.get_by_role("link", name="for viewers").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("for viewers")
    ran(page, "Fired")
    for words in ("Run now", "Pause", "Resume", "Delete"):
        expect(page.get_by_role("button", name=words)).to_have_count(0)
    expect(page.get_by_role("main").get_by_role("link", name="Edit")).to_have_count(0)
    accessible(page, "schedule-of-a-viewer")
    assert page.request.get(f"{editor.url}edit").status == 403

    editor.get_by_role("button", name="Pause").click()
    expect(editor.locator("#schedule-head")).to_contain_text("Paused by")


def test_without_javascript(open_page: Callable[..., Page], bound: str) -> None:
    page = open_page(script=False)
    minutely(page, bound, "plain")
    page.get_by_role("button", name="Show the next runs").click()
    expect(page.locator("#schedule-preview tbody tr")).to_have_count(10)
    page.get_by_role("button", name="Continue to review").last.click()
    page.get_by_role("button", name="Create schedule").last.click()
    expect(page).to_have_url(PAGE)
    there = page.url

    def has_run() -> bool:
        page.goto(there)
        return tick(page, "Fired").count() > 0

    until(has_run, seconds=A_RUN, pause=1)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#schedule-head")).to_contain_text("Paused by")
