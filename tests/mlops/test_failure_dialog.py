"""Requests that fail in a real browser: a dialog with Retry where that helps, a toast where it does not."""

import pytest
from django.contrib.auth.models import User

from launchpad.access import Role
from launchpad.grants import grant
from tests.mlops import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def place(web, transactional_db):
    """A server, a session and the page of an execution."""
    group = factories.place()
    row = factories.execution(factories.configuration(group))
    user = User.objects.create_user("editor")
    grant(Role.EDITOR, user, group)
    return web.url, web.browser(user).cookies["sessionid"], f"/w/local/g/red/executions/{row.pk}/"


def test_what_may_work_the_next_time_is_tried_again_and_the_focus_comes_back(place, chromium):
    url, session, address = place
    context = chromium.new_context(base_url=url)
    context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    page = context.new_page()
    answers = ["refused", 503]

    def in_between(route):
        """The network is gone, then something in front of the server answers, then all is well."""
        answer = answers.pop(0) if answers else None
        if answer is None:
            route.continue_()
        elif answer == 503:
            route.fulfill(status=503, body="<h1>Service unavailable</h1>")
        else:
            route.abort()

    page.goto(f"{address}?tab=discussion")
    page.route("**/comments/**/add", in_between)
    field = page.locator("#discussion textarea").first
    field.fill("Said <b>once</b>.")
    field.press("Control+Enter")
    dialog = page.locator("#failure")
    dialog.wait_for()
    assert "it is not known whether anything was changed" in dialog.inner_text()
    assert dialog.locator("[data-retry]").evaluate("one => one === document.activeElement")
    assert (
        dialog.locator("[data-copy]").get_attribute("data-copy").startswith("POST /w/local/g/red/comments/")
    )
    page.keyboard.press("Escape")
    assert field.evaluate("one => one === document.activeElement")
    assert field.input_value() == "Said <b>once</b>."
    field.press("Control+Enter")
    page.get_by_text("The server in front of Launchpad did not reach it.").wait_for()
    assert "503" in dialog.locator("[data-copy]").get_attribute("data-copy")
    page.keyboard.press("Enter")
    page.locator("#discussion .said").get_by_text("Said <b>once</b>.", exact=True).wait_for()
    assert page.url.endswith("?tab=discussion") and page.locator("#discussion .said").count() == 1
    assert not dialog.is_visible()
    # What polls by itself interrupts nobody, and says once that nothing answers.
    page.route("**/*", lambda route: route.abort())
    for _ in range(2):
        page.evaluate("() => htmx.ajax('GET', location.pathname, { target: '#discussion' }).catch(() => {})")
    page.locator("#toasts").get_by_text("Launchpad did not answer.").wait_for()
    assert page.locator("#toasts .toast[data-kind=bad]").count() == 1 and not dialog.is_visible()
    context.close()
