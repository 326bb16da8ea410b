"""What is different in an execution from the last one of its executable that went well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from launchpad.access import Scope
from mlops.domain import configurations, metrics, run_environments
from mlops.lifecycle import Status
from mlops.models import Execution

# A run may report thousands of series; the first by name are compared.
MOST_METRICS = 100


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was otherwise. kind: a heading such as "Parameter"; before, after: "" where absent."""

    kind: str
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of both runs, None where it has none: metrics by their title, and how long it took."""

    name: str
    before: float | None
    after: float | None
    is_seconds: bool = False

    @property
    def difference(self) -> float | None:
        """After less before."""
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs. last: the one that went well; changes: of what went in; figures: what came out."""

    last: Execution
    changes: tuple[Change, ...]
    figures: tuple[Figure, ...]


def last_success(scope: Scope, execution: Execution) -> Execution | None:
    """The newest COMPLETED execution of the same executable in the group that was created before this one."""
    rows = scope.of(Execution).filter(
        resource_group=execution.resource_group_id,
        executable=execution.executable_id,
        status=Status.COMPLETED,
        created_at__lt=execution.created_at,
    )
    rows = rows.select_related("configuration", "executable_version__executable", "worker")
    return rows.order_by("-created_at", "-id").first()


def since_last_success(scope: Scope, execution: Execution) -> Comparison | None:
    """What changed, None when no run of the executable went well before."""
    last = last_success(scope, execution)
    if last is None:
        return None
    before, after = (dict(_facts(scope, row)) for row in (last, execution))
    keys = [*after, *(key for key in before if key not in after)]
    changes = tuple(
        Change(kind, name, before.get((kind, name), ""), after.get((kind, name), ""))
        for kind, name in sorted(keys, key=lambda key: _ORDER.index(key[0]))
        if before.get((kind, name)) != after.get((kind, name))
    )
    return Comparison(last, changes, tuple(_figures(scope, last, execution)))


_ORDER = ("Code", "Parameter", "Input", "Host", "Environment", "Package")


def _facts(scope: Scope, row: Execution) -> Iterator[tuple[tuple[str, str], str]]:
    """What went into a run, by kind and name."""
    version = row.executable_version
    yield ("Code", "Version"), f"{version.label} (number {version.number})"
    yield ("Code", "Commit"), version.commit
    yield ("Code", "Template and source"), version.digest[:12]
    bound = configurations.bindings(row.configuration)
    for declared, value in bound.parameters:
        yield ("Parameter", declared.name), value
    for slot, artifact in bound.artifacts:
        yield (
            ("Input", slot.name),
            f"{artifact.name}:{artifact.version} ({artifact.digest[:12] or 'no digest'})",
        )
    ran = run_environments.of(scope, row)
    host = ran.host if ran else row.worker.host if row.worker else ""
    yield ("Host", "Host"), host
    if ran is not None:
        yield ("Environment", "Confined by"), ran.mode
        yield ("Environment", "Interpreter"), ran.environment.interpreter
        yield ("Environment", "System"), ran.environment.system
        for name, number in ran.environment.packages:
            yield ("Package", name), number


def _figures(scope: Scope, last: Execution, execution: Execution) -> Iterator[Figure]:
    yield Figure("Duration", _seconds(last), _seconds(execution), is_seconds=True)
    before, after = _metrics(scope, last), _metrics(scope, execution)
    for title in sorted({*before, *after})[:MOST_METRICS]:
        yield Figure(title, before.get(title), after.get(title))


def _metrics(scope: Scope, row: Execution) -> Mapping[str, float | None]:
    return {one.title: one.last for one in metrics.series(scope, row)}


def _seconds(row: Execution) -> float | None:
    if row.started_at is None or row.completed_at is None:
        return None
    return (row.completed_at - row.started_at).total_seconds()
