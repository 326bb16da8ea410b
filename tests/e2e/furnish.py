"""A lived-in product for tests of its pages: `python -m tests.e2e.furnish` on a stack that is set up.

Uses the environment's settings. Makes datasets, configurations and executions of the bundled `digits`
scenario in the group `tutorial`, one that will fail and one that waits among them, deployments, and what
people add to them; in the workspace what an administrator keeps. Prints {"executions": {what it is for: key},
"values": {argument of an address: what it names}} as one line of JSON; the executions are still to run.
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
from launchpad.resource_groups import access_requests  # noqa: E402
from launchpad.resource_groups.models import ResourceGroup  # noqa: E402
from mlops.domain import (  # noqa: E402
    boards,
    catalog,
    comments,
    configurations,
    executions,
    flags,
    metrics,
    notification_rules,
    saved_views,
    sweeps,
)
from tests.e2e import deployed, scheduled  # noqa: E402
from tests.mlops import factories, noticing  # noqa: E402

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


def administered(group: ResourceGroup) -> dict[str, str]:
    """What administrators keep for a workspace and one of its groups."""
    asking = User.objects.create_user("newcomer", "", "newcomer")
    asked = access_requests.create(access.system_scope(group), user=asking, message="To read the metrics.")
    repository = factories.repository(group.workspace, name="templates")
    key = service_keys.create(access.system_scope(group.workspace), name="nightly-report")
    return {
        "repository": repository.name,
        "application": factories.application(repository, name="digits-app").name,
        "group": group.slug,
        "place": "shared",
        "store": factories.object_store(group, name="archive").name,
        "secret": factories.secret(group, name="registry-token").name,
        "docker_secret": factories.docker_secret(group.workspace).name,
        "request_id": str(asked.pk) if asked else "",
        "administrators_key_id": str(key.key.pk),
    }


def main() -> None:
    """Furnish once."""
    editor, viewer = scope("editor"), scope("viewer")
    started = {
        "first": run("digits, forty rounds", ROUNDS="40", LEAVES="[7]"),
        "better": run("digits, eighty rounds", ROUNDS="80", LEAVES="[7, 15]"),
        "failed": run("digits, no such share", ROUNDS="10", LEAVES="[7]", VALIDATION_SHARE="0.9"),
    }
    best = started["better"]
    metrics.record(
        editor,
        best,
        metrics=[],
        tags=[("framework", "lightgbm"), ("reviewed", "yes")],
        custom_info=[("confusion matrix", MATRIX), ("remark", "Ones and sevens look alike.")],
    )
    said = comments.add(viewer, kind="executions", key=best, text="Do sevens come out better than before?")
    comments.add(editor, kind="executions", key=best, text="They do; see the matrix.")
    flags.create(viewer, kind="executions", key=started["first"], text="The sevens are read as ones.")
    bound = executions.get(editor, started["first"]).configuration_id
    sweep = sweeps.start(editor, sweeps.plan(editor, bound, {"ROUNDS": ["10", "20"]}), name="Rounds")
    board = boards.create(
        editor, kind="executions", name="Rounds", items=[started["first"], best], charts=[boards.Chart()]
    )
    saved_views.create(editor, noun="executions", name="Failures", query="?status=DEAD", is_shared=True)
    dataset = factories.artifact(
        editor.resource_group, name="digits-table", files={"digits.csv": b"pixel,digit\n0.5,7\n0.25,1\n"}
    )
    rule = noticing.rule(editor.resource_group)
    # It would tell a server of the internet.
    notification_rules.pause(editor, rule.pk)
    values = {
        "rule_id": str(rule.pk),
        "comment_id": str(said.pk),
        "sweep_id": str(sweep.pk),
        "board_id": str(board.pk),
        "datasets.artifact_id": str(dataset.pk),
        "path": "digits.csv",
        "key_id": str(service_keys.create(editor, name="nightly-report").key.pk),
        **administered(editor.resource_group),
        **deployed.furnish(editor),
        **scheduled.furnish(editor, bound),
    }
    print(json.dumps({"executions": started, "values": values}))


if __name__ == "__main__":
    main()
