"""The bin: artifacts that were deleted, until they are taken out of it or their time is over."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import ProtectedError, QuerySet
from django.utils import timezone

from launchpad.access import Scope, system_scope
from launchpad.commands import record
from launchpad.errors import Conflict, Invalid
from mlops import storage
from mlops.domain import artifact_files, artifacts
from mlops.models import Artifact

log = logging.getLogger(__name__)
_BATCH = 100


def search(scope: Scope) -> QuerySet[Artifact]:
    """What lies in the group's bin, the newest artifact first."""
    rows = scope.everything(Artifact).filter(binned_at__isnull=False)
    return rows.select_related("scenario").order_by("-created_at", "-pk")


def goes_at(artifact: Artifact) -> datetime | None:
    """When an artifact in the bin goes for good."""
    return artifact.binned_at and artifact.binned_at + timedelta(days=settings.BIN_DAYS)


def purge_expired(*, until: float, failed: set[UUID] | None = None) -> int:
    """Remove artifacts whose time in the bin is over, with their bytes; return how many went.

    until: monotonic seconds. failed: those whose store did not let go of the bytes, left out and added to.
    Bytes go that came with the artifact and that no other one has. What has come into use meanwhile is put
    back. Safe in any number of copies, and to be interrupted anywhere: rows go last.
    """
    failed = set() if failed is None else failed
    edge = timezone.now() - timedelta(days=settings.BIN_DAYS)
    rows = Artifact.unscoped.filter(binned_at__lt=edge, resource_group__deleting_at=None)
    gone = 0
    for row in (
        rows.exclude(pk__in=failed).select_related("resource_group__workspace").order_by("binned_at")[:_BATCH]
    ):
        if time.monotonic() >= until:
            break
        try:
            gone += _purge(system_scope(row), row, edge)
        except (Invalid, Conflict) as error:
            failed.add(row.pk)
            log.warning("The bytes of artifact %s cannot be removed yet: %s", row.pk, error)
    return gone


def _purge(scope: Scope, artifact: Artifact, edge: datetime) -> bool:
    mine = scope.everything(Artifact).filter(pk=artifact.pk, binned_at__lt=edge)
    if artifacts.users_of(scope, artifact).sentence:
        with transaction.atomic():
            mine.update(binned_at=None, binned_by="")
            artifacts.mark_newest(scope, artifact)
        return False
    if artifacts.owns_bytes(scope, artifact):
        location = storage.parse_url(artifact.url)
        artifact_files.store(scope, location).delete_prefix(location.path)
    with transaction.atomic():
        record(scope, "artifacts.purge", artifact)
        try:
            return mine.delete()[0] > 0
        except ProtectedError as error:
            raise Conflict(f"{artifact} has come into use.") from error
