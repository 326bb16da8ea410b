"""Checks of stored bytes: asked for by people, carried out by a control worker, their result kept."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from launchpad.access import Scope, system_scope
from launchpad.commands import command
from launchpad.errors import LaunchpadError
from mlops import doorbell
from mlops.domain import artifact_files, artifacts
from mlops.models import Artifact, ArtifactCheck

# After this long a check counts as lost with its worker; one that only takes longer is done twice.
LEASE = timedelta(minutes=15)
_ODD = 100
_LOOKED_AT = 20


@command()
def ask(scope: Scope, artifact_id: str | uuid.UUID) -> Artifact:
    """Have all bytes of an artifact read and compared soon; asked twice, it is done once.

    Raises NotFound, Forbidden.
    """
    artifact = artifacts.get(scope, artifact_id)
    row, _ = scope.of(ArtifactCheck).get_or_create(artifact=artifact)
    asked = {"wanted_at": timezone.now(), "wanted_by": scope.actor[:256]}
    scope.of(ArtifactCheck).filter(pk=row.pk, wanted_at=None).update(**asked)
    doorbell.artifacts()
    return artifact


def of(scope: Scope, artifact: Artifact) -> ArtifactCheck | None:
    """The last check of an artifact, or the one that is asked for; None without any."""
    return scope.of(ArtifactCheck).filter(artifact=artifact).first()


def carry_out_one(now: datetime | None = None) -> bool:
    """Do the check that waits longest; False when none waits.

    Reads the artifact's bytes, whatever their size. Safe in any number of copies.
    """
    row = _claim(now or timezone.now())
    if row is None:
        return False
    scope = system_scope(row.artifact)
    try:
        found = artifact_files.check(scope, row.artifact)
    except LaunchpadError as error:
        found = artifact_files.Contents("unreadable", reason=error.message)
    odd = [[path, what] for path, what in found.odd.items()]
    odd += [[path, "missing"] for path in found.missing]
    ArtifactCheck.unscoped.filter(pk=row.pk, claimed_at=row.claimed_at).update(
        state=found.state,
        reason=found.reason,
        odd=odd[:_ODD],
        checked_at=timezone.now(),
        wanted_at=None,
        claimed_at=None,
    )
    return True


def _claim(now: datetime) -> ArtifactCheck | None:
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - LEASE)
    rows = ArtifactCheck.unscoped.filter(
        free, wanted_at__isnull=False, artifact__resource_group__deleting_at=None
    )
    for row in rows.select_related("artifact__resource_group__workspace").order_by("wanted_at")[:_LOOKED_AT]:
        if ArtifactCheck.unscoped.filter(pk=row.pk, claimed_at=row.claimed_at).update(claimed_at=now):
            row.claimed_at = now
            return row
    return None
