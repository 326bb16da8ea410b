"""The traffic of a deployment: charts of requests, latency and errors, and the same in small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from mlops.domain import traffic
from mlops.domain.traffic import Point, Series
from mlops.views.deployment_charts import Curve, Spark, chart, milliseconds, spark
from mlops.views.execution_charts import Chart

# Value in the address: label, seconds.
RANGES = {
    "15m": ("15 min", 15 * 60),
    "1h": ("1 h", 3600),
    "4h": ("4 h", 4 * 3600),
    "24h": ("24 h", 24 * 3600),
}
DEFAULT = "4h"
_REVISIONS = 8
_SPARKS = 60
_LONGEST_NUMBER = 9


@dataclass(frozen=True)
class Figure:
    """A figure of the whole span with its curve. finding: the same in a sentence, for who cannot see it."""

    title: str
    value: str
    spark: Spark
    finding: str


class Traffic:
    """query: `range` is one of RANGES, `revision` the number of one; without it all are meant."""

    def __init__(self, scope: Scope, deployment: Any, query: QueryDict) -> None:
        self._scope = scope
        self._deployment = deployment
        self._query = query
        wanted = query.get("range", "")
        self.range = wanted if wanted in RANGES else DEFAULT

    @property
    def ranges(self) -> list[tuple[str, str, bool]]:
        """Spans to choose from: value, label, whether it is shown."""
        return [(key, label, key == self.range) for key, (label, _) in RANGES.items()]

    @property
    def words(self) -> str:
        """The span in words."""
        return RANGES[self.range][0]

    @cached_property
    def _series(self) -> Series:
        return traffic.series(self._scope, self._deployment, seconds=RANGES[self.range][1])

    @property
    def revisions(self) -> list[int]:
        """Numbers of the revisions that got requests, newest first."""
        return list(self._series.by_revision)[:_REVISIONS]

    @property
    def revision(self) -> int | None:
        """The revision that latency and errors are shown of, None for all."""
        text = self._query.get("revision", "")
        is_number = text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER
        return int(text) if is_number and int(text) in self._series.by_revision else None

    @property
    def _points(self) -> list[Point]:
        number = self.revision
        return self._series.points if number is None else self._series.by_revision[number]

    @property
    def is_any(self) -> bool:
        """Whether there was any request."""
        return self._series.whole.requests > 0

    @property
    def whole(self) -> Point:
        """The span as one point, all revisions together."""
        return self._series.whole

    @cached_property
    def charts(self) -> list[Chart]:
        """Requests, latency and errors; requests by revision where several had some."""
        own = self.revisions if self.revision is None else [self.revision]
        parts = {f"Revision {number}": self._series.by_revision[number] for number in own}
        if len(parts) < 2:
            parts = {"Requests": self._points}
        rates = [_curve(title, points, [one.rate * 60 for one in points]) for title, points in parts.items()]
        points = self._points
        times = [
            _curve(title, points, [None if value is None else value * 1000 for value in values])
            for title, values in (
                ("p50", [one.p50 for one in points]),
                ("p95", [one.p95 for one in points]),
                ("p99", [one.p99 for one in points]),
            )
        ]
        failed = [one.errors * 100 if one.requests else None for one in points]
        return [
            chart("requests", "Requests per minute", rates),
            chart("latency", "Latency, milliseconds", times),
            chart("errors", "Errors, percent", [_curve("Failed with 5xx or no answer", points, failed)]),
        ]

    @cached_property
    def sparks(self) -> list[Figure]:
        """The same in small, with the figure of the whole span."""
        whole, groups = self.whole, _grouped(self._series.points)
        rate = f"{_short(whole.rate * 60):,g} / min"
        latency = "–" if whole.p95 is None else f"{_short(whole.p95 * 1000):,g} ms"
        errors = f"{whole.errors * 100:.1f}%" if whole.requests else "–"
        rows = (
            ("Requests", rate, [sum(one.rate for one in group) / len(group) for group in groups]),
            ("Latency, p95", latency, [_highest([one.p95 for one in group]) for group in groups]),
            ("Errors", errors, [max(one.errors for one in group) for group in groups]),
        )
        return [
            Figure(title, value, spark(values), f"{title} in the last {self.words}: {value}")
            for title, value, values in rows
        ]


def _curve(title: str, points: Sequence[Point], values: Sequence[float | None]) -> Curve:
    pairs = zip(points, values, strict=True)
    return Curve(
        title, [(milliseconds(one.at), None if value is None else _short(value)) for one, value in pairs]
    )


def _short(value: float) -> float:
    """Whole from ten on, else two figures: quantiles of a histogram are no more exact."""
    return round(value) if value >= 10 else float(f"{value:.2g}")


def _grouped(points: Sequence[Point]) -> list[Sequence[Point]]:
    """At most so many stretches of equal length as a small curve can show."""
    size = -(-len(points) // _SPARKS)
    return [points[at : at + size] for at in range(0, len(points), size)]


def _highest(values: Sequence[float | None]) -> float | None:
    return max((one for one in values if one is not None), default=None)
