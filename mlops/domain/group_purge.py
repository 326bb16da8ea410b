"""Empties resource groups that were given up, in batches, until they themselves can go."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import models, transaction
from django.db.models import ProtectedError

from launchpad.access import system_scope
from launchpad.errors import Conflict, NotFound
from launchpad.resource_groups.models import AccessRequest, ResourceGroup
from mlops import storage
from mlops.domain import deployments, executions
from mlops.domain.deployment_purge import OF_DEPLOYMENTS
from mlops.lifecycle import DEPLOYMENT_DELETABLE, EXECUTION_DELETABLE, LEASED, STOPPABLE, Status
from mlops.models import (
    Artifact,
    ArtifactAlias,
    ArtifactAliasMove,
    ArtifactCheck,
    ArtifactFacts,
    AttemptEnvironment,
    Backfill,
    BackfillRun,
    Board,
    Comment,
    Configuration,
    ConfigurationDraft,
    CustomInfo,
    Deployment,
    DeploymentDraft,
    Environment,
    Execution,
    LogChunk,
    MetricPoint,
    MetricSeries,
    Notice,
    NotificationRule,
    ObjectStoreSecret,
    Replica,
    ResourceGroupSecret,
    SavedView,
    Schedule,
    ScheduleDraft,
    StatusChange,
    StepRun,
    Sweep,
    Tag,
    Tick,
)

log = logging.getLogger(__name__)

_EXECUTIONS, _ROWS, _STOPS = 500, 5_000, 100
# What goes along with executions, points before their series.
OF_EXECUTIONS: tuple[tuple[type[models.Model], str], ...] = (
    (MetricPoint, "series__execution"),
    (MetricSeries, "execution"),
    (LogChunk, "execution"),
    (Comment, "execution"),
    (Tag, "execution"),
    (CustomInfo, "execution"),
    (StepRun, "execution"),
    (StatusChange, "execution"),
    (AttemptEnvironment, "execution"),
)
# What goes after executions and deployments, in the order that the references between them allow.
AFTER_EXECUTIONS: tuple[type[models.Model], ...] = (
    Comment,
    Board,
    Sweep,
    Notice,
    NotificationRule,
    BackfillRun,
    Backfill,
    Tick,
    Schedule,
    ScheduleDraft,
    Configuration,
    ConfigurationDraft,
    DeploymentDraft,
    ArtifactAlias,
    ArtifactAliasMove,
    ArtifactFacts,
    ArtifactCheck,
    Artifact,
    Environment,
    ResourceGroupSecret,
    ObjectStoreSecret,
    SavedView,
    AccessRequest,
)


class _Later(Exception):
    """It cannot go on now: the time is over, or something still runs, or another process is at it."""


def purge_groups(*, seconds: float) -> int:
    """Go on with groups that are being deleted; return how many are gone. Safe in any number of copies.

    Ends after about so many seconds; the next call goes on. What runs in them is stopped first and waited
    for. Artifacts' bytes go with the group's local stores, and stay in stores elsewhere.
    """
    until = time.monotonic() + seconds
    gone = 0
    for group in ResourceGroup.unscoped.exclude(deleting_at=None).order_by("deleting_at"):
        if time.monotonic() >= until:
            break
        with suppress(_Later):
            _stop(group, until)
            _purge_executions(group, until)
            _purge_deployments(group, until)
            for model in AFTER_EXECUTIONS:
                while _purge_some(group, _inside(model, group), until):
                    continue
            _purge_folders(group, until)
            gone += _finish(group)
    return gone


def _stop(group: ResourceGroup, until: float) -> None:
    """Stop what waits, runs or serves. Raises _Later while something does not stand still."""
    scope = system_scope(group)
    for model, stop in ((Execution, executions.stop), (Deployment, deployments.stop)):
        waiting = _inside(model, group).filter(status__in=STOPPABLE)
        for key in waiting.values_list("pk", flat=True)[:_STOPS]:
            if time.monotonic() >= until:
                raise _Later
            # It may have ended by itself meanwhile.
            with suppress(Conflict, NotFound):
                stop(scope, key)
    for model, at_rest in ((Execution, EXECUTION_DELETABLE), (Deployment, DEPLOYMENT_DELETABLE)):
        if _inside(model, group).exclude(status__in=at_rest | {Status.DELETING}).exists():
            raise _Later
    # A dead deployment may have servers that still end.
    if _inside(Replica, group).filter(status__in=LEASED).exists():
        raise _Later


def _purge_executions(group: ResourceGroup, until: float) -> None:
    rows = _inside(Execution, group)
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:_EXECUTIONS]):
        for model, path in OF_EXECUTIONS:
            while _purge_some(group, _rows(model).filter(**{f"{path}__in": keys}), until):
                continue
        with _alone(group):
            _rows(Artifact).filter(execution__in=keys).update(execution=None)
            rows.filter(pk__in=keys).delete()


def _purge_deployments(group: ResourceGroup, until: float) -> None:
    goes: tuple[type[models.Model], ...] = (*OF_DEPLOYMENTS, Deployment)
    for model in goes:
        while _purge_some(group, _inside(model, group), until):
            continue


def _purge_some(group: ResourceGroup, rows: models.QuerySet[Any], until: float) -> bool:
    """Remove some of the rows; False when there were none. Raises _Later."""
    # What is gone already costs one look, so that each call comes further than the one before.
    if not rows.exists():
        return False
    if time.monotonic() >= until:
        raise _Later
    with _alone(group):
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[:_ROWS])
        _rows(rows.model).filter(pk__in=keys).delete()
    return bool(keys)


def _purge_folders(group: ResourceGroup, until: float) -> None:
    try:
        if not storage.remove_folders(group, until=until):
            raise _Later
    except OSError as error:
        log.warning("The folder of resource group %s cannot be removed yet: %s", group, error)
        raise _Later from error


def _finish(group: ResourceGroup) -> bool:
    """Remove the group itself with its roles and keys; False when something came into it meanwhile."""
    try:
        with _alone(group) as row:
            row.delete()
    except ProtectedError:
        return False
    return True


@contextmanager
def _alone(group: ResourceGroup) -> Iterator[ResourceGroup]:
    """A transaction that no other process has at the same time for this group. Raises _Later."""
    with transaction.atomic():
        locked = ResourceGroup.unscoped.select_for_update(skip_locked=True, no_key=True)
        row = locked.filter(pk=group.pk).first()
        if row is None:
            raise _Later
        yield row


def _inside(model: type[models.Model], group: ResourceGroup) -> models.QuerySet[Any]:
    path: str = model.SCOPE  # type: ignore[attr-defined]
    return _rows(model).filter(**{path: group})


def _rows(model: type[models.Model]) -> models.QuerySet[Any]:
    manager: models.Manager[Any] = model.unscoped  # type: ignore[attr-defined]
    return manager.all()
