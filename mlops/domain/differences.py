"""What differs between two versions of an artifact: files, tables, and for models metrics and signature."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from launchpad.access import Scope
from launchpad.errors import Conflict, NotFound
from mlops.domain import artifact_facts, artifacts, configurations, metrics, previews
from mlops.formats.tables import Table
from mlops.models import Artifact

TABLES_LIMIT = 5


class FileChange(NamedTuple):
    """A file that is not the same in both. before, after: its bytes, None where it is not there."""

    path: str
    what: Literal["added", "removed", "changed"]
    before: int | None
    after: int | None


class Change(NamedTuple):
    """A value before and after, as a text, None where there is none."""

    name: str
    before: str | None
    after: str | None

    @property
    def is_same(self) -> bool:
        """Whether nothing changed."""
        return self.before == self.after


@dataclass(frozen=True)
class TableChange:
    """A table in both versions. columns: name and type of each that is in either, in order."""

    path: str
    before: Table
    after: Table
    columns: tuple[Change, ...]


@dataclass(frozen=True)
class Difference:
    """From one version to another. files: by path; None when the single files of one were not recorded.

    same_count: files that are in both. parameters, measures: of the executions that made them, by name.
    signature: inputs and outputs of the ONNX model in each. problems: what could not be compared, in words.
    """

    before: Artifact
    after: Artifact
    files: tuple[FileChange, ...] | None
    same_count: int
    tables: tuple[TableChange, ...]
    parameters: tuple[Change, ...]
    measures: tuple[tuple[str, float | None, float | None], ...]
    signature: tuple[Change, ...]
    problems: tuple[str, ...]


def between(scope: Scope, before: Artifact, after: Artifact) -> Difference:
    """Compare two versions by what was recorded of them; tables that changed are read, at most 5 of them."""
    facts = [artifact_facts.of(scope, one) for one in (before, after)]
    files, same_count = _files(*([*map(tuple, one.files)] for one in facts))
    problems: list[str] = []
    found: list[TableChange] = []
    for change in files or ():
        if change.what == "changed" and len(found) < TABLES_LIMIT:
            try:
                table = _table(scope, before, after, change.path)
            except (NotFound, Conflict) as error:
                problems.append(f"{change.path} could not be looked into: {error.message}")
            else:
                found += [table] if table else []
    return Difference(
        before,
        after,
        files,
        same_count,
        tuple(found),
        changes(_parameters(before), _parameters(after)),
        _measures(scope, before, after),
        changes(_signature(facts[0].onnx), _signature(facts[1].onnx)),
        tuple(problems),
    )


def _files(
    before: list[tuple[Any, ...]], after: list[tuple[Any, ...]]
) -> tuple[tuple[FileChange, ...] | None, int]:
    if not before or not after:
        return None, 0
    old = {path: (size, digest) for path, size, digest in before}
    new = {path: (size, digest) for path, size, digest in after}
    found = []
    for path in sorted(old.keys() | new.keys()):
        if path not in old:
            found.append(FileChange(path, "added", None, new[path][0]))
        elif path not in new:
            found.append(FileChange(path, "removed", old[path][0], None))
        elif old[path] != new[path]:
            found.append(FileChange(path, "changed", old[path][0], new[path][0]))
    return tuple(found), sum(1 for path in old if old[path] == new.get(path))


def _table(scope: Scope, before: Artifact, after: Artifact, path: str) -> TableChange | None:
    old, new = (previews.table(scope, one, path) for one in (before, after))
    if old is None or new is None:
        return None
    columns = changes(*({column.name: column.type for column in one.columns} for one in (old, new)))
    return TableChange(path, old, new, columns)


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """Every name of two mappings with its value in each, in their order."""
    names: Iterable[str] = dict.fromkeys([*before, *after])
    return tuple(Change(name, before.get(name), after.get(name)) for name in names)


def _parameters(artifact: Artifact) -> dict[str, str]:
    if artifact.execution is None:
        return {}
    bound = configurations.bindings(artifact.execution.configuration)
    found = {parameter.name: value for parameter, value in bound.parameters}
    return found | {slot.name: str(given) for slot, given in bound.artifacts}


def _measures(
    scope: Scope, before: Artifact, after: Artifact
) -> tuple[tuple[str, float | None, float | None], ...]:
    old, new = (
        {_title(one.name, one.labels): one.last for one in artifacts.metrics_of(scope, artifact)}
        for artifact in (before, after)
    )
    return tuple((name, old.get(name), new.get(name)) for name in dict.fromkeys([*old, *new]))


def _title(name: str, labels: tuple[tuple[str, str], ...]) -> str:
    """A series by name and labels, without the one that names the output."""
    told = ", ".join(f"{key}={value}" for key, value in labels if key != metrics.OUTPUT_LABEL)
    return f"{name} ({told})" if told else name


def _signature(models: list[dict[str, Any]]) -> dict[str, str]:
    """Opsets, inputs and outputs of the first readable model as texts."""
    model = next((one for one in models if "error" not in one), None)
    if model is None:
        return {}
    found = {f"operators {domain}": f"opset {version}" for domain, version in model["opsets"]}
    for kind in ("inputs", "outputs"):
        for port in model[kind]:
            found[f"{kind[:-1]} {port['name']}"] = f"{port['type']} {port['shape']}".strip()
    return found
