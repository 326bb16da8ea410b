"""Wizards left halfway: kept on the server, each its author's alone."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import QuerySet

from launchpad.access import Scope
from launchpad.errors import Conflict, Forbidden, Invalid, NotFound
from mlops.domain.limits import storable
from mlops.models import ConfigurationDraft, DeploymentDraft, ScheduleDraft

if TYPE_CHECKING:
    from django.contrib.auth.models import User

D = TypeVar("D", ConfigurationDraft, DeploymentDraft, ScheduleDraft)

BYTES = 6 * 1024 * 1024
LIMIT = 100


def every(scope: Scope, model: type[D]) -> QuerySet[D]:
    """The holder's own drafts of a kind in this resource group, the one touched last first."""
    return scope.of(model).filter(author=_author(scope)).order_by("-modified_at", "-id")


def get(scope: Scope, model: type[D], draft_id: str | uuid.UUID) -> D:
    """One of the holder's own drafts; raises NotFound."""
    return scope.get(model, pk=draft_id, author=_author(scope))


def keep(
    scope: Scope,
    model: type[D],
    draft_id: str | uuid.UUID | None,
    data: Mapping[str, Any],
    *,
    fields: frozenset[str],
) -> D:
    """Keep a draft, inside a command: a new one for None, or what one's own says from now on.

    data: JSON types under some of the fields, unchecked otherwise, at most BYTES. Raises NotFound, Invalid;
    Conflict beyond LIMIT drafts.
    """
    if unknown := data.keys() - fields:
        raise Invalid(f"A draft has no field {', '.join(sorted(unknown))}.")
    if len(json.dumps(dict(data))) > BYTES:
        raise Invalid(f"The draft is larger than {BYTES // 1024**2} MiB.")
    if not all(storable(part) for part in _texts(data)):
        raise Invalid("The draft contains a NUL character or broken text; remove it.")
    if draft_id is not None:
        found = get(scope, model, draft_id)
        found.data = dict(data)
        found.save()
        return found
    if every(scope, model).count() >= LIMIT:
        raise Conflict(f"You have {LIMIT} drafts in this resource group. Discard some of them first.")
    return scope.of(model).create(resource_group=scope.group, author=_author(scope), data=dict(data))


def is_there(scope: Scope, look_up: Callable[[Scope, str], object], key: str) -> bool:
    """Whether what a draft names by a key is found."""
    try:
        look_up(scope, key)
    except NotFound:
        return False
    return True


def choose(
    scope: Scope,
    get: Callable[[Scope, str | uuid.UUID], D],
    draft_id: str | uuid.UUID,
    chosen: Mapping[str, Any],
) -> D | None:
    """Set some fields of a draft of one's own, inside a command; None when the draft is gone.

    get: how a draft of the kind is found.
    """
    try:
        found = get(scope, draft_id)
    except NotFound:
        return None
    found.data |= chosen
    found.save()
    return found


def _author(scope: Scope) -> User:
    if scope.user is None:
        raise Forbidden("Drafts belong to people; sign in to keep one.")
    return scope.user


def _texts(data: object) -> Iterator[str]:
    """Every text in a value of JSON types, keys too."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield str(key)
            yield from _texts(value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _texts(value)
    elif isinstance(data, str):
        yield data
