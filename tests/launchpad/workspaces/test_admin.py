"""Workspaces and resource groups in the admin site."""

import pytest
from django.contrib import admin

from launchpad.access import open_scope
from launchpad.audit.models import AuditEvent
from launchpad.resource_groups.models import ResourceGroup
from launchpad.workspaces.models import Workspace

ADD = "/admin/workspaces/workspace/add/"
NEW = {"slug": "east", "description": "New", "runtime": "embedded"}


def test_the_registry_holds_people_and_places_and_no_tenant_data():
    assert sorted(model._meta.label for model in admin.site._registry) == [
        "accounts.Team",
        "auth.User",
        "resource_groups.ResourceGroup",
        "workspaces.Workspace",
    ]


def test_a_new_workspace_has_its_default_group_and_two_events(browse, staff):
    browse(staff).post(ADD, NEW)
    assert [one.slug for one in ResourceGroup.unscoped.filter(workspace="east")] == ["default"]
    events = AuditEvent.unscoped.order_by("id").values_list("actor", "verb", "workspace")
    assert list(events) == [
        ("staff", "workspaces.create", "east"),
        ("staff", "resource_groups.create", "east"),
    ]
    # As on the pages of the product: whoever makes one may administer it.
    assert open_scope(staff, "east").may_change


@pytest.mark.parametrize("slug", ["Upper", "-x", "a/b", "a b", ""])
def test_an_id_that_would_not_do_in_an_address_is_refused(slug, browse, staff):
    response = browse(staff).post(ADD, {**NEW, "slug": slug})
    assert response.context["adminform"].form.errors.keys() == {"slug"}
    assert not Workspace.unscoped.exists()


def test_the_id_never_changes(browse, staff, workspace):
    browse(staff).post("/admin/workspaces/workspace/north/change/", {**NEW, "slug": "other"})
    assert list(Workspace.unscoped.values_list("slug", "description")) == [("north", "New")]
    assert AuditEvent.unscoped.get().verb == "workspaces.change"


def test_a_workspace_with_groups_is_not_deleted_and_says_why(browse, superuser, red):
    response = browse(superuser).post("/admin/workspaces/workspace/north/delete/", {"post": "yes"})
    body = response.content.decode()
    assert "would require deleting the following protected related objects" in body
    assert "north / red" in body
    assert Workspace.unscoped.filter(slug="north").exists()


@pytest.mark.parametrize("path", ["auth/user/", "accounts/team/", "resource_groups/resourcegroup/roles/"])
def test_people_and_roles_are_for_superusers_only(path, browse, staff, superuser, editor):
    assert browse(staff).get(f"/admin/{path}").status_code == 403
    assert browse(superuser).get(f"/admin/{path}").status_code == 200
    assert browse(editor).get(f"/admin/{path}").status_code == 302


def test_a_user_is_made_and_put_into_a_team(browse, superuser):
    client = browse(superuser)
    client.post("/admin/accounts/team/add/", {"name": "auditors"})
    password = {
        "usable_password": "true",
        "password1": "correct horse battery",
        "password2": "correct horse battery",
    }
    client.post("/admin/auth/user/add/", {"username": "new", **password})
    page = client.get("/admin/auth/user/?q=new").content.decode()
    assert ">new</a>" in page
    form = client.get("/admin/auth/user/add/")
    assert form.status_code == 200


@pytest.mark.database
def test_an_id_that_no_database_could_hold_is_a_missing_one(browse, staff):
    answer = browse(staff).get("/admin/workspaces/workspace/a%00/change/", follow=True)
    assert answer.status_code == 200
    assert "doesn’t exist" in answer.content.decode()
