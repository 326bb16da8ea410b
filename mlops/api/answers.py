"""Parts that the AI API's answers share: times, labels, lists, counts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from launchpad.spools import spooled

# A list up to here is made in memory; one beyond is spooled.
PLAIN = 1000


def time(at: datetime | None) -> str | None:
    """RFC 3339 in UTC with six digits after the point, which every client reads; None where there is none."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def second(at: datetime | None) -> str | None:
    """RFC 3339 in UTC without fractions of a second, which are dropped; None where there is none."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds")[:-6] + "Z"


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


def page(
    request: HttpRequest,
    found: QuerySet[Any],
    brief: Callable[[QuerySet[Any]], QuerySet[Any, Any]],
    shape: Callable[[Sequence[Any]], list[dict[str, Any]]],
    *,
    top: int,
    skip: int,
) -> HttpResponseBase:
    """A part of a list, of any length in the same memory.

    found: the whole list, newest first. brief: what is read of its rows. shape: makes objects of at most
    1,000 of them at once.
    """
    if skip:
        found = _after(found, skip)
    rows = brief(found)
    first = list(rows[: min(top, PLAIN + 1)])
    if len(first) <= PLAIN:
        return rendered(listed(shape(first)))
    many = rows[:top].iterator(chunk_size=PLAIN)
    return spooled(request, _pieces(many, shape), content_type="application/json")


def _after(found: QuerySet[Any], skip: int) -> QuerySet[Any]:
    """The list without its beginning, which is counted in the index alone: rows left out are not read."""
    edge = list(found.values_list("created_at", "pk")[skip : skip + 1])
    if not edge:
        return found.none()
    ((at, key),) = edge
    return found.filter(created_at__lte=at).filter(Q(created_at__lt=at) | Q(pk__lte=key))


def _pieces(rows: Iterator[Any], shape: Callable[[Sequence[Any]], list[dict[str, Any]]]) -> Iterator[str]:
    """The text of a list answer; its count comes last, when it is known."""
    count = 0
    yield '{"resources":['
    while batch := list(islice(rows, PLAIN)):
        yield ("," if count else "") + ",".join(text(one) for one in shape(batch))
        count += len(batch)
    yield f'],"count":{count}}}'
