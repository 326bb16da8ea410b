"""The log of an execution: lines of a span of time, of all its attempts and steps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from launchpad.access import Right
from mlops.api import queries
from mlops.api.answers import time
from mlops.api.documents import RTALogCommonResponse
from mlops.api.operations import Call, Operations, in_group
from mlops.api.queries import Parameters
from mlops.domain import executions, log_times, logs

operation = Operations("Executions")
SPAN = timedelta(hours=1)
LOG = Parameters(
    queries.top(log_times.MAX_LINES, 1000, least=1),
    queries.moment("start", "start", "From then on; without it, an hour before the end."),
    queries.moment("end", "end", "Until then; without it, now."),
    queries.choice("$order", "order", ("asc", "desc"), "Oldest or newest first; without it, oldest."),
)


@operation(
    "GET",
    "/lm/executions/{execution_id}/logs",
    in_group(Right.VIEW),
    name="executions.log",
    answers={200: RTALogCommonResponse},
    query=LOG,
)
def log(request: Call, execution_id: str) -> dict[str, Any]:
    """What an execution's processes wrote, the last hour's unless asked otherwise."""
    return lines_of(request, executions.get(request.auth, execution_id))


def lines_of(request: Call, owner: logs.Owner) -> dict[str, Any]:
    """The answer to a request for the log of an execution or a deployment, by the parameters of LOG."""
    asked = LOG.read(request)
    end = asked["end"] or timezone.now()
    lines = log_times.between(
        request.auth,
        owner,
        start=asked["start"] or end - SPAN,
        end=end,
        limit=asked["top"],
        newest_first=asked["order"] == "desc",
    )
    result = [
        {
            "timestamp": time(line.at),
            "msg": line.text,
            "container": line.name,
            "pod": f"{owner.pk}-{line.attempt}",
            "stream": line.stream,
        }
        for line in lines
    ]
    return {"data": {"result": result}}
