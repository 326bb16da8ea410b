"""The documentation page in a real browser: a service key authorizes, a call is tried out, the CSP holds."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from launchpad.access import Role, system_scope
from launchpad.accounts import service_keys
from tests.mlops import factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

# Reads what a browser refused; a page that is drawn right but complains is not right.
WATCH = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.refused.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""


@pytest.fixture
def place(transactional_db, web):
    """A server with a scenario, a session of somebody with no role at all, and a new service key."""
    group = factories.place()
    factories.catalog_version(group)
    issued = service_keys.create(system_scope(group), name="notebook", role=Role.VIEWER)
    member = User.objects.create_user("member")
    yield web.url, web.browser(member).cookies["sessionid"], issued


@pytest.fixture
def page(place, chromium):
    """The documentation, drawn; nothing may have been refused, and nothing asked of another site."""
    url, session, _issued = place
    context = chromium.new_context(base_url=url)
    context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    context.add_init_script(WATCH)
    page = context.new_page()
    complaints, asked = [], []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/v2/docs")
    expect(page.locator(".opblock").first).to_be_visible()
    yield page
    assert page.evaluate("window.refused") == []
    assert complaints == []
    assert [one for one in asked if not one.startswith((url, "data:"))] == []
    context.close()


def authorize(page, client_id, client_secret):
    """Fill in the dialog as a person with a service key does."""
    page.get_by_role("button", name="Authorize").click()
    page.locator("input[data-name=clientId]").fill(client_id)
    page.locator("input[data-name=clientSecret]").fill(client_secret)
    page.locator(".auth-btn-wrapper").first.get_by_role("button", name=re.compile("Apply|Authorize")).click()


def test_a_call_is_tried_out_with_a_service_key(page, place):
    _url, _session, issued = place
    authorize(page, issued.client_id, issued.client_secret)
    expect(page.locator(".modal-ux")).to_contain_text("Authorized")
    page.locator(".auth-btn-wrapper").first.get_by_role("button", name="Close").click()
    operation = page.locator(".opblock", has=page.locator("[data-path='/v2/lm/scenarios']"))
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_placeholder("AI-Resource-Group").fill("red")
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table")
    expect(answer).to_contain_text("200")
    expect(answer).to_contain_text(factories.SCENARIO)


def test_a_wrong_secret_says_so(page, place):
    _url, _session, issued = place
    authorize(page, issued.client_id, "not the secret")
    expect(page.locator(".modal-ux")).to_contain_text("invalid_client")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_it_fits_and_can_be_read(page, theme, width):
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 900})
    page.locator(".opblock-summary-control").first.click()
    expect(page.locator(".opblock-body")).to_be_visible()
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wider) == 0
    colours = page.locator(".opblock-summary-path").first.evaluate(
        "(one) => [getComputedStyle(one).color, getComputedStyle(document.querySelector('h1')).color]"
    )
    assert colours[0] == colours[1]
