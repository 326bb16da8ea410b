"""Aliases: names such as champion that point to one version of an artifact, moved for a reason."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from launchpad.access import NOTHING_HERE, Scope
from launchpad.commands import command
from launchpad.errors import Conflict, Invalid, NotFound
from mlops.domain.limits import Check
from mlops.models import Artifact, ArtifactAlias, ArtifactAliasMove

LENGTH_LIMIT, COUNT_LIMIT, WHY_LIMIT = 63, 50, 1000
_ALIAS = re.compile(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*\Z")
# They mean the highest version by themselves.
_RESERVED = {"latest", "newest"}
RULE = (
    "An alias is 1 to 63 lower-case letters, digits, dots, hyphens and underscores and begins with a letter, "
    "such as champion; latest and newest are taken."
)


@command()
def move(
    scope: Scope, artifact_id: str | uuid.UUID, *, alias: str, why: str, seen: int | None = None
) -> ArtifactAlias:
    """Let an alias of the artifact's kind and name point to this version from now on.

    why: for the history, at most 1000 characters. seen: the version it pointed to when the person decided,
    0 for none, None not to ask. Raises NotFound; Invalid; Conflict when it points elsewhere than `seen`, or
    already here, and beyond 50 aliases.
    """
    artifact = scope.get(Artifact, pk=artifact_id)
    check = Check()
    alias = alias.strip()
    if not _ALIAS.match(alias) or len(alias) > LENGTH_LIMIT or alias in _RESERVED:
        check.refuse("alias", RULE)
    why = check.text("why", why.strip(), label="The reason", limit=WHY_LIMIT)
    check.done()
    held = _held(scope, artifact, alias)
    before = held.artifact.version if held else 0
    if seen is not None and seen != before:
        raise Conflict(f"Somebody moved {alias} meanwhile: {_points(before)}. Look at it and decide again.")
    if before == artifact.version:
        raise Conflict(f"{alias} points to version {artifact.version} already.")
    if held is None:
        held = _add(scope, artifact, alias)
    else:
        held.artifact = artifact
        held.save(update_fields=["artifact"])
    # Deleted at this very moment, it is not found, and the alias stays where it was.
    if not scope.hold(Artifact, pk=artifact.pk):
        raise NotFound(NOTHING_HERE)
    _note(scope, artifact, alias, before or None, artifact.version, why)
    return held


@command()
def remove(scope: Scope, artifact_id: str | uuid.UUID, *, alias: str, why: str) -> Artifact:
    """Take an alias away from the version it points to. Raises NotFound; Invalid; Conflict when it left."""
    artifact = scope.get(Artifact, pk=artifact_id)
    check = Check()
    why = check.text("why", why.strip(), label="The reason", limit=WHY_LIMIT)
    check.done()
    held = _held(scope, artifact, alias)
    if held is None or held.artifact_id != artifact.pk:
        raise Conflict(f"{alias[:LENGTH_LIMIT]} does not point to version {artifact.version} any more.")
    held.delete()
    _note(scope, artifact, alias, artifact.version, None, why)
    return artifact


def of(scope: Scope, artifacts: Iterable[Artifact]) -> dict[uuid.UUID, list[str]]:
    """Aliases that point to each of the artifacts, by name; those without are left out. One query."""
    found: dict[uuid.UUID, list[str]] = {}
    rows = scope.of(ArtifactAlias).filter(artifact__in=[one.pk for one in artifacts]).order_by("alias")
    for key, alias in rows.values_list("artifact", "alias"):
        found.setdefault(key, []).append(alias)
    return found


def of_name(scope: Scope, artifact: Artifact) -> list[ArtifactAlias]:
    """Every alias of the artifact's kind and name with the version it points to, by alias."""
    return list(_of_name(scope, artifact).select_related("artifact").order_by("alias"))


def history(scope: Scope, artifact: Artifact) -> QuerySet[ArtifactAliasMove]:
    """Moves of the aliases of the artifact's kind and name, newest first."""
    rows = scope.of(ArtifactAliasMove).filter(kind=artifact.kind, name=artifact.name)
    return rows.order_by("-id")


def before(scope: Scope, held: ArtifactAlias) -> Artifact | None:
    """The version that an alias pointed to before its last move; None for none, or one that is gone."""
    last = history(scope, held.artifact).filter(alias=held.alias).first()
    rows = scope.of(Artifact).filter(kind=held.kind, name=held.name)
    return rows.filter(version=last.from_version).first() if last and last.from_version else None


def _of_name(scope: Scope, artifact: Artifact) -> QuerySet[ArtifactAlias]:
    return scope.of(ArtifactAlias).filter(kind=artifact.kind, name=artifact.name)


def _held(scope: Scope, artifact: Artifact, alias: str) -> ArtifactAlias | None:
    """The alias as it is, kept from others for the rest of the transaction."""
    if "\0" in alias:
        raise Invalid(RULE)
    rows = _of_name(scope, artifact).filter(alias=alias).select_related("artifact")
    return rows.select_for_update(of=("self",)).first()


def _add(scope: Scope, artifact: Artifact, alias: str) -> ArtifactAlias:
    if _of_name(scope, artifact).count() >= COUNT_LIMIT:
        raise Conflict(f"{artifact.name} has {COUNT_LIMIT} aliases, which is as many as there may be.")
    try:
        with transaction.atomic():
            return scope.of(ArtifactAlias).create(
                resource_group=artifact.resource_group,
                kind=artifact.kind,
                name=artifact.name,
                alias=alias,
                artifact=artifact,
            )
    except IntegrityError as error:
        raise Conflict(
            f"Somebody gave {alias} to another version just now. Look and decide again."
        ) from error


def _note(
    scope: Scope, artifact: Artifact, alias: str, before: int | None, after: int | None, why: str
) -> None:
    scope.of(ArtifactAliasMove).create(
        resource_group=artifact.resource_group,
        kind=artifact.kind,
        name=artifact.name,
        alias=alias,
        from_version=before,
        to_version=after,
        why=why,
        actor=scope.actor[:256],
    )


def _points(version: int) -> str:
    return f"it points to version {version} now" if version else "it points to no version now"
