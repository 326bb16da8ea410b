"""Several executions stopped, deleted, archived or restored at once, each on its own."""

from __future__ import annotations

from mlops.domain import executions
from mlops.domain.bulk import Bulk
from mlops.lifecycle import EXECUTION_DELETABLE, FINAL, STOPPABLE
from mlops.models import Execution


def _special(verb: str, execution: Execution) -> str | None:
    """What an archive decides, whatever the status."""
    if verb == "restore":
        return None if execution.archived_at is not None else "It is not archived."
    if verb == "archive" and execution.archived_at is not None:
        return "It is archived already."
    return ""


BULK = Bulk(
    Execution,
    "execution",
    {
        "stop": executions.stop,
        "delete": executions.delete,
        "archive": executions.archive,
        "restore": executions.restore,
    },
    {
        "stop": (STOPPABLE, "only a pending or running one can be stopped"),
        "delete": (EXECUTION_DELETABLE, "only one that has ended can be deleted"),
        "archive": (FINAL, "only one that has ended can be archived"),
    },
    _special,
)
