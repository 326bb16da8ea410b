"""Workspaces are made and described in the browser, by staff."""

import pytest
from django.db import transaction

from launchpad.access import Role, open_scope
from launchpad.audit.models import AuditEvent
from launchpad.errors import Forbidden, Invalid
from launchpad.grants import grant
from launchpad.resource_groups.models import ResourceGroup
from launchpad.workspaces import workspaces
from launchpad.workspaces.models import Workspace
from tests.mlops.views.pages import body

pytestmark = [pytest.mark.django_db, pytest.mark.database]
CREATE = "/workspaces/create"
CHANGE = "/workspaces/north/change"
NEW = {"slug": "east", "description": "For <b>trials</b>"}


@pytest.fixture
def administrator(workspace, staff):
    grant(Role.OPERATIONS_MANAGER, staff, workspace)
    return staff


def test_one_is_made_with_its_default_group_and_its_maker_may_work_there(staff, browse):
    browser = browse(staff)
    answer = browser.post(CREATE, NEW)
    assert (answer.status_code, answer["Location"]) == (303, "/workspaces/east/")
    shown = body(browser.get("/workspaces/east/"))
    assert "For &lt;b&gt;trials&lt;/b&gt;" in shown and 'href="/workspaces/east/change"' in shown
    assert [one.slug for one in ResourceGroup.unscoped.filter(workspace="east")] == ["default"]
    assert open_scope(staff, "east").may_change and open_scope(staff, "east", "default").may_change
    events = AuditEvent.unscoped.order_by("id").values_list("actor", "verb", "workspace", "object_id")
    assert events[0] == ("staff", "workspaces.create", "east", "east")
    assert events[1][:3] == ("staff", "resource_groups.create", "east")
    assert AuditEvent.unscoped.earliest("id").detail == {**NEW, "runtime": "embedded"}


@pytest.mark.parametrize("slug", ["north", "Upper", "-x", "a/b", "a b", "a\0", "x" * 64, ""])
def test_an_id_that_is_taken_or_malformed_is_refused_and_what_was_typed_is_kept(slug, administrator, browse):
    answer = browse(administrator).post(CREATE, {**NEW, "slug": slug})
    shown = body(answer, 422)
    assert 'id="id_slug_error"' in shown and "For &lt;b&gt;trials&lt;/b&gt;" in shown
    assert Workspace.unscoped.count() == 1 and not AuditEvent.unscoped.exists()


def test_the_refusal_of_a_taken_id_leaves_the_transaction_around_it_usable(administrator):
    with transaction.atomic():
        with pytest.raises(Invalid):
            workspaces.create(administrator, slug="north")
        workspaces.create(administrator, slug="east")
    assert Workspace.unscoped.get(slug="north").description == "Where red and blue are"


def test_nobody_but_staff_makes_or_describes_one(red, cast):
    for who in ("editor", "viewer", "manager", "neighbour", "outsider"):
        for url, sent in ((CREATE, NEW), (CHANGE, {"description": "Mine"})):
            assert cast.client(who).get(url).status_code == 404
            assert cast.client(who).post(url, sent).status_code == 404
        assert "/workspaces/create" not in body(cast.client(who).get("/workspaces/"))
        with pytest.raises(Forbidden):
            workspaces.create(cast.people[who], slug="east")
    # Staff who have not passed the gate of a workspace do not find it.
    assert cast.client("staff").post(CHANGE, {"description": "Mine"}).status_code == 404
    assert list(Workspace.unscoped.values_list("description", flat=True)) == ["Where red and blue are"]


def test_the_description_changes_and_the_id_never(administrator, browse):
    answer = browse(administrator).post(CHANGE, {"slug": "other", "description": "New"})
    assert (answer.status_code, answer["Location"]) == (303, "/workspaces/north/")
    assert list(Workspace.unscoped.values_list("slug", "description")) == [("north", "New")]
    event = AuditEvent.unscoped.get()
    assert (event.actor, event.verb, event.detail["description"]) == ("staff", "workspaces.change", "New")


def test_the_second_editor_is_told_and_changes_nothing(administrator, superuser, browse):
    browser = browse(administrator)
    seen = workspaces.fingerprint(Workspace.unscoped.get())
    assert seen in body(browser.get(CHANGE))
    browse(superuser).post(CHANGE, {"description": "Theirs", "seen": seen})
    answer = browser.post(CHANGE, {"description": "Mine", "seen": seen})
    shown = body(answer, 422)
    assert "Somebody else changed north meanwhile" in shown and 'value="Mine"' in shown
    assert Workspace.unscoped.get().description == "Theirs"


@pytest.mark.parametrize("description", ["x" * 257, "a\0b"])
def test_a_description_that_no_database_could_hold_is_refused(description, administrator, browse):
    assert browse(administrator).post(CHANGE, {"description": description}).status_code == 422
    with pytest.raises(Invalid):
        workspaces.change(open_scope(administrator, "north"), description=description)
