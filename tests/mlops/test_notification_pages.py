"""Pages of notifications in a real browser: accessible, as wide as the window, followed while they wait."""

import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from launchpad.access import Role
from launchpad.grants import grant
from mlops.models import NotificationRule
from tests.mlops import factories
from tests.mlops.noticing import tried

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

AXE = Path(sys.prefix) / "npm" / "node_modules" / "axe-core" / "axe.min.js"
CHECK = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .map((one) => [one.id, one.nodes.slice(0, 2).map((node) => node.html)])"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
LONG = "W" * 256
HOME = "/w/local/g/red/notifications/"


@pytest.fixture
def place(transactional_db, web):
    """A server, a session, and rules with the longest names there may be."""
    group = factories.place()
    failed = tried(group, state="failed", next_try_at=None, answer="5" * 512)
    failed.payload["data"]["title"] = LONG[:200]
    failed.save()
    tried(group, state="sent", next_try_at=None)
    NotificationRule.unscoped.update(name=LONG, target=f"https://{'w' * 300}/…")
    NotificationRule.unscoped.exclude(pk=failed.rule_id).update(is_active=False, message="Paused by ada.")
    user = User.objects.create_user("editor")
    grant(Role.EDITOR, user, group)
    return web.url, web.browser(user).cookies["sessionid"], failed.rule_id


def opened(place, chromium, **options):
    url, session, _ = place
    context = chromium.new_context(base_url=url, reduced_motion="reduce", **options)
    context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    return context


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("dark", 390), ("light", 320)])
def test_every_page_is_accessible_and_fits(place, chromium, theme, width):
    rule = place[2]
    # The server's policy lets no other script in.
    context = opened(place, chromium, color_scheme=theme, bypass_csp=True)
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    found = {}
    paths = ("", "create", "create?channel=email", "log", f"log?rule={rule}", "log?state=sent")
    for path in (*paths, f"{rule}/edit", f"{rule}/rotate", f"{rule}/delete"):
        assert page.goto(f"{HOME}{path}").status == 200
        page.add_script_tag(path=AXE)
        found[path] = (page.evaluate(CHECK), page.evaluate(SIDEWAYS))
    context.close()
    assert {path: what for path, what in found.items() if what != ([], 0)} == {}


def test_a_rule_is_made_and_tested_without_script(place, chromium):
    context = opened(place, chromium, java_script_enabled=False)
    page = context.new_page()
    page.goto(HOME)
    page.click("text=Create notification rule")
    page.fill("[name=name]", "On call")
    page.fill("[name=url]", "https://10.0.0.1/hook")
    page.click("button:has-text('Create notification rule')")
    assert "not a public address" in page.text_content("main")
    page.fill("[name=url]", "https://93.184.215.14/hook")
    page.select_option("[name=about]", "executions")
    page.click("button:has-text('Create notification rule')")
    assert page.text_content("#secret").startswith("whsec_")
    page.click("button:has-text('Send test')")
    assert "Test of On call" in page.text_content("#notice-table")
    context.close()


def test_the_log_follows_what_waits(place, chromium):
    context = opened(place, chromium)
    page = context.new_page()
    page.goto(f"{HOME}log?state=failed")
    page.click("button:has-text('Send again')")
    page.wait_for_selector("text=It is sent again.")
    page.goto(f"{HOME}log")
    assert page.get_attribute("#notice-table", "hx-trigger") == "every 3s"
    # Somebody pauses the rule, which ends what waits.
    other = context.new_page()
    other.goto(HOME)
    other.click(f"#r-{place[2]} summary")
    other.click(f"#r-{place[2]} button:has-text('Pause')")
    other.wait_for_selector(f"#r-{place[2]} >> text=paused")
    page.wait_for_selector("#notice-table:not([hx-trigger])")
    context.close()
