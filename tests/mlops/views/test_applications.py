"""Pages of applications: where each template stands, syncing now, and two people who change one."""

import re

import pytest
from django.utils import timezone

from launchpad.access import Role, open_scope
from launchpad.grants import grant
from mlops.domain import applications
from mlops.models import Source
from tests.mlops import factories
from tests.mlops.views.pages import body, queries

pytestmark = pytest.mark.django_db
PAGE = "/w/north/applications/"
BROKEN = "templates/train.yaml, line 12, spec.entrypoint: names no template <b>"


@pytest.fixture
def administrator(workspace, staff):
    grant(Role.OPERATIONS_MANAGER, staff, workspace)
    return staff


@pytest.fixture
def application(workspace):
    """Synced, with one executable taken and one that was not."""
    made = factories.application(factories.repository(workspace, name="team"), name="team-app")
    Source.unscoped.filter(pk=made.pk).update(
        commit="0123456789abcdef",
        synced_at=timezone.now(),
        resources=[
            {"name": "train", "kind": "WorkflowTemplate", "status": "SyncFailed", "message": BROKEN},
            {"name": "serve", "kind": "ServingTemplate", "status": "Synced", "message": ""},
        ],
    )
    return made


def current(user, name="team-app"):
    return applications.get(open_scope(user, "north"), name)


def test_nobody_else_finds_it(application, cast):
    for who in ("editor", "viewer", "manager", "outsider"):
        for url in (PAGE, f"{PAGE}team-app/", f"{PAGE}create", f"{PAGE}team-app/delete"):
            assert cast.client(who).get(url).status_code == 404
        assert cast.client(who).post(f"{PAGE}team-app/refresh").status_code == 404


def test_without_a_repository_the_page_leads_to_adding_one(administrator, browse):
    shown = body(browse(administrator).get(PAGE))
    assert "Add the repository first." in shown and 'href="/w/north/repositories/create"' in shown


def test_each_template_says_how_it_fared(administrator, browse, application):
    shown = body(browse(administrator).get(f"{PAGE}team-app/"))
    assert "templates/train.yaml, line 12, spec.entrypoint: names no template &lt;b&gt;" in shown
    assert "Not taken" in shown and "Synced" in shown and "Degraded" in shown
    assert "0123456" in shown
    assert "Degraded" in body(browse(administrator).get(PAGE))


def test_it_is_created_from_a_form_and_due_at_once(administrator, browse, workspace):
    factories.repository(workspace, name="team")
    sent = {"repository": "team", "revision": "main", "path": "demo", "name": "demo-app"}
    answer = browse(administrator).post(f"{PAGE}create", sent)
    assert (answer.status_code, answer["Location"]) == (303, f"{PAGE}demo-app/")
    made = current(administrator, "demo-app")
    assert (made.revision, made.path, made.due_at <= timezone.now()) == ("main", "demo", True)


@pytest.mark.parametrize(
    "wrong", [{"repository": "none"}, {"revision": "a..b"}, {"path": "../x"}, {"name": "A"}, {"path": "\0"}]
)
def test_what_is_wrong_is_said_and_nothing_made(wrong, administrator, browse, workspace):
    factories.repository(workspace, name="team")
    sent = {"repository": "team", "revision": "main", "path": "demo", "name": "demo-app"} | wrong
    shown = body(browse(administrator).post(f"{PAGE}create", sent), 422)
    assert f'id="id_{next(iter(wrong))}_error"' in shown
    assert not Source.unscoped.filter(kind="git").exists()


def test_sync_now_makes_it_due_with_and_without_script(administrator, browse, application):
    Source.unscoped.update(due_at=None, is_stale=False)
    browser = browse(administrator)
    assert browser.post(f"{PAGE}team-app/refresh")["Location"] == f"{PAGE}team-app/"
    assert current(administrator).due_at <= timezone.now() and current(administrator).is_stale
    answer = browser.post(
        f"{PAGE}team-app/refresh", headers={"HX-Request": "true", "HX-Target": "application-status"}
    )
    assert body(answer).strip().startswith('<div class="split" id="application-status"')


def test_the_second_of_two_people_is_told(administrator, browse, application):
    browser = browse(administrator)
    seen = re.search(r'name="seen" value="([^"]+)"', body(browser.get(f"{PAGE}team-app/change"))).group(1)
    sent = {"repository": "team", "revision": "v1", "path": "."}
    assert browser.post(f"{PAGE}team-app/change", sent | {"seen": seen}).status_code == 303
    shown = body(browser.post(f"{PAGE}team-app/change", sent | {"revision": "v2", "seen": seen}), 422)
    assert "Somebody else changed team-app meanwhile." in shown and 'value="v2"' in shown
    assert current(administrator).revision == "v1"


def test_deleting_says_what_stays(administrator, browse, application):
    browser = browse(administrator)
    shown = body(browser.get(f"{PAGE}team-app/delete"))
    assert "versions that it brought" in shown and "train, serve" in shown
    assert browser.post(f"{PAGE}team-app/delete").status_code == 303
    assert not applications.search(open_scope(administrator, "north")).exists()


def test_the_list_costs_the_same_and_is_filtered_by_repository(administrator, browse, application, workspace):
    browser = browse(administrator)
    once = queries(browser, PAGE)
    other = factories.repository(workspace, name="other")
    for number in (1, 2):
        factories.application(other, name=f"other-{number}", path=f"folder{number}")
    assert queries(browser, PAGE) == once <= 8
    shown = body(browser.get(PAGE, {"repository": "other"}))
    assert "other-1" in shown and "team-app" not in shown
    assert "No application matches." in body(browser.get(PAGE, {"repository": "\0"}))
