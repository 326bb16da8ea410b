"""Every page of the product, as viewer, editor and administrator, in both themes, wide and on a phone.

The pages are found by walking the URLconf, so that a new one cannot be forgotten; their tabs by their links.
With SCREENSHOTS naming a folder, each page is left there as a picture.
"""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page

from launchpad.checks import routes
from launchpad.http import READ, policies
from tests.bench import stacks
from tests.bench.stacks import Embedded
from tests.e2e import deployed
from tests.waiting import until

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.browser,
    pytest.mark.slow,
    # Playwright leaves its own pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
AXE = Path(sys.prefix) / "npm" / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = os.environ.get("SCREENSHOTS", "")
PLACE = {"workspace": "local", "resource_group": "tutorial"}
ENDED = ("COMPLETED", "DEAD", "STOPPED")
WIDE, PHONE = 1280, 390
# Person → the themes and widths the walk is done in.
# Milliseconds.
PATIENCE = 180_000
WALKS = {
    "editor": (("light", WIDE), ("dark", PHONE)),
    "viewer": (("dark", WIDE), ("light", PHONE)),
    "admin": (("light", WIDE), ("dark", PHONE)),
}
# What axe finds, as [rule, what it means, where]. What Swagger UI draws inside its own element is not ours.
FOREIGN = ".swagger-ui"
CHECK = """async (foreign) => {
  const found = await axe.run({exclude: [[foreign]]}, {resultTypes: ["violations"]});
  return found.violations.map((one) => [one.id, one.help, one.nodes.slice(0, 3).map((node) => node.html)]);
}"""
# How far the page is wider than the window.
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Tabs that one would have to scroll to.
HIDDEN = """() => [...document.querySelectorAll(".tabs > a")].map((tab) => [tab, tab.getBoundingClientRect()])
  .filter(([tab, box]) => box.right > tab.parentElement.getBoundingClientRect().right + 1)
  .map(([tab]) => tab.textContent)"""


class World:
    """A furnished stack. values: what stands for each argument of an address."""

    def __init__(self, stack: Embedded) -> None:
        self.stack = stack
        said = subprocess.run(
            [sys.executable, "-m", "tests.e2e.furnish"],
            cwd=stacks.ROOT,
            env=stack.env | {"LAUNCHPAD_EMBEDDED": "1"},
            check=True,
            capture_output=True,
            text=True,
        )
        told = json.loads(said.stdout.splitlines()[-1])
        self.executions: dict[str, str] = told["executions"]
        until(self._has_run, seconds=400, pause=0.5)
        self.values = self._values() | told["values"]
        self.passwords = json.loads((stack.data / "passwords.json").read_text())

    def _has_run(self) -> bool:
        statuses = self.stack.rows("SELECT status FROM mlops_execution")
        served = self.stack.rows(deployed.STATES)
        return all(status in ENDED for (status,) in statuses) and set(served) <= deployed.AT_REST

    def _one(self, query: str) -> str:
        found = str(self.stack.rows(query)[0][0])
        # SQLite keeps a UUID as its 32 digits.
        return str(uuid.UUID(found)) if re.fullmatch(r"[0-9a-f]{32}", found) else found

    def _values(self) -> dict[str, str]:
        best = self.executions["better"]
        artifact = "SELECT id FROM mlops_artifact WHERE"
        model = self._one(f"{artifact} kind = 'model' AND execution_id = '{best}'")
        run = f"FROM mlops_execution WHERE id = '{best}'"
        return {
            "execution_id": best,
            "configuration_id": self._one(f"SELECT configuration_id {run}"),
            "executable": "digits-train",
            "scenario": "digits",
            "models.artifact_id": model,
            "artifact_id": model,
            "kind": "executions",
            "key": best,
        }

    def browser(self, who: str) -> httpx.Client:
        """Somebody signed in, without JavaScript."""
        person = stacks.Person(self.stack.url)
        person.sign_in(who, self.passwords[who])
        return person.http

    def pages(self, who: str) -> dict[str, str]:
        """Name → address of every page that answers this person with HTML, tabs included.

        A route whose argument this world has no value for is left to the URL walk of the other tests.
        """
        http = self.browser(who)
        found: dict[str, str] = {}
        for name, address in self._addresses():
            answer = http.get(address, follow_redirects=False)
            assert answer.status_code < 500, f"{who} GET {address}: {answer.status_code}"
            if answer.status_code != 200 or "text/html" not in answer.headers["content-type"]:
                continue
            found[name] = address
            for tab in sorted(set(re.findall(r'href="([^"]*\?tab=[a-z_-]+)"', answer.text))):
                path, _, query = tab.partition("?")
                if path in ("", address):
                    found[f"{name}, {query}"] = f"{address}?{query}"
        http.close()
        return found

    def _addresses(self) -> Iterator[tuple[str, str]]:
        known = self.values | PLACE
        for route, name, pattern in routes():
            reading = [methods for methods, policy in policies(pattern.callback) if policy.kind != "endpoint"]
            if not reading or READ[0] not in reading[0]:
                continue
            noun = name.split(":")[-1].split(".")[0]
            names = [part.split(">")[0].split(":")[-1] for part in route.split("<")[1:]]
            values = {one: known.get(f"{noun}.{one}", known.get(one)) for one in names}
            if all(values.values()):
                place = " in a group" if "resource_group" in names else ""
                yield f"{name}{place}", reverse(name, kwargs=values) + self._asked(name)

        # Steps of a wizard are pages of their own.
        for noun, last in (("schedule", "schedule"), ("deployment", "duration")):
            create = reverse(f"mlops:{noun}s.create", kwargs=PLACE)
            draft = self.values[f"{noun}_draft"]
            for step in ("scenario", "executable", "configuration", last):
                yield f"mlops:{noun}s.create, {step}", f"{create}?draft={draft}&step={step}"
        yield "mlops:deployments.create, model", f"{create}?model={self.values['models.artifact_id']}"

    def _asked(self, name: str) -> str:
        """What an address asks for besides its arguments, where it shows little without."""
        runs = "&".join(f"id={self.executions[one]}" for one in ("first", "better"))
        start = f"?execution={self.executions['better']}"
        asked = {
            "compare.executions": f"?{runs}",
            "deployments.create": f"?draft={self.values['deployment_draft']}&step=review",
            "deployments.update": f"?configuration={self.values['served']}",
            "schedules.create": f"?draft={self.values['schedule_draft']}&step=review",
            "schedules.preview": "?cron=30+2+*+3,10+*&zone=Europe/Berlin",
            "search.index": "?q=digits",
            "variations.create": start,
            "sweeps.create": start,
        }
        return asked.get(name.removeprefix("mlops:"), "")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One for all walks; making it trains three models."""
    with stacks.embedded() as stack:
        yield World(stack)


class Visit:
    """A person in front of Chromium; what the browser complains about is kept."""

    def __init__(self, world: World, chromium: Browser, who: str, theme: str, width: int) -> None:
        context = chromium.new_context(
            base_url=world.stack.url,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
        )
        cookies = world.browser(who).cookies
        context.add_cookies(
            [{"name": one.name, "value": one.value, "url": world.stack.url} for one in cookies.jar]
        )
        # What hangs ends; a machine with much else to do takes its time.
        context.set_default_timeout(PATIENCE)
        context.set_default_navigation_timeout(PATIENCE)
        self.name = f"{who}, {theme}, {width}"
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on(
            "console",
            lambda said: self.complaints.append(f"console: {said.text}") if said.type == "error" else None,
        )
        self.close = context.close

    def look(self, name: str, address: str) -> list[str]:
        """What is wrong with the page, each as a sentence."""
        self.complaints.clear()
        answer = self.page.goto(address, wait_until="load")
        wrong = (
            [] if answer is not None and answer.status == 200 else [f"answered {answer and answer.status}"]
        )
        if (wide := self.page.evaluate(SIDEWAYS)) > 0:
            wrong.append(f"scrolls sideways by {wide} px")
        if hidden := self.page.evaluate(HIDDEN):
            wrong.append(f"hides the tabs {hidden}")
        headings = self.page.locator("h1").count() - self.page.locator(f"{FOREIGN} h1").count()
        if headings != 1:
            wrong.append(f"has {headings} headings of the first level")
        self.page.evaluate(_axe())
        wrong += [f"{rule}: {means} {where}" for rule, means, where in self.page.evaluate(CHECK, FOREIGN)]
        if self.page.locator(FOREIGN).count():
            # It asks for inline styles, which it does without.
            self.complaints = [one for one in self.complaints if "inline style" not in one]
        if SCREENSHOTS:
            self._picture(name)
        return [f"{name} ({self.name}) {one}" for one in wrong + self.complaints]

    def _picture(self, name: str) -> None:
        file = re.sub(r"[^a-z0-9]+", "-", f"{name} {self.name}".lower()).strip("-")
        Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=Path(SCREENSHOTS) / f"{file}.png", full_page=True)


@functools.cache
def _axe() -> str:
    if not AXE.exists():
        pytest.skip("no axe-core on this machine: npm installs it with `make .venv/tests`")
    return AXE.read_text()


@pytest.mark.parametrize("who", WALKS)
def test_every_page_is_sound_and_accessible(world: World, chromium: Browser, who: str):
    pages: dict[str, Any] = world.pages(who)
    assert len(pages) > 20
    wrong = []
    for theme, width in WALKS[who]:
        visit = Visit(world, chromium, who, theme, width)
        for name, address in pages.items():
            wrong += visit.look(name, address)
        visit.close()
    assert wrong == [], "\n".join(wrong)
