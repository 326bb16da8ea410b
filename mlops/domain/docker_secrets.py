"""Docker registry secrets of a workspace: kept for clients that manage them; process runners use none."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from launchpad.access import NOTHING_HERE, Scope
from launchpad.commands import command
from launchpad.errors import Conflict, Invalid, NotFound
from mlops.domain.limits import Check
from mlops.models import DockerSecret

NAME_LIMIT = 63
BYTES_LIMIT = 1024 * 1024
KEY = ".dockerconfigjson"
# Letters and digits in runs that a dot, a hyphen or one underscore may join; the contract's pattern repeats a
# repetition.
_NAME = re.compile(r"[a-z0-9](_?[a-z0-9.-])*(?<=[a-z0-9])")


def search(scope: Scope) -> QuerySet[DockerSecret]:
    """The workspace's Docker secrets by name; their values stay sealed."""
    return scope.of(DockerSecret).defer("data").order_by("name")


def get(scope: Scope, name: str) -> DockerSecret:
    """One Docker secret, its value still sealed. Raises NotFound."""
    # Not every database can be asked for every text.
    secret = search(scope).filter(name=name).first() if _NAME.fullmatch(name) else None
    if secret is None:
        raise NotFound(NOTHING_HERE)
    return secret


@command(secret=("data",), administers=True)
def create(scope: Scope, *, name: str, data: Mapping[str, str]) -> DockerSecret:
    """Keep credentials of a registry. data: exactly `.dockerconfigjson`, JSON with `auths` as text or base64.

    name: 2 to 63 lower-case letters, digits, dots, hyphens and single underscores. Raises Forbidden, and
    Invalid, also for a name that is taken.
    """
    check = Check()
    if len(name) > NAME_LIMIT or not _NAME.fullmatch(name) or len(name) < 2:
        check.refuse(
            "name",
            f"A Docker secret's name is 2 to {NAME_LIMIT} lower-case letters, digits, dots, hyphens and "
            "single underscores, a letter or digit first and last.",
        )
    _check_data(check, data)
    check.done()
    secret = DockerSecret(workspace=scope.workspace, name=name, data=dict(data))
    rows = scope.of(DockerSecret)
    rows.bulk_create([secret], ignore_conflicts=True)
    if not rows.filter(pk=secret.pk).exists():
        sentence = f"There is a Docker secret {name} here already. Change that one, or choose another name."
        raise Invalid(sentence, fields={"name": sentence})
    return secret


@command(secret=("data",), administers=True)
def change(scope: Scope, name: str, *, data: Mapping[str, str], seen: datetime | None = None) -> DockerSecret:
    """Replace the credentials. seen: when the secret that the caller was shown was modified.

    Raises NotFound, Forbidden, Invalid, and Conflict when it was modified since.
    """
    secret = get(scope, name)
    check = Check()
    _check_data(check, data)
    check.done()
    changed = scope.of(DockerSecret).filter(pk=secret.pk)
    if seen is not None:
        changed = changed.filter(modified_at=seen)
    if not changed.update(data=dict(data), modified_at=timezone.now()):
        raise Conflict(f"Somebody else changed the Docker secret {name} meanwhile. Look at it again first.")
    return secret


@command(administers=True)
def delete(scope: Scope, name: str) -> DockerSecret:
    """Forget a Docker secret. Raises NotFound, Forbidden."""
    secret = get(scope, name)
    scope.of(DockerSecret).filter(pk=secret.pk).delete()
    return secret


def _check_data(check: Check, data: Mapping[str, str]) -> None:
    """Refuse all but one value that a container runtime could read. No sentence shows it."""
    if set(data) != {KEY}:
        check.refuse("data", f"The data holds exactly the key {KEY}.")
    elif len(data[KEY].encode("utf-8", "replace")) > BYTES_LIMIT:
        check.refuse("data", f"The value of {KEY} may have at most {BYTES_LIMIT} bytes.")
    elif not (_has_auths(data[KEY]) or _has_auths(_decoded(data[KEY]))):
        check.refuse("data", f'The value of {KEY} is JSON like {{"auths": {{"<registry>": {{…}}}}}}.')


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return ""


def _has_auths(text: str) -> bool:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and isinstance(found.get("auths"), dict)
