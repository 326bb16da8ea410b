"""Real rows of a running execution, as a worker's claim leaves them."""

import itertools

from django.utils import timezone

from launchpad.resource_groups.models import ResourceGroup
from launchpad.workspaces.models import Workspace
from mlops.lifecycle import FINAL, Status, TargetStatus
from mlops.models import (
    Configuration,
    Executable,
    ExecutableVersion,
    Execution,
    Scenario,
    Source,
    SourceTree,
    StepRun,
)

_numbers = itertools.count(1)


def group(slug: str = "red", workspace: str = "lab") -> ResourceGroup:
    """A resource group, made with its workspace where missing."""
    place, _ = Workspace.unscoped.get_or_create(slug=workspace)
    return ResourceGroup.unscoped.get_or_create(workspace=place, slug=slug)[0]


def execution(
    place: ResourceGroup,
    *,
    status: Status = Status.RUNNING,
    attempt: int = 1,
    steps: tuple[str, ...] = ("prepare", "train"),
) -> Execution:
    """An execution in `place` with the step rows of its attempts."""
    workspace, number, now = place.workspace, next(_numbers), timezone.now()
    scenario = Scenario.unscoped.create(workspace=workspace, slug=f"scenario-{number}", name="Scenario")
    executable = Executable.unscoped.create(
        workspace=workspace, scenario=scenario, slug=f"executable-{number}", name="Executable"
    )
    source = Source.unscoped.create(workspace=workspace, kind=Source.Kind.FOLDER, name=f"folder {number}")
    tree = SourceTree.unscoped.create(workspace=workspace, digest=f"{number:064x}", size_bytes=1)
    version = ExecutableVersion.unscoped.create(
        executable=executable,
        number=1,
        label="1.0.0",
        digest=f"{number:064x}",
        source=source,
        source_tree=tree,
        file="template.yaml",
        spec={},
        template="",
    )
    configuration = Configuration.unscoped.create(
        resource_group=place, name=f"configuration {number}", executable_version=version
    )
    row = Execution.unscoped.create(
        resource_group=place,
        configuration=configuration,
        executable_version=version,
        status=status,
        target_status=TargetStatus.COMPLETED,
        attempt=attempt,
        created_at=now,
        submitted_at=now,
        started_at=now,
        completed_at=now if status in (*FINAL, Status.DELETING) else None,
    )
    for tried in range(1, attempt + 1):
        StepRun.unscoped.bulk_create(
            StepRun(execution=row, attempt=tried, index=index, name=name, status=Status.UNKNOWN)
            for index, name in enumerate(steps)
        )
    return row
