"""Sweeps: one configuration run with every combination of some parameters' values."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from launchpad.access import Right, Scope
from launchpad.commands import command
from launchpad.errors import Forbidden, Invalid, LaunchpadError
from mlops.domain import configurations, variations
from mlops.domain.limits import Check
from mlops.models import Configuration, Execution, Sweep

LIMIT = 100
_SHOWN = 60


@dataclass(frozen=True)
class Plan:
    """What a sweep will run. axes: name to values, in order; rows: the values of each run, by name.

    is_new: of each row, whether it needs a configuration of its own.
    """

    configuration: Configuration
    axes: Mapping[str, tuple[str, ...]]
    rows: tuple[dict[str, str], ...]

    @property
    def names(self) -> list[str]:
        """The parameters that are varied."""
        return list(self.axes)


def plan(scope: Scope, configuration: uuid.UUID | str, grid: Mapping[str, Sequence[str]]) -> Plan:
    """Every combination of the values given, checked as a configuration would be.

    grid: parameter to its values; repeats count once, and a parameter without any stays as it is. Raises
    NotFound, and Invalid with a sentence for each field `parameters.<key>`, for more than 100 combinations
    or a single one.
    """
    bound = configurations.get(scope, configuration)
    old, artifacts = variations.values(bound)
    axes = {key: tuple(dict.fromkeys(values)) for key, values in grid.items() if values}
    check = Check()
    for key in axes:
        if key not in old:
            check.refuse(f"parameters.{key}", f"This configuration has no parameter {key[:_SHOWN]}.")
    check.done()
    total = 1
    for values in axes.values():
        total *= len(values)
    if total > LIMIT:
        raise Invalid(f"These are {total} combinations; at most {LIMIT} start at once. Take out some values.")
    if total < 2:
        raise Invalid("Give at least one parameter two values.")
    for key, values in axes.items():
        for value in values:
            _verify(scope, bound, check, key, old | {key: value})
    check.done()
    configurations.verify(scope, bound.executable_version, artifacts=artifacts)
    rows = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    return Plan(bound, axes, tuple(rows))


def _verify(scope: Scope, bound: Configuration, check: Check, key: str, values: dict[str, str]) -> None:
    try:
        configurations.verify(scope, bound.executable_version, parameters=values)
    except Invalid as error:
        for sentence in error.fields.values():
            check.refuse(f"parameters.{key}", sentence)


def start(scope: Scope, made: Plan, *, name: str = "", origin: str = "") -> Sweep:
    """Run every row of a plan, each on its own: one that is refused keeps no other from it.

    name: of the sweep, "" for the configuration's. origin: key of the execution that they start again from.
    Those refused are kept with the sweep. Raises Forbidden, Invalid.
    """
    scope.require(Right.CHANGE)
    sweep = create(scope, name=name or made.configuration.name, plan=made)
    refused = []
    for row in made.rows:
        try:
            add(scope, sweep=sweep, plan=made, values=row, origin=origin)
        except Forbidden:
            raise
        except LaunchpadError as error:
            refused.append({"values": row, "reason": error.message})
    if refused:
        scope.of(Sweep).filter(pk=sweep.pk).update(refused=refused)
        sweep.refused = refused
    return sweep


@command(secret=("plan",))
def create(scope: Scope, *, name: str, plan: Plan) -> Sweep:
    """The frame of a sweep that is about to start. Raises Forbidden, Invalid for its name."""
    check = Check()
    kept = check.name(name)
    check.done()
    axes = [{"name": key, "values": list(values)} for key, values in plan.axes.items()]
    return scope.of(Sweep).create(resource_group=scope.group, name=kept, axes=axes, created_by=scope.user)


@command(secret=("plan",))
def add(scope: Scope, *, sweep: Sweep, plan: Plan, values: Mapping[str, str], origin: str = "") -> Execution:
    """One execution of a sweep. Raises as `variations.create`."""
    parent = scope.get(Execution, pk=origin) if origin else None
    return variations.start(scope, plan.configuration, values, {}, origin=parent, sweep=sweep)


def get(scope: Scope, sweep_id: uuid.UUID | str) -> Sweep:
    """One sweep; raises NotFound."""
    return scope.get(Sweep, pk=sweep_id)


def executions(scope: Scope, sweep: Sweep) -> QuerySet[Execution]:
    """What a sweep started and still exists, in the order of its grid; at most 100."""
    rows = scope.of(Execution).filter(sweep=sweep).select_related("configuration")
    return rows.prefetch_related("configuration__parameters").order_by("created_at", "id")
