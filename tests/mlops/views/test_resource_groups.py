"""Pages of resource groups: made, labelled by one at a time, given up with what would go in view."""

import re

import pytest

from launchpad.access import Role, open_scope
from launchpad.grants import grant
from launchpad.resource_groups import resource_groups
from launchpad.resource_groups.models import ResourceGroup
from mlops.lifecycle import Status
from tests.mlops import deployed, factories
from tests.mlops.views.pages import body, queries

pytestmark = pytest.mark.django_db
PAGE = "/w/north/resource-groups/"


@pytest.fixture
def administrator(workspace, staff):
    grant(Role.OPERATIONS_MANAGER, staff, workspace)
    return staff


def test_nobody_else_finds_them(red, cast):
    for who in ("editor", "viewer", "manager", "neighbour"):
        for url in (PAGE, f"{PAGE}create", f"{PAGE}red/", f"{PAGE}red/change", f"{PAGE}red/delete"):
            assert cast.client(who).get(url).status_code == 404
        assert cast.client(who).post(f"{PAGE}red/delete").status_code == 404
    assert ResourceGroup.unscoped.get(slug="red").deleting_at is None


def test_one_is_made_with_labels_and_its_maker_may_work_there(administrator, browse):
    browser = browse(administrator)
    sent = {"slug": "amber", "description": "For <b>trials</b>", "labels": "team=north"}
    answer = browser.post(f"{PAGE}create", sent)
    assert (answer.status_code, answer["Location"]) == (303, f"{PAGE}amber/")
    shown = body(browser.get(f"{PAGE}amber/"))
    assert "ext.ai.sap.com/team" in shown and "For &lt;b&gt;trials&lt;/b&gt;" in shown
    assert open_scope(administrator, "north", "amber").may_change


def test_a_taken_id_is_refused(red, administrator, browse):
    shown = body(browse(administrator).post(f"{PAGE}create", {"slug": "red"}), 422)
    assert "There is a resource group red in this workspace already." in shown


@pytest.mark.parametrize("slug", ["", "ab", "a b c", "\0abc", "x" * 300, "../x"])
def test_a_wrong_id_is_refused(slug, administrator, browse):
    assert browse(administrator).post(f"{PAGE}create", {"slug": slug}).status_code == 422
    assert not ResourceGroup.unscoped.exists()


def test_the_second_of_two_people_is_told(red, administrator, browse):
    browser = browse(administrator)
    seen = re.search(r'name="seen" value="([^"]+)"', body(browser.get(f"{PAGE}red/change"))).group(1)
    sent = {"description": "first", "labels": "a=b", "seen": seen}
    assert browser.post(f"{PAGE}red/change", sent).status_code == 303
    shown = body(browser.post(f"{PAGE}red/change", sent | {"description": "second"}), 422)
    assert "Somebody else changed red meanwhile." in shown
    assert ResourceGroup.unscoped.get(slug="red").description == "first"
    again = body(browser.post(f"{PAGE}red/change", {"description": "x" * 300}), 422)
    assert 'id="id_description_error"' in again


def test_what_it_holds_is_shown_before_it_goes(red, administrator, browse):
    factories.execution(factories.configuration(red), status=Status.RUNNING)
    for status in (Status.RUNNING, Status.STOPPED):
        deployed.deployment(deployed.configuration(red), status=status)
    browser = browse(administrator)
    shown = body(browser.get(f"{PAGE}red/delete"))
    facts = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", shown))
    assert (facts["Running executions"], facts["Executions"], facts["Artifacts"]) == ("1", "1", "3")
    assert (facts["Running deployments"], facts["Deployments"]) == ("1", "2")
    assert browser.post(f"{PAGE}red/delete").status_code == 303
    assert ResourceGroup.unscoped.get(slug="red").deleting_at is not None
    assert browser.get(f"{PAGE}red/").status_code == 404


def test_default_always_exists(administrator, browse):
    resource_groups.create(open_scope(administrator, "north"), slug="default")
    browser = browse(administrator)
    shown = body(browser.get(f"{PAGE}default/delete"))
    assert "it cannot be deleted" in shown and "Delete default and everything in it" not in shown
    assert browser.post(f"{PAGE}default/delete").status_code == 422
    assert "disabled" in body(browser.get(f"{PAGE}default/"))


def test_the_list_costs_the_same_and_is_searched(red, administrator, browse, workspace):
    browser = browse(administrator)
    once = queries(browser, PAGE)
    for slug in ("lime", "pink"):
        ResourceGroup.unscoped.create(workspace=workspace, slug=slug)
    assert queries(browser, PAGE) == once <= 8
    shown = body(browser.get(PAGE, {"q": "PIN"}))
    assert f'href="{PAGE}pink/"' in shown and f'href="{PAGE}lime/"' not in shown
