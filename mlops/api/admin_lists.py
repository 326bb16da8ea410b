"""Lists of administration: a page of rows, and with `$count=true` how many there are in all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from mlops.api import queries
from mlops.api.answers import listed
from mlops.api.queries import Parameters

LIST = Parameters(
    # The contract sets no limit here; there are few of what administration lists.
    queries.top(queries.SKIP_LIMIT),
    queries.skip(),
    queries.flag("$count", "count", "Tell how many there are in all, not how many are answered."),
)


def page(
    request: HttpRequest, rows: QuerySet[Any], bodies: Callable[[list[Any]], list[dict[str, Any]]]
) -> dict[str, Any]:
    """The list answer for `$top`, `$skip` and `$count`. bodies: the rows as they are answered."""
    asked = LIST.read(request)
    found = list(rows[asked["skip"] : asked["skip"] + asked["top"]])
    return listed(bodies(found), rows.count() if asked["count"] else None)
