"""The list of executions in a browser that opens it for the first time, and how quick the palette is."""

from __future__ import annotations

import os
import shutil
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench import stacks
from tests.bench.fill import fill
from tests.bench.rows import Row, p95, spread

HOW = """Chromium with an empty cache and somebody signed in opens the list of 1,000 executions of a running
web server on PostgreSQL, 1440 and 390 px wide. Layout shift: the sum of what the browser reports
(`layout-shift` entries without recent input) until 4 s after the load. Bytes: bodies of style sheets and
scripts as transferred, compressed as the server sends them, without Plotly, which only pages with a chart
load. Palette: after 3 words for the caches, 12 texts are typed key by key; the server's part is from the
sending of a request to the last byte of its answer in the browser's own times, the whole is from the last key
to the first animation frame with the answer, and holds the 120 ms that the field waits for another key."""
EXECUTIONS = 1000
PAGE = f"{stacks.GROUP}/executions/"
WIDTHS = (1440, 390)
WORDS = (
    ("shell", "digits", "exec") + tuple(f"candidate {number}" for number in range(107, 1200, 100)) + ("e1",)
)
WARM = 3
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifts.push([one.value, one.startTime,
    one.sources.map((source) => source.node?.id || source.node?.className || source.node?.nodeName)]);
}).observe({ type: "layout-shift", buffered: true });
"""
TRANSFERRED = """
() => performance.getEntriesByType("resource")
  .filter((one) => /\\.(css|js)(\\?|$)/.test(one.name) && !/plotly/.test(one.name))
  .map((one) => [new URL(one.name).pathname.split("/").pop(), one.encodedBodySize])
"""
# Notes when the results are swapped, and when the field last changed.
WATCH = """
() => {
  const palette = document.getElementById("palette");
  palette.addEventListener("input", () => { window.typed = performance.now(); window.shown = 0; });
  new MutationObserver(() => requestAnimationFrame(() => { window.shown ||= performance.now(); }))
    .observe(palette, { subtree: true, childList: true });
}
"""
ANSWERED = """
() => {
  const asked = performance.getEntriesByType("resource").filter((one) => one.name.includes("/search"))
    .filter((one) => one.initiatorType === "xmlhttprequest" && one.startTime >= window.typed).at(-1);
  return asked && window.shown ? [asked.responseEnd - asked.requestStart, window.shown - window.typed] : null;
}
"""


def measure() -> list[Row]:
    """Layout shift at each width, bytes of CSS and JavaScript, and two times of the palette."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise RuntimeError("There is no browser here (Chromium).")
    with stacks.servers() as place, stacks.production(*place) as stack, sync_playwright() as playwright:
        fill(stack.database, EXECUTIONS)
        stack.web().close()
        url = f"http://127.0.0.1:{stack.port}"
        cookies = [
            {"name": one.name, "value": one.value, "url": url} for one in stacks.editor(url).http.cookies.jar
        ]
        # As root, and in most containers, Chromium's own sandbox does not start.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = playwright.chromium.launch(executable_path=found, args=arguments)
        try:
            rows = [_first(chromium, url, cookies, width) for width in WIDTHS]
            page = _opened(chromium, url, cookies, WIDTHS[0])
            return [*rows, _bytes(page), *_palette(page)]
        finally:
            chromium.close()


def _opened(chromium: Browser, url: str, cookies: list[Any], width: int) -> Page:
    """The list in a browser that has loaded nothing before."""
    context = chromium.new_context(base_url=url, viewport={"width": width, "height": 900})
    context.add_cookies(cookies)
    context.add_init_script(SHIFTS)
    page = context.new_page()
    page.goto(PAGE, wait_until="load")
    if page.locator("tbody tr").count() < 10:
        raise RuntimeError("The list shows no executions.")
    return page


def _first(chromium: Browser, url: str, cookies: list[Any], width: int) -> Row:
    page = _opened(chromium, url, cookies, width)
    page.wait_for_timeout(4000)
    shifts = page.evaluate("() => window.shifts")
    page.context.close()
    total = sum(value for value, _, _ in shifts)
    note = "; ".join(f"{value:.3f} at {at:.0f} ms: {', '.join(what)}" for value, at, what in shifts[:4])
    return Row(f"first load of the list, layout shift, {width} px", total, "", 0.0, note=note)


def _bytes(page: Page) -> Row:
    sizes = page.evaluate(TRANSFERRED)
    if not any(name.endswith(".css") for name, _ in sizes) or not all(size for _, size in sizes):
        raise RuntimeError(f"The browser does not tell what was transferred: {sizes}.")
    note = ", ".join(f"{name} {size / 1000:.1f}" for name, size in sorted(sizes, key=lambda one: -one[1]))
    total = sum(size for _, size in sizes) / 1000
    return Row("first load of the list, CSS and JavaScript", total, "KB", 120.0, note=note)


def _palette(page: Page) -> list[Row]:
    page.evaluate(WATCH)
    page.keyboard.press("Control+k")
    field = page.locator("#palette-search")
    served, shown = [], []
    for number, word in enumerate(WORDS):
        field.fill("")
        page.wait_for_timeout(400)
        field.press_sequentially(word, delay=60)
        answered = page.wait_for_function(ANSWERED, timeout=10_000).json_value()
        if number >= WARM:
            served.append(answered[0])
            shown.append(answered[1])
    return [
        Row("palette, the server's part, p95", p95(served), "ms", 50.0, note=spread(served, "ms")),
        Row("palette, last key → results shown, p95", p95(shown), "ms", note=spread(shown, "ms")),
    ]
