"""Pages in a real browser with the longest names there may be: nothing scrolls sideways or sticks out."""

import pytest
from django.contrib.auth.models import User

from launchpad.access import Role, system_scope
from launchpad.grants import grant
from mlops.domain import metrics
from mlops.lifecycle import Status
from tests.mlops import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

LONG = "W" * 256
# How far the page is wider than the window, and what sticks out of a card or the page without a scroll bar.
MEASURE = """() => [
  document.documentElement.scrollWidth - document.documentElement.clientWidth,
  [...document.querySelectorAll(".card .tag, .card .kv *, .dag text, .page td")].filter((one) => {
    for (let box = one.parentElement; !box.matches(".card, .page"); box = box.parentElement) {
      if (["auto", "scroll"].includes(getComputedStyle(box).overflowX)) return false;
    }
    const box = one.closest(".card") || one.closest(".page");
    const scrolls = ["auto", "scroll"].includes(getComputedStyle(box).overflowX);
    return one.getBoundingClientRect().right > box.getBoundingClientRect().right + 1 && !scrolls;
  }).map((one) => one.textContent)]"""


@pytest.fixture
def place(transactional_db, web):
    """A server, a session, and the keys of rows with long names. Made before the browser runs its loop."""
    group = factories.place()
    data = factories.artifact(group, name=LONG)
    bound = factories.configuration(group, name=LONG, inputs={"petals": data})
    row = factories.execution(bound, status=Status.COMPLETED)
    tags = [("framework", "scikit-learn 1.9.1"), ("note", "W" * 200)]
    metrics.record(system_scope(group), row.pk, metrics=[], tags=tags, custom_info=[])
    user = User.objects.create_user("editor")
    grant(Role.EDITOR, user, group)
    keys = {"execution": row.pk, "configuration": bound.pk, "dataset": data.pk}
    yield web.url, web.browser(user).cookies["sessionid"], keys


@pytest.fixture
def shown(place, chromium):
    """`shown(path, width)`: what MEASURE finds on that page of the group."""
    url, session, keys = place
    context = chromium.new_context(base_url=url)
    context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    page = context.new_page()

    def visit(path, width):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.goto(f"/w/local/g/red/{path.format(**keys)}").status == 200
        return page.evaluate(MEASURE)

    yield visit
    context.close()


def test_long_names_fit_everywhere(shown):
    paths = (
        *("scenarios/", "scenarios/petals-tutorial/", "executables/petals-train/"),
        *("datasets/", "datasets/register", "configurations/", "configurations/create"),
        *("executions/", "executions/create", "datasets/{dataset}/", "configurations/{configuration}/"),
        *(f"datasets/{{dataset}}/?tab={tab}" for tab in ("files", "versions", "metrics", "uses")),
        *("datasets/?view=names&name=W&label=a%3Db", "artifacts/{dataset}/describe"),
        *("artifacts/{dataset}/difference",),
        *(f"executions/{{execution}}/?tab={tab}" for tab in ("", "metrics", "logs", "artifacts", "events")),
    )
    found = {(path, width): shown(path, width) for path in paths for width in (320, 768, 1200, 1440)}
    assert {at: what for at, what in found.items() if what != [0, []]} == {}


def test_what_opens_on_a_narrow_screen_stays_on_it(place, chromium):
    url, session, _ = place
    context = chromium.new_context(base_url=url, viewport={"width": 320, "height": 844})
    context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    page = context.new_page()
    page.goto("/w/local/g/red/datasets/?scenario=petals-tutorial&q=W&label=stage%3Dgold")
    page.click("summary:has-text('Add filter')")
    panel = page.locator(".filters .menu-panel:visible").bounding_box()
    assert panel["x"] >= 0 and panel["x"] + panel["width"] <= 320
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    context.close()
