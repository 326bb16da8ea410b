"""Variations: a configuration run with other values, as a new configuration and an execution of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from launchpad.access import Scope
from launchpad.commands import command
from mlops.domain import configurations, executions, submissions
from mlops.domain.limits import Check
from mlops.models import Configuration, Execution, Sweep

_SHOWN = 40


@command()
def create(
    scope: Scope,
    *,
    configuration: uuid.UUID | str,
    parameters: Mapping[str, str],
    artifacts: Mapping[str, str],
    name: str = "",
    origin: str = "",
) -> Execution:
    """Run a configuration with some values changed; its version stays.

    parameters, artifacts: those that change, by name and by id; an artifact of "" leaves its input open.
    name: of the new configuration, "" for one made of the old name and what changed. origin: key of the
    execution that it starts again from. When nothing differs, the same configuration runs. Raises NotFound,
    Forbidden, Conflict and Invalid as `configurations.create` and `executions.create`.
    """
    bound = configurations.get(scope, configuration)
    parent = executions.get(scope, origin) if origin else None
    return start(scope, bound, parameters, artifacts, name=name, origin=parent)


def start(
    scope: Scope,
    bound: Configuration,
    parameters: Mapping[str, str],
    artifacts: Mapping[str, str],
    *,
    name: str = "",
    origin: Execution | None = None,
    sweep: Sweep | None = None,
) -> Execution:
    """What `create` does inside the transaction of a command."""
    old = values(bound)
    new = (old[0] | dict(parameters), old[1] | dict(artifacts))
    if changes(old, new):
        bound = configurations.create(
            scope,
            name=name or named(bound.name, differing(old[0], new[0])),
            version=bound.executable_version,
            parameters=new[0],
            artifacts={key: value for key, value in new[1].items() if value},
        )
    return submissions.submit(scope, bound.pk, origin=origin, sweep=sweep)


Values = tuple[dict[str, str], dict[str, str]]


def values(bound: Configuration) -> Values:
    """Parameters and artifact ids that a configuration binds, by name; two queries."""
    bindings = configurations.bindings(bound)
    return (
        {told.name: value for told, value in bindings.parameters},
        {slot.name: str(artifact.pk) for slot, artifact in bindings.artifacts},
    )


def changes(old: Values, new: Values) -> dict[str, str]:
    """What differs, by name of the parameter or input; "" for what is left out."""
    return differing(old[0], new[0]) | differing(old[1], new[1])


def differing(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """The new values that are others than the old ones."""
    return {key: value for key, value in new.items() if value != old.get(key, "")}


def named(name: str, changed: Mapping[str, str]) -> str:
    """A name after another one that tells which parameters changed, as far as names can; 256 characters."""
    told = ", ".join(f"{key} {value}" for key, value in changed.items() if value and len(value) <= _SHOWN)
    for text in ([f"{name}, {told}"] if told else []) + [f"{name}, changed"]:
        check = Check()
        kept = check.name(text)
        if not check.fields:
            return kept
    return name
