"""Roles: who may do what where; the verbs behind the roles page."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, User

from launchpad import grants as role_grants
from launchpad.access import ROLE_NAMES, Role, Scope
from launchpad.commands import command
from launchpad.errors import Forbidden, NotFound
from launchpad.resource_groups import access_requests
from launchpad.resource_groups.models import (
    ResourceGroup,
    ResourceGroupGroupPermission,
    ResourceGroupUserPermission,
)
from launchpad.workspaces.models import Workspace, WorkspaceGroupPermission, WorkspaceUserPermission

NO_GATE = "Cannot open the workspace yet: operations manager is missing."
NO_CONTENT = "Sees no resource group yet: viewer or editor is missing."


@dataclass(frozen=True)
class Grant:
    """One role held by a user or team at a place; `missing` says what keeps it from being of use."""

    kind: str
    who: str
    role: Role
    workspace: str
    resource_group: str
    missing: str = ""

    @property
    def role_name(self) -> str:
        """The role in words."""
        return ROLE_NAMES[self.role]

    @property
    def place(self) -> str:
        """The place in words."""
        return f"{self.workspace} / {self.resource_group}" if self.resource_group else self.workspace


def grants(*, who: str = "", place: str = "", role: str = "") -> list[Grant]:
    """Every role held, by name, place and role; filtered by part of a name, part of a place, or a role.

    What is missing counts roles held directly and through teams. Four queries and one for the teams.
    """
    held = [*_held(WorkspaceUserPermission, "user"), *_held(WorkspaceGroupPermission, "team")]
    held += [*_held(ResourceGroupUserPermission, "user"), *_held(ResourceGroupGroupPermission, "team")]
    gates, content = defaultdict(set), defaultdict(set)
    for one in held:
        target = gates if one.role is Role.OPERATIONS_MANAGER else content
        target[(one.kind, one.who)].add(one.workspace)
    teams: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for team, username in User.groups.through._default_manager.values_list("group__name", "user__username"):
        teams[("user", username)].append(("team", team))
    rows = []
    for one in held:
        holders = [(one.kind, one.who), *teams[(one.kind, one.who)]]
        other, text = (content, NO_CONTENT) if one.role is Role.OPERATIONS_MANAGER else (gates, NO_GATE)
        lacks = not any(one.workspace in other[holder] for holder in holders)
        rows.append(
            Grant(one.kind, one.who, one.role, one.workspace, one.resource_group, text if lacks else "")
        )
    return sorted(
        (
            row
            for row in rows
            if who.lower() in row.who.lower()
            and place.lower() in row.place.lower()
            and role in ("", row.role)
        ),
        key=lambda row: (row.who.lower(), row.kind, row.place, row.role),
    )


def _held(table: Any, kind: str) -> list[Grant]:
    name = "user__username" if kind == "user" else "group__name"
    rows = table._default_manager.filter(permission__codename__in=list(Role))
    if table in (WorkspaceUserPermission, WorkspaceGroupPermission):
        values = rows.values_list(name, "permission__codename", "content_object")
        return [Grant(kind, who, Role(codename), workspace, "") for who, codename, workspace in values]
    values = rows.values_list(
        name, "permission__codename", "content_object__workspace", "content_object__slug"
    )
    return [Grant(kind, who, Role(codename), workspace, group) for who, codename, workspace, group in values]


@command()
def grant(scope: Scope, *, role: Role, user: str = "", team: str = "", with_gate: bool = True) -> None:
    """Give a user or a team, by name, a role at the scope's place; repeats are harmless.

    with_gate: also open the workspace. Raises Forbidden for anyone but superusers and the system,
    NotFound for an unknown name, Invalid when the role does not belong on such a place.
    """
    _superuser(scope)
    holder, place = _holder(user, team), scope.resource_group or scope.workspace
    role_grants.grant(role, holder, place, with_gate=with_gate)
    members = User.objects.filter(groups=holder) if isinstance(holder, Group) else [holder]
    access_requests.settle(members, place)


@command()
def revoke(scope: Scope, *, role: Role, user: str = "", team: str = "") -> None:
    """Take a role at the scope's place from a user or a team, by name; the gate stays. As grant otherwise."""
    _superuser(scope)
    role_grants.revoke(role, _holder(user, team), scope.resource_group or scope.workspace)


def places() -> list[tuple[Workspace, list[ResourceGroup]]]:
    """Every workspace with its resource groups, by slug; two queries. For the roles page only."""
    groups = defaultdict(list)
    for group in ResourceGroup.unscoped.filter(deleting_at=None).order_by("slug"):
        groups[group.workspace_id].append(group)
    return [(workspace, groups[workspace.pk]) for workspace in Workspace.unscoped.order_by("slug")]


def _superuser(scope: Scope) -> None:
    if scope.user is not None and not scope.user.is_superuser:
        raise Forbidden("Roles are granted by administrators only.")


def _holder(user: str, team: str) -> User | Group:
    found = Group.objects.filter(name=team).first() if team else User.objects.filter(username=user).first()
    if found is None:
        raise NotFound(f"There is no {'team' if team else 'user'} named {team or user}.")
    return found
