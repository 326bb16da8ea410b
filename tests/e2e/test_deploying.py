"""From a trained model to an address that answers, and back, in a real browser on the embedded stack."""

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
from tests.e2e.main_job import TUTORIAL
from tests.e2e.served_pages import (
    BITTER,
    KIND,
    SECONDS,
    address,
    begin,
    called,
    finish,
    runs,
    shot,
    status,
    stay,
    try_it,
)
from tests.e2e.test_embedded import Up
from tests.e2e.test_path import FLAGS
from tests.waiting import until

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.browser,
    pytest.mark.slow,
    # Playwright leaves its own pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
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
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The embedded stack."""
    made = Up(tmp_path_factory.mktemp("deploying") / "data")
    try:
        yield made.ready()
    finally:
        made.end()


@pytest.fixture(scope="module")
def client(up: Up) -> Iterator[Client]:
    """A client of the AI API with the key of an editor."""
    with Client(json.loads(up.manage("create_service_key", "mine", *trained.KEY)), "tutorial") as made:
        yield made


@pytest.fixture(scope="module")
def models(client: Client) -> dict[str, list[str]]:
    """Models of both scenarios."""
    return trained.models(client)


@pytest.fixture
def open_page(browser: Browser, up: Up) -> Iterator[Callable[..., Page]]:
    """`open_page(who)`: the page of somebody signed in; what the console complains of fails the test.

    script: whether the browser runs JavaScript.
    """
    complaints: list[str] = []
    contexts = []
    passwords = json.loads((up.data / "passwords.json").read_text())

    def opened(who: str = "editor", script: bool = True) -> Page:
        context = browser.new_context(
            base_url=up.url, viewport={"width": 1280, "height": 900}, java_script_enabled=script
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


def test_a_text_model_is_served_changed_rolled_back_stopped_and_started(
    open_page: Callable[..., Page], models: dict[str, list[str]], client: Client
) -> None:
    page = open_page()
    there = served_pages.a_text_model(page, client, models[trained.TEXT][0])
    page.locator("#stop").click()
    page.get_by_role("button", name="Stop deployment").click()
    page.wait_for_load_state()
    stay(page)
    expect(status(page)).to_have_attribute("data-status", "STOPPED", timeout=120 * SECONDS)
    shot(page, "deployment-stopped")
    assert address(page) == there
    page.locator("#again").click()
    expect(status(page)).not_to_have_attribute("data-status", "STOPPED")
    stay(page)
    runs(page)
    assert address(page) == there
    try_it(page, BITTER, "complaint", 3)
    (said,) = called(client, there, {"text": KIND})
    assert said["label"] == "compliment"


def test_a_digit_is_read_from_a_picture_after_three_clicks(
    open_page: Callable[..., Page], models: dict[str, list[str]], client: Client, tmp_path: Path
) -> None:
    page = open_page()
    there = served_pages.a_digits_model(page, client, models[trained.DIGITS][0], tmp_path)
    stay(page)
    page.get_by_role("link", name="Load a sample").click()
    expect(page.get_by_label("The values instead, row by row")).to_have_value(re.compile(r"^(\d+ ){63}\d+$"))
    page.get_by_role("button", name="Send request").click()
    expect(page.locator("#trial-answer summary")).to_contain_text("(3)")
    assert page.evaluate("window.neverReloaded") is True
    (said,) = called(client, there, {"rows": [trained.NOUGHT]})
    assert said["label"] == "0"


def test_a_viewer_sees_traffic_and_may_try_but_not_change(
    open_page: Callable[..., Page], models: dict[str, list[str]], client: Client
) -> None:
    deployment = standing(client, models)
    for _ in range(3):
        path = f"/inference/deployments/{deployment}/v1/predict"
        assert client.send("POST", path, json={"text": "So friendly."}).status_code == 200
    page = open_page("viewer")
    page.goto(f"{TUTORIAL}/deployments/{deployment}/")
    for words in ("Stop", "Start again", "Roll back", "Delete"):
        expect(page.get_by_role("button", name=words)).to_have_count(0)
    expect(page.get_by_role("link", name="Update configuration")).to_have_count(0)
    try_it(page, BITTER, "complaint", 1)
    page.get_by_role("navigation", name="Deployment").get_by_role("link", name="Traffic").click()
    expect(page.get_by_role("main")).to_contain_text("3 requests")
    shot(page, "traffic-viewer")


def test_a_model_is_deployed_and_tried_without_javascript(
    open_page: Callable[..., Page], models: dict[str, list[str]]
) -> None:
    page = open_page(script=False)
    begin(page, "text-model-tutorial")
    page.get_by_role("radio", name="text-clf-serve-onnx").check()
    finish(page, "text-clf-serve-onnx")

    def is_running() -> bool:
        page.reload()
        return status(page).get_attribute("data-status") in ("RUNNING", "DEAD")

    until(is_running, seconds=240, pause=0.5)
    try_it(page, KIND, "compliment", 1)
    shot(page, "deployment-plain")


def standing(client: Client, models: dict[str, list[str]]) -> str:
    """A deployment of a text model that runs; its id."""
    bound = trained.served(client, trained.TEXT, models[trained.TEXT][0], "for viewers")
    wanted = {"configurationId": bound}
    made = client.call("POST", "/lm/deployments", wanted, status=202, shape="DeploymentCreated")

    def is_running() -> bool:
        read = client.call("GET", f"/lm/deployments/{made['id']}", status=200, shape="AiDeployment")
        assert read["status"] != "DEAD", read
        return bool(read["status"] == "RUNNING")

    until(is_running, seconds=240, pause=0.5)
    return str(made["id"])
