"""Comparisons and boards in a real browser: every kind of chart is drawn under the page's content policy."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from launchpad.access import Role
from launchpad.grants import grant
from tests.mlops import factories
from tests.mlops.views.comparing import run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

# What Plotly makes of each kind; nothing of it is there before it has drawn.
MARKS = {
    "curves": ".scatterlayer .trace .js-line",
    "bars": ".barlayer .point path",
    "scatter": ".scatterlayer .points path",
    "heatmap": ".heatmaplayer image",
    "parallel": ".parcoords .y-axis",
}


@pytest.fixture
def site(transactional_db, web):
    """A server, a session of a viewer, and the query of three executions. Made before the browser's loop."""
    group = factories.place()
    shared = {"version": factories.catalog_version(group), "data": factories.artifact(group)}
    rows = [
        run(group, name=f"try {n}", epochs=str(n), accuracy=[0.5, 0.6 + n / 10], loss=[0.5, 0.4], **shared)
        for n in (1, 2, 3)
    ]
    user = User.objects.create_user("viewer")
    grant(Role.VIEWER, user, group)
    yield web.url, web.browser(user).cookies["sessionid"], "&".join(f"id={row.pk}" for row in rows)


@pytest.fixture
def page(site, chromium):
    """A page that notes what the content policy refuses and what fails."""
    url, session, _ = site
    context = chromium.new_context(base_url=url)
    context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
    yield page
    context.close()


def test_every_kind_of_chart_is_drawn_under_the_content_policy(site, page):
    for kind, mark in MARKS.items():
        page.goto(f"/w/local/g/red/compare/executions?{site[2]}&chart={kind}")
        expect(page.locator(f"#chart-compare {mark}").first).to_be_attached()
        assert page.complaints == [], kind


def test_a_board_draws_all_of_them_and_goes_over_the_whole_screen(site, page):
    page.goto(f"/w/local/g/red/compare/executions?{site[2]}&chart=curves")
    page.get_by_label("Name of the board").fill("All kinds")
    page.get_by_role("button", name="Save board").click()
    for number, kind in enumerate(list(MARKS)[1:], start=1):
        page.locator("select[name=kind]").select_option(kind)
        page.get_by_role("button", name="Add chart").click()
        expect(page.locator(f"#place-{number}")).to_be_attached()
    for number, mark in enumerate(MARKS.values()):
        expect(page.locator(f"#chart-board-{number} {mark}").first).to_be_attached()
    first = page.locator("#place-0")
    first.get_by_role("button", name="Full screen").click()
    expect(first.get_by_role("button", name="Leave full screen")).to_be_visible()
    assert page.complaints == []


def test_nothing_scrolls_sideways_on_a_phone(site, page):
    page.set_viewport_size({"width": 320, "height": 800})
    wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    for path in (
        *(f"compare/executions?{site[2]}&chart={kind}" for kind in MARKS),
        "boards/",
        "compare/models",
    ):
        page.goto(f"/w/local/g/red/{path}")
        assert page.evaluate(wide) == 0, path
