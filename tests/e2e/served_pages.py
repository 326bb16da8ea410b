"""What a person does with deployments in a browser: deploy a model, ask it, roll another one in and back."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.aiapi.client import Client
from tests.e2e import trained
from tests.e2e.main_job import TUTORIAL

SECONDS = 1000
KIND, BITTER = "The crew was friendly and helpful.", "They lost my bag and nobody apologised."


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


def show_it(page: Page, folder: Path, revision: int) -> None:
    """Show a picture of a nought in the console; it is read, with a score, by the revision."""
    picture = folder / "nought.png"
    Image.frombytes("L", (8, 8), bytes(one * 28 for one in trained.NOUGHT)).save(picture)
    page.get_by_label("Picture").set_input_files(picture)
    page.get_by_role("button", name="Send request").click()
    answer = page.locator("#trial-answer")
    expect(answer).to_contain_text(f"answered by revision {revision}")
    expect(answer.locator(".score b").first).to_have_text("0")
    expect(answer.locator(".score .num").first).to_have_text(re.compile(r"^\d+(\.\d)?%$"))


def roll_in(page: Page, name: str, number: int) -> None:
    """Update a deployment to a configuration by its name; the new revision takes over."""
    serving = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("link", name="Update configuration").click()
    page.locator(".choice", has_text=name).click()
    shot(page, f"update-{serving}")
    page.get_by_role("button", name="Update deployment").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(serving)
    stay(page)
    takes_over(page, number)


def a_text_model(page: Page, client: Client, first: str) -> str:
    """The newest text model is deployed, `first` is rolled in and rolled back; the deployment's address.

    first: the id of an older one. The page stays on the deployment's, whose revision 3 serves.
    """
    trained.served(client, trained.TEXT, first, "the first version")
    begin(page, "text-model-tutorial")
    shot(page, "servers-of-a-model")
    page.locator(".choice", has_text="text-clf-serve-onnx").click()
    there = finish(page, "text-clf-serve-onnx")
    stay(page)
    shot(page, "deployment-pending")
    runs(page)
    try_it(page, KIND, "compliment", 1)
    shot(page, "deployment-answer")
    roll_in(page, "the first version", 2)
    try_it(page, BITTER, "complaint", 2)
    shot(page, "deployment-revision-2")

    page.get_by_role("button", name="Roll back to revision 1").click()
    expect(page.locator("#deployment-history tbody tr")).to_have_count(3)
    stay(page)
    takes_over(page, 3)
    try_it(page, KIND, "compliment", 3)
    assert address(page) == there
    return there


def a_digits_model(page: Page, client: Client, first: str, folder: Path) -> str:
    """The newest model of the digits is deployed after three clicks and `first` rolled in; its address.

    first: the id of an older one; folder: for a picture.
    """
    trained.served(client, trained.DIGITS, first, "the first digits")
    begin(page, "digits-model")
    there = finish(page, "digits-serve")
    stay(page)
    runs(page)
    show_it(page, folder, 1)
    shot(page, "digit-answer")
    roll_in(page, "the first digits", 2)
    show_it(page, folder, 2)
    assert address(page) == there
    return there


def called(client: Client, there: str, body: Any) -> Any:
    """What the address of a deployment answers to a client of the AI API."""
    headers = {"Authorization": f"Bearer {client.token}", "AI-Resource-Group": "tutorial"}
    answer = client.http.post(there, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["predictions"]


def takes_over(page: Page, number: int) -> None:
    """A revision serves and the one before it is gone, on a page that is not loaded again."""
    row = page.locator("#deployment-history tbody tr").first
    expect(row.locator("td").first).to_have_text(str(number))
    expect(row).to_contain_text("Current", timeout=240 * SECONDS)
    before = page.locator("#deployment-history tbody tr").nth(1).locator(".pill")
    expect(before).to_have_attribute("data-status", "STOPPED", timeout=120 * SECONDS)
    assert page.evaluate("window.neverReloaded") is True
