"""Writers of logs: lines of one process, buffered and inserted as numbered chunks by their only writer."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from django.conf import settings
from django.utils import timezone

from launchpad.access import Scope, system_scope
from launchpad.commands import command
from mlops.domain import run_tokens
from mlops.lifecycle import LEASED
from mlops.models import Deployment, Execution, LogChunk, Replica, ReplicaLogChunk

CHUNK_BYTES = 64 * 1024
# Who looks for a time reads the chunks that begin so much earlier, and no others.
CHUNK_SECONDS = 60
ChunkT = TypeVar("ChunkT", LogChunk, ReplicaLogChunk)


@command(audit=False)
def append(scope: Scope, chunk: LogChunk) -> bool:
    """Insert a chunk if its attempt may still write; a repeat of an inserted one changes nothing.

    Returns False, and inserts nothing, when the attempt is not the newest or is over. Commits once.
    """
    # The lock makes a claim of the next attempt wait, so that this chunk is in before its first one.
    row = (
        scope.of(Execution)
        .select_for_update(no_key=True)
        .filter(pk=chunk.execution_id, attempt=chunk.attempt, status__in=LEASED)
    )
    if not row.values_list("pk", flat=True).first():
        return False
    scope.of(LogChunk).bulk_create([chunk], ignore_conflicts=True)
    return True


@command(audit=False)
def append_of_replica(scope: Scope, chunk: ReplicaLogChunk, *, replica: int, attempt: int) -> bool:
    """As `append`, for an attempt of a replica; its last words are taken when it has ended, too."""
    row = scope.of(Replica).select_for_update(no_key=True, of=("self",)).filter(pk=replica, attempt=attempt)
    if not row.values_list("pk", flat=True).first():
        return False
    scope.of(ReplicaLogChunk).bulk_create([chunk], ignore_conflicts=True)
    return True


class Said(Protocol):
    """A line as the engine hands it over: aware UTC time, text without line end, stdout or stderr."""

    @property
    def at(self) -> datetime:
        """When it was read."""

    @property
    def text(self) -> str:
        """What it says."""

    @property
    def stream(self) -> str:
        """Where it was written."""


@dataclass(frozen=True, slots=True)
class _Said:
    at: datetime
    text: str
    stream: str = "stdout"


class Writer(ABC, Generic[ChunkT]):
    """Buffers lines and inserts them as numbered chunks; a later writer of the same goes on numbering.

    Not for several threads. Making one, `write` and `say` need no database.
    """

    def __init__(self) -> None:
        self._blotted = ""
        self._scope: Scope | None = None
        self._lines: deque[tuple[datetime, str, int, bool]] = deque()
        self._since = 0.0
        self._following: tuple[int, int] | None = None
        self._sending: ChunkT | None = None
        self.pending_bytes = 0

    def write(self, lines: Iterable[Said]) -> None:
        """Buffer lines, the run's token blotted out; no database.

        Watch `pending_bytes` while the database is away.
        """
        for line in lines:
            shown = line.text.replace("\x00", "\ufffd")
            if self._blotted:
                shown = shown.replace(self._blotted, "[run token]")
            for text in shown.split("\n"):
                if not self._lines:
                    self._since = time.monotonic()
                # Lone surrogates are no UTF-8; no database takes them.
                encoded = text.encode(errors="replace")
                self._lines.append((line.at, encoded.decode(), len(encoded) + 1, line.stream == "stderr"))
                self.pending_bytes += len(encoded) + 1

    def say(self, text: str) -> None:
        """Buffer a line of Launchpad's own, timed now."""
        self.write([_Said(timezone.now(), text)])

    def resume(self) -> Scope:
        """Look up the place and how far an earlier writer of the same came; return the place."""
        if self._scope is None or self._following is None:
            self._scope, last = self._open()
            self._following = (last[0] + 1, last[1] + last[2]) if last else (0, 1)
        return self._scope

    def flush(self, force: bool = False) -> bool:
        """Insert what is due: lines older than LOG_FLUSH_SECONDS, 64 KiB of them, or all if forced.

        False when the attempt may write no more; its lines are then dropped. Database errors pass
        through with the buffer kept: calling again loses nothing and doubles nothing.
        """
        while self._sending or self._due(force):
            scope = self.resume()
            if self._sending is None:
                self._sending = self._take()
            # After an error it is unknown whether the chunk is in; it is sent again as it was.
            if not self._append(scope, self._sending):
                self._lines.clear()
                self._sending, self.pending_bytes = None, 0
                return False
            self.pending_bytes -= len(self._sending.text.encode()) + 1
            self._following = (self._sending.seq + 1, self._sending.first_line + self._sending.line_count)
            self._sending = None
        return True

    def _due(self, force: bool) -> bool:
        if not self._lines:
            return False
        waited = time.monotonic() - self._since
        return force or self.pending_bytes >= CHUNK_BYTES or waited >= settings.LOG_FLUSH_SECONDS

    def _take(self) -> ChunkT:
        """The next chunk: at most 64 KiB and 60 s, at least one line."""
        seq, first_line = self._following or (0, 1)
        taken: list[tuple[datetime, str, bool]] = []
        size = 0
        start = self._lines[0][0]
        end = start + timedelta(seconds=CHUNK_SECONDS)
        while self._lines and (
            not taken or (size + self._lines[0][2] <= CHUNK_BYTES and self._lines[0][0] <= end)
        ):
            at, text, length, is_error = self._lines.popleft()
            taken.append((at, text, is_error))
            size += length
        return self._chunk(
            seq=seq,
            first_line=first_line,
            line_count=len(taken),
            at=start,
            text="\n".join(text for _at, text, _is_error in taken),
            offsets=[round((at - start).total_seconds() * 1000) for at, _text, _is_error in taken],
            stderr=[index for index, (_at, _text, is_error) in enumerate(taken) if is_error],
        )

    @abstractmethod
    def _open(self) -> tuple[Scope, tuple[int, int, int] | None]:
        """The place, and seq, first line and line count of the last chunk there is."""

    @abstractmethod
    def _chunk(self, **columns: Any) -> ChunkT:
        """A chunk of this writer."""

    @abstractmethod
    def _append(self, scope: Scope, chunk: ChunkT) -> bool:
        """Insert it; False when nothing more may be written."""


class LogWriter(Writer[LogChunk]):
    """The only writer of its (execution, attempt, step). step: the step's index."""

    def __init__(self, execution_id: str, attempt: int, step: int) -> None:
        super().__init__()
        self._execution_id, self._attempt, self._step = execution_id, attempt, step
        # Clients log the addresses they call, and who may only read the log may not report for the run.
        self._blotted = run_tokens.issue(execution_id, attempt)

    def _open(self) -> tuple[Scope, tuple[int, int, int] | None]:
        # The worker claimed the row; there is no user whose scope it could be.
        rows = Execution.unscoped.select_related("resource_group__workspace")
        execution = rows.get(pk=self._execution_id)
        scope = system_scope(execution, actor=f"run {execution.pk}")
        written = scope.of(LogChunk).filter(execution=execution, attempt=self._attempt, step=self._step)
        return scope, written.order_by("-seq").values_list("seq", "first_line", "line_count").first()

    def _chunk(self, **columns: Any) -> LogChunk:
        return LogChunk(execution_id=self._execution_id, attempt=self._attempt, step=self._step, **columns)

    def _append(self, scope: Scope, chunk: LogChunk) -> bool:
        return append(scope, chunk)


class ReplicaLogWriter(Writer[ReplicaLogChunk]):
    """The only writer of the log of one replica while its attempt lasts. revision: the revision's number."""

    def __init__(self, replica: Replica, attempt: int, revision: int) -> None:
        super().__init__()
        self._replica, self._number, self._revision = replica, attempt, revision

    def _open(self) -> tuple[Scope, tuple[int, int, int] | None]:
        rows = Deployment.unscoped.select_related("resource_group__workspace")
        deployment = rows.get(pk=self._replica.deployment_id)
        scope = system_scope(deployment, actor=f"deployment {deployment.pk}")
        written = scope.of(ReplicaLogChunk).filter(
            deployment=deployment, attempt=self._revision, step=self._replica.index
        )
        return scope, written.order_by("-seq").values_list("seq", "first_line", "line_count").first()

    def _chunk(self, **columns: Any) -> ReplicaLogChunk:
        return ReplicaLogChunk(
            deployment_id=self._replica.deployment_id,
            attempt=self._revision,
            step=self._replica.index,
            **columns,
        )

    def _append(self, scope: Scope, chunk: ReplicaLogChunk) -> bool:
        return append_of_replica(scope, chunk, replica=self._replica.pk, attempt=self._number)
