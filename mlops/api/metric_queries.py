"""Which executions' metrics a client asks for: by id, by the older `$filter`, by tags."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest

from launchpad.errors import Invalid
from mlops.api import queries
from mlops.api.queries import Parameter, Parameters
from mlops.domain.limits import storable
from mlops.domain.metric_search import CUSTOM_INFO, METRICS, TAGS, Condition

_EXECUTIONS = 10
_CONDITIONS = 100
_ID = r"'[\w.-]{4,64}'"
_FILTER = re.compile(
    rf"\s*executionId\s+(?:eq\s+(?P<one>{_ID})|in\s+\((?P<many>\s*{_ID}(?:\s*,\s*{_ID})*\s*)\))\s*\Z",
    re.ASCII | re.IGNORECASE,
)
_NEEDED = "Name the executions in executionIds, or the tags they have in tagFilters."


def _filter(text: str) -> tuple[str, ...]:
    found = _FILTER.match(text) if len(text) <= 5000 else None
    if found is None:
        raise ValueError("is executionId eq 'e123…' or executionId in ('e123…','e456…')")
    named = (found["one"] or found["many"]).split(",")
    if len(named) > _EXECUTIONS:
        raise ValueError(f"names at most {_EXECUTIONS} executions; {len(named)} are given")
    return tuple(one.strip().strip("'") for one in named)


def _tags(text: str) -> tuple[Condition, ...]:
    if len(text) > 5000:
        raise ValueError("is at most 5000 characters long")
    parts = text.split(",")
    if len(parts) > _CONDITIONS:
        raise ValueError(f"holds at most {_CONDITIONS} conditions; {len(parts)} are given")
    return tuple(_condition(part) for part in parts)


def _condition(part: str) -> Condition:
    before, equals, value = part.partition("=")
    excluded = bool(equals) and before.endswith("!")
    # A comma, an equals sign and the like are percent-encoded once more, within the parameter.
    name, value = unquote(before.removesuffix("!") if excluded else before).strip(), unquote(value)
    if not name or not storable(name + value):
        raise ValueError("holds conditions such as stage=test, stage!=test, or stage for any value")
    return Condition(name, value if equals else None, excluded)


METRICS_OF = Parameters(
    queries.identifiers("executionIds", "executions", "Of these executions.", limit=_EXECUTIONS),
    Parameter(
        "$filter",
        "filtered",
        _filter,
        {"type": "string", "maxLength": 5000, "example": "executionId eq 'e0123456789abcde'"},
        "Deprecated: of one execution, or of several.",
    ),
    Parameter(
        "tagFilters",
        "conditions",
        _tags,
        {"type": "string", "maxLength": 5000, "example": "stage=test,data!=old,quality"},
        "Of executions whose tags fulfil all conditions: `name=value`, `name!=value` or `name`, joined by "
        "commas; special characters in them are percent-encoded.",
        (),
    ),
    queries.choices("$select", "parts", (METRICS, TAGS, CUSTOM_INFO, "*"), "Only these parts of each."),
    queries.top(10_000, 1000),
    queries.skip(),
)


def read(request: HttpRequest) -> dict[str, Any]:
    """executions (None: any), conditions, parts, top and skip as asked. Raises Invalid."""
    asked = METRICS_OF.read(request)
    ids, filtered = asked.pop("executions"), asked.pop("filtered")
    if not (ids or filtered or asked["conditions"]):
        raise Invalid(_NEEDED)
    named = [set(one) for one in (ids, filtered) if one]
    asked["executions"] = set.intersection(*named) if named else None
    if not asked["parts"] or "*" in asked["parts"]:
        asked["parts"] = (METRICS, TAGS, CUSTOM_INFO)
    return asked
