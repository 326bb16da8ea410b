"""Templates that roll their changes into the deployments of theirs, as a new revision of each."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Subquery

from launchpad.access import system_scope
from launchpad.errors import LaunchpadError
from mlops.domain import catalog, deployments, enactments, revisions
from mlops.lifecycle import STOPPABLE
from mlops.models import Deployment, DeploymentChange, ExecutableVersion, Revision


def roll_in() -> int:
    """Update the deployments whose template has a newer version that says so; return how many.

    The configuration stays; what it does not give gets the template's default. One whose values the new
    template does not take stays as it is, and its history says why, once. Safe in any number of copies.
    """
    newest = ExecutableVersion.unscoped.filter(executable=OuterRef("executable")).order_by("-number")
    rows = Deployment.unscoped.filter(status__in=STOPPABLE).annotate(
        newest_number=Subquery(newest.values("number")[:1]), newest_version=Subquery(newest.values("pk")[:1])
    )
    tried = Revision.unscoped.filter(deployment=OuterRef("pk"), executable_version=OuterRef("newest_version"))
    behind = rows.filter(~Exists(tried), executable_version__number__lt=F("newest_number"))
    count = 0
    for key, version in behind.values_list("pk", "newest_version"):
        row = ExecutableVersion.unscoped.get(pk=version)
        serving = catalog.describe(row).serving
        if serving is not None and serving.cascade_update:
            count += _update(key, row)
    return count


def _update(key: str, version: ExecutableVersion) -> bool:
    scope = system_scope(
        Deployment.unscoped.select_related("resource_group__workspace").get(pk=key), actor=revisions.ACTOR
    )
    said = f"The template has a new version, {version.label} (number {version.number})"
    try:
        deployments.cascade(scope, key, version=version, reason=f"{said}, which says to update.")
    except LaunchpadError as error:
        _note(key, version, f"{said}, which could not be rolled in: {error.message}")
        return False
    return True


def _note(key: str, version: ExecutableVersion, reason: str) -> None:
    evidence = {"version": str(version.pk)}
    with transaction.atomic():
        held = Deployment.unscoped.select_for_update(no_key=True).get(pk=key)
        if not DeploymentChange.unscoped.filter(deployment=held, evidence=evidence).exists():
            enactments.note_deployment(
                key, held.newest, actor=revisions.ACTOR, reason=reason, evidence=evidence
            )
