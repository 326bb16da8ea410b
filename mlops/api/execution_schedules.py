"""Execution schedules: their addresses are known, and answer that Launchpad does not schedule."""

from __future__ import annotations

from ninja.errors import HttpError

from launchpad.access import Right
from mlops.api.errors import Refusal
from mlops.api.operations import Call, Operations, in_group

operation = Operations("Execution schedules")
ONE = "/lm/executionSchedules/{schedule_id}"
SENTENCE = "Launchpad does not schedule executions. /v2/lm/meta says what it offers."


def _all(request: Call) -> None:
    """Not offered."""
    raise HttpError(501, SENTENCE)


def _one(request: Call, schedule_id: str) -> None:
    """Not offered."""
    raise HttpError(501, SENTENCE)


for _method, _path, _verb, _view in (
    ("GET", "/lm/executionSchedules", "search", _all),
    ("POST", "/lm/executionSchedules", "create", _all),
    ("GET", "/lm/executionSchedules/$count", "count", _all),
    ("GET", ONE, "get", _one),
    ("PATCH", ONE, "update", _one),
    ("DELETE", ONE, "delete", _one),
):
    operation(
        _method,
        _path,
        in_group(Right.VIEW if _method == "GET" else Right.CHANGE),
        name=f"schedules.{_verb}",
        answers={501: Refusal},
        summary=_verb.title(),
    )(_view)
