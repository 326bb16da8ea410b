"""The roles page: who, which role, where."""

import pytest
from django.contrib.auth.models import Group

from launchpad.access import Role, open_scope, system_scope
from launchpad.accounts import service_keys
from launchpad.audit.models import AuditEvent
from launchpad.errors import Forbidden, NotFound
from launchpad.grants import grant
from launchpad.resource_groups import roles
from launchpad.resource_groups.models import ResourceGroup
from tests.mlops import factories

PAGE = "/admin/resource_groups/resourcegroup/roles/"


@pytest.fixture
def client(browse, superuser):
    """The administrator's browser."""
    return browse(superuser)


def give(client, who, role, place, **values):
    """Send the form."""
    return client.post(PAGE, {"who": who, "role": role, "place": place, **values})


def test_a_content_role_brings_the_gate_along(client, outsider, red):
    give(client, "user:outsider", Role.EDITOR, "north/red", with_gate="on")
    assert open_scope(outsider, "north", "red").may_change
    event = AuditEvent.unscoped.get()
    assert (event.actor, event.verb, event.resource_group) == ("superuser", "roles.grant", red.pk)
    assert event.detail == {"role": "mloperations_editor", "user": "outsider", "with_gate": True}


def test_without_the_gate_the_page_says_what_is_missing(client, outsider, red):
    give(client, "user:outsider", Role.VIEWER, "north/red")
    with pytest.raises(NotFound):
        open_scope(outsider, "north", "red")
    assert roles.NO_GATE in client.get(PAGE).content.decode()


def test_a_gate_without_content_says_so_and_a_team_can_supply_it(client, manager, red):
    assert [one.missing for one in roles.grants(who="manager")] == [roles.NO_CONTENT]
    team = Group.objects.create(name="auditors")
    manager.groups.add(team)
    give(client, "team:auditors", Role.VIEWER, "north/red")
    assert [one.missing for one in roles.grants(who="manager")] == [""]
    assert [one.missing for one in roles.grants(who="auditors")] == [roles.NO_GATE]


@pytest.mark.parametrize(
    ("role", "place", "text"),
    [
        (Role.EDITOR, "north", "Choose a resource group for this role."),
        (Role.OPERATIONS_MANAGER, "north/red", "Choose a workspace for this role."),
    ],
)
def test_a_role_on_the_wrong_kind_of_place_is_refused(role, place, text, client, outsider, red):
    response = give(client, "user:outsider", role, place)
    assert response.status_code == 422
    assert text in response.content.decode()
    assert roles.grants(who="outsider") == []


@pytest.mark.parametrize("who", ["", "user:nobody", "robot:outsider", "outsider"])
def test_an_unknown_holder_is_refused(who, client, outsider, red):
    assert give(client, who, Role.VIEWER, "north/red").status_code == 422
    assert roles.grants() == []


def test_the_list_is_filtered_by_holder_place_and_role(editor, neighbour, manager):
    def listed(**asked):
        return [(one.who, one.role_name, one.place) for one in roles.grants(**asked)]

    assert listed(who="EDIT") == [
        ("editor", "operations manager", "north"),
        ("editor", "editor", "north / red"),
    ]
    assert listed(place="blue") == [("neighbour", "editor", "north / blue")]
    assert [row[0] for row in listed(role=Role.OPERATIONS_MANAGER)] == ["editor", "manager", "neighbour"]


def test_removing_asks_first_and_leaves_an_event(client, editor, red):
    what = {
        "kind": "user",
        "who": "editor",
        "role": Role.EDITOR,
        "workspace": "north",
        "resource_group": "red",
    }
    asked = client.get(f"{PAGE}remove/", what).content.decode()
    assert "will no longer be <b>editor</b> in <b>north / red</b>" in asked
    assert open_scope(editor, "north", "red").may_change
    client.post(f"{PAGE}remove/", what)
    with pytest.raises(NotFound):
        open_scope(editor, "north", "red")
    assert AuditEvent.unscoped.get().verb == "roles.revoke"
    again = client.post(f"{PAGE}remove/", what, follow=True).content.decode()
    assert "That role is not held any more" in again


def test_nobody_else_grants_roles_even_past_the_page(staff, red):
    grant(Role.OPERATIONS_MANAGER, staff, red.workspace)
    with pytest.raises(Forbidden):
        roles.grant(open_scope(staff, "north"), role=Role.OPERATIONS_MANAGER, user="staff")


def test_the_list_costs_the_same_for_few_and_many(editor, red, outsider, django_assert_num_queries):
    with django_assert_num_queries(5):
        roles.grants()
    grant(Role.VIEWER, outsider, red)
    with django_assert_num_queries(5):
        assert len(roles.grants()) == 4


GROUPS = "/admin/resource_groups/resourcegroup/"


def test_a_group_is_made_for_the_keys_of_administrators_and_not_for_its_maker(browse, staff, workspace):
    key = service_keys.create(system_scope(workspace), name="admin").key
    grant(Role.OPERATIONS_MANAGER, staff, workspace)
    browse(staff).post(f"{GROUPS}add/", {"workspace": "north", "slug": "amber", "description": "New"})
    group = ResourceGroup.unscoped.get(slug="amber")
    assert group.description == "New"
    assert open_scope(key.account, "north", "amber").may_change
    with pytest.raises(NotFound):
        open_scope(staff, "north", "amber")
    event = AuditEvent.unscoped.get(verb="resource_groups.create")
    assert (event.actor, event.object_id) == ("staff", str(group.pk))


@pytest.mark.parametrize("slug", ["ab", "-x-", "a/b", "red"])
def test_an_id_that_would_not_do_or_is_taken_is_refused(slug, browse, staff, red):
    response = browse(staff).post(f"{GROUPS}add/", {"workspace": "north", "slug": slug, "description": ""})
    assert response.context["adminform"].form.errors
    assert ResourceGroup.unscoped.count() == 1


def test_a_description_is_edited_and_the_address_stays(browse, staff, red):
    browse(staff).post(f"{GROUPS}{red.pk}/change/", {"slug": "other", "description": "Roses"})
    red.refresh_from_db()
    assert (red.slug, red.description) == ("red", "Roses")
    assert AuditEvent.unscoped.get().verb == "resource_groups.edit"


def test_deleting_says_what_goes_and_closes_the_group_at_once(browse, staff, red, editor):
    factories.artifact(red)
    client = browse(staff)
    assert "with everything in it" in client.get(f"{GROUPS}{red.pk}/delete/").content.decode()
    client.post(f"{GROUPS}{red.pk}/delete/", {"post": "yes"})
    red.refresh_from_db()
    assert red.deleting_at is not None
    with pytest.raises(NotFound):
        open_scope(editor, "north", "red")
    event = AuditEvent.unscoped.get(verb="resource_groups.delete")
    assert (event.actor, event.object_name) == ("staff", "north / red")
    assert client.post(f"{GROUPS}{red.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"{GROUPS}{red.pk}/change/", {"description": "x"}).status_code == 403
    assert client.get(GROUPS).status_code == 200


def test_default_is_not_deleted(browse, superuser, workspace):
    group = ResourceGroup.unscoped.create(workspace=workspace, slug="default")
    assert browse(superuser).post(f"{GROUPS}{group.pk}/delete/", {"post": "yes"}).status_code == 403
    group.refresh_from_db()
    assert group.deleting_at is None
