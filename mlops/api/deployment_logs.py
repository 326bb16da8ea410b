"""The log of a deployment: lines of a span of time, of all its revisions and servers."""

from __future__ import annotations

from typing import Any

from launchpad.access import Right
from mlops.api.documents import RTALogCommonResponse
from mlops.api.execution_logs import LOG, lines_of
from mlops.api.operations import Call, Operations, in_group
from mlops.domain import deployment_search, deployments

operation = Operations("Deployments")


@operation(
    "GET",
    "/lm/deployments/{deployment_id}/logs",
    in_group(Right.VIEW),
    name="deployments.log",
    answers={200: RTALogCommonResponse},
    query=LOG,
)
def log(request: Call, deployment_id: str) -> dict[str, Any]:
    """What a deployment's servers wrote, the last hour's unless asked otherwise."""
    there = deployment_search.state(request.auth, deployment_id)
    return lines_of(request, deployments.get(request.auth, there.id))
