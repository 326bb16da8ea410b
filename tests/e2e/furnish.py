"""A lived-in product for tests of its pages: `python -m tests.e2e.furnish` on a stack that is set up.

Uses the environment's settings. Makes datasets, configurations and executions of the bundled `digits`
scenario in the group `tutorial`, one that will fail and one that waits among them, and what people add to
them. Prints {"executions": {what it is for: key}} as one line of JSON; the executions are still to run.
"""

from __future__ import annotations

import json
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "launchpad.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402

from launchpad import access  # noqa: E402
from launchpad.accounts import service_keys  # noqa: E402
from mlops.domain import catalog, comments, configurations, executions, metrics  # noqa: E402

DIGITS = "digits-train"
MATRIX = (
    "[{'Predicted': 'False', 'Actual': 'False', 'value': 34}, {'Predicted': 'False', 'Actual': 'True', "
    "'value': 5}, {'Predicted': 'True', 'Actual': 'False', 'value': 3}, "
    "{'Predicted': 'True', 'Actual': 'True', 'value': 58}]"
)


def scope(username: str) -> access.Scope:
    """The group, as this person sees it."""
    return access.open_scope(User.objects.get(username=username), "local", "tutorial")


def run(name: str, **parameters: str) -> str:
    """Configure and start; the execution's key."""
    editor = scope("editor")
    version = catalog.version(editor, executable=DIGITS)
    bound = configurations.create(editor, name=name, version=version, parameters=parameters, artifacts={})
    return executions.create(editor, configuration=bound.pk).pk


def main() -> None:
    """Furnish once."""
    started = {
        "first": run("digits, forty rounds", ROUNDS="40", LEAVES="[7]"),
        "better": run("digits, eighty rounds", ROUNDS="80", LEAVES="[7, 15]"),
        "failed": run("digits, no such share", ROUNDS="10", LEAVES="[7]", VALIDATION_SHARE="0.9"),
    }
    best = started["better"]
    metrics.record(
        scope("editor"),
        best,
        metrics=[],
        tags=[("framework", "lightgbm"), ("reviewed", "yes")],
        custom_info=[("confusion matrix", MATRIX), ("remark", "Ones and sevens look alike.")],
    )
    comments.add(scope("viewer"), kind="executions", key=best, text="Do sevens come out better than before?")
    comments.add(scope("editor"), kind="executions", key=best, text="They do; see the matrix.")
    service_keys.create(scope("editor"), name="nightly-report")
    print(json.dumps({"executions": started}))


if __name__ == "__main__":
    main()
