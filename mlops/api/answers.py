"""Parts that the AI API's answers share: times, labels, lists, counts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse


def time(at: datetime | None) -> str | None:
    """RFC 3339 in UTC with six digits after the point, which every client reads; None where there is none."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def labels(stored: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Labels as {key, value}; never null."""
    return [{"key": one["key"], "value": one["value"]} for one in stored]


def listed(resources: list[dict[str, Any]], count: int | None = None) -> dict[str, Any]:
    """A list answer. count: by default how many there are in it."""
    return {"count": len(resources) if count is None else count, "resources": resources}


def rendered(body: Any, status: int = 200) -> HttpResponse:
    """JSON types as the answer."""
    return HttpResponse(text(body), status=status, content_type="application/json")


def text(body: Any) -> str:
    """JSON types as JSON."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def present(body: dict[str, Any]) -> dict[str, Any]:
    """The object without the keys whose value is None."""
    return {key: value for key, value in body.items() if value is not None}


def created(body: dict[str, Any], location: str, status: int = 201) -> HttpResponse:
    """The answer to something made. location: its address below /v2."""
    response = rendered(body, status)
    response["Location"] = f"/v2{location}"
    return response


def counted(count: int) -> HttpResponse:
    """A bare number, as `$count` answers."""
    return HttpResponse(str(count), content_type="text/plain")
