"""Deployments: create, update, roll back, stop, start again, extend, delete; what a page asks of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils import timezone

from launchpad.access import Scope
from launchpad.commands import command
from launchpad.errors import Conflict, Invalid, LaunchpadError
from mlops import doorbell
from mlops.domain import (
    catalog,
    configuration_values,
    enactments,
    revisions,
    servings,
    step_secrets,
    times_to_live,
)
from mlops.domain.limits import Check
from mlops.domain.wishes import carry_out
from mlops.lifecycle import (
    DEPLOYMENT_DELETABLE,
    DEPLOYMENT_REPOINTABLE,
    DEPLOYMENT_RESTARTABLE,
    STOPPABLE,
    Status,
    TargetStatus,
)
from mlops.models import (
    Configuration,
    Deployment,
    DeploymentChange,
    ExecutableVersion,
    Replica,
    Revision,
)

_Operation = Deployment.Operation


def address(deployment_id: str) -> str:
    """The stable address of a deployment, without a slash at its end."""
    return f"{settings.PUBLIC_URL}/v2/inference/deployments/{deployment_id}"


@command()
def create(scope: Scope, *, configuration: UUID | str, ttl: str = "") -> Deployment:
    """Deploy a configuration; the deployment is PENDING when this returns and is never lost.

    ttl: how long it lives, such as `5h`, "" for ever. Workers are rung after the commit. Raises NotFound for
    a configuration of another group, Forbidden; Invalid when its executable does not serve, for a ttl that is
    none; Conflict when a secret that its template refers to is missing or cannot be used.
    """
    lasting = times_to_live.parse(ttl)
    bound, plan = _bound(scope, configuration)
    now = timezone.now()
    deployment = Deployment.unscoped.create(
        resource_group=scope.group,
        configuration=bound,
        executable_version_id=bound.executable_version_id,
        executable_id=bound.executable_id,
        status=Status.PENDING,
        target_status=TargetStatus.RUNNING,
        status_message="Waiting for a worker",
        ttl=ttl.lower(),
        expires_at=now + lasting if lasting else None,
        created_by=scope.user,
        created_at=now,
        submitted_at=now,
    )
    enactments.opened(deployment, actor=scope.actor, reason="Deployed.")
    revisions.add(deployment, plan, number=1, reason="Deployed.", user=scope.user)
    return deployment


def _bound(
    scope: Scope, configuration: UUID | str, version: ExecutableVersion | None = None
) -> tuple[Configuration, servings.Plan]:
    """A configuration that nobody deletes until the commit, and what it makes of its template.

    version: another one of its executable.
    """
    scope.get(Configuration, pk=configuration)
    found = scope.hold(Configuration, pk=configuration)
    bound: Configuration = found[0] if found else scope.get(Configuration, pk=configuration)
    template = catalog.describe(version or bound.executable_version)
    values = {row.key: row.value for row in bound.parameters.all()}
    plan = servings.plan(template, values)
    step_secrets.of(scope.group, plan.volumes)
    return bound, plan


@command()
def update(scope: Scope, deployment_id: str, *, configuration: UUID | str, reason: str = "") -> Deployment:
    """Roll another configuration of the same executable in: a new revision starts, then takes over.

    The address and the time to live stay; what serves goes on until the new revision is ready, and if that
    fails it goes on serving. Raises NotFound, Forbidden, Conflict in a status that does not allow it or when
    the newest revision has this configuration already, Invalid for another executable.
    """
    deployment = _held(scope, deployment_id)
    _require(deployment, DEPLOYMENT_REPOINTABLE, "only a pending, running or dead one can be updated")
    bound, plan = _bound(scope, configuration)
    if bound.executable_id != deployment.executable_id:
        raise Invalid(
            "A deployment is updated with a configuration of the same executable. Create another deployment "
            f"for {bound.name}."
        )
    newest = Revision.unscoped.get(deployment=deployment, number=deployment.newest)
    if newest.configuration_id == bound.pk and newest.status != Status.DEAD:
        raise Conflict(f"Revision {newest.number} has the configuration {bound.name} already.")
    return _revise(scope, deployment, bound, plan, reason or f"Updated to {bound.name}.")


@command()
def cascade(scope: Scope, deployment_id: str, *, version: ExecutableVersion, reason: str) -> Deployment:
    """Roll a newer version of the executable in under the same configuration, as `update` does.

    Raises NotFound, Forbidden, Conflict in a status that does not allow it or when a revision has had this
    version already, Invalid when the version does not take the configuration's values.
    """
    deployment = _held(scope, deployment_id)
    _require(deployment, STOPPABLE, "only a pending or running one follows its template")
    if scope.of(Revision).filter(deployment=deployment, executable_version=version).exists():
        raise Conflict(f"Deployment {deployment.pk} has had this version already.")
    bound, _plan = _bound(scope, deployment.configuration_id)
    template = catalog.describe(version)
    check = Check()
    given = {row.key: row.value for row in bound.parameters.all()}
    values = configuration_values.parameters(check, template, given)
    inputs = {row.key: str(row.artifact_id) for row in bound.inputs.all()}
    configuration_values.artifacts(scope, check, template, inputs)
    check.done()
    plan = servings.plan(template, values)
    step_secrets.of(scope.group, plan.volumes)
    operation = _Operation.CASCADE_UPDATE
    return _revise(scope, deployment, bound, plan, reason, version=version, operation=operation)


def _revise(
    scope: Scope,
    deployment: Deployment,
    bound: Configuration,
    plan: servings.Plan,
    reason: str,
    *,
    version: ExecutableVersion | None = None,
    operation: str = _Operation.UPDATE,
) -> Deployment:
    number = deployment.newest + 1
    columns = {
        "configuration": bound,
        "executable_version_id": version.pk if version else bound.executable_version_id,
        "newest": number,
        "last_operation": operation,
        "status_message": reason[:256],
    }
    for column, value in columns.items():
        setattr(deployment, column, value)
    deployment.save(update_fields=[*columns, "modified_at"])
    revisions.add(deployment, plan, number=number, reason=reason, user=scope.user)
    if deployment.status == Status.DEAD:
        _begin_again(scope, deployment, reason)
    else:
        enactments.note_deployment(deployment.pk, number, actor=scope.actor, reason=reason)
    revisions.settle(deployment.pk)
    deployment.refresh_from_db()
    return deployment


def _begin_again(scope: Scope, deployment: Deployment, reason: str) -> None:
    enactments.transition_deployment(
        deployment.pk,
        Status.PENDING,
        actor=scope.actor,
        reason=reason,
        revision=deployment.newest,
        target_status=TargetStatus.RUNNING,
        archived_at=None,
        submitted_at=timezone.now(),
        started_at=None,
        expires_at=_expiry(deployment.ttl),
    )


def _expiry(ttl: str) -> datetime | None:
    lasting = times_to_live.parse(ttl)
    return timezone.now() + lasting if lasting else None


@command()
def roll_back(scope: Scope, deployment_id: str, *, revision: int) -> Deployment:
    """Serve the configuration of an earlier revision again, as a new revision.

    Raises NotFound for a revision that is none, Forbidden, Conflict as `update`.
    """
    deployment = _held(scope, deployment_id)
    _require(deployment, DEPLOYMENT_REPOINTABLE, "only a pending, running or dead one can be rolled back")
    old: Revision = scope.get(Revision, deployment=deployment, number=revision)
    if old.number == deployment.newest and old.status != Status.DEAD:
        raise Conflict(f"Revision {revision} is the newest already.")
    bound, plan = _bound(scope, old.configuration_id, old.executable_version)
    reason = f"Rolled back to revision {revision}."
    return _revise(scope, deployment, bound, plan, reason, version=old.executable_version)


@command()
def stop(scope: Scope, deployment_id: str) -> Deployment:
    """Wish a deployment to stop: it is STOPPING until no process of it is left, its address stays its own.

    Raises NotFound, Forbidden; Conflict when it is not PENDING or RUNNING.
    """
    deployment = _held(scope, deployment_id)
    _require(deployment, STOPPABLE, "only a pending or running one can be stopped")
    enactments.transition_deployment(
        deployment.pk,
        Status.STOPPING,
        actor=scope.actor,
        reason=f"Stopped by {scope.actor}.",
        revision=deployment.newest,
        target_status=TargetStatus.STOPPED,
    )
    revisions.settle(deployment.pk)
    deployment.refresh_from_db()
    return deployment


@command()
def restart(scope: Scope, deployment_id: str) -> Deployment:
    """Start a STOPPED or DEAD deployment again, with its newest revision and the same address.

    A time to live begins anew. Raises NotFound, Forbidden, Conflict in another status.
    """
    deployment = _held(scope, deployment_id)
    _require(deployment, DEPLOYMENT_RESTARTABLE, "only a stopped or dead one can be started again")
    _bound(scope, deployment.configuration_id)
    reason = f"Started again by {scope.actor}."
    revision = Revision.unscoped.get(deployment=deployment, number=deployment.newest)
    enactments.move_revision(revision.pk, Status.PENDING, message="", ended_at=None)
    _begin_again(scope, deployment, reason)
    revisions.start(revision)
    deployment.refresh_from_db()
    return deployment


@command()
def extend(scope: Scope, deployment_id: str, *, ttl: str) -> Deployment:
    """Let a deployment live so long from now on, "" for ever.

    Raises NotFound, Forbidden, Invalid for a ttl that is none, Conflict when it is not PENDING or RUNNING.
    """
    deployment = _held(scope, deployment_id)
    _require(deployment, STOPPABLE, "only a pending or running one can be extended")
    deployment.ttl, deployment.expires_at = ttl.lower(), _expiry(ttl)
    deployment.save(update_fields=["ttl", "expires_at", "modified_at"])
    until = f"until {deployment.expires_at:%Y-%m-%d %H:%M} UTC" if deployment.expires_at else "for ever"
    enactments.note_deployment(
        deployment.pk, deployment.newest, actor=scope.actor, reason=f"Its time to live was changed: {until}."
    )
    return deployment


@command()
def keep_predictions(
    scope: Scope, deployment_id: str, *, keeps: bool, share: int = 100, days: int = 30
) -> Deployment:
    """Say whether requests and answers are kept.

    share: of how many of 100, from 1; days: for how long, 1 to 365. Raises NotFound, Forbidden, Invalid.
    """
    if not 1 <= share <= 100:
        raise Invalid("The share is a whole number from 1 to 100.", fields={"share": "From 1 to 100."})
    if not 1 <= days <= 365:
        raise Invalid("Kept for 1 to 365 days.", fields={"days": "From 1 to 365."})
    deployment = _held(scope, deployment_id)
    deployment.keeps_predictions, deployment.prediction_share = keeps, share
    deployment.prediction_days = days
    deployment.save(update_fields=["keeps_predictions", "prediction_share", "prediction_days", "modified_at"])
    return deployment


@command()
def delete(scope: Scope, deployment_id: str) -> Deployment:
    """Remove a deployment that is at rest, with its log, history, traffic and kept predictions.

    DELETING when this returns; gone after the next sweep, and its address with it. Raises NotFound,
    Forbidden; Conflict unless it is STOPPED or DEAD.
    """
    deployment = _held(scope, deployment_id)
    _require(deployment, DEPLOYMENT_DELETABLE, "stop it first")
    enactments.transition_deployment(
        deployment.pk,
        Status.DELETING,
        actor=scope.actor,
        reason=f"Deleted by {scope.actor}.",
        revision=deployment.newest,
        target_status=TargetStatus.DELETED,
        last_operation=_Operation.DELETE,
    )
    doorbell.sweep()
    deployment.refresh_from_db()
    return deployment


def modify(
    scope: Scope, wishes: Sequence[tuple[str, TargetStatus]]
) -> list[tuple[str, LaunchpadError | None]]:
    """Stop and delete several deployments, each on its own: one that is refused keeps no other from it.

    wishes: (key, STOPPED or DELETED), each key once. Returns in the same order each key with why it stayed as
    it was, None where it did not. Raises Forbidden.
    """
    return carry_out(scope, wishes, {TargetStatus.STOPPED: stop, TargetStatus.DELETED: delete})


def _held(scope: Scope, deployment_id: str) -> Deployment:
    found: Deployment = scope.one(scope.of(Deployment).select_for_update(no_key=True), pk=deployment_id)
    return found


def _require(deployment: Deployment, statuses: frozenset[Status], otherwise: str) -> None:
    if deployment.status not in statuses:
        raise Conflict(f"Deployment {deployment.pk} is {deployment.status.lower()}; {otherwise}.")


def get(scope: Scope, deployment_id: str) -> Deployment:
    """One deployment of the group, archived ones too. Raises NotFound."""
    return scope.get(Deployment, pk=deployment_id)


def detail(scope: Scope, deployment_id: str) -> Deployment:
    """One deployment with its configuration, executable and scenario. Raises NotFound."""
    rows = scope.of(Deployment).select_related(
        "configuration",
        "executable_version__executable__scenario",
        "created_by",
        "latest_running_configuration",
    )
    found: Deployment = scope.one(rows, pk=deployment_id)
    return found


def revision_list(scope: Scope, deployment: Deployment) -> models.QuerySet[Revision]:
    """All revisions, newest first, with their configurations."""
    rows = scope.of(Revision).filter(deployment=deployment)
    return rows.select_related("configuration", "created_by").order_by("-number")


def replica_list(scope: Scope, deployment: Deployment) -> models.QuerySet[Replica]:
    """Servers of the newest revision and of every one that lives, newest revision first."""
    rows = scope.of(Replica).filter(deployment=deployment).select_related("revision", "worker")
    return rows.order_by("-revision__number", "index")


def history(scope: Scope, deployment: Deployment) -> models.QuerySet[DeploymentChange]:
    """Every status change, and what befell its revisions, oldest first."""
    return scope.of(DeploymentChange).filter(deployment=deployment).order_by("id")


def soon(deployment: Deployment) -> timedelta | None:
    """How much time is left to one whose end is near: an hour or, if that is less, a tenth of its life."""
    if deployment.expires_at is None or deployment.status not in STOPPABLE:
        return None
    left = deployment.expires_at - timezone.now()
    lasting = times_to_live.parse(deployment.ttl) or timedelta(hours=10)
    return max(left, timedelta(0)) if left <= min(timedelta(hours=1), lasting / 10) else None
