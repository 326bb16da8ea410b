"""A share of requests and answers, kept for monitoring: taken along as they pass, stored once a second."""

from __future__ import annotations

import logging
import random
from collections import deque
from datetime import UTC, datetime

from django.db import Error

from launchpad.streams import in_thread
from mlops.domain import predictions
from mlops.gateway.beats import Beat
from mlops.gateway.requests import Request

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
# At most 32 MiB of bodies wait to be stored.
_WAITING = 1_000
_BATCH = 200
_TEXTS = (b"text/", b"application/json", b"application/x-ndjson", b"application/x-www-form-urlencoded")


class Copy:
    """A copy of one request and its answer while they pass, each as far as it is kept."""

    def __init__(self, request: Request, *, revision: int, caller: str) -> None:
        self.at = datetime.now(UTC)
        self._request = request
        self._revision = revision
        self._caller = caller
        self._is_cut = False
        self._asked = bytearray()
        self._answered = bytearray()
        read = request.read
        self._keeps_request = _is_text(read.get(b"content-type", b""), read.get(b"content-encoding", b""))
        self._keeps_answer = False

    def asked(self, part: bytes) -> None:
        """Bytes of the request's body pass."""
        if self._keeps_request:
            self._add(self._asked, part)

    def begins(self, headers: list[tuple[bytes, bytes]]) -> None:
        """The answer begins."""
        found = dict(headers)
        self._keeps_answer = _is_text(found.get(b"content-type", b""), found.get(b"content-encoding", b""))

    def answered(self, part: bytes) -> None:
        """Bytes of the answer's body pass."""
        if self._keeps_answer:
            self._add(self._answered, part)

    def _add(self, body: bytearray, part: bytes) -> None:
        room = predictions.BODY_BYTES - len(body)
        body += part[:room]
        self._is_cut = self._is_cut or len(part) > room

    def kept(self, status: int, seconds: float) -> predictions.Kept:
        """As it is stored: of the headers nothing, of the address no query, which may hold a secret."""
        return predictions.Kept(
            deployment=self._request.deployment,
            revision=self._revision,
            at=self.at,
            method=self._request.method,
            path=_text(self._request.path),
            status=status,
            milliseconds=seconds * 1000,
            request=_text(self._asked),
            response=_text(self._answered),
            is_cut=self._is_cut,
            caller=self._caller,
        )


def _is_text(kind: bytes, encoding: bytes) -> bool:
    kind = kind.partition(b";")[0].strip().lower()
    plain = encoding in (b"", b"identity")
    return plain and (kind.startswith(_TEXTS) or kind.endswith((b"+json", b"/xml", b"+xml")))


def _text(body: bytes | bytearray) -> str:
    """As text; no database holds NUL."""
    return body.decode("utf-8", "replace").replace("\0", "")


class Log:
    """What waits to be stored; full, it drops what comes and says so. On one event loop."""

    def __init__(self) -> None:
        self._waiting: deque[predictions.Kept] = deque()
        self._beat = Beat(FLUSH_SECONDS, self.flush)
        self.dropped = 0

    def copy(self, request: Request, *, share: int, revision: int, caller: str) -> Copy | None:
        """A copy to be filled, of `share` of 100 requests at random."""
        if share < 100 and random.random() * 100 >= share:
            return None
        return Copy(request, revision=revision, caller=caller)

    def add(self, kept: predictions.Kept) -> None:
        """Have it stored soon. Never waits."""
        if len(self._waiting) >= _WAITING:
            self.dropped += 1
            return
        self._waiting.append(kept)
        self._beat.start()

    async def flush(self) -> bool:
        """Store what waits; False when nothing does. What the database does not take is dropped."""
        if self.dropped:
            logger.warning("%s requests were not kept: more came than can be stored.", self.dropped)
            self.dropped = 0
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            try:
                await in_thread(predictions.flush, batch)
            except Error as error:
                logger.warning("%s kept requests could not be stored: %s", len(batch), error)
                return True
        return False

    async def close(self) -> None:
        """Store what waits, once."""
        await self._beat.stop()
        await self.flush()
