"""Rules that no reviewer has to remember: who touches what, read from the syntax tree and the models."""

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import User

import mlops.domain
from launchpad.commands import REGISTRY
from launchpad.resource_groups.models import ResourceGroup
from launchpad.workspaces.models import Workspace

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    path
    for folder in ("launchpad", "mlops")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not {"migrations", "examples"} & set(path.relative_to(ROOT).parts)
]
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in FILES}
TENANT_MODELS = [model for model in apps.get_models() if hasattr(model, "SCOPE")]

# Files that may look past a scope, and why.
UNSCOPED = {
    "launchpad/access.py": "makes scopes",
    "launchpad/accounts/bearers.py": "a bearer token leads to its place",
    "launchpad/accounts/management/commands/create_service_key.py": "finds the place named",
    "launchpad/accounts/service_keys.py": "credentials lead to their key, a new group to such keys",
    "launchpad/audit/trail.py": "administrators read the trail of all groups of their workspace",
    "launchpad/commands.py": "appends audit events",
    "launchpad/resource_groups/access_requests.py": "who asks has no scope; administrators see all of theirs",
    "launchpad/resource_groups/effective.py": "administrators review the groups of their workspace",
    "launchpad/resource_groups/resource_groups.py": "an id in use is one also for those who may not view it",
    "launchpad/resource_groups/visits.py": "a person's own visits, of every workspace",
    "launchpad/resource_groups/roles.py": "shows the places roles are granted on",
    "launchpad/workspaces/workspaces.py": "a new workspace is in no scope yet, and locked before it changes",
    "mlops/domain/artifact_bin.py": "the bin of every group is emptied",
    "mlops/domain/artifact_checks.py": "a control worker's side of the checks it holds",
    "mlops/domain/attempts.py": "a worker claims and settles rows of every group",
    "mlops/domain/cascades.py": "the sweep looks at the deployments of every group",
    "mlops/domain/backfills.py": "the tick goes on with backfills of every group",
    "mlops/domain/outcomes.py": "the tick looks at runs of schedules of every group",
    "mlops/domain/schedule_purge.py": "finishes deletions in every group",
    "mlops/domain/ticks.py": "the tick looks at the schedules of every group",
    "mlops/domain/scaling.py": "the sweep looks at the servers of every group",
    "mlops/domain/clock.py": "the sweep looks at every group",
    "mlops/domain/deployment_plans.py": "tells of deployments in all groups that the caller may view",
    "mlops/domain/deployment_purge.py": "finishes deletions in every group",
    "mlops/domain/deployment_search.py": "counts the servers of deployments that were found in a scope",
    "mlops/domain/deployments.py": "inserts the row of a deployment and looks at its own revisions",
    "mlops/domain/replica_runs.py": "a worker's side of a replica it holds",
    "mlops/domain/replicas.py": "a worker claims and settles rows of every group",
    "mlops/domain/revisions.py": "a worker's side of what it serves, and the sweep's",
    "mlops/domain/enactments.py": "the only writer of a status, keyed by row",
    "mlops/domain/executions.py": "a worker's side of an execution it holds",
    "mlops/domain/everywhere.py": "searches all groups that the person may view",
    "mlops/domain/flags.py": "counts in all groups that the caller may view",
    "mlops/domain/group_purge.py": "empties groups that nobody opens any more",
    "mlops/domain/log_writers.py": "a worker's side of the log of an execution it holds",
    "mlops/domain/overlaps.py": "the tick asks at once what goes on of schedules of every group",
    "mlops/domain/overview.py": "counts in all groups that the caller may view",
    "mlops/domain/late_notices.py": "the sweep looks for what is late in every group",
    "mlops/domain/notices.py": "the tick and workers tell rules of every group",
    "mlops/domain/notice_deliveries.py": "a control worker's side of the notices it holds",
    "mlops/domain/notification_rules.py": "the group's own row is held while its rules are counted",
    "mlops/domain/object_stores.py": "administrators see those of every group of their workspace",
    "mlops/domain/overview_deployments.py": "tells of the groups that the person may view, counted at once",
    "mlops/domain/overview_schedules.py": "tells of the groups that the person may view, counted at once",
    "mlops/domain/predictions.py": "the gateway's side of what it keeps, and the sweep's",
    "mlops/domain/routing.py": "the gateway asks once for all deployments in use, whose rights it checks",
    "mlops/domain/run_tokens.py": "a run's token leads to its place",
    "mlops/domain/runs.py": "a worker's side of a step it holds",
    "mlops/domain/secrets.py": "says where a group's own secret hides a shared one, and counts those shared",
    "mlops/domain/step_rows.py": "a worker's side of the steps it holds",
    "mlops/domain/submissions.py": "inserts executions of a configuration found in a scope",
    "mlops/domain/syncs.py": "a control worker claims and settles sources of every workspace",
    "mlops/domain/traffic.py": "the gateway's side of what it counts, and the sweep's",
    "mlops/domain/usage.py": "counts in all groups that the caller may view",
    "mlops/domain/watching.py": "the hub asks once for all watched executions, whose rights it has checked",
    "mlops/domain/workspace_tiles.py": "tells of the groups that the person may view",
    "mlops/domain/worker_loads.py": "workers belong to no place; what waits is counted for administrators",
    "mlops/domain/workers.py": "workers belong to no place",
    "mlops/domain/workers_alive.py": "workers belong to no place",
    "mlops/management/commands/setup.py": "sets places up",
    "mlops/management/commands/sync_catalog.py": "finds the workspace named",
}
SETTINGS_NAME = {"launchpad/celery.py", "launchpad/wsgi.py", "launchpad/asgi.py"}


def attributes(tree, name):
    """Lines on which an attribute of this name is used."""
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == name]


def test_only_named_files_look_past_a_scope():
    using = {
        path
        for path, tree in TREES.items()
        if attributes(tree, "unscoped") and not path.split("/")[-1].startswith("models")
    }
    assert using - set(UNSCOPED) == set()


def test_no_file_is_named_that_does_not_need_it():
    needless = {path for path in UNSCOPED if path in TREES and not attributes(TREES[path], "unscoped")}
    assert needless == set()


def test_no_tenant_data_through_objects():
    # Those that Django and the token library bring; none belongs to a place.
    people = {"User", "Group", "Permission", "Application", "AccessToken"}
    found = [
        f"{path}: {ast.unparse(node)}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr == "objects"
        and ast.unparse(node.value) not in people
    ]
    assert found == []


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model.__name__)
def test_tenant_models_have_no_objects_and_say_where_they_belong(model):
    assert not hasattr(model, "objects")
    assert [manager.name for manager in model._meta.managers] == ["unscoped"]
    place = model
    for step in model.SCOPE.split("__"):
        place = place._meta.get_field(step).related_model
    assert place in (Workspace, ResourceGroup)


def test_no_reverse_accessor_crosses_a_group():
    crossing = [
        f"{related.related_model.__name__} → {model.__name__}"
        for model in (Workspace, ResourceGroup, User)
        for related in model._meta.related_objects
        if hasattr(related.related_model, "SCOPE")
    ]
    crossing += [
        f"{related.related_model.__name__} → {model.__name__}"
        for model in TENANT_MODELS
        if model.SCOPE.endswith("workspace")
        for related in model._meta.related_objects
        if not related.related_model.SCOPE.endswith("workspace")
    ]
    assert crossing == []


def test_a_status_is_written_in_one_file():
    writers = []
    for path, tree in TREES.items():
        if not path.startswith("mlops/") or path.startswith("mlops/engine/"):
            continue
        for node in ast.walk(tree):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            assigned = any(isinstance(one, ast.Attribute) and one.attr == "status" for one in targets)
            updated = (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "update"
                and any(keyword.arg == "status" for keyword in node.keywords)
            )
            if (assigned and isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)) or updated:
                writers.append(path)
    assert set(writers) <= {"mlops/domain/enactments.py"}


def test_the_environment_is_read_in_one_file():
    reading = []
    for path, tree in TREES.items():
        # The model server is a program of its own, and sets what numerical libraries read.
        alone = ("launchpad/env.py", "launchpad/up.py", "mlops/serving/main.py")
        if path in alone or path.startswith("mlops/engine/"):
            continue
        naming = ast.unparse(tree).count("os.environ.setdefault('DJANGO_SETTINGS_MODULE'")
        allowed = naming if path in SETTINGS_NAME else 0
        if len(attributes(tree, "environ")) + len(attributes(tree, "getenv")) > allowed:
            reading.append(path)
    assert reading == []


BELOW_THE_EDGE = ("mlops/domain/", "mlops/models/", "mlops/storage", "mlops/lifecycle", "mlops/doorbell")
KERNEL = ("launchpad/access.py", "launchpad/commands.py", "launchpad/errors.py")
WEB = ("django.http", "django.shortcuts", "django.urls", "django.template", "django.views")


def imports(tree):
    """Every module a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_below_the_edge_nothing_knows_the_web():
    found = [
        f"{path} imports {name}"
        for path, tree in TREES.items()
        if path.startswith(BELOW_THE_EDGE) or path in KERNEL
        for name in imports(tree)
        if name.startswith(WEB)
    ]
    assert found == []


def test_engine_and_manifests_know_no_django():
    found = [
        f"{path} imports {name}"
        for path, tree in TREES.items()
        if path.startswith(("mlops/engine/", "mlops/manifests/", "mlops/formats/"))
        for name in imports(tree)
        if name.split(".")[0] in ("django", "launchpad")
    ]
    assert found == []


def test_no_drawers():
    drawers = {"utils", "helpers", "common", "services", "managers", "mixins", "misc"}
    assert [path for path in TREES if drawers & set(Path(path).with_suffix("").parts)] == []


def test_no_file_is_longer_than_four_hundred_lines():
    long = {path: len((ROOT / path).read_text().splitlines()) for path in TREES}
    assert {path: lines for path, lines in long.items() if lines > 400} == {}


def test_every_module_says_its_job_and_every_public_function_what_it_does():
    silent = []
    for path, tree in TREES.items():
        if tree.body and not ast.get_docstring(tree):
            silent.append(path)
        for node in tree.body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                silent.append(f"{path}: {node.name}")
    assert silent == []


def test_verbs_that_leave_no_audit_event_are_telemetry_and_drafts():
    for module in pkgutil.iter_modules(mlops.domain.__path__):
        importlib.import_module(f"mlops.domain.{module.name}")
    assert {verb for verb, audited in REGISTRY.items() if not audited and not verb.startswith("test_")} == {
        "configurations.save_draft",
        "configurations.discard_draft",
        "deployment_drafts.bind",
        "deployment_drafts.discard",
        "deployment_drafts.save",
        "deployment_drafts.submit",
        "schedule_drafts.bind",
        "schedule_drafts.discard",
        "schedule_drafts.save",
        "schedule_drafts.submit",
        "log_writers.append",
        "log_writers.append_of_replica",
        "metrics.record",
        "predictions.record",
        "run_environments.record",
        "trials.record",
        "traffic.record",
        "visits.remember",
    }
