"""Traffic of deployments: counted by web processes in spans of 10 seconds, read as series for charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from launchpad.access import Scope, system_scope
from launchpad.commands import command
from mlops.domain import latencies
from mlops.models import Deployment, TrafficBucket

BUCKET_SECONDS = 10
# So many points a series: more than a chart is wide says nothing more.
POINTS = 360
_COUNTS = ("requests", "ok", "redirected", "refused", "failed", "busy", "seconds", "latency")
_KEY = ("deployment", "at", "revision", "process")
_PURGED_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Point:
    """Requests that ended within one span. at: when it begins.

    rate: requests a second. p50, p95, p99: seconds, None without requests. errors: the share of them that
    failed, 0 to 1. busy: most requests open at once in one web process.
    """

    at: datetime
    requests: int
    rate: float
    p50: float | None
    p95: float | None
    p99: float | None
    errors: float
    busy: int


@dataclass(frozen=True, slots=True)
class Series:
    """What charts need of a deployment's traffic, oldest first; spans without requests have their point too.

    step_seconds: how long a span is. by_revision: the same by number of the revision, newest first.
    whole: all of the window as one point.
    """

    step_seconds: int
    points: list[Point]
    by_revision: dict[int, list[Point]]
    whole: Point


@dataclass(frozen=True, slots=True)
class Count:
    """What a web process has counted in one span of 10 seconds, as a row of it is written; see the model."""

    deployment: str
    revision: int
    at: datetime
    requests: int
    ok: int
    redirected: int
    refused: int
    failed: int
    busy: int
    seconds: float
    latency: dict[str, int]


def flush(process: str, counts: Sequence[Count]) -> None:
    """Write what a process has counted, over what it wrote of the same spans before; repeats are harmless.

    Deployments that are gone are passed over. For the gateway, which speaks for no user. Raises
    django.db.Error with all or a part of it written: calling again completes it.
    """
    keys = {count.deployment for count in counts}
    rows = Deployment.unscoped.filter(pk__in=keys).select_related("resource_group__workspace")
    for deployment in rows.order_by("pk"):
        own = [count for count in counts if count.deployment == deployment.pk]
        record(system_scope(deployment), deployment, process=process, counts=own)


@command(audit=False)
def record(scope: Scope, deployment: Deployment, *, process: str, counts: Sequence[Count]) -> None:
    """Write the counts of one deployment by one process; the newest of a span stands. Commits once."""
    scope.of(TrafficBucket).bulk_create(
        [
            TrafficBucket(
                deployment=deployment,
                process=process,
                revision=count.revision,
                at=count.at,
                **{name: getattr(count, name) for name in _COUNTS},
            )
            for count in counts
        ],
        update_conflicts=True,
        unique_fields=_KEY,
        update_fields=_COUNTS,
    )


def series(scope: Scope, deployment: Deployment, *, seconds: int, now: datetime | None = None) -> Series:
    """The traffic of the last so many seconds, in at most POINTS spans of a multiple of 10 seconds.

    The newest span is still filling. One query.
    """
    now = now or timezone.now()
    step = -(-max(seconds, BUCKET_SECONDS) // (POINTS * BUCKET_SECONDS)) * BUCKET_SECONDS
    last = int(now.timestamp()) // step
    first = last - -(-seconds // step) + 1
    starts = [datetime.fromtimestamp(number * step, now.tzinfo) for number in range(first, last + 1)]
    rows = scope.of(TrafficBucket).filter(deployment=deployment, at__gte=starts[0])
    revisions: dict[int, list[_Sum]] = {}
    # Tuples: a day has ten thousand rows of each web process.
    for at, revision, *counts in rows.values_list("at", "revision", "requests", "failed", "busy", "latency"):
        place = int(at.timestamp()) // step - first
        if place >= len(starts):
            continue
        if revision not in revisions:
            revisions[revision] = [_Sum() for _ in starts]
        revisions[revision][place].add(*counts)
    whole, spans = _Sum(), [_Sum() for _ in starts]
    for own in revisions.values():
        for one, total in zip(own, spans, strict=True):
            total.add(one.requests, one.failed, one.busy, one.latency)
    for one in spans:
        whole.add(one.requests, one.failed, one.busy, one.latency)
    return Series(
        step,
        [one.point(start, step) for start, one in zip(starts, spans, strict=True)],
        {
            number: [one.point(start, step) for start, one in zip(starts, revisions[number], strict=True)]
            for number in sorted(revisions, reverse=True)
        },
        whole.point(starts[0], step * len(starts)),
    )


class _Sum:
    """Rows added up."""

    __slots__ = ("busy", "failed", "latency", "requests")

    def __init__(self) -> None:
        self.requests = self.failed = self.busy = 0
        self.latency: dict[str, int] = {}

    def add(self, requests: int, failed: int, busy: int, latency: dict[str, int]) -> None:
        self.requests += requests
        self.failed += failed
        self.busy = max(self.busy, busy)
        for key, count in latency.items():
            self.latency[key] = self.latency.get(key, 0) + count

    def point(self, at: datetime, seconds: int) -> Point:
        if not self.requests:
            return Point(at, 0, 0.0, None, None, None, 0.0, self.busy)
        counts = {int(key): count for key, count in self.latency.items()}
        p50, p95, p99 = (latencies.quantile(counts, share) for share in (0.5, 0.95, 0.99))
        errors = self.failed / self.requests
        return Point(at, self.requests, self.requests / seconds, p50, p95, p99, errors, self.busy)


def purge(now: datetime) -> int:
    """Remove counts older than TRAFFIC_DAYS, at most 2,000 rows a call; return how many."""
    old = TrafficBucket.unscoped.filter(at__lt=now - timedelta(days=settings.TRAFFIC_DAYS))
    keys = list(old.order_by("at").values_list("pk", flat=True)[:_PURGED_AT_ONCE])
    if keys:
        TrafficBucket.unscoped.filter(pk__in=keys).delete()
    return len(keys)
