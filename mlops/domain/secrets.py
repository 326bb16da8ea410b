"""Generic secrets: named values of a resource group or a workspace, which templates of runs refer to."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Value
from django.utils import timezone

from launchpad.access import NOTHING_HERE, Scope, resource_groups, system_scope
from launchpad.commands import command
from launchpad.errors import Conflict, Invalid, NotFound
from launchpad.resource_groups.models import ResourceGroup
from launchpad.vault import Unreadable
from launchpad.workspaces.models import Workspace
from mlops.domain.limits import Check, Labels
from mlops.models import Deployment, Execution, ResourceGroupSecret, WorkspaceSecret

SHARED_LIMIT = 5
NAME_LIMIT = 252
KEY_LIMIT = 253
BYTES_LIMIT = 1024 * 1024
_NAME = re.compile(r"[a-z0-9.-]+")
_KEY = re.compile(r"[A-Za-z0-9._-]+")

Secret = ResourceGroupSecret | WorkspaceSecret
Rows = QuerySet[ResourceGroupSecret] | QuerySet[WorkspaceSecret]


def search(scope: Scope, *, shared: bool = False) -> Rows:
    """Secrets of the resource group, or of the workspace without one, by name; their values stay sealed.

    shared: in a workspace those that runs of all groups may refer to, instead of its own.
    """
    return _rows(scope, shared).defer("data").order_by("name")


def get(scope: Scope, name: str, *, shared: bool = False) -> Secret:
    """One secret, its values still sealed. Raises NotFound."""
    # Not every database can be asked for every text.
    secret = search(scope, shared=shared).filter(name=name).first() if _NAME.fullmatch(name) else None
    if secret is None:
        raise NotFound(NOTHING_HERE)
    return secret


def of_groups(scope: Scope) -> QuerySet[ResourceGroupSecret]:
    """Those of every group of the workspace, newest first, for its administrators. Raises Forbidden.

    Each with `hides`: whether the workspace shares one of the same name.
    """
    scope.administer()
    common = scope.of(WorkspaceSecret).filter(is_shared=True, name=OuterRef("name"))
    rows = ResourceGroupSecret.unscoped.filter(
        resource_group__workspace=scope.workspace, resource_group__deleting_at=None
    )
    rows = rows.select_related("resource_group").defer("data").annotate(hides=Exists(common))
    return rows.order_by("-created_at", "-pk")


def served(scope: Scope, secrets: Sequence[Secret]) -> dict[UUID, dict[str, bool]]:
    """By secret: the resource groups it is for, and whether runs there get it or a secret of the group's own.

    Shared secrets tell of all groups to those who change the workspace, of those they may view to others.
    """
    if scope.resource_group is not None:
        return {one.pk: {scope.resource_group.slug: True} for one in secrets}
    shared = [one for one in secrets if isinstance(one, WorkspaceSecret) and one.is_shared]
    found: dict[UUID, dict[str, bool]] = {one.pk: {} for one in secrets}
    if not shared:
        return found
    groups = ResourceGroup.unscoped.filter(workspace=scope.workspace, deleting_at=None)
    if not scope.may_change and scope.user is not None:
        seen = resource_groups(scope.user, scope.workspace)
        groups = groups.filter(pk__in=[group.pk for group, _ in seen])
    rows = ResourceGroupSecret.unscoped.filter(
        resource_group__in=groups, name__in=[one.name for one in shared]
    )
    own = set(rows.values_list("name", "resource_group__slug"))
    slugs = list(groups.order_by("slug").values_list("slug", flat=True))
    return found | {one.pk: {slug: (one.name, slug) not in own for slug in slugs} for one in shared}


def hiding(scope: Scope) -> dict[str, set[str]]:
    """By id of each resource group, in order: names of shared secrets that its own hide; one query.

    For administrators; raises Forbidden.
    """
    scope.administer()
    groups = ResourceGroup.unscoped.filter(workspace=scope.workspace, deleting_at=None).order_by()
    shared = scope.of(WorkspaceSecret).filter(is_shared=True).values("name")
    own = ResourceGroupSecret.unscoped.filter(resource_group__in=groups, name__in=shared).order_by()
    pairs = groups.values_list("slug", Value("")).union(
        own.values_list("resource_group__slug", "name"), all=True
    )
    found: dict[str, set[str]] = {}
    for slug, name in sorted(pairs):
        found.setdefault(slug, set()).update([name] if name else [])
    return found


def of_workspace(scope: Scope, *, at_most: int) -> tuple[list[WorkspaceSecret], list[WorkspaceSecret]]:
    """Those that the workspace shares with all its groups, and of its own `at_most`, by name; one query.

    For administrators; raises Forbidden.
    """
    scope.administer()
    rows = scope.of(WorkspaceSecret).defer("data").order_by("-is_shared", "name")
    found = list(rows[: SHARED_LIMIT + at_most])
    return [one for one in found if one.is_shared], [one for one in found if not one.is_shared][:at_most]


@command(secret=("data",))
def create(
    scope: Scope, *, name: str, data: Mapping[str, str], labels: Labels = (), shared: bool = False
) -> Secret:
    """Keep a new secret. data: key to base64 text, 1 MiB in all; labels: as resource groups have them.

    name: 1 to 252 lower-case letters, digits, dots and hyphens. shared: in a workspace, for runs of all its
    groups; at most 5. Raises Forbidden, and Invalid, also for a name that is taken.
    """
    check = Check()
    if len(name) > NAME_LIMIT or not _NAME.fullmatch(name):
        check.refuse("name", "A secret's name is 1 to 252 lower-case letters, digits, dots and hyphens.")
    values = _values(check, data)
    kept = [{"key": one.key, "value": one.value} for one in check.group_labels(labels)]
    check.done()
    rows = _rows(scope, shared)
    if shared:
        # Two at once would both find four.
        Workspace.unscoped.select_for_update().get(pk=scope.workspace.pk)
        if rows.count() >= SHARED_LIMIT and not rows.filter(name=name).exists():
            raise Invalid(
                f"A workspace shares at most {SHARED_LIMIT} secrets with all its groups. Delete one first."
            )
    secret: Secret
    if scope.resource_group is not None:
        own = ResourceGroupSecret(resource_group=scope.resource_group, name=name, data=values, labels=kept)
        secret = own
        scope.of(ResourceGroupSecret).bulk_create([own], ignore_conflicts=True)
    else:
        common = WorkspaceSecret(
            workspace=scope.workspace, is_shared=shared, name=name, data=values, labels=kept
        )
        secret = common
        scope.of(WorkspaceSecret).bulk_create([common], ignore_conflicts=True)
    if not rows.filter(pk=secret.pk).exists():
        sentence = f"There is a secret {name} here already. Change that one, or choose another name."
        raise Invalid(sentence, fields={"name": sentence})
    return secret


@command(secret=("data",))
def change(
    scope: Scope,
    name: str,
    *,
    data: Mapping[str, str] | None,
    labels: Labels | None = None,
    shared: bool = False,
    seen: datetime | None = None,
) -> Secret:
    """Replace all values of a secret, and its labels; None leaves either as it is.

    seen: when the secret that the caller was shown was modified. Raises NotFound, Forbidden, Invalid, and
    Conflict when it was modified since.
    """
    secret = get(scope, name, shared=shared)
    check = Check()
    values = None if data is None else _values(check, data)
    kept = None if labels is None else check.group_labels(labels)
    check.done()
    if kept is not None:
        secret.labels = [{"key": one.key, "value": one.value} for one in kept]
    changed = _rows(scope, shared).filter(pk=secret.pk)
    if seen is not None:
        changed = changed.filter(modified_at=seen)
    given = {} if values is None else {"data": values}
    if not changed.update(**given, labels=secret.labels, modified_at=timezone.now()):
        raise Conflict(f"Somebody else changed the secret {name} meanwhile. Look at it again first.")
    return secret


@command()
def delete(scope: Scope, name: str, *, shared: bool = False) -> Secret:
    """Forget a secret; runs that start later go without it. Raises NotFound, Forbidden."""
    secret = get(scope, name, shared=shared)
    _rows(scope, shared).filter(pk=secret.pk).delete()
    return secret


def for_run(
    execution: Execution | Deployment | ResourceGroup, names: Iterable[str]
) -> dict[str, dict[str, bytes]]:
    """Values by secret and key for a run of the execution, or any in a group; names unknown are absent.

    The group's own secret hides the one that its workspace shares under the same name. Raises Conflict when
    FIELD_KEYS no longer opens one of them.
    """
    scope, wanted = system_scope(execution), {name for name in names if _NAME.fullmatch(name)}
    common = scope.of(WorkspaceSecret).filter(is_shared=True, name__in=wanted)
    own = scope.of(ResourceGroupSecret).filter(name__in=wanted)
    try:
        sealed = {row.name: row.data for row in (*common, *own)}
    except Unreadable as error:
        raise Conflict("A secret that the template refers to cannot be read: its key is gone.") from error
    return {
        name: {key: base64.b64decode(text) for key, text in data.items()} for name, data in sealed.items()
    }


def _rows(scope: Scope, shared: bool) -> Rows:
    """The secrets that a place keeps itself, or with `shared` those a workspace keeps for its groups."""
    if scope.resource_group is None:
        return scope.of(WorkspaceSecret).filter(is_shared=shared)
    if shared:
        raise TypeError("A resource group shares no secrets, the scope names one.")
    return scope.of(ResourceGroupSecret)


def _values(check: Check, data: Mapping[str, str]) -> dict[str, str]:
    """The values as canonical base64. No sentence shows any of them."""
    if not data:
        check.refuse("data", "Give at least one value.")
    found: dict[str, str] = {}
    size = 0
    for key, text in data.items():
        if len(key) > KEY_LIMIT or not _KEY.fullmatch(key) or key in {".", ".."}:
            sentence = (
                f"A key is 1 to {KEY_LIMIT} letters, digits, dots, hyphens and underscores, not . or .."
            )
            check.refuse("data", sentence)
            continue
        try:
            # Encoders break their lines; nothing else may stand between the letters.
            value = base64.b64decode(text.replace("\r", "").replace("\n", ""), validate=True)
        except (binascii.Error, ValueError):
            check.refuse("data", f"The value of {key} is not base64. Encode it first.")
            continue
        size += len(value)
        found[key] = base64.b64encode(value).decode()
    if size > BYTES_LIMIT:
        check.refuse("data", f"The values are {size} bytes together; at most {BYTES_LIMIT} are allowed.")
    return found
