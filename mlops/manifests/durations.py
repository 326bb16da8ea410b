"""Seconds and durations such as 90, 1.5s, 2m or 1h30m."""

from __future__ import annotations

import math
import re

from mlops.manifests.fields import Section
from mlops.manifests.nodes import shown

MAX_SECONDS = 31_536_000
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(text: str) -> float | None:
    """What a number of seconds or a duration comes to; None when it is neither."""
    if _SECONDS.fullmatch(text):
        return float(text)
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return math.fsum(float(number) * _UNITS[unit] for number, unit in parts)


def read_duration(section: Section, key: str) -> float | None:
    """A time of at least nothing and at most a year; None when absent or wrong."""
    given = section.text(key)
    if given is None:
        return None
    found = seconds(given)
    if found is None or found > MAX_SECONDS:
        section.error(
            key, f"{shown(given)!r} must be seconds or a duration such as 30s or 2m, at most a year"
        )
        return None
    return found


def read_limit(section: Section, key: str, *, durations: bool) -> int | None:
    """A limit of whole seconds from 1 to a year; None when absent or wrong."""
    given = section.text(key)
    if given is None:
        return None
    found = seconds(given) if durations or given.isdecimal() else None
    if found is None or not 1 <= found <= MAX_SECONDS or found % 1:
        form = " or a duration such as 30s, 5m or 2h" if durations else ""
        reason = f"must be a whole number of seconds{form}, at least 1, at most a year"
        section.error(key, f"{shown(given)!r} {reason}")
        return None
    return int(found)
