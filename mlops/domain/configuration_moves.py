"""A configuration's values brought to another version of its executable: what fits, what does not."""

from __future__ import annotations

from dataclasses import dataclass

from mlops.domain import catalog
from mlops.domain.configurations import Bindings
from mlops.manifests import ArtifactSlot, Parameter
from mlops.models import Configuration, ExecutableVersion


@dataclass(frozen=True)
class Move:
    """Values that still fit. artifacts: slot → id. notes: sentences on what does not, is new or is kept."""

    parameters: dict[str, str]
    artifacts: dict[str, str]
    notes: tuple[str, ...]


def fit(configuration: Configuration, bound: Bindings, version: ExecutableVersion) -> Move:
    """What of a configuration's values a version takes; nothing is changed."""
    if configuration.executable_version_id == version.pk:
        values = {told.name: value for told, value in bound.parameters}
        return Move(values, {slot.name: str(artifact.pk) for slot, artifact in bound.artifacts}, ())
    template = catalog.describe(version)
    parameters, said = _parameters(bound, {told.name: told for told in template.parameters})
    artifacts, said_too = _artifacts(bound, {slot.name: slot for slot in template.inputs})
    return Move(parameters, artifacts, (*said, *said_too))


def _parameters(bound: Bindings, there: dict[str, Parameter]) -> tuple[dict[str, str], list[str]]:
    kept, notes = {}, []
    for told, value in bound.parameters:
        new = there.get(told.name)
        if new is None:
            notes.append(f"The parameter {told.name} does not exist any more; “{_cut(value)}” is left out.")
        elif new.enum and value not in new.enum:
            notes.append(
                f"{told.name} cannot be “{_cut(value)}” any more; it is one of: {', '.join(new.enum)}."
            )
        else:
            kept[told.name] = value
            if value == told.default != new.default and new.default is not None:
                notes.append(
                    f"{told.name} keeps “{_cut(value)}”, the default so far; now it is “{_cut(new.default)}”."
                )
    known = {told.name for told, _ in bound.parameters}
    for name, new in there.items():
        if name not in known:
            rest = "needs a value" if new.default is None else f"has the default “{_cut(new.default)}”"
            notes.append(f"The parameter {name} is new and {rest}.")
    return kept, notes


def _artifacts(bound: Bindings, there: dict[str, ArtifactSlot]) -> tuple[dict[str, str], list[str]]:
    kept, notes = {}, []
    for slot, artifact in bound.artifacts:
        new = there.get(slot.name)
        if new is None:
            notes.append(f"The input {slot.name} does not exist any more; {artifact} is left out.")
        elif new.kind != artifact.kind:
            notes.append(f"The input {slot.name} takes a {new.kind} now; {artifact} is left out.")
        else:
            kept[slot.name] = str(artifact.pk)
    known = {slot.name for slot, _ in bound.artifacts}
    for name, new in there.items():
        if name not in known and not new.optional:
            notes.append(f"The input {name} needs a {new.kind}.")
    return kept, notes


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
