"""Counts of requests by deployment, revision and 10 seconds, written to the table every two."""

from __future__ import annotations

import logging
import time
import uuid
from datetime import UTC, datetime

from django.db import Error

from launchpad.streams import in_thread
from mlops.domain import latencies, traffic
from mlops.gateway.beats import Beat
from mlops.gateway.lanes import Lane, Line

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 2.0
# While the database is away counts are kept; with fifty deployments in use this is an hour and a half.
_KEPT = 30_000


class _Bucket:
    """What has ended within one span. classes: of statuses 2xx to 5xx. is_new: not written as it is now."""

    __slots__ = ("busy", "classes", "is_new", "latency", "seconds", "span")

    def __init__(self, span: int, busy: int) -> None:
        self.span = span
        self.busy = busy
        self.classes = [0, 0, 0, 0]
        self.latency = [0] * (len(latencies.BOUNDS) + 1)
        self.seconds = 0.0
        self.is_new = True


class Counting:
    """The counts of this process; on one event loop."""

    def __init__(self) -> None:
        self.process = uuid.uuid4().hex
        # Those with requests under way: they are busy in every span, though nothing begins or ends in it.
        self._lanes: set[Lane] = set()
        self._now: dict[tuple[str, int], _Bucket] = {}
        self._past: list[tuple[tuple[str, int], _Bucket]] = []
        self._beat = Beat(FLUSH_SECONDS, self.flush)
        self._is_away = False

    def began(self, line: Line, lane: Lane) -> None:
        """A request is passed on to a revision."""
        self._lanes.add(lane)
        bucket = self._bucket(lane)
        busy = lane.open + line.waiting
        if busy > bucket.busy:
            bucket.busy = busy
            bucket.is_new = True

    def waits(self, line: Line) -> None:
        """A request is about to wait for a place: it counts as open, so that more servers come."""
        for lane in line.lanes[:1]:
            bucket = self._bucket(lane)
            bucket.busy = max(bucket.busy, lane.open + line.waiting + 1)
            bucket.is_new = True

    def ended(self, lane: Lane, status: int, seconds: float) -> None:
        """It is over. status: of the answer, 0 for none, which counts as failed; seconds: since it came."""
        bucket = self._bucket(lane)
        bucket.classes[status // 100 - 2 if 200 <= status < 600 else 3] += 1
        bucket.latency[latencies.index(seconds)] += 1
        bucket.seconds += seconds
        bucket.is_new = True

    def _bucket(self, lane: Lane) -> _Bucket:
        key = (lane.deployment, lane.revision)
        span = int(time.time()) // traffic.BUCKET_SECONDS
        bucket = self._now.get(key)
        # A clock that is set back goes on with the newest: a second one of a span would replace the first.
        if bucket is None or bucket.span < span:
            if bucket is not None and bucket.is_new:
                self._past.append((key, bucket))
            bucket = self._now[key] = _Bucket(span, lane.open)
            self._beat.start()
        return bucket

    async def flush(self) -> bool:
        """Write what is new; False when nothing is counted any more. The database may be away."""
        self._lanes = {lane for lane in self._lanes if lane.open}
        for lane in self._lanes:
            self._bucket(lane)
        span = int(time.time()) // traffic.BUCKET_SECONDS
        taken = [*self._past, *((key, bucket) for key, bucket in self._now.items() if bucket.is_new)]
        self._past = []
        for _, bucket in taken:
            bucket.is_new = False
        if taken:
            counts = [_count(key, bucket) for key, bucket in taken]
            try:
                await in_thread(traffic.flush, self.process, counts)
            except Error as error:
                self._keep(taken)
                if not self._is_away:
                    logger.warning("Counts of requests wait for the database: %s", error)
                self._is_away = True
                return True
            self._is_away = False
        for key, bucket in list(self._now.items()):
            if bucket.span < span and not bucket.is_new:
                del self._now[key]
        return bool(self._now or self._past or self._lanes)

    def _keep(self, taken: list[tuple[tuple[str, int], _Bucket]]) -> None:
        """Those are to be written again; the oldest are given up when there are too many."""
        for key, bucket in taken:
            bucket.is_new = True
            if self._now.get(key) is not bucket:
                self._past.append((key, bucket))
        self._past = self._past[-_KEPT:]

    async def close(self) -> None:
        """Write what is left, once."""
        await self._beat.stop()
        await self.flush()


def _count(key: tuple[str, int], bucket: _Bucket) -> traffic.Count:
    deployment, revision = key
    ok, redirected, refused, failed = bucket.classes
    return traffic.Count(
        deployment=deployment,
        revision=revision,
        at=datetime.fromtimestamp(bucket.span * traffic.BUCKET_SECONDS, UTC),
        requests=sum(bucket.classes),
        ok=ok,
        redirected=redirected,
        refused=refused,
        failed=failed,
        busy=bucket.busy,
        seconds=bucket.seconds,
        latency={str(place): count for place, count in enumerate(bucket.latency) if count},
    )
