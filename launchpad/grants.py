"""Giving roles on places and taking them away, in guardian's direct tables."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User

from launchpad.access import ROLE_NAMES, Role
from launchpad.errors import Invalid
from launchpad.resource_groups.models import (
    ResourceGroup,
    ResourceGroupGroupPermission,
    ResourceGroupUserPermission,
)
from launchpad.workspaces.models import Workspace, WorkspaceGroupPermission, WorkspaceUserPermission


def _check_place(role: Role, place: Workspace | ResourceGroup) -> None:
    if (role is Role.OPERATIONS_MANAGER) != isinstance(place, Workspace):
        raise Invalid(f"The role {ROLE_NAMES[role]} is not granted on {place}.")


def _tables(who: User | Group, place: Workspace | ResourceGroup) -> Any:
    """The manager of the direct table that keeps roles of such a holder on such a place.

    guardian's shortcuts look for it through reverse accessors, which these tables do not have.
    """
    of_group = isinstance(who, Group)
    table: Any
    if isinstance(place, Workspace):
        table = WorkspaceGroupPermission if of_group else WorkspaceUserPermission
    else:
        table = ResourceGroupGroupPermission if of_group else ResourceGroupUserPermission
    return table._default_manager


def grant(role: Role, who: User | Group, place: Workspace | ResourceGroup, *, with_gate: bool = True) -> None:
    """Give a user or team a role on a place; with `with_gate` the workspace's gate along with it.

    Repeats are harmless. Raises Invalid when the role does not belong on such a place.
    """
    _check_place(role, place)
    _tables(who, place).assign_perm(role.value, who, place)
    if with_gate and isinstance(place, ResourceGroup):
        _tables(who, place.workspace).assign_perm(Role.OPERATIONS_MANAGER.value, who, place.workspace)


def revoke(role: Role, who: User | Group, place: Workspace | ResourceGroup) -> None:
    """Take a role away; the gate stays. Repeats are harmless."""
    _check_place(role, place)
    _tables(who, place).remove_perm(role.value, who, place)
