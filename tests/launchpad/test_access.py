"""Scopes, roles and grants."""

import pytest
from django.contrib.auth.models import Group, User

from launchpad import access
from launchpad.access import Right, Role, Scope, open_scope, system_scope
from launchpad.errors import Forbidden, Invalid, NotFound
from launchpad.grants import grant, revoke
from launchpad.workspaces.models import Workspace

ALL = frozenset(Right)


def test_editors_hold_every_right_and_viewers_all_but_change(editor, viewer, red):
    assert open_scope(editor, "north", "red").rights == ALL
    assert open_scope(viewer, "north", "red").rights == {Right.VIEW, Right.PARTICIPATE}


@pytest.mark.parametrize("who", ["neighbour", "outsider", "manager", "gateless", "staff"])
def test_others_find_nothing_as_if_it_did_not_exist(who, red, request):
    user = request.getfixturevalue(who)
    with pytest.raises(NotFound) as refused:
        open_scope(user, "north", "red")
    with pytest.raises(NotFound) as missing:
        open_scope(user, "north", "no-such-group")
    assert refused.value.message == missing.value.message


def test_the_gate_opens_the_workspace_and_no_group(manager, workspace):
    assert open_scope(manager, "north").rights == {Right.VIEW}


def test_staff_behind_the_gate_change_the_workspace(staff, workspace, red):
    grant(Role.OPERATIONS_MANAGER, staff, workspace)
    assert open_scope(staff, "north").rights == ALL
    with pytest.raises(NotFound):
        open_scope(staff, "north", "red")


def test_a_group_of_another_workspace_is_not_reached_through_ones_own(editor, green):
    with pytest.raises(NotFound):
        open_scope(editor, "north", "green")


def test_a_missing_right_names_the_role_and_who_grants_it(viewer, red):
    with pytest.raises(Forbidden) as error:
        open_scope(viewer, "north", "red", Right.CHANGE)
    assert error.value.message == (
        "This needs the editor role in resource group red. An administrator can grant it."
    )


def test_superusers_pass_and_inactive_people_do_not(superuser, red):
    assert open_scope(superuser, "north", "red").rights == ALL
    superuser.is_active = False
    with pytest.raises(NotFound):
        open_scope(superuser, "north", "red")


def test_roles_come_through_teams_too(outsider, red):
    team = Group.objects.create(name="auditors")
    outsider.groups.add(team)
    grant(Role.VIEWER, team, red)
    assert open_scope(outsider, "north", "red").rights == {Right.VIEW, Right.PARTICIPATE}
    assert [group.slug for group, _role in access.resource_groups(outsider, red.workspace)] == ["red"]


def test_a_role_may_come_from_the_user_and_its_gate_from_the_team(gateless, red):
    team = Group.objects.create(name="operators")
    gateless.groups.add(team)
    grant(Role.OPERATIONS_MANAGER, team, red.workspace)
    assert open_scope(gateless, "north", "red").rights == {Right.VIEW, Right.PARTICIPATE}


def test_a_revoked_role_is_gone_at_once_and_the_gate_stays(editor, red):
    revoke(Role.EDITOR, editor, red)
    with pytest.raises(NotFound):
        open_scope(editor, "north", "red")
    assert open_scope(editor, "north").rights == {Right.VIEW}


def test_granting_twice_leaves_one_role(editor, red):
    grant(Role.EDITOR, editor, red)
    revoke(Role.EDITOR, editor, red)
    assert access.resource_groups(editor, red.workspace) == []


@pytest.mark.parametrize(("role", "level"), [(Role.EDITOR, "workspace"), (Role.OPERATIONS_MANAGER, "red")])
def test_a_role_on_the_wrong_kind_of_place_is_refused(role, level, editor, request):
    with pytest.raises(Invalid):
        grant(role, editor, request.getfixturevalue(level))


def test_no_scope_without_its_makers(red):
    with pytest.raises(TypeError):
        Scope(red.workspace, red, ALL, "someone")


def test_a_scope_costs_at_most_two_queries(editor, red, django_assert_max_num_queries):
    with django_assert_max_num_queries(2):
        open_scope(editor, "north", "red")


def test_system_scope_of_a_workspace_and_of_a_group(red):
    assert system_scope(red).resource_group == red
    assert system_scope(red.workspace).resource_group is None
    assert system_scope(red).rights == ALL


def test_workspaces_are_those_behind_an_open_gate(editor, outsider, superuser, red, green):
    assert [one.slug for one in access.workspaces(editor)] == ["north"]
    assert list(access.workspaces(outsider)) == []
    assert [one.slug for one in access.workspaces(superuser)] == ["north", "south"]


def test_resource_groups_with_the_role_in_one_query(editor, red, blue, django_assert_num_queries):
    grant(Role.VIEWER, editor, blue)
    with django_assert_num_queries(1):
        found = access.resource_groups(editor, red.workspace)
    assert [(group.slug, role) for group, role in found] == [("blue", "viewer"), ("red", "editor")]


def test_roles_leave_with_the_user(editor, red):
    User.objects.filter(pk=editor.pk).delete()
    assert Workspace.unscoped.count() == 1
    assert not access.ResourceGroupUserPermission.objects.exists()
