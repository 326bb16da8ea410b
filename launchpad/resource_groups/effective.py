"""Effective access: what each person can do in each group of a workspace, and where it comes from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User

from launchpad.access import ROLE_NAMES, Role, Scope
from launchpad.resource_groups.models import (
    ResourceGroup,
    ResourceGroupGroupPermission,
    ResourceGroupUserPermission,
)
from launchpad.workspaces.models import WorkspaceGroupPermission, WorkspaceUserPermission

NONE, WORKSPACE, ADMINISTRATOR = "none", "workspace only", "administrator"
_NO_GATE = "operations manager of the workspace is missing"
_INACTIVE = "the account is not active"
Sources = dict[Role, list[str]]


@dataclass(frozen=True)
class Access:
    """What one person can do in one resource group, "" for the workspace itself.

    access: editor, viewer, administrator, workspace only or none. sources: each role with where it comes
    from. problem: what keeps roles held from being of use.
    """

    who: str
    group: str
    access: str
    sources: str
    problem: str = ""


def superusers() -> list[str]:
    """Names of those who hold every right everywhere and grant roles, by name."""
    rows = User.objects.filter(is_superuser=True, is_active=True).order_by("username")
    return list(rows.values_list("username", flat=True)[:50])


def review(scope: Scope, *, who: str = "", group: str = "", by_person: bool = False) -> list[Access]:
    """Everybody who holds a role in the workspace or one of its groups; by group, or by person.

    Superusers, who pass everywhere, are not among them. who: part of a name. group: its id. Six queries. For
    administrators; raises Forbidden.
    """
    scope.administer()
    gates, content = _gates(scope), _content(scope)
    teams = {key for kind, key in (*gates, *(holder for holder, _ in content)) if kind == "team"}
    people = {key for kind, key in (*gates, *(holder for holder, _ in content)) if kind == "user"}
    members = User.groups.through._default_manager.filter(group_id__in=teams)
    belongs: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for user, team, name in members.values_list("user_id", "group_id", "group__name"):
        belongs[user].append((team, name))
    rows: list[Access] = []
    found = User.objects.filter(pk__in=people | set(belongs), is_superuser=False)
    for user in found.only("username", "is_active", "is_staff"):
        rows += _of(user, belongs[user.pk], gates, content)
    wanted = [row for row in rows if who.lower() in row.who.lower() and group in ("", row.group)]
    order = (
        (lambda row: (row.who.lower(), row.group))
        if by_person
        else (lambda row: (row.group, row.who.lower()))
    )
    return sorted(wanted, key=order)


Holder = tuple[str, int]


def _gates(scope: Scope) -> set[Holder]:
    found: set[Holder] = set()
    for kind, table, name in (
        ("user", WorkspaceUserPermission, "user_id"),
        ("team", WorkspaceGroupPermission, "group_id"),
    ):
        rows = table._default_manager.filter(
            content_object=scope.workspace, permission__codename=Role.OPERATIONS_MANAGER
        )
        found |= {(kind, key) for key in rows.values_list(name, flat=True)}
    return found


def _content(scope: Scope) -> dict[tuple[Holder, str], set[Role]]:
    """Roles by holder and group."""
    found: dict[tuple[Holder, str], set[Role]] = defaultdict(set)
    groups = ResourceGroup.unscoped.filter(workspace=scope.workspace, deleting_at=None)
    for kind, table, name in (
        ("user", ResourceGroupUserPermission, "user_id"),
        ("team", ResourceGroupGroupPermission, "group_id"),
    ):
        rows = table._default_manager.filter(
            content_object__in=groups, permission__codename__in=[Role.EDITOR, Role.VIEWER]
        )
        for key, slug, codename in rows.values_list(name, "content_object__slug", "permission__codename"):
            found[((kind, key), slug)].add(Role(codename))
    return found


def _of(
    user: User,
    teams: Iterable[tuple[int, str]],
    gates: set[Holder],
    content: dict[tuple[Holder, str], set[Role]],
) -> list[Access]:
    """The rows of one person."""
    holders = [(("user", user.pk), "directly"), *((("team", key), f"by team {name}") for key, name in teams)]
    gate = [said for holder, said in holders if holder in gates]
    slugs: dict[str, Sources] = defaultdict(lambda: defaultdict(list))
    mine = dict(holders)
    for (holder, slug), roles in content.items():
        if holder in mine:
            for role in roles:
                slugs[slug][role].append(mine[holder])
    problem = "" if user.is_active else _INACTIVE
    rows = []
    if gate and (user.is_staff or not slugs):
        granted = ADMINISTRATOR if user.is_staff else WORKSPACE
        rows.append(_row(user, "", NONE if problem else granted, {Role.OPERATIONS_MANAGER: gate}, problem))
    for slug, sources in slugs.items():
        best = ROLE_NAMES[Role.EDITOR if Role.EDITOR in sources else Role.VIEWER]
        lacks = problem or ("" if gate else _NO_GATE)
        given: Sources = {**sources, **({Role.OPERATIONS_MANAGER: gate} if gate else {})}
        rows.append(_row(user, slug, NONE if lacks else best, given, lacks))
    return rows


def _row(user: User, group: str, access: str, sources: Sources, problem: str) -> Access:
    said = [
        f"{ROLE_NAMES[role]} {', '.join(sorted(sources[role]))}"
        for role in (Role.EDITOR, Role.VIEWER, Role.OPERATIONS_MANAGER)
        if sources.get(role)
    ]
    return Access(user.get_username(), group, access, "; ".join(said), problem)
