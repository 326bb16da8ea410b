"""What differs between two revisions of a deployment: configuration, template, parameters, inputs."""

from __future__ import annotations

from dataclasses import dataclass

from launchpad.access import Scope
from mlops.domain import configurations, differences
from mlops.domain.differences import Change
from mlops.models import Artifact, Configuration, Revision


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
    """Compare two revisions of the group by what they were told to serve; seven queries at most."""
    keys = {before.configuration_id, after.configuration_id}
    rows = scope.of(Configuration).filter(pk__in=keys).select_related("executable_version__executable")
    known = {row.pk: row for row in rows}
    bound = {key: configurations.bindings(row) for key, row in known.items()}
    facts, models = [], []
    for one in (before, after):
        configuration, inputs = known[one.configuration_id], bound[one.configuration_id]
        told = {
            "Configuration": configuration.name,
            "Template version": str(configuration.executable_version),
        }
        told |= {f"Parameter {parameter.name}": value for parameter, value in inputs.parameters}
        told |= {
            f"Input {slot.name}": f"{artifact.name}:{artifact.version}" for slot, artifact in inputs.artifacts
        }
        told |= {"Servers at first": str(one.replicas), "Servers at most": str(one.most)}
        facts.append(told)
        models += [artifact for _, artifact in inputs.artifacts if artifact.kind == Artifact.Kind.MODEL][:1]
    found = differences.changes(*facts)
    changed = tuple(one for one in found if not one.is_same)
    pair = (models[0], models[1]) if len(models) == 2 else None
    return Difference(before, after, changed, len(found) - len(changed), pair)
