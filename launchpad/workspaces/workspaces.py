"""Workspaces: made with a first resource group and room for whoever makes them, and described."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from launchpad import grants
from launchpad.access import Right, Role, Scope, open_scope
from launchpad.commands import command
from launchpad.errors import Conflict, Forbidden, Invalid
from launchpad.resource_groups import resource_groups
from launchpad.workspaces.models import Workspace

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def create(
    user: User, *, slug: str, description: str = "", runtime: str = Workspace.Runtime.EMBEDDED
) -> Workspace:
    """Make a workspace with the resource group `default`; its maker may administer it at once.

    slug: its id, 1 to 63 lower-case letters, digits, dots and hyphens, which never changes. Raises Forbidden
    for anybody but staff, and Invalid, also for an id in use.
    """
    if not (user.is_active and user.is_staff):
        raise Forbidden("Workspaces are made by staff. An administrator can make you one of them.")
    workspace = Workspace(slug=slug, description=description, runtime=runtime)
    _check(workspace)
    with transaction.atomic():
        try:
            # In a transaction of its own, so that the refusal of a taken id leaves the outer one usable.
            with transaction.atomic():
                workspace.save(force_insert=True)
        except IntegrityError as error:
            sentence = f"There is a workspace {slug} already. Choose another id."
            raise Invalid(sentence, fields={"slug": sentence}) from error
        grants.grant(Role.OPERATIONS_MANAGER, user, workspace)
        scope = open_scope(user, workspace.pk, right=Right.CHANGE)
        made = _found(scope, slug=slug, description=description, runtime=runtime)
        resource_groups.create(scope, slug=resource_groups.DEFAULT)
    return made


@command(administers=True, verb="create")
def _found(scope: Scope, **_values: str) -> Workspace:
    """What the audit trail tells of a new workspace: it has to exist before anything can be scoped to it."""
    return scope.workspace


@command(administers=True)
def change(scope: Scope, *, description: str, seen: str = "") -> Workspace:
    """Describe the workspace anew.

    seen: the `fingerprint` that the caller was shown, "" for whatever it is now. Raises Forbidden, Invalid,
    and Conflict when the workspace is another by now.
    """
    workspace = Workspace.unscoped.select_for_update(no_key=True).get(pk=scope.workspace.pk)
    if seen and seen != fingerprint(workspace):
        raise Conflict(f"Somebody else changed {workspace} meanwhile. Look at it again before you change it.")
    workspace.description = description
    _check(workspace)
    workspace.save(update_fields=["description"])
    return workspace


def fingerprint(workspace: Workspace) -> str:
    """What changes whenever something of a workspace does that `change` changes."""
    text = json.dumps([workspace.description])
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _check(workspace: Workspace) -> None:
    try:
        workspace.clean_fields()
    except ValidationError as error:
        sentences = {name: said[0] for name, said in error.message_dict.items()}
        raise Invalid(" ".join(sentences.values()), fields=sentences) from error
    if "\0" in workspace.description:
        sentence = "A description is plain text."
        raise Invalid(sentence, fields={"description": sentence})
