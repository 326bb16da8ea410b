"""From a line's writing by a run to its showing in a browser that has the run's page open."""

from __future__ import annotations

import os
import shutil
import threading

from playwright.sync_api import Page, sync_playwright

from tests.bench import stacks
from tests.bench.rows import Row, p95, spread
from tests.waiting import until

HOW = """A run prints the wall clock 100 times, every 0.2 to 0.5 s. Chromium has the execution's page open
and reads the same clock in the first animation frame after a line has come into the page; what the server
had sent with the page does not count. On Redis + PostgreSQL, one worker. Lines are gathered up to
LOG_FLUSH_SECONDS (0.4) and looked for four times a second."""
LINES = 100
SCRIPT = f"""sleep 4
i=0
while [ $i -lt {LINES} ]; do
  i=$((i + 1))
  date "+line $i %s.%N"
  sleep 0.$((200 + i * 7919 % 301))
done
"""
# Notes for each line when it was first shown. Lines that stand in the page already are told apart by -1.
OBSERVE = """
() => {
  const shown = window.shownLines = {};
  const read = (root) => [...root.querySelectorAll("li > span")]
    .map((place) => /^line (\\d+) (\\d+\\.\\d+)$/.exec(place.textContent)).filter(Boolean);
  for (const line of read(document)) shown[line[1]] = -1;
  new MutationObserver(() => requestAnimationFrame(() => {
    const now = performance.timeOrigin + performance.now();
    for (const line of read(document)) shown[line[1]] ??= now - Number(line[2]) * 1000;
  })).observe(document, { subtree: true, childList: true });
}
"""


def measure() -> list[Row]:
    """One row, in milliseconds."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise RuntimeError("There is no browser here (Chromium).")
    with stacks.servers() as place, stacks.production(*place) as stack, sync_playwright() as playwright:
        stack.web().close()
        stack.control()
        stack.worker()
        # As root, and in most containers, Chromium's own sandbox does not start.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = playwright.chromium.launch(executable_path=browser, args=arguments)
        page = chromium.new_page(base_url=f"http://127.0.0.1:{stack.port}")
        _sign_in(page)
        execution = stack.do("submit", executable="shell-run", SCRIPT=SCRIPT)
        until(lambda: stack.status(execution) == "RUNNING", seconds=30)
        page.goto(f"{stacks.GROUP}/executions/{execution}/")
        page.evaluate(OBSERVE)
        threading.Event().wait(LINES * 0.35)
        stack.wait_for(execution, "COMPLETED", seconds=90)
        # The last lines are on their way.
        page.wait_for_timeout(2000)
        shown = page.evaluate("() => window.shownLines")
        chromium.close()
    took = [value for value in shown.values() if value != -1]
    if len(shown) < LINES or len(took) < LINES * 0.9:
        raise RuntimeError(f"Only {len(took)} of {LINES} lines came into the page while it was open.")
    return [Row("line written → in the browser, p95", p95(took), "ms", 1000.0, note=spread(took, "ms"))]


def _sign_in(page: Page) -> None:
    page.goto("/sign-in")
    page.fill("input[name=username]", "editor")
    page.fill("input[name=password]", "editor")
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
