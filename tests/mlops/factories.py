"""Plain functions that make real rows through the real domain, in a place of their own."""

import base64
import tempfile
import uuid
from datetime import datetime, timedelta
from pathlib import Path

from django.utils import timezone

from launchpad.access import Scope, system_scope
from launchpad.resource_groups.models import ResourceGroup
from launchpad.workspaces.models import Workspace
from mlops import storage
from mlops.domain import (
    applications,
    artifacts,
    catalog,
    configurations,
    docker_secrets,
    execution_notes,
    object_stores,
    repositories,
    schedules,
    secrets,
)
from mlops.domain.timings import Timing
from mlops.lifecycle import FINAL, Status, TargetStatus
from mlops.models import (
    Artifact,
    Configuration,
    DockerSecret,
    ExecutableVersion,
    Execution,
    ObjectStoreSecret,
    Repository,
    ResourceGroupSecret,
    Scenario,
    Schedule,
    Source,
)

SCENARIO = "petals-tutorial"
EXECUTABLE = "petals-train"
TEMPLATE = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata:
  name: {executable}
  labels:
    scenarios.ai.sap.com/id: {scenario}
    ai.sap.com/version: "{version}"
  annotations:
    scenarios.ai.sap.com/name: {scenario_name}
    scenarios.ai.sap.com/description: Tells kinds of flowers apart.
    executables.ai.sap.com/name: Train on petals
    executables.ai.sap.com/description: Learns from measured petals.
    artifacts.ai.sap.com/petals.kind: dataset
    artifacts.ai.sap.com/base-model.kind: model
    artifacts.ai.sap.com/petal-model.kind: model
spec:
  entrypoint: train
  arguments:
    parameters:
      - name: EPOCHS
        default: "3"
        description: Passes over the data.
      - name: OWNER
        description: Who answers for the model.
      - name: MODE
        default: fast
        enum: [fast, exact]
  templates:
    - name: train
      metadata:
        labels:
          ai.sap.com/resourcePlan: starter
      inputs:
        artifacts:
          - name: petals
            path: /app/petals
          - name: base-model
            path: /app/base
            optional: true
      outputs:
        artifacts:
          - name: petal-model
            path: /app/model
            globalName: petal-model
            archive:
              none: {{}}
      container:
        image: petals:1
        command: [sh, -c]
        args: ["{command}"]
"""


def place(workspace: str = "local", group: str = "red") -> ResourceGroup:
    """The resource group of this name in the workspace of this name, made when missing."""
    home, _ = Workspace.unscoped.get_or_create(slug=workspace)
    found, _ = ResourceGroup.unscoped.get_or_create(workspace=home, slug=group)
    return found


def template(
    *,
    executable: str = EXECUTABLE,
    scenario: str = SCENARIO,
    scenario_name: str = "Petals",
    version: str = "1.0.0",
    command: str = "echo trained > /app/model",
) -> str:
    """A template: parameters with default, mandatory and with enum; a dataset and an optional model in."""
    return TEMPLATE.format(
        executable=executable,
        scenario=scenario,
        scenario_name=scenario_name,
        version=version,
        command=command,
    )


def catalog_version(group: ResourceGroup, *, text: str | None = None, **fields: str) -> ExecutableVersion:
    """A version synced into the group's workspace from a folder with this template alone.

    text: the whole template, else `template(**fields)`.
    """
    scope = system_scope(group.workspace)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "template.yaml").write_text(template(**fields) if text is None else text)
        report = catalog.sync(scope, Path(folder), kind=Source.Kind.FOLDER, name="factories")
    if report.errors:
        raise ValueError("; ".join(str(finding) for finding in report.errors))
    (version,) = report.added or report.unchanged
    return version


def artifact(
    group: ResourceGroup,
    *,
    kind: str = Artifact.Kind.DATASET,
    name: str = "petals",
    files: dict[str, bytes] | None = None,
    description: str = "",
) -> Artifact:
    """The next version of a name, with its own folder of real files in the group's store."""
    scope = system_scope(group)
    folder = f"made/{uuid.uuid4().hex}"
    store = storage.open_store(group)
    inspection = store.write_tree(
        folder, [(path, [body]) for path, body in (files or {"data.csv": b"length,kind\n1,a\n"}).items()]
    )
    return artifacts.add_version(
        scope,
        kind=kind,
        name=name,
        url=storage.url(storage.Location(storage.DEFAULT, folder)),
        inspection=inspection,
        scenario=_scenario(scope),
        description=description,
    )


def _scenario(scope: Scope) -> Scenario:
    found, _ = scope.of(Scenario).get_or_create(
        workspace=scope.workspace, slug=SCENARIO, defaults={"name": "Petals"}
    )
    return found


def configuration(
    group: ResourceGroup,
    *,
    name: str = "petals, three epochs",
    version: ExecutableVersion | None = None,
    parameters: dict[str, str] | None = None,
    inputs: dict[str, Artifact] | None = None,
) -> Configuration:
    """A configuration of `version`, by default of the factory's own template with a fresh dataset."""
    if version is None:
        version = catalog_version(group)
        parameters = {"OWNER": "Ada"} | (parameters or {})
        inputs = {"petals": artifact(group)} | (inputs or {})
    return configurations.create(
        system_scope(group),
        name=name,
        version=version,
        parameters=parameters or {},
        artifacts={slot: str(bound.pk) for slot, bound in (inputs or {}).items()},
    )


def repository(workspace: Workspace, *, name: str = "") -> Repository:
    """A repository of git that was never asked; its name and address tell the workspace."""
    name = name or f"{workspace.pk}-templates"
    return repositories.create(
        system_scope(workspace), url=f"https://git.example/{name}.git", username="", password="", name=name
    )


def application(source: Repository, *, name: str = "", path: str = ".") -> Source:
    """An application of a repository that was never synced."""
    return applications.create(
        system_scope(source.workspace),
        repository=source.name,
        revision="HEAD",
        path=path,
        name=name or f"{source.name}-app",
    )


def object_store(group: ResourceGroup, *, name: str) -> ObjectStoreSecret:
    """A store of a group in a folder of this Launchpad."""
    return object_stores.create(
        system_scope(group), name=name, kind="local", options=object_stores.Options(), data={}
    )


def secret(group: ResourceGroup, *, name: str) -> ResourceGroupSecret:
    """A secret of a group; its workspace shares one of the same name."""
    data = {"TOKEN": base64.b64encode(b"s3cret-word").decode()}
    secrets.create(system_scope(group.workspace), name=name, data=data, shared=True)
    made = secrets.create(system_scope(group), name=name, data=data)
    assert isinstance(made, ResourceGroupSecret)
    return made


def docker_secret(workspace: Workspace) -> DockerSecret:
    """A registry secret whose name tells the workspace."""
    data = {docker_secrets.KEY: '{"auths": {}}'}
    return docker_secrets.create(system_scope(workspace), name=f"{workspace.pk}-registry", data=data)


def execution(
    bound: Configuration,
    *,
    status: Status = Status.PENDING,
    created_at: datetime | None = None,
    took: timedelta = timedelta(0),
    name: str = "",
    **fields: object,
) -> Execution:
    """An execution row in any stored status, with the times that go with it; nothing runs.

    took: from its start to its end, if it has ended.
    """
    at = created_at or timezone.now()
    has_ended = status in FINAL | {Status.DELETING}
    has_started = status not in {Status.PENDING}
    return Execution.unscoped.create(
        resource_group=bound.resource_group,
        configuration=bound,
        executable_version=bound.executable_version,
        executable_id=bound.executable_id,
        status=status,
        target_status=TargetStatus.STOPPED
        if status in {Status.STOPPING, Status.STOPPED}
        else TargetStatus.COMPLETED,
        attempt=1 if has_started else 0,
        created_at=at,
        submitted_at=at,
        started_at=at if has_started else None,
        completed_at=at + took if has_ended else None,
        duration=took if has_ended else None,
        **execution_notes.columns(execution_notes.Said(name, "", [])) | fields,
    )


def schedule(bound: Configuration, timing: Timing | None = None, *, name: str = "nightly") -> Schedule:
    """A schedule of a configuration, in its group; by default at three every night."""
    timing = timing or Timing("0 3 * * *")
    return schedules.create(system_scope(bound), name=name, configuration=bound.pk, timing=timing)
