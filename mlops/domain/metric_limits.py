"""What one report of a run may hold: counts, lengths and ranges of metrics, tags and custom info."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from launchpad.errors import Invalid

METRICS = 1000
LABELS = 20
TAGS = 100
CUSTOM_INFO = 100
CUSTOM_INFO_BYTES = 5 * 1024 * 1024
TEXT = 256
MAX_STEP = 2**63 - 1
_NAME = re.compile(r"[\w-]")
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9990, 1, 1, tzinfo=UTC)

Pairs = Sequence[tuple[str, str]]


class TooMuch(Invalid):
    """A report that is larger than one request may be."""


class Point(NamedTuple):
    """One metric value. step: None where the run counts none; recorded_at: aware, None means now."""

    name: str
    value: float
    step: int | None = None
    recorded_at: datetime | None = None
    labels: tuple[tuple[str, str], ...] = ()


def check(metrics: Sequence[Point], tags: Pairs, custom_info: Pairs) -> None:
    """Raise TooMuch when there are too many of something, Invalid when one of them cannot be kept."""
    for count, limit, what in (
        (len(metrics), METRICS, "metrics"),
        (len(tags), TAGS, "tags"),
        (len(custom_info), CUSTOM_INFO, "custom info objects"),
    ):
        if count > limit:
            raise TooMuch(f"One request may hold {limit} {what}; this one has {count}. Send it in parts.")
    # Reports repeat few names many times.
    for name in {point.name for point in metrics}:
        _check_name(name)
    for name, labels in {(point.name, point.labels) for point in metrics if point.labels}:
        _check_labels(name, labels)
    for point in metrics:
        _check_place(point)
    for name, value in tags:
        _check_texts("A tag's name and value", (name, value))
    size = 0
    for name, value in custom_info:
        _check_texts("The name of custom info", (name,))
        if not value:
            raise Invalid(f"Custom info {name} is empty. Give it a value of at least one character.")
        size += len(_encoded("Custom info", value))
    if size > CUSTOM_INFO_BYTES:
        raise TooMuch(f"Custom info may hold at most 5 MB in one request; this one has {size} bytes.")


def _check_name(name: str) -> None:
    if not _NAME.search(name) or len(name) > TEXT:
        raise Invalid(
            f"A metric's name has 1 to {TEXT} characters, at least one of them a letter, digit, - or _."
        )
    _encoded("A metric's name", name)


def _check_labels(name: str, labels: Pairs) -> None:
    if len(labels) > LABELS:
        raise TooMuch(f"A metric may have at most {LABELS} labels; {name} has {len(labels)}.")
    for label in labels:
        _check_texts(f"A label's name and value (metric {name})", label)


def _check_place(point: Point) -> None:
    if point.step is not None and not 0 <= point.step <= MAX_STEP:
        raise Invalid(f"The step of {point.name} must be a whole number from 0 to {MAX_STEP}.")
    if point.recorded_at is not None and not _FIRST <= point.recorded_at <= _LAST:
        raise Invalid(f"The timestamp of {point.name} lies outside the years 1900 to 9989.")


def _check_texts(what: str, texts: Iterable[str]) -> None:
    for text in texts:
        if not 1 <= len(text) <= TEXT:
            raise Invalid(f"{what} must have 1 to {TEXT} characters.")
        _encoded(what, text)


def _encoded(what: str, text: str) -> bytes:
    """The text as the databases store it; NUL and lone surrogates are the two things they cannot."""
    try:
        encoded = text.encode()
    except UnicodeEncodeError as error:
        raise Invalid(f"{what} holds a character that is not valid Unicode.") from error
    if b"\x00" in encoded:
        raise Invalid(f"{what} holds a NUL character, which cannot be stored.")
    return encoded


def kind(value: float) -> str:
    """How a value is stored: "" for a finite number, else "nan", "inf" or "-inf"."""
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return ""
