"""Plain functions that make real rows of deployments, as workers and the sweep leave them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from launchpad.access import system_scope
from launchpad.resource_groups.models import ResourceGroup
from mlops.domain import catalog, deployments, revisions, servings
from mlops.lifecycle import FINAL, Status, TargetStatus
from mlops.models import (
    Artifact,
    Configuration,
    Deployment,
    DeploymentChange,
    ExecutableVersion,
    Replica,
    Revision,
)
from tests.mlops import factories
from tests.mlops.serving_template import EXECUTABLE, PLAN, SCENARIO, text

# What a server's row says while its deployment is in each status.
_SERVERS = {
    Status.PENDING: Status.PENDING,
    Status.RUNNING: Status.RUNNING,
    Status.STOPPING: Status.STOPPING,
    Status.STOPPED: Status.STOPPED,
    Status.DEAD: Status.DEAD,
    Status.DELETING: Status.STOPPED,
}


def version(
    group: ResourceGroup,
    *,
    executable: str = EXECUTABLE,
    scenario: str = SCENARIO,
    label: str = "1.0.0",
    plan: str = PLAN,
) -> ExecutableVersion:
    """A version of a serving executable in the group's workspace. plan: the resource plan it names."""
    written = text(executable=executable, scenario=scenario, label=label, plan=plan)
    return factories.catalog_version(group, text=written)


def configuration(
    group: ResourceGroup,
    *,
    name: str = "petals, served",
    served: ExecutableVersion | None = None,
    **parameters: str,
) -> Configuration:
    """A configuration of a serving executable, by default of `version(group)`, with a fresh model."""
    model = factories.artifact(group, kind=Artifact.Kind.MODEL, name="petal-model")
    return factories.configuration(
        group,
        name=name,
        version=served or version(group),
        parameters=parameters,
        inputs={"petalmodel": model},
    )


def deployment(
    bound: Configuration,
    *,
    status: Status = Status.PENDING,
    created_at: datetime | None = None,
    **fields: object,
) -> Deployment:
    """A deployment in any stored status with its revision and servers as they are then; nothing serves."""
    at = created_at or timezone.now()
    has_ended = status in FINAL | {Status.DELETING}
    has_started = status is not Status.PENDING
    made = Deployment.unscoped.create(
        resource_group=bound.resource_group,
        configuration=bound,
        executable_version=bound.executable_version,
        executable_id=bound.executable_id,
        status=status,
        target_status=TargetStatus.STOPPED
        if status in {Status.STOPPING, Status.STOPPED}
        else TargetStatus.RUNNING,
        created_at=at,
        submitted_at=at,
        started_at=at if has_started else None,
        completed_at=at if has_ended else None,
        duration=timedelta(0) if has_ended else None,
        serving=1 if status is Status.RUNNING else None,
        latest_running_configuration=bound if has_started else None,
        **fields,
    )
    if status is Status.DELETING:
        DeploymentChange.unscoped.create(
            deployment=made, at=at, attempt=1, source=Status.STOPPED, target=status, actor="test"
        )
    _revision(made, bound, _SERVERS[status], at)
    return made


def _revision(made: Deployment, bound: Configuration, status: Status, at: datetime) -> None:
    parameters = {row.key: row.value for row in bound.parameters.all()}
    plan = servings.plan(catalog.describe(bound.executable_version), parameters)
    revision = Revision.unscoped.create(
        deployment=made,
        number=1,
        configuration=bound,
        executable_version=bound.executable_version,
        status=status,
        replicas=plan.replicas,
        most=plan.most,
        created_at=at,
    )
    for index in range(plan.replicas):
        Replica.unscoped.create(
            deployment=made,
            revision=revision,
            index=index,
            status=status,
            is_ready=status is Status.RUNNING,
            ready_at=at if status is Status.RUNNING else None,
            not_before=at,
            created_at=at,
            attempt=0 if status is Status.PENDING else 1,
        )


def ready(made: Deployment) -> None:
    """Have every server of the newest revision answer, as their workers tell, and what follows from it."""
    servers = Replica.unscoped.filter(deployment=made, revision__number=made.newest)
    servers.update(status=Status.RUNNING, is_ready=True, attempt=1)
    revisions.settle(made.pk)
    made.refresh_from_db()


def gone(made: Deployment) -> None:
    """Have every server that is to stop be gone, as their workers tell, and what follows from it."""
    Replica.unscoped.filter(deployment=made, status=Status.STOPPING).update(status=Status.STOPPED)
    revisions.settle(made.pk)
    made.refresh_from_db()


def put_away(made: Deployment) -> None:
    """As the sweep does once its time is over."""
    Deployment.unscoped.filter(pk=made.pk).update(archived_at=timezone.now())


def served(bound: Configuration, **asked: str) -> Deployment:
    """A new deployment through the domain, whose servers all answer."""
    made = deployments.create(system_scope(bound.resource_group), configuration=bound.pk, **asked)
    ready(made)
    return made
