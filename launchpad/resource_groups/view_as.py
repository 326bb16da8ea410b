"""View as: somebody with staff rights looks at a resource group with the role of another person."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.contrib.auth.models import User

from launchpad import access
from launchpad.access import NOTHING_HERE, RIGHTS, Right, Role, Scope
from launchpad.commands import command
from launchpad.errors import Forbidden, Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from launchpad.resource_groups.models import ResourceGroup

SECONDS = 30 * 60


def open_as(
    user: User, person: User, workspace: str, resource_group: str, right: Right = Right.VIEW
) -> Scope:
    """The user's window on a resource group with no more rights than a person has there, to look only.

    Nothing is seen that the user may not see by their own role: both must be able to open the group. At most
    four queries. Raises NotFound where the user is not staff or either may not view, and Forbidden for a
    superuser, for a person who may do more there, and for a `right` that the person lacks.
    """
    own = access.open_scope(user, workspace, resource_group)
    if not (user.is_staff or user.is_superuser):
        raise NotFound(NOTHING_HERE)
    if person.is_superuser:
        raise Forbidden("Superusers pass everywhere; nobody is shown a page as one of them.")
    theirs = access.open_scope(person, workspace, resource_group)
    if not theirs.rights <= own.rights:
        raise Forbidden(
            f"{person.get_username()} may do more here than you. You would see what is not yours."
        )
    theirs.require(right)
    return replace(own, rights=theirs.rights, viewed_as=person)


def open_to(scope: Scope) -> Mapping[str, frozenset[Right]]:
    """By id: groups of the workspace that an administrator may view, each with their rights there; one query.

    They may look there as people who hold no more.
    """
    scope.administer()
    if scope.user is None:
        return {}
    roles = {"viewer": RIGHTS[Role.VIEWER], "editor": RIGHTS[Role.EDITOR], "administrator": frozenset(Right)}
    return {group.slug: roles[role] for group, role in access.resource_groups(scope.user, scope.workspace)}


def person(key: int) -> User:
    """An active person by key; raises NotFound."""
    found = User.objects.filter(pk=key, is_active=True).first()
    if found is None:
        raise NotFound(NOTHING_HERE)
    return found


def check(scope: Scope, *, group: str, person: str) -> User:
    """The person, whom the administrator of a workspace may be shown one of its groups as.

    Raises Invalid for a group that one may not view oneself, for oneself, an unknown name and somebody who
    sees nothing there; Forbidden for a superuser and for anybody who may do more there.
    """
    scope.administer()
    if scope.user is None or group not in open_to(scope):
        raise Invalid("Choose a resource group that you may view yourself.")
    found = User.objects.filter(username=person).first() if person.isprintable() else None
    if found is None:
        raise Invalid("There is nobody of this name.")
    if found.pk == scope.user.pk:
        raise Invalid("That is you: you see your own view already.")
    try:
        open_as(scope.user, found, scope.workspace.pk, group)
    except NotFound as error:
        sentence = "they lack a role in it, operations manager of the workspace, or an active account"
        raise Invalid(f"{person} sees nothing of {group}: {sentence}.") from error
    return found


@command(right=Right.VIEW)
def begin(scope: Scope, *, person: str, minutes: int) -> ResourceGroup:
    """Note in the audit trail that the scope's holder looks at its group as a person from now on."""
    return scope.group


@command(right=Right.VIEW)
def end(scope: Scope, *, person: str, why: str) -> ResourceGroup:
    """Note in the audit trail that looking at a group as a person is over, and why."""
    return scope.group
