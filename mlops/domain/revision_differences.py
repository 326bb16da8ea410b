"""What differs between two revisions of a deployment: configuration, template, parameters, inputs."""

from __future__ import annotations

from dataclasses import dataclass

from launchpad.access import Scope
from mlops.domain import differences
from mlops.domain.differences import Change
from mlops.models import Artifact, ArtifactBinding, ExecutableVersion, ParameterBinding, Revision


@dataclass(frozen=True)
class Difference:
    """From an older revision to a newer one. changes: what is not the same; same_count: how much is.

    models: the first model of each, None unless both bind one.
    """

    before: Revision
    after: Revision
    changes: tuple[Change, ...]
    same_count: int
    models: tuple[Artifact, Artifact] | None


def between(scope: Scope, before: Revision, after: Revision) -> Difference:
    """Compare two revisions of the group, their configurations selected along; three queries."""
    keys = {before.configuration_id, after.configuration_id}
    wanted = {before.executable_version_id, after.executable_version_id}
    rows = scope.of(ExecutableVersion).filter(pk__in=wanted).select_related("executable")
    versions = {row.pk: str(row) for row in rows}
    parameters = list(scope.of(ParameterBinding).filter(configuration__in=keys).order_by("pk"))
    bound = scope.of(ArtifactBinding).filter(configuration__in=keys).select_related("artifact")
    inputs = list(bound.order_by("pk"))
    facts, models = [], []
    for one in (before, after):
        own = [row for row in inputs if row.configuration_id == one.configuration_id]
        told = {
            "Configuration": one.configuration.name,
            "Template version": versions[one.executable_version_id],
        }
        told |= {
            f"Parameter {row.key}": row.value
            for row in parameters
            if row.configuration_id == one.configuration_id
        }
        told |= {f"Input {row.key}": f"{row.artifact.name}:{row.artifact.version}" for row in own}
        told |= {"Servers at first": str(one.replicas), "Servers at most": str(one.most)}
        facts.append(told)
        models += [row.artifact for row in own if row.artifact.kind == Artifact.Kind.MODEL][:1]
    found = differences.changes(*facts)
    changed = tuple(one for one in found if not one.is_same)
    pair = (models[0], models[1]) if len(models) == 2 else None
    return Difference(before, after, changed, len(found) - len(changed), pair)
