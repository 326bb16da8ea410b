"""What an attempt ran in: packages, interpreter, system, host and how it was confined."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from launchpad.access import Scope
from launchpad.commands import command
from mlops.engine import packages
from mlops.models import AttemptEnvironment, Environment, Execution


@command(audit=False)
def record(scope: Scope, execution: Execution, attempt: int, *, python_env: Path | None, mode: str) -> None:
    """Note what the steps of an attempt run in on this host; a repeat changes nothing.

    python_env: their virtual environment, None for the worker's own interpreter. Reads names of folders,
    once for each environment in a process.
    """
    facts = {
        "interpreter": packages.interpreter(python_env)[:256],
        "system": packages.system()[:256],
        "packages": [list(pair) for pair in packages.installed(python_env)],
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    environment, _made = scope.of(Environment).get_or_create(
        resource_group_id=execution.resource_group_id, digest=digest, defaults=facts
    )
    scope.of(AttemptEnvironment).get_or_create(
        execution=execution,
        attempt=attempt,
        defaults={
            "environment": environment,
            "host": execution.worker.host if execution.worker else "",
            "mode": mode,
        },
    )


def of(scope: Scope, execution: Execution) -> AttemptEnvironment | None:
    """What the newest attempt that began ran in; None when none did, or nothing was recorded."""
    rows = scope.of(AttemptEnvironment).filter(execution=execution).select_related("environment")
    return rows.order_by("-attempt").first()
