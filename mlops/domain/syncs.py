"""Syncs of git: claims what is due and carries it out beside the control worker's tasks, a few at once."""

from __future__ import annotations

import functools
import logging
import shutil
import threading
import time
from collections.abc import Callable, Set
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models import F, Q
from django.utils import timezone

from launchpad.access import system_scope
from launchpad.errors import LaunchpadError
from launchpad.vault import Unreadable
from mlops.domain import catalog
from mlops.domain.intakes import pack, read
from mlops.engine import git
from mlops.models import Repository, Source

log = logging.getLogger(__name__)

_LOOKED_AT = 50
_TIDY_SECONDS = 600
_END_SECONDS = 2


class Syncs:
    """This process's syncs: at most GIT_SYNCS_AT_ONCE, and one of a repository, so that no server that hangs
    takes more than one of them. Each is a thread of its own."""

    def __init__(self) -> None:
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._busy: set[UUID] = set()
        self._running = 0
        self._missed = False
        self._tidied = float("-inf")

    def run_due(self) -> None:
        """Begin what is due, as far as there is room, and return at once."""
        with self._lock:
            if self._running >= settings.GIT_SYNCS_AT_ONCE:
                # The next to end looks again.
                self._missed = True
            elif not self._ending.is_set():
                self._running += 1
                threading.Thread(target=self._work, name="sync", daemon=True).start()

    def shut_down(self) -> None:
        """Begin nothing more and end what runs, for at most two seconds; the next process takes it up."""
        self._ending.set()
        until = time.monotonic() + _END_SECONDS
        while not self.is_idle and time.monotonic() < until:
            threading.Event().wait(0.05)

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs."""
        with self._lock:
            return self._running == 0

    def _work(self) -> None:
        again = True
        while again:
            again = False
            try:
                while not self._ending.is_set() and self._one():
                    continue
                self._tidy()
                again = True
            except (OperationalError, InterfaceError) as error:
                log.warning("The database did not answer; the next ring syncs: %s", error)
                again = True
            finally:
                connection.close()
                with self._lock:
                    # After any other error the thread ends, and its place is free.
                    again = again and self._missed and not self._ending.is_set()
                    self._missed = False
                    self._running -= not again

    def _one(self) -> bool:
        """Carry one due sync out; False when none is due."""
        with self._lock:
            # Claimed under the lock: two threads of this process never ask the same repository.
            job = _claim(timezone.now(), self._busy)
            if job is None:
                return False
            key = _repository_key(job)
            self._busy.add(key)
        # There may be more for another thread.
        self.run_due()
        try:
            if isinstance(job, Repository):
                probe(job, stopped=self._ending.is_set)
            else:
                sync(job, stopped=self._ending.is_set)
        finally:
            with self._lock:
                self._busy.discard(key)
        return True

    def _tidy(self) -> None:
        """Now and then remove what this host keeps of repositories that are gone."""
        with self._lock:
            if time.monotonic() - self._tidied < _TIDY_SECONDS:
                return
            self._tidied = time.monotonic()
        forget_removed()


@functools.cache
def current() -> Syncs:
    """The syncs of this process."""
    return Syncs()


def _repository_key(job: Source | Repository) -> UUID:
    if isinstance(job, Repository):
        return job.pk
    assert job.repository_id is not None
    return job.repository_id


def _claim(now: datetime, busy: Set[UUID]) -> Source | Repository | None:
    return claim_source(now, busy) or claim_repository(now, busy)


def claim_source(now: datetime, busy: Set[UUID]) -> Source | None:
    """Take a due application whose repository is not busy; nobody else gets it before its lease ends.

    It is taken by moving due_at to the end of the lease, as far as nobody else moved it.
    """
    idle = (
        Q(sync_started_at=None)
        | Q(synced_at__gte=F("sync_started_at"))
        | Q(sync_started_at__lt=now - _lease())
    )
    rows = Source.unscoped.filter(idle, kind=Source.Kind.GIT, removed_at=None, due_at__lte=now)
    for row in rows.exclude(repository__in=busy).order_by("due_at")[:_LOOKED_AT]:
        if take_source(row, now):
            return Source.unscoped.select_related("workspace").get(pk=row.pk)
    return None


def take_source(row: Source, now: datetime) -> bool:
    """Whether the row, as it was seen, is this one's now."""
    mine = Source.unscoped.filter(pk=row.pk, due_at=row.due_at, removed_at=None)
    return mine.update(due_at=now + _lease(), sync_started_at=now) > 0


def claim_repository(now: datetime, busy: Set[UUID]) -> Repository | None:
    """Take a repository that is due to be asked, as `claim_source` does."""
    rows = Repository.unscoped.defer("credentials").filter(due_at__lte=now).exclude(pk__in=busy)
    for row in rows.order_by("due_at")[:_LOOKED_AT]:
        due_at = now + _lease()
        if Repository.unscoped.filter(pk=row.pk, due_at=row.due_at).update(due_at=due_at):
            row.due_at = due_at
            return row
    return None


def _lease() -> timedelta:
    """How long a sync may take, its reading and storing included, before another one begins."""
    return timedelta(seconds=2 * settings.GIT_TIMEOUT_SECONDS + 60)


def _next(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.GIT_SYNC_SECONDS)


def probe(repository: Repository, *, stopped: Callable[[], bool]) -> None:
    """Ask a claimed repository whether it can be reached, and note the answer."""

    def ask(remote: git.Remote) -> None:
        git.probe(remote, cache=_cache(repository.pk), limits=_limits(), stopped=stopped)

    _asked(repository, ask)


def sync(source: Source, *, stopped: Callable[[], bool]) -> None:
    """Bring the catalog in step with a claimed application.

    What was synced before stays whatever goes wrong; the application then tells why. Its repository's state
    is noted along with it.
    """
    assert source.repository_id is not None and source.sync_started_at is not None
    repository = Repository.unscoped.defer("credentials").get(pk=source.repository_id)

    def take(remote: git.Remote) -> None:
        known = "" if source.is_stale else source.commit
        with git.checkout(
            remote,
            source.revision,
            source.path,
            known=known,
            cache=_cache(repository.pk),
            limits=_limits(),
            stopped=stopped,
        ) as (commit, folder):
            if folder is None:
                return
            intake = pack(source.workspace, folder, read(folder))
            catalog.record_sync(
                system_scope(source),
                kind=Source.Kind.GIT,
                name=source.name,
                intake=intake,
                commit=commit,
                begun_at=source.sync_started_at,
            )

    message = _asked(repository, take)
    if message is None:
        _give_back(source)
    else:
        _end(source, message)


def _asked(repository: Repository, work: Callable[[git.Remote], None]) -> str | None:
    """Work with a repository and note whether it could be reached.

    Returns why the work failed, "" when it did not, None when this process ends.
    """
    failure, is_reached = "", True
    try:
        work(_remote(repository))
    except git.Stopped:
        Repository.unscoped.filter(pk=repository.pk, due_at=repository.due_at).update(due_at=timezone.now())
        return None
    except git.GitFailed as error:
        failure, is_reached = error.message, error.reached
    except Unreadable as error:
        failure, is_reached = str(error), False
    except LaunchpadError as error:
        failure = error.message
    except OSError as error:
        failure = f"The control worker's host failed: {error.strerror or error}."
        log.exception("Repository %s could not be worked with", repository.pk)
    now = timezone.now()
    told = {"state": Repository.State.REACHED, "message": "", "fetched_at": now}
    if not is_reached:
        told = {"state": Repository.State.FAILED, "message": failure}
    # Credentials that were replaced meanwhile moved due_at: this answer is not about them.
    mine = Repository.unscoped.filter(pk=repository.pk, due_at=repository.due_at)
    if mine.update(**told, due_at=_next(now)) and not is_reached:
        # Its other applications would hear the same, each after as long a time.
        others = Source.unscoped.filter(repository=repository, removed_at=None, due_at__lte=now)
        others.update(message=failure, synced_at=now, due_at=_next(now))
    return failure


def _remote(repository: Repository) -> git.Remote:
    """Raises Unreadable."""
    who = Repository.unscoped.values_list("credentials", flat=True).get(pk=repository.pk)
    return git.Remote(repository.url, who["username"], who["password"])


def _end(source: Source, message: str) -> None:
    """Note that a sync ended; one that was begun anew or changed meanwhile is left alone."""
    now = timezone.now()
    mine = Source.unscoped.filter(pk=source.pk, sync_started_at=source.sync_started_at)
    mine.update(message=message, synced_at=now)
    # Unless someone asked for it meanwhile.
    mine.filter(due_at=source.due_at).update(due_at=_next(now))


def _give_back(source: Source) -> None:
    mine = Source.unscoped.filter(pk=source.pk, sync_started_at=source.sync_started_at)
    mine.update(sync_started_at=None, due_at=timezone.now())


def _limits() -> git.Limits:
    return git.Limits(settings.GIT_TIMEOUT_SECONDS, settings.GIT_LIMIT_BYTES)


def _caches() -> Path:
    caches = settings.LAUNCHPAD_DATA / "git"
    caches.mkdir(mode=0o700, parents=True, exist_ok=True)
    return caches


def _cache(key: UUID) -> Path:
    return _caches() / str(key)


def forget_removed() -> None:
    """Remove what this host keeps of repositories that are gone."""
    kept = {str(key) for key in Repository.unscoped.values_list("pk", flat=True)}
    for folder in _caches().iterdir():
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)
