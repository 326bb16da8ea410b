"""What a client or run says about an execution: the body of `PATCH metrics`, read value by value."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from mlops.domain.metric_limits import Point

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)?\Z", re.ASCII)
_WORDS = ("NaN", "Infinity", "-Infinity")


def _number(value: Any) -> float:
    """JSON has no NaN: besides numbers the three words are taken, as text or as Python writes them."""
    if isinstance(value, str) and value.removeprefix("+") in _WORDS:
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError('must be a number, "NaN", "Infinity" or "-Infinity"')
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError("must lie within the range of a double") from error


def _time(value: Any) -> datetime | None:
    """RFC 3339; a time without a zone is UTC, digits beyond microseconds are dropped."""
    if value is None:
        return None
    if not isinstance(value, str) or not _TIME.match(value):
        raise ValueError("must be a time such as 2026-01-31T12:00:00Z")
    try:
        time = datetime.fromisoformat(value.upper())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must be a time within the years 1 to 9999") from error


Number = Annotated[
    float,
    BeforeValidator(_number),
    WithJsonSchema({"oneOf": [{"type": "number"}, {"type": "string", "enum": list(_WORDS)}]}),
]
Time = Annotated[
    datetime | None,
    BeforeValidator(_time),
    WithJsonSchema({"type": "string", "format": "date-time", "nullable": True}),
]


# Not ninja's Schema, whose getters double the time that a thousand metrics take.
class Named(BaseModel):
    """A label, a tag or custom info."""

    name: str
    value: str


class TrckMetric(BaseModel):
    """One metric value. Without a timestamp it is recorded now."""

    name: str
    value: Number
    timestamp: Time = None
    step: int | None = Field(None, strict=True)
    labels: list[Named] | None = None


class TrckMetricResource(BaseModel):
    """Metrics to add, tags and custom info to set; keys that it does not name are ignored."""

    executionId: str = Field(max_length=64)
    metrics: list[TrckMetric] | None = None
    tags: list[Named] | None = None
    customInfo: list[Named] | None = None

    def points(self) -> list[Point]:
        """The metrics as the domain takes them."""
        return [
            Point(one.name, one.value, one.step, one.timestamp, pairs(one.labels) if one.labels else ())
            for one in self.metrics or ()
        ]


def pairs(named: Iterable[Named] | None) -> tuple[tuple[str, str], ...]:
    """(name, value) of each."""
    return tuple((one.name, one.value) for one in named or ())
