"""Deployments: their addresses are known, and answer that Launchpad does not deploy."""

from __future__ import annotations

from ninja.errors import HttpError

from launchpad.access import Right
from mlops.api.errors import Refusal
from mlops.api.operations import Call, Operations, in_group

operation = Operations("Deployments")
ONE = "/lm/deployments/{deployment_id}"
SENTENCE = "Launchpad does not deploy models. /v2/lm/meta says what it offers."


def _all(request: Call) -> None:
    """Not offered."""
    raise HttpError(501, SENTENCE)


def _one(request: Call, deployment_id: str) -> None:
    """Not offered."""
    raise HttpError(501, SENTENCE)


def _of(request: Call, configuration_id: str) -> None:
    """Not offered."""
    raise HttpError(501, SENTENCE)


for _method, _path, _verb, _view in (
    ("GET", "/lm/deployments", "search", _all),
    ("POST", "/lm/deployments", "create", _all),
    ("PATCH", "/lm/deployments", "modify", _all),
    ("GET", "/lm/deployments/$count", "count", _all),
    ("GET", ONE, "get", _one),
    ("PATCH", ONE, "update", _one),
    ("DELETE", ONE, "delete", _one),
    ("GET", f"{ONE}/logs", "log", _one),
    ("POST", "/lm/configurations/{configuration_id}/deployments", "create_of", _of),
):
    operation(
        _method,
        _path,
        in_group(Right.VIEW if _method == "GET" else Right.CHANGE),
        name=f"deployments.{_verb}",
        answers={501: Refusal},
        summary=_verb.title().replace("_", " "),
        deprecated=_view is _of,
    )(_view)
