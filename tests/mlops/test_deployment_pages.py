"""Pages of deployments in a real browser: three clicks to a deployment, dialogs, and no page is too wide."""

import os
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from launchpad.access import Role, open_scope, system_scope
from launchpad.grants import grant
from mlops.domain import configurations, deployment_drafts, deployments
from mlops.lifecycle import Status
from mlops.models import Deployment
from tests.mlops import deploying, factories, standing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

HOME = "/w/local/g/red/"
LIST = f"{HOME}deployments/"
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def place(transactional_db, web):
    """A server, a session, and what there is: deployments by name, a configuration, a model, a draft."""
    group = factories.place()
    user = User.objects.create_user("editor")
    grant(Role.EDITOR, user, group)
    scope = open_scope(user, "local", "red")
    bound = deploying.configuration(group, servers=2)
    other = deploying.configuration(group, "goodbye")
    rows = {
        "live": standing.deployment(group, Status.RUNNING, bound=bound, ttl="2d"),
        "updated": standing.deployment(group, Status.RUNNING, bound=bound),
        "failed": standing.deployment(group, Status.RUNNING, bound=bound, ttl="2h"),
        "waits": standing.deployment(group, bound=other),
        "ends": standing.deployment(group, Status.STOPPING, bound=other),
        "stopped": standing.deployment(group, Status.STOPPED, bound=other),
        "dead": standing.deployment(group, Status.DEAD, bound=other),
    }
    deployments.update(system_scope(group), rows["updated"].pk, configuration=other.pk)
    deployments.update(system_scope(group), rows["failed"].pk, configuration=other.pk, reason="More petals")
    standing.fail(rows["failed"])
    soon = timezone.now() + timedelta(minutes=9)
    Deployment.unscoped.filter(pk=rows["failed"].pk).update(expires_at=soon)
    data = {"executable": "petals-serve", "configuration": str(bound.pk), "lasting": "limited", "number": "5"}
    yield {
        "url": web.url,
        "session": web.browser(user).cookies["sessionid"],
        "bound": bound.pk,
        "model": configurations.bindings(bound).artifacts[0][1].pk,
        "draft": deployment_drafts.save(scope, None, data).pk,
        **{name: row.pk for name, row in rows.items()},
    }


@pytest.fixture
def visit(place, chromium):
    """`visit(width, theme)`: a page in which the editor is signed in."""
    contexts = []

    def page(width=1280, theme="light"):
        context = chromium.new_context(
            base_url=place["url"], viewport={"width": width, "height": 900}, color_scheme=theme
        )
        context.add_cookies([{"name": "sessionid", "value": place["session"], "url": place["url"]}])
        contexts.append(context)
        return context.new_page()

    yield page
    for context in contexts:
        context.close()


def picture(page, name):
    """Kept where PICTURES says, to be looked at."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def addresses(place):
    """Every page of deployments that this module is about, by name."""
    create = f"{LIST}create?draft={place['draft']}&step="
    steps = ("scenario", "executable", "configuration", "duration", "review")
    return {
        "list": LIST,
        "filter": f"{LIST}?filter=source&scenario=petals-tutorial",
        "nothing": f"{LIST}?q=nowhere",
        "update": f"{LIST}{place['failed']}/update?configuration={place['bound']}",
        "extend": f"{LIST}{place['live']}/extend",
        **{f"create-{step}": create + step for step in steps},
        "create-model": f"{LIST}create?model={place['model']}",
        "configuration": f"{HOME}configurations/{place['bound']}/",
        "uses": f"{HOME}models/{place['model']}/?tab=uses",
        "executable": f"{HOME}executables/petals-serve/",
        "scenario": f"{HOME}scenarios/petals-tutorial/",
        "overview": f"{HOME}overview/",
    }


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_no_page_is_wider_than_its_window_or_complains(place, visit, width, theme):
    page = visit(width, theme)
    complaints = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    for name, address in addresses(place).items():
        page.goto(address)
        if (wide := page.evaluate(WIDE)) > 0:
            complaints.append(f"{name} scrolls sideways by {wide} px")
        picture(page, f"{name}-{theme}-{width}")
    assert complaints == []


def test_three_clicks_from_a_configuration(place, visit):
    page = visit()
    page.goto(f"{HOME}configurations/{place['bound']}/")
    page.get_by_role("link", name="Create deployment").click()
    page.get_by_role("button", name="Continue to review").click()
    page.get_by_role("button", name="Deploy", exact=True).last.click()
    page.wait_for_url(f"**{LIST}d*/")
    assert page.get_by_text("was created.").is_visible()


def test_three_clicks_from_a_model(place, visit):
    page = visit()
    page.goto(f"{HOME}models/{place['model']}/")
    page.get_by_role("link", name="Deploy", exact=True).click()
    page.get_by_role("button", name="Continue to review").click()
    page.get_by_role("button", name="Deploy", exact=True).last.click()
    page.wait_for_url(f"**{LIST}d*/")


def test_a_configuration_chosen_is_previewed(place, visit):
    page = visit()
    page.goto(f"{LIST}create?executable=petals-serve")
    page.get_by_role("radio", name="serve goodbye").check()
    page.locator("#preview-title", has_text="serve goodbye").wait_for()
    page.locator("#configuration-filter").fill("hello")
    page.get_by_role("radio", name="serve goodbye").wait_for(state="detached")
    picture(page, "create-search")


def test_stopping_asks_first_and_the_row_follows(place, visit):
    page = visit()
    page.goto(LIST)
    row = page.locator(f"#x-{place['live']}")
    row.locator("details.menu summary").click()
    row.get_by_role("button", name="Stop").click()
    dialog = page.locator("#confirm-stop")
    picture(page, "confirm-stop")
    dialog.get_by_role("button", name="Keep serving").click()
    assert row.get_by_text("Running", exact=True).is_visible()
    row.locator("details.menu summary").click()
    row.get_by_role("button", name="Stop").click()
    dialog.get_by_role("button", name="Stop deployment").click()
    row.get_by_text("Stopping", exact=True).wait_for()


def test_many_are_picked_and_reviewed(place, visit):
    page = visit()
    page.goto(LIST)
    page.locator("[data-pick-all]").check()
    assert page.locator("[data-picked]").text_content() == "7 selected"
    page.locator(".bulkbar").get_by_role("button", name="Delete").click()
    page.get_by_role("heading", name="Delete these deployments?").wait_for()
    picture(page, "bulk")
    page.get_by_role("button", name="Delete 2 deployments").click()
    page.get_by_role("heading", name="Deleted: 2 deployments").wait_for()
    picture(page, "bulk-done")
