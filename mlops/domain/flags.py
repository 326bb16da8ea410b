"""Flags: comments that ask an editor to look at something, until one has."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.utils import timezone

from launchpad.access import Right, Scope
from launchpad.commands import command
from launchpad.errors import Conflict
from launchpad.resource_groups.models import ResourceGroup
from mlops.domain import comments
from mlops.models import Artifact, Comment, Execution, Scenario

# What needs somebody first.
STATES = (str(Comment.Flag.OPEN), str(Comment.Flag.CLOSED))


@command(right=Right.PARTICIPATE, secret=("text",))
def create(scope: Scope, *, kind: str, key: str, text: str) -> Comment:
    """Flag a thing with a reason. Raises as `comments.add` does."""
    return comments.say(scope, kind=kind, key=key, text=text, flag=Comment.Flag.OPEN)


@command(secret=("answer",))
def close(scope: Scope, comment_id: uuid.UUID | str, *, answer: str) -> Comment:
    """Answer a flag and close it. Raises NotFound, Forbidden, Invalid; Conflict when it is not open."""
    comment = comments.get(scope, comment_id)
    said = comments.words(answer, field="answer")
    return _move(
        scope,
        comment,
        Comment.Flag.OPEN,
        flag=Comment.Flag.CLOSED,
        answer=said,
        closed_by=scope.actor[:256],
        closed_at=timezone.now(),
    )


@command()
def reopen(scope: Scope, comment_id: uuid.UUID | str) -> Comment:
    """Open a closed flag again; its answer goes. Raises NotFound, Forbidden, Conflict unless it is closed."""
    return _move(
        scope,
        comments.get(scope, comment_id),
        Comment.Flag.CLOSED,
        flag=Comment.Flag.OPEN,
        answer="",
        closed_by="",
        closed_at=None,
    )


def _move(scope: Scope, comment: Comment, source: str, **values: object) -> Comment:
    rows = scope.of(Comment).filter(pk=comment.pk, flag=source, deleted_at=None)
    if not rows.update(revision=F("revision") + 1, **values):
        raise Conflict(f"This flag is not {source} any more. Reload the page to see what happened to it.")
    return comments.get(scope, comment.pk)


def search(scope: Scope, state: str = Comment.Flag.OPEN) -> QuerySet[Comment]:
    """Flags of the group, newest first, with what they are about. state: open or closed."""
    rows = scope.of(Comment).filter(flag=state)
    about = ("created_by", "execution__configuration", "artifact", "scenario")
    return rows.select_related(*about).order_by("-created_at", "-pk")


def open_in(groups: Collection[ResourceGroup]) -> dict[str, int]:
    """How many open flags each group has, by its slug, in one query; groups without any are left out.

    groups: of one workspace, which the caller may view.
    """
    if not groups:
        return {}
    rows = Comment.unscoped.filter(resource_group__in=list(groups), flag=Comment.Flag.OPEN).order_by()
    found = rows.values("resource_group__slug").annotate(flags=Count("pk"))
    return {row["resource_group__slug"]: row["flags"] for row in found}


def count(scope: Scope, found: Execution | Artifact | Scenario) -> int:
    """How many open flags one thing has."""
    return comments.about(scope, found).filter(flag=Comment.Flag.OPEN).count()


def column(scope: Scope, kind: str) -> Subquery:
    """The number of open flags as a column of a query of such things, NULL for none. kind: as in `counts`."""
    model, _ = comments.KINDS[kind]
    rows = scope.of(Comment).filter(**{str(model._meta.model_name): OuterRef("pk")}, flag=Comment.Flag.OPEN)
    counted = rows.order_by().values(str(model._meta.model_name)).annotate(flags=Count("pk"))
    return Subquery(counted.values("flags"))


def counts(scope: Scope, kind: str, keys: Collection[object]) -> dict[object, int]:
    """Open flags of several things by primary key, in one query; those without are left out.

    kind: as in comments.KINDS.
    """
    model, _ = comments.KINDS[kind]
    field = model._meta.model_name
    rows = scope.of(Comment).filter(**{f"{field}__in": list(keys)}, flag=Comment.Flag.OPEN).order_by()
    return dict(rows.values(field).annotate(flags=Count("pk")).values_list(field, "flags"))
