"""Applications: folders of git repositories at a revision, with which the catalog is kept in step."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from launchpad.access import NOTHING_HERE, Scope
from launchpad.commands import command
from launchpad.errors import Conflict, Invalid, NotFound
from mlops import doorbell
from mlops.domain import catalog, provisions, repositories
from mlops.domain.limits import Check
from mlops.domain.provisions import State
from mlops.engine import git_places
from mlops.models import Repository, Source

NAME_MINIMUM, NAME_LIMIT = 3, 54
_NAME = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True)
class Status:
    """How an application is, in the words of the API.

    health: Healthy, Progressing or Degraded. sync: Synced, OutOfSync or Unknown. message: a sentence.
    resources: {name, kind, status, message} of each executable.
    """

    health: str
    sync: str
    message: str
    source: Source
    begun_at: datetime | None
    ended_at: datetime | None
    resources: list[dict[str, str]]


def search(scope: Scope, *, repository: str = "") -> QuerySet[Source]:
    """The workspace's applications by name, with their repositories. repository: only those of this one."""
    rows = scope.of(Source).filter(kind=Source.Kind.GIT, removed_at=None)
    if repository:
        rows = rows.filter(repository__name=repository) if _NAME.fullmatch(repository) else rows.none()
    return rows.select_related("repository").defer("repository__credentials").order_by("name")


def get(scope: Scope, name: str) -> Source:
    """One application. Raises NotFound."""
    # Not every database can be asked for every text.
    found = search(scope).filter(name=name).first() if _NAME.fullmatch(name) else None
    if found is None:
        raise NotFound(NOTHING_HERE)
    return found


@command(administers=True)
def create(scope: Scope, *, repository: str, revision: str, path: str, name: str = "") -> Source:
    """Have the templates of a folder of a repository kept in step; the first sync begins at once.

    repository: name or address of a repository of the workspace. revision: branch, tag, commit or HEAD.
    path: from the top of the repository, `.` for all of it. name: 3 to 54 lower-case letters, digits and
    hyphens; by default made from the repository's. Two applications may overlap; where they provide
    different templates of one id, the first one's stays and the other's status says so. Raises Forbidden,
    and Invalid, also for a name that is taken and for the very same place.
    """
    check = Check()
    if name and not (NAME_MINIMUM <= len(name) <= NAME_LIMIT and _NAME.fullmatch(name)):
        check.refuse(
            "name",
            f"An application's name is {NAME_MINIMUM} to {NAME_LIMIT} lower-case letters, digits "
            "and hyphens.",
        )
    revision, path = _place(check, revision, path)
    check.done()
    catalog.hold(scope)
    where = _repository(scope, repository)
    _check_free(search(scope), where, revision, path)
    if name and search(scope).filter(name=name).exists():
        raise Invalid(
            f"There is an application {name} here already. Choose another name, or change that one."
        )
    made = scope.of(Source).create(
        workspace=scope.workspace,
        kind=Source.Kind.GIT,
        name=name or f"{where.name[: NAME_LIMIT - 9]}-{secrets.token_hex(4)}",
        repository=where,
        revision=revision,
        path=path,
        due_at=timezone.now(),
    )
    doorbell.sources()
    return made


@command(administers=True)
def change(scope: Scope, name: str, *, repository: str, revision: str, path: str, seen: str = "") -> Source:
    """Take the templates from elsewhere from now on; what was synced stays until they are there.

    Arguments as of `create`. seen: the `place` that the caller was shown, "" for whatever it is now. Raises
    NotFound, Forbidden, Invalid, and Conflict when it is another place by now.
    """
    check = Check()
    revision, path = _place(check, revision, path)
    check.done()
    catalog.hold(scope)
    found = get(scope, name)
    if seen and seen != place(found):
        raise Conflict(f"Somebody else changed {name} meanwhile. Look at it again before you change it.")
    where = _repository(scope, repository)
    _check_free(search(scope).exclude(pk=found.pk), where, revision, path)
    found.repository, found.revision, found.path = where, revision, path
    # A sync that is on its way is of the old place: without its beginning it records nothing.
    found.commit, found.message, found.sync_started_at = "", "", None
    found.is_stale, found.due_at = True, timezone.now()
    found.save(
        update_fields=[
            "repository",
            "revision",
            "path",
            "commit",
            "message",
            "sync_started_at",
            "is_stale",
            "due_at",
        ]
    )
    doorbell.sources()
    return found


@command(administers=True)
def delete(scope: Scope, name: str) -> Source:
    """Sync an application no more; the versions it brought stay. Raises NotFound, Forbidden."""
    catalog.hold(scope)
    found = get(scope, name)
    found.removed_at = timezone.now()
    found.save(update_fields=["removed_at"])
    provisions.release(scope, found)
    return found


@command(administers=True)
def refresh(scope: Scope, name: str) -> Source:
    """Sync an application as soon as a worker is free, and read its templates whatever its commit.

    Raises NotFound, Forbidden.
    """
    found = get(scope, name)
    found.is_stale, found.due_at = True, timezone.now()
    found.save(update_fields=["is_stale", "due_at"])
    doorbell.sources()
    return found


def place(source: Source) -> str:
    """Where an application takes its templates from, in one line."""
    return f"{source.repository_id} {source.revision} {source.path}"


def is_syncing(source: Source) -> bool:
    """Whether a sync of it has begun and not ended."""
    begun, ended = source.sync_started_at, source.synced_at
    return begun is not None and (ended is None or ended < begun)


def status(source: Source) -> Status:
    """How an application is after its last sync."""
    counts = Counter(one["status"] for one in source.resources)
    if source.message:
        health, sync, message = "Degraded", "Unknown", source.message
    elif source.synced_at is None or not source.commit:
        health, sync, message = "Progressing", "Unknown", "Not synced yet."
    else:
        failed, vanished = counts[State.FAILED], counts[State.VANISHED]
        health, sync = ("Degraded", "OutOfSync") if failed else ("Healthy", "Synced")
        message = f"Synced to commit {source.commit[:7]}: {_words(counts[State.SYNCED], 'executable')}"
        message += f", {failed} not taken" if failed else ""
        message += f", {vanished} without a template any more" if vanished else ""
        message += "." if source.resources else f"; {source.path or 'the repository'} holds no template."
    if is_syncing(source):
        health = "Progressing"
    return Status(
        health, sync, message, source, source.sync_started_at, source.synced_at, list(source.resources)
    )


def _words(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _place(check: Check, revision: str, path: str) -> tuple[str, str]:
    """Revision and path as they are kept."""
    kept = {"revision": "", "path": ""}
    for field, value, rule in (
        ("revision", revision, git_places.check_revision),
        ("path", path, git_places.check_path),
    ):
        try:
            kept[field] = rule(value)
        except ValueError as error:
            check.refuse(field, str(error))
    return kept["revision"], kept["path"]


def _repository(scope: Scope, named: str) -> Repository:
    """The repository of a name or address. Raises Invalid."""
    rows = repositories.search(scope)
    wanted = named.strip()
    found = None
    if wanted.isprintable():
        found = rows.filter(name=wanted).first() or rows.filter(url=wanted.rstrip("/")).first()
    if found is None:
        sentence = "The workspace has no such repository. Add it first, with its user name and password."
        raise Invalid(sentence, fields={"repository": sentence})
    return found


def _check_free(rows: QuerySet[Source], repository: Repository, revision: str, path: str) -> None:
    there = rows.filter(repository=repository, revision=revision, path=path).first()
    if there is not None:
        raise Invalid(
            f"The application {there.name} is of this repository, revision and path already. "
            "Refresh or change that one."
        )
