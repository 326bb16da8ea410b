"""The whole path in a real browser, in both themes and without JavaScript: from sign-in to the model."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.aiapi.client import Client
from tests.e2e import served_pages, trained
from tests.e2e.served_pages import SECONDS, shot
from tests.servers import Postgres, Redis
from tests.stack import Stack
from tests.waiting import until

pytestmark = [
    pytest.mark.server,
    pytest.mark.browser,
    # Playwright leaves its own pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


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
def bundled(
    servers: tuple[Postgres, Redis, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A production stack with the bundled scenarios, accounts and the tutorial's data."""
    postgres, redis, _ = servers
    home = tmp_path_factory.mktemp("bundled")
    for folder in (home, home.parent, home.parent.parent):
        folder.chmod(0o755)
    calm = {"HEARTBEAT_SECONDS": "5", "LEASE_SECONDS": "30", "SWEEP_SECONDS": "1", "GRACE_SECONDS": "5"}
    calm["DEPLOYMENT_DRAIN_SECONDS"] = "1"
    stack = Stack(home, postgres.create("bundled", "empty"), redis.url, **calm)
    try:
        stack.manage("setup")
        stack.web()
        stack.control()
        stack.worker()
        yield stack
    finally:
        stack.close()


@pytest.fixture
def open_page(browser: Browser, bundled: Stack) -> Iterator[Callable[..., Page]]:
    """`open_page(theme)`: a fresh visitor's page; what the console complains of fails the test.

    script: whether the browser runs JavaScript.
    """
    complaints: list[str] = []
    contexts = []

    def opened(theme: str = "light", width: int = 1440, script: bool = True) -> Page:
        context = browser.new_context(
            base_url=f"http://127.0.0.1:{bundled.port}",
            viewport={"width": width, "height": 900},
            color_scheme=theme,  # type: ignore[arg-type]
            java_script_enabled=script,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_default_timeout(20 * SECONDS)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Page, stack: Stack, name: str) -> None:
    """Through the sign-in page, with the password that set-up made."""
    passwords = json.loads((stack.home / "data" / "passwords.json").read_text())
    page.goto("/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(passwords[name])
    page.get_by_role("button", name="Sign in").click()
    # Whoever was somewhere before is led back there.
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.goto("/workspaces/")
    expect(page.get_by_role("heading", name="Workspaces", level=1)).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_from_sign_in_to_a_trained_model(open_page: Callable[..., Page], bundled: Stack, theme: str) -> None:
    page = open_page(theme)
    sign_in(page, bundled, "editor")
    shot(page, f"workspaces-{theme}")
    page.get_by_role("row", name="tutorial").get_by_role("link", name="Open").click()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Scenarios").click()
    shot(page, f"scenarios-{theme}")
    page.get_by_role("link", name="Airline feedback").click()
    shot(page, f"scenario-{theme}")

    register_dataset(page, theme)
    configure(page, theme)
    page.get_by_role("button", name="Create execution").click()
    watch(page, theme)
    find_model(page, theme)


def register_dataset(page: Page, theme: str) -> None:
    """Register the tutorial's data by its address."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Datasets").click()
    page.get_by_role("link", name="Register dataset").first.click()
    page.get_by_role("textbox", name="Name").fill("tutorial-train-data")
    page.get_by_label("Scenario").select_option("text-clf-tutorial")
    page.get_by_role("combobox", name="Address").fill("ai://default/data")
    shot(page, f"register-{theme}")
    page.get_by_role("button", name="Register dataset").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("tutorial-train-data")
    shot(page, f"dataset-{theme}")


def configure(page: Page, theme: str) -> None:
    """The wizard's four steps."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Configurations").click()
    page.get_by_role("link", name="Create configuration").first.click()
    page.get_by_label("Configuration name").fill(f"twenty epochs, {theme}")
    page.locator("#executable-text-clf-train-tutorial").check()
    expect(page.get_by_label("Version of text-clf-train-tutorial")).to_be_visible()
    page.get_by_role("button", name="Continue to parameters").click()
    page.get_by_label("EPOCHS").fill("60")
    shot(page, f"wizard-{theme}")
    page.get_by_role("button", name="Continue to artifacts").click()
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Continue to review").click()
    shot(page, f"review-{theme}")
    page.get_by_role("button", name="Create configuration").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"twenty epochs, {theme}")
    shot(page, f"configuration-{theme}")


def watch(page: Page, theme: str) -> None:
    """Status, log and curves come by themselves: the page is never loaded again."""
    page.evaluate("window.neverReloaded = true")
    status = page.locator("#execution-head .pill")
    lines = page.locator(".log-lines li")
    # The first one of a stack makes the environment.
    expect(status).to_have_attribute("data-status", "RUNNING", timeout=180 * SECONDS)
    expect(lines.filter(has_text="epoch 5/60")).to_have_count(1, timeout=180 * SECONDS)
    expect(status).to_have_attribute("data-status", "RUNNING")
    expect(page.locator("#execution-metrics .js-plotly-plot").first).to_be_visible(timeout=30 * SECONDS)
    shot(page, f"execution-running-{theme}")
    expect(status).to_have_attribute("data-status", "COMPLETED", timeout=120 * SECONDS)
    expect(lines.filter(has_text="epoch 60/60")).to_have_count(1)
    expect(page.locator("#execution-facts")).to_contain_text("text-model-tutorial:")
    assert page.evaluate("window.neverReloaded") is True
    shot(page, f"execution-{theme}")


def find_model(page: Page, theme: str) -> None:
    """The model is listed with its version and leads back to the execution that made it."""
    execution = re.search(r"e[0-9a-f]{15}", page.url)
    assert execution is not None
    version = 1 if theme == "light" else 2
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Models").click()
    shot(page, f"models-{theme}")
    page.get_by_role("link", name="text-model-tutorial").first.click()
    expect(page.get_by_role("main")).to_contain_text(f"Version {version}")
    shot(page, f"model-{theme}")
    page.get_by_role("main").get_by_role("link", name=execution[0][:8]).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(execution[0])


def test_both_scenarios_models_are_deployed_called_and_rolled_over(
    open_page: Callable[..., Page], bundled: Stack, tmp_path: Path
) -> None:
    key = json.loads(bundled.manage("create_service_key", "mine", *trained.KEY))
    with Client(key, "tutorial") as client:
        found = client.call(
            "GET", "/lm/artifacts", status=200, shape="Artifacts", kind="model", scenarioId=trained.TEXT
        )
        texts = sorted(found["resources"], key=lambda model: str(model["createdAt"]))
        assert len(texts) >= 2, "the tests before this one train them"
        # Trained while the other scenario is served.
        digits = trained.begin_digits(client)
        bundled.server()
        page = open_page()
        sign_in(page, bundled, "editor")
        there = served_pages.a_text_model(page, client, texts[0]["id"])
        (said,) = served_pages.called(client, there, {"text": served_pages.BITTER})
        assert said["label"] == "complaint"

        first = trained.digit_models(client, digits)[0]
        there = served_pages.a_digits_model(page, client, first, tmp_path)
        (said,) = served_pages.called(client, there, {"rows": [trained.NOUGHT]})
        assert said["label"] == "0"


def test_a_viewer_sees_and_cannot_change(open_page: Callable[..., Page], bundled: Stack) -> None:
    page = open_page(width=390)
    sign_in(page, bundled, "viewer")
    expect(page.get_by_role("row", name="default")).to_have_count(0)
    page.goto("/w/local/g/tutorial/executions/")
    expect(page.get_by_role("link", name="Create execution")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    shot(page, "executions-phone")
    page.locator("#rows a.id, .table a.id").first.click()
    expect(page.get_by_role("button", name="Run again")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    shot(page, "execution-phone")


def test_the_core_path_without_javascript(open_page: Callable[..., Page], bundled: Stack) -> None:
    page = open_page(script=False)
    sign_in(page, bundled, "editor")
    page.get_by_role("row", name="tutorial").get_by_role("link", name="Open").click()
    register_dataset(page, "plain")

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Configurations").click()
    page.get_by_role("link", name="Create configuration").first.click()
    page.get_by_label("Configuration name").fill("three epochs")
    page.locator("#executable-text-clf-train-tutorial").check()
    page.get_by_role("button", name="Continue to parameters").click()
    page.get_by_label("EPOCHS").fill("3")
    page.get_by_role("button", name="Continue to artifacts").click()
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Continue to review").click()
    page.get_by_role("button", name="Create configuration").click()
    page.get_by_role("button", name="Create execution").click()

    first = completed(page)
    expect(page.locator(".log-lines li").filter(has_text="epoch 3/3")).to_have_count(1)
    shot(page, "execution-plain")
    tabs = page.get_by_role("navigation", name="Execution")
    tabs.get_by_role("link", name="Metrics").click()
    expect(
        page.get_by_role("row").filter(has=page.get_by_role("cell", name="3", exact=True))
    ).not_to_have_count(0)
    tabs.get_by_role("link", name="Inputs and outputs").click()
    expect(page.get_by_role("main").get_by_role("link", name="text-model-tutorial")).to_be_visible()

    page.get_by_role("button", name="Start again").click()
    second = completed(page)
    assert second != first
    page.get_by_role("link", name="Compare", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare 2 executions")
    for execution in (first, second):
        expect(page.get_by_role("link", name=execution)).to_be_visible()
    shot(page, "compare-plain")


def completed(page: Page) -> str:
    """Load an execution's page until it has completed; its key."""
    status = page.locator("#execution-head .pill")

    def ended() -> bool:
        page.reload()
        return status.get_attribute("data-status") in ("COMPLETED", "DEAD", "STOPPED")

    until(ended, seconds=240, pause=1)
    expect(status).to_have_attribute("data-status", "COMPLETED")
    return page.locator("h1").inner_text().strip()
