"""Choosing where to work: health, last executions and last use, only of what is open to the person."""

import re

import pytest
from django.utils import timezone

from launchpad.access import Role
from launchpad.grants import grant
from launchpad.resource_groups.models import ResourceGroup
from mlops.lifecycle import Status
from mlops.models import Worker
from tests.mlops import factories
from tests.mlops.views.pages import body

pytestmark = pytest.mark.django_db
PAGE = "/workspaces/"


@pytest.fixture
def worker(db):
    now = timezone.now()
    return Worker.unscoped.create(host="one", pid=1, slots=2, started_at=now, seen_at=now)


def test_without_a_worker_the_page_says_what_that_means(red, editor, browse):
    shown = body(browse(editor).get(PAGE))
    assert "No worker is alive: executions are accepted and wait" in shown and "No worker</span>" in shown


def test_a_tile_tells_health_executions_and_last_use(red, editor, browse, worker):
    browser = browse(editor)
    shown = body(browser.get(PAGE))
    assert "no execution yet" in shown and "Working" in shown and "1 worker alive" in shown
    assert "You were here" not in shown
    factories.execution(factories.configuration(red), status=Status.RUNNING)
    browser.get("/w/north/g/red/")
    shown = body(browser.get(PAGE))
    assert "last execution" in shown and "You were here" in shown and "Last used" in shown
    assert '<td class="num p2">1</td>' in shown


def test_nothing_of_other_groups_is_counted(red, blue, viewer, browse, worker):
    factories.execution(factories.configuration(blue), status=Status.RUNNING)
    shown = body(browse(viewer).get(PAGE))
    assert "no execution yet" in shown and "1 group<" in shown and "/g/blue/" not in shown


def test_labels_are_shown_and_searched(red, blue, editor, browse):
    grant(Role.VIEWER, editor, blue)
    labels = [{"key": "ext.ai.sap.com/team", "value": "<i>north</i>"}]
    ResourceGroup.unscoped.filter(pk=red.pk).update(labels=labels)
    browser = browse(editor)
    shown = body(browser.get(f"{PAGE}north/"))
    assert "&lt;i&gt;north&lt;/i&gt;" in shown and 'aria-label="Labels of red"' in shown
    found = body(browser.get(f"{PAGE}north/", {"group": "TEAM"}))
    assert re.findall(r'class="id" href="([^"]+)"', found) == ["/w/north/g/red/"]
    assert "No resource group matches “&lt;b&gt;”" in body(browser.get(f"{PAGE}north/", {"group": "<b>"}))


def test_only_administrators_may_make_and_manage(red, editor, staff, browse):
    grant(Role.OPERATIONS_MANAGER, staff, red.workspace)
    grant(Role.EDITOR, staff, red)
    shown = body(browse(staff).get(f"{PAGE}north/"))
    for part in (
        "/w/north/resource-groups/create",
        "/w/north/resource-groups/red/",
        "/workspaces/create",
    ):
        assert f'href="{part}"' in shown
    shown = body(browse(editor).get(f"{PAGE}north/"))
    assert "resource-groups" not in shown and "/admin/" not in shown


def test_the_switcher_fetches_the_other_workspaces(red, green, editor, browse):
    grant(Role.VIEWER, editor, green)
    browser = browse(editor)
    assert 'hx-trigger="toggle from:closest details once"' in body(browser.get("/w/north/"))
    found = body(browser.get(PAGE, headers={"HX-Request": "true", "HX-Target": "other-workspaces"}))
    assert re.findall(r'href="([^"]+)"', found) == ["/workspaces/north/", "/workspaces/south/"]


@pytest.mark.parametrize("value", ["\0", "x" * 500, "%"])
def test_any_search_is_answered(value, red, editor, browse):
    assert browse(editor).get(PAGE, {"q": value, "group": value}).status_code == 200
