"""Parts that the AI API's answers share: times, labels, lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any


def time(at: datetime | None) -> str | None:
    """RFC 3339 in UTC with six digits after the point, which every client reads; None where there is none."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def labels(stored: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Labels as {key, value}; never null."""
    return [{"key": one["key"], "value": one["value"]} for one in stored]


def listed(resources: list[dict[str, Any]], count: int | None = None) -> dict[str, Any]:
    """A list answer. count: by default how many there are in it."""
    return {"count": len(resources) if count is None else count, "resources": resources}
