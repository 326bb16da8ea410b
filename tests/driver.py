"""A person's hands for tests on running stacks: `python -m tests.driver` does domain calls, line by line.

Reads one JSON object a line, {"do": name, …}, and answers with one JSON object a line: {"ok": value} or
{"refused": error class, "message": text}. Uses the environment's settings, so it works on the same
database as the stack.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "launchpad.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from launchpad import access, grants  # noqa: E402
from launchpad.accounts import bearers, service_keys  # noqa: E402
from launchpad.accounts.models import ServiceKey  # noqa: E402
from launchpad.errors import LaunchpadError  # noqa: E402
from launchpad.resource_groups import resource_groups  # noqa: E402
from launchpad.resource_groups.models import ResourceGroup  # noqa: E402
from launchpad.workspaces.models import Workspace  # noqa: E402
from mlops import doorbell  # noqa: E402
from mlops.domain import (  # noqa: E402
    catalog,
    configurations,
    deployments,
    executions,
    moments,
    schedules,
)
from mlops.domain.policies import Policies  # noqa: E402
from mlops.domain.timings import Timing  # noqa: E402
from mlops.models import Source  # noqa: E402
from tests.mlops import deploying  # noqa: E402
from tests.mlops.gateway import serving  # noqa: E402


def _scope() -> access.Scope:
    return access.open_scope(User.objects.get(username="editor"), "local", "tutorial", access.Right.CHANGE)


def prepare(folder: str) -> str:
    """A workspace, a group, an editor and the templates of a folder."""
    local, _ = Workspace.unscoped.get_or_create(slug="local")
    group, _ = ResourceGroup.unscoped.get_or_create(workspace=local, slug="tutorial")
    editor, made = User.objects.get_or_create(username="editor")
    if made:
        editor.set_password("editor")
        editor.save()
        grants.grant(access.Role.EDITOR, editor, group)
    scope = access.system_scope(local)
    report = catalog.sync(scope, Path(folder), kind=Source.Kind.FOLDER, name=folder)
    return "; ".join(str(item) for item in report.findings if item.severity == "error")


def submit(executable: str, **parameters: str) -> str:
    """Configure and start; the execution's key."""
    scope = _scope()
    version = catalog.version(scope, executable=executable)
    bound = configurations.create(
        scope, name=executable, version=version, parameters=parameters, artifacts={}
    )
    return executions.create(scope, configuration=bound.pk).pk


def schedule(name: str, cron: str = "", once_in: float = 0, **policy: Any) -> str:
    """Have a shell script that does nothing run by the clock; the schedule's key. once_in: seconds."""
    scope = _scope()
    version = catalog.version(scope, executable="shell-run")
    bound = configurations.create(
        scope, name=name, version=version, parameters={"SCRIPT": "true"}, artifacts={}
    )
    once = moments.now().replace(microsecond=0) + timedelta(seconds=once_in) if once_in else None
    made = schedules.create(
        scope, name=name, configuration=bound.pk, timing=Timing(cron, once), policy=Policies(**policy)
    )
    return str(made.pk)


def archive_configuration(schedule: str) -> str:
    """Archive what a schedule runs; its name."""
    return configurations.archive(_scope(), schedules.get(_scope(), schedule).configuration_id).name


def restore_configuration(schedule: str) -> str:
    """Bring it back; its name."""
    return configurations.restore(_scope(), schedules.get(_scope(), schedule).configuration_id).name


def delete_group() -> str:
    """Give the resource group up with all that is in it; its id."""
    return resource_groups.delete(access.system_scope(_scope().workspace), "tutorial").slug


def stop(execution: str) -> str:
    """Wish it to stop; its status then."""
    return executions.stop(_scope(), execution).status


def delete(execution: str) -> str:
    """Delete it; its status then."""
    return executions.delete(_scope(), execution).status


def deploy(word: str, servers: int = 1) -> str:
    """Deploy servers that answer with a word; the deployment's key."""
    scope = _scope()
    bound = deploying.configuration(scope.group, word, servers=servers)
    return deployments.create(scope, configuration=bound.pk).pk


def deploy_model() -> str:
    """Deploy a small ONNX model behind the built-in server; the deployment's key."""
    scope = _scope()
    bound = deploying.model_configuration(scope.group)
    return deployments.create(scope, configuration=bound.pk).pk


def update_deployment(deployment: str, word: str, servers: int = 1) -> int:
    """Roll servers of another word in; the number of the revision."""
    scope = _scope()
    bound = deploying.configuration(scope.group, word, servers=servers)
    return deployments.update(scope, deployment, configuration=bound.pk).newest


def stop_deployment(deployment: str) -> str:
    """Wish it to stop; its status then."""
    return deployments.stop(_scope(), deployment).status


def restart_deployment(deployment: str) -> str:
    """Start it again; its status then."""
    return deployments.restart(_scope(), deployment).status


def issue_key(name: str) -> dict[str, object]:
    """A key of an editor in the group, as its JSON."""
    return service_keys.create(_scope(), name=name).document(settings.PUBLIC_URL)


def revoke_key(client_id: str) -> str:
    """Revoke an API client's key in the group; its name."""
    key = _scope().of(ServiceKey).get(application__client_id=client_id)
    return service_keys.revoke(_scope(), key.pk).name


def token_queries(token: str) -> list[int]:
    """How many queries it takes to know whose token it is: at first, and again."""
    bearers.forget_all()
    found = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            assert bearers.client(token) is not None
        found.append(len(asked))
    return found


def serve(address: str) -> str:
    """A deployment whose server answers at the address already; its key."""
    return serving.deployment(_scope().group, address).pk


def keep_predictions(deployment: str) -> str:
    """Have every request to a deployment kept; its key."""
    return deployments.keep_predictions(_scope(), deployment, keeps=True).pk


def ring() -> str:
    """Ring the doorbell once more than needed."""
    doorbell.executions()
    return "rung"


DEEDS = {
    "prepare": prepare,
    "submit": submit,
    "schedule": schedule,
    "archive_configuration": archive_configuration,
    "restore_configuration": restore_configuration,
    "delete_group": delete_group,
    "stop": stop,
    "delete": delete,
    "ring": ring,
    "deploy": deploy,
    "deploy_model": deploy_model,
    "update_deployment": update_deployment,
    "stop_deployment": stop_deployment,
    "restart_deployment": restart_deployment,
    "serve": serve,
    "keep_predictions": keep_predictions,
    "issue_key": issue_key,
    "revoke_key": revoke_key,
    "token_queries": token_queries,
}


def main() -> None:
    """Answer until standard input ends."""
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        try:
            answer = {"ok": DEEDS[asked.pop("do")](**asked)}
        except LaunchpadError as error:
            answer = {"refused": type(error).__name__, "message": error.message}
        connection.close()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
