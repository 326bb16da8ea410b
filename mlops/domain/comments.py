"""Comments: what people say about executions, artifacts and scenarios of their resource group."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from launchpad.access import NOTHING_HERE, Right, Scope
from launchpad.commands import command
from launchpad.errors import Conflict, Forbidden, Invalid, NotFound
from mlops.domain.limits import Check, storable
from mlops.models import Artifact, Comment, Execution, Scenario

TEXT_LIMIT = 5000
# Later on others may have answered to what it said.
EDITABLE = timedelta(days=1)
# The plural in addresses: what is commented on, and by which value it is addressed.
KINDS: dict[str, tuple[type[Any], str]] = {
    "executions": (Execution, "pk"),
    "artifacts": (Artifact, "pk"),
    "scenarios": (Scenario, "slug"),
}
_INCOMPLETE = "The form is not complete. Reload the page and try again."
_MISSED = "Somebody changed or deleted this comment meanwhile. Reload the page and look at it again."


def subject(scope: Scope, kind: str, key: str) -> Execution | Artifact | Scenario:
    """What is commented on. kind: one of KINDS; key: its id, a scenario's slug. Raises NotFound."""
    if kind not in KINDS or not storable(key) or scope.resource_group is None:
        raise NotFound(NOTHING_HERE)
    model, name = KINDS[kind]
    found: Execution | Artifact | Scenario = scope.get(model, **{name: key})
    return found


def address(about: Execution | Artifact | Scenario) -> tuple[str, str]:
    """The kind and key by which `subject` finds it."""
    kind = next(kind for kind, (model, _) in KINDS.items() if isinstance(about, model))
    return kind, str(getattr(about, KINDS[kind][1]))


def about(scope: Scope, found: Execution | Artifact | Scenario) -> QuerySet[Comment]:
    """Comments and flags on one thing, newest first, with their authors; deleted ones too."""
    rows = scope.of(Comment).filter(**{type(found)._meta.model_name or "": found})
    return rows.select_related("created_by").order_by("-created_at", "-pk")


def get(scope: Scope, comment_id: uuid.UUID | str) -> Comment:
    """One comment. Raises NotFound."""
    rows = scope.of(Comment).select_related("execution", "artifact", "scenario", "created_by")
    found: Comment = scope.one(rows, pk=comment_id)
    return found


def what(comment: Comment) -> Execution | Artifact | Scenario:
    """What a comment of `get` is about."""
    return comment.execution or comment.artifact or comment.scenario  # type: ignore[return-value]


@command(right=Right.PARTICIPATE, secret=("text",))
def add(scope: Scope, *, kind: str, key: str, text: str) -> Comment:
    """Say something about a thing. Raises NotFound; Invalid for no text, more than 5000 characters or NUL."""
    return say(scope, kind=kind, key=key, text=text, flag=Comment.Flag.NONE)


def say(scope: Scope, *, kind: str, key: str, text: str, flag: str) -> Comment:
    """Insert a comment or flag, inside the transaction of a command. Raises NotFound, Invalid."""
    found = subject(scope, kind, key)
    return scope.of(Comment).create(
        resource_group=scope.group,
        **{type(found)._meta.model_name or "": found},
        text=words(text),
        flag=flag,
        created_by=scope.user,
    )


@command(right=Right.PARTICIPATE, secret=("text",))
def edit(scope: Scope, comment_id: uuid.UUID | str, *, text: str, revision: int | None) -> Comment:
    """Change one's own comment within a day.

    revision: of the comment that the author saw. Raises NotFound, Invalid; Forbidden for somebody else's;
    Conflict when it is older, deleted, a closed flag, or was changed meanwhile.
    """
    comment = get(scope, comment_id)
    said = words(text)
    if not is_own(scope, comment):
        raise Forbidden("Only its author changes a comment.")
    if not is_editable(scope, comment):
        raise Conflict("This comment cannot be changed any more. Write another one.")
    return _change(scope, comment, revision, text=said, edited_at=timezone.now())


@command(right=Right.PARTICIPATE)
def delete(scope: Scope, comment_id: uuid.UUID | str, *, revision: int | None) -> Comment:
    """Remove the words of a comment for good; that one was there, and who removed it, stays.

    Its author and editors may. An open flag is closed by it. revision: as for `edit`. Raises NotFound,
    Forbidden; Conflict when it was changed or deleted meanwhile.
    """
    comment = get(scope, comment_id)
    if revision is None:
        raise Invalid(_INCOMPLETE)
    if not is_deletable(scope, comment) and comment.deleted_at is None:
        raise Forbidden("Only its author and editors of this resource group delete a comment.")
    gone = {"text": "", "deleted_by": scope.actor[:256], "deleted_at": timezone.now()}
    if comment.flag == Comment.Flag.OPEN:
        gone |= {"flag": Comment.Flag.CLOSED, "closed_by": scope.actor[:256], "closed_at": timezone.now()}
    return _change(scope, comment, revision, **gone)


def _change(scope: Scope, comment: Comment, revision: int | None, **values: Any) -> Comment:
    if revision is None:
        raise Invalid(_INCOMPLETE)
    rows = scope.of(Comment).filter(pk=comment.pk, revision=revision, deleted_at=None)
    if not rows.update(revision=F("revision") + 1, **values):
        raise Conflict(_MISSED)
    return get(scope, comment.pk)


def is_own(scope: Scope, comment: Comment) -> bool:
    """Whether the scope's holder wrote it."""
    return scope.user is not None and comment.created_by_id == scope.user.pk


def is_editable(scope: Scope, comment: Comment) -> bool:
    """Whether the scope's holder may still change its words."""
    recent = timezone.now() - comment.created_at < EDITABLE
    standing = comment.deleted_at is None and comment.flag != Comment.Flag.CLOSED
    return is_own(scope, comment) and recent and standing


def is_deletable(scope: Scope, comment: Comment) -> bool:
    """Whether the scope's holder may delete it."""
    return comment.deleted_at is None and (scope.may_change or is_own(scope, comment))


def words(text: str, *, field: str = "text") -> str:
    """The text without surrounding blanks. Raises Invalid for none, too much, or what no database holds."""
    check = Check()
    said = check.text(field, text.replace("\r\n", "\n").strip(), label="The text", limit=TEXT_LIMIT)
    if not said:
        check.refuse(field, "Write at least a word.")
    check.done()
    return said
