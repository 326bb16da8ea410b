"""From a trained model to an address that answers, and back, in a real browser on the embedded stack."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.aiapi.client import Client
from tests.e2e import trained
from tests.e2e.main_job import TUTORIAL
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
SECONDS = 1000
KEY = ("--workspace", "local", "--resource-group", "tutorial", "--role", "mloperations_editor")
# A nought of 8 by 8 pixels, as the digits of the scenario are: bright on dark.
NOUGHT = ["00000000", "00999900", "09900990", "09900990", "09900990", "09900990", "00999900", "00000000"]


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
    with Client(json.loads(up.manage("create_service_key", "mine", *KEY)), "tutorial") as made:
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


def shot(page: Page, name: str) -> None:
    """Keep a picture where SCREENSHOTS names a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        # To hide the caret it would bring a style of its own, which the content policy refuses.
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True, caret="initial")


def status(page: Page) -> Locator:
    """The deployment's status at the head of its page."""
    return page.locator("#deployment-head .pill")


def begin(page: Page, model: str) -> None:
    """From the list of models to the wizard that serves the newest version of one: the first click."""
    page.goto(f"{TUTORIAL}/models/")
    page.get_by_role("link", name=model).first.click()
    page.get_by_role("main").get_by_role("link", name="Deploy", exact=True).click()


def finish(page: Page, executable: str) -> str:
    """The second and the third click; the address that the deployment's page shows."""
    page.get_by_role("button", name="Continue to review").click()
    expect(page.get_by_label("What will serve")).to_contain_text(executable)
    shot(page, f"review-{executable}")
    page.get_by_role("main").get_by_role("button", name="Deploy", exact=True).last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(executable)
    return address(page)


def address(page: Page) -> str:
    """Where the page says that requests go."""
    found = re.search(r"http\S+/v2/inference/deployments/d[0-9a-f]{15}\S*", status_line(page))
    assert found
    return found[0]


def status_line(page: Page) -> str:
    """The text of the head."""
    return page.locator("#deployment-head").inner_text()


def runs(page: Page) -> None:
    """It runs, and the page has come to know by itself."""
    expect(status(page)).to_have_attribute("data-status", "RUNNING", timeout=240 * SECONDS)
    assert page.evaluate("window.neverReloaded") is True


def stay(page: Page) -> None:
    """Mark the page, to know later that it has not been loaded again."""
    page.evaluate("window.neverReloaded = true")


def try_it(page: Page, sentence: str, label: str, revision: int) -> None:
    """Ask in the console; the answer has the label, a score and the revision."""
    page.get_by_label("Text", exact=True).fill(sentence)
    page.get_by_role("button", name="Send request").click()
    answer = page.locator("#trial-answer")
    expect(answer.locator(".score b").first).to_have_text(label)
    expect(answer.locator(".score .num").first).to_have_text(re.compile(r"^[5-9]\d(\.\d)?%$"))
    expect(answer).to_contain_text(f"answered by revision {revision}")


def takes_over(page: Page, number: int) -> None:
    """A revision serves and the one before it is gone, on a page that is not loaded again."""
    row = page.locator("#deployment-history tbody tr").first
    expect(row.locator("td").first).to_have_text(str(number))
    expect(row).to_contain_text("Current", timeout=240 * SECONDS)
    before = page.locator("#deployment-history tbody tr").nth(1).locator(".pill")
    expect(before).to_have_attribute("data-status", "STOPPED", timeout=120 * SECONDS)
    assert page.evaluate("window.neverReloaded") is True


def test_a_text_model_is_served_changed_rolled_back_stopped_and_started(
    open_page: Callable[..., Page], models: dict[str, list[str]], client: Client
) -> None:
    trained.served(client, trained.TEXT, models[trained.TEXT][0], "the first version")
    page = open_page()
    begin(page, "text-model-tutorial")
    shot(page, "servers-of-a-model")
    page.locator(".choice", has_text="text-clf-serve-onnx").click()
    there = finish(page, "text-clf-serve-onnx")
    stay(page)
    shot(page, "deployment-pending")
    runs(page)
    try_it(page, "The crew was friendly and helpful.", "compliment", 1)
    shot(page, "deployment-answer")

    page.get_by_role("link", name="Update configuration").click()
    page.locator(".choice", has_text="the first version").click()
    shot(page, "deployment-update")
    page.get_by_role("button", name="Update deployment").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("text-clf-serve-onnx")
    stay(page)
    takes_over(page, 2)
    try_it(page, "They lost my bag and nobody apologised.", "complaint", 2)
    shot(page, "deployment-revision-2")

    page.get_by_role("button", name="Roll back to revision 1").click()
    expect(page.locator("#deployment-history tbody tr")).to_have_count(3)
    stay(page)
    takes_over(page, 3)
    try_it(page, "The crew was friendly and helpful.", "compliment", 3)

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
    try_it(page, "They lost my bag and nobody apologised.", "complaint", 3)
    answer = client.http.post(
        there,
        json={"text": "The crew was friendly and helpful."},
        headers={"Authorization": f"Bearer {client.token}", "AI-Resource-Group": "tutorial"},
    )
    assert answer.json()["predictions"][0]["label"] == "compliment", answer.text


def test_a_digit_is_read_from_a_picture_after_three_clicks(
    open_page: Callable[..., Page], models: dict[str, list[str]], tmp_path: Path
) -> None:
    page = open_page()
    begin(page, "digits-model")
    finish(page, "digits-serve")
    stay(page)
    runs(page)
    picture = tmp_path / "nought.png"
    Image.frombytes("L", (8, 8), bytes(int(one) * 28 for row in NOUGHT for one in row)).save(picture)
    page.get_by_label("Picture").set_input_files(picture)
    page.get_by_role("button", name="Send request").click()
    answer = page.locator("#trial-answer")
    expect(answer.locator(".score b").first).to_have_text("0")
    expect(answer.locator(".score .num").first).to_have_text(re.compile(r"^\d+(\.\d)?%$"))
    shot(page, "digit-answer")
    page.get_by_role("link", name="Load a sample").click()
    expect(page.get_by_label("The values instead, row by row")).to_have_value(re.compile(r"^(\d+ ){63}\d+$"))
    page.get_by_role("button", name="Send request").click()
    expect(answer.locator("summary")).to_contain_text("(2)")
    assert page.evaluate("window.neverReloaded") is True


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
    try_it(page, "They lost my bag and nobody apologised.", "complaint", 1)
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
    try_it(page, "The crew was friendly and helpful.", "compliment", 1)
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
