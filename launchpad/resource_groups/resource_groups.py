"""Resource groups: made with room for the workspace's administrators, labelled, listed, and given up."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone

from launchpad import access, grants
from launchpad.access import NOTHING_HERE, Role, Scope, system_scope
from launchpad.accounts import service_keys
from launchpad.commands import command
from launchpad.errors import Conflict, Invalid, NotFound
from launchpad.resource_groups import labels as rules
from launchpad.resource_groups.models import ResourceGroup
from launchpad.workspaces.models import Workspace

DEFAULT = "default"
Labels = Iterable[Mapping[str, str]]


def search(scope: Scope) -> QuerySet[ResourceGroup]:
    """Groups of the workspace that the scope's holder may view, by id; all for its administrators.

    Those that are being deleted are not among them.
    """
    return access.viewable_groups(scope)


def get(scope: Scope, slug: str) -> ResourceGroup:
    """One group that the holder may view. Raises NotFound."""
    # Not every database can be asked for every text.
    found = search(scope).filter(slug=slug).first() if slug.isprintable() else None
    if found is None:
        raise NotFound(NOTHING_HERE)
    return found


@command(administers=True)
def create(scope: Scope, *, slug: str = "", description: str = "", labels: Labels = ()) -> ResourceGroup:
    """Make a group, which the creator and the administrators' keys of the workspace may change at once.

    slug: its id, 3 to 253 letters, digits, dots and hyphens; by default a random one. Raises Forbidden, and
    Invalid, also for an id in use.
    """
    group = ResourceGroup(
        workspace=scope.workspace,
        slug=slug or f"rg-{secrets.token_hex(8)}",
        description=description,
        labels=rules.checked(labels),
    )
    try:
        group.clean_fields()
    except ValidationError as error:
        sentences = {"id" if name == "slug" else name: said[0] for name, said in error.message_dict.items()}
        raise Invalid(" ".join(sentences.values()), fields=sentences) from error
    # Keys that are made meanwhile wait here, and so find the new group; two of one id as well.
    Workspace.unscoped.select_for_update(no_key=True).get(pk=scope.workspace.pk)
    there = ResourceGroup.unscoped.filter(workspace=scope.workspace, slug=group.slug).first()
    if there is not None:
        sentence = f"There is a resource group {group.slug} in this workspace already. Choose another id."
        if there.deleting_at is not None:
            sentence = f"The resource group {group.slug} is still being deleted. Wait, or choose another id."
        raise Invalid(sentence, fields={"id": sentence})
    group.save(force_insert=True)
    if scope.user is not None:
        grants.grant(Role.EDITOR, scope.user, group, with_gate=False)
    service_keys.open_to_administrators(group)
    return group


@command(administers=True)
def change(
    scope: Scope, slug: str, *, labels: Labels, description: str | None = None, seen: str = ""
) -> ResourceGroup:
    """Replace a group's labels, and its description unless None.

    seen: the `fingerprint` that the caller was shown, "" for whatever it is now. Raises NotFound, Forbidden,
    Invalid, and Conflict when the group is another by now.
    """
    get(scope, slug)
    group = search(scope).select_for_update(no_key=True).get(slug=slug)
    if seen and seen != fingerprint(group):
        raise Conflict(f"Somebody else changed {slug} meanwhile. Look at it again before you change it.")
    group.labels = rules.checked(labels)
    if description is not None:
        limit = ResourceGroup._meta.get_field("description").max_length or 0
        if len(description) > limit or "\0" in description:
            sentence = f"A description is at most {limit} characters of plain text."
            raise Invalid(sentence, fields={"description": sentence})
        group.description = description
    group.save(update_fields=["labels", "description"])
    return group


def fingerprint(group: ResourceGroup) -> str:
    """What changes whenever something of a group does that `change` changes."""
    text = json.dumps([group.description, group.labels], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


@command(administers=True)
def delete(scope: Scope, slug: str) -> ResourceGroup:
    """Give a group up with everything in it: from now on nobody opens it, its keys are refused.

    What runs in it is stopped and all it holds is removed by the sweeps that follow; its id is free after
    that. Raises NotFound, Forbidden, and Invalid for `default`.
    """
    group = get(scope, slug)
    if group.slug == DEFAULT:
        raise Invalid(f"The resource group {DEFAULT} always exists; it cannot be deleted.")
    group.deleting_at = timezone.now()
    group.save(update_fields=["deleting_at"])
    inside = system_scope(group, scope.actor)
    for key in service_keys.search(inside):
        service_keys.revoke(inside, key.pk)
    return group
