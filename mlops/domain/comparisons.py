"""Comparisons: what several executions or models were made of, and what came of them."""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from launchpad.access import Scope
from mlops.domain import metric_curves, metrics
from mlops.domain.limits import storable
from mlops.domain.metrics import OUTPUT_LABEL, SeriesSummary
from mlops.models import (
    Artifact,
    ArtifactBinding,
    AttemptEnvironment,
    Execution,
    MetricSeries,
    ParameterBinding,
    Tag,
)

LIMIT = 50
RECENT = 50
_LOWER = re.compile(
    r"loss|error|(^|[_\W])(err|mse|rmse|mae|mape|wer|cer|fpr|fnr|ece)([_\W]|$)|perplexity|entropy|brier"
    r"|latency|duration|seconds|(^|[_\W])time|divergence|deviance|false",
    re.IGNORECASE,
)


@dataclass
class Subject:
    """One thing compared. key: as asked for; execution None for a model that no execution made.

    model: the model itself where models are compared. series: by title; broken: titles of those without a
    finite value, with the kinds "nan", "inf" and "-inf" of what they have. packages: name to version of the
    newest attempt's environment, with its interpreter as Python; empty where it was not recorded.
    """

    key: str
    title: str
    execution: Execution | None = None
    model: Artifact | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, Artifact] = field(default_factory=dict)
    outputs: list[Artifact] = field(default_factory=list)
    series: dict[str, SeriesSummary] = field(default_factory=dict)
    broken: dict[str, list[str]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)

    @property
    def duration(self) -> timedelta | None:
        """How long its execution ran; None while it runs or when there is none."""
        run = self.execution
        if run is None or run.started_at is None or run.completed_at is None:
            return None
        return run.completed_at - run.started_at

    @property
    def size_bytes(self) -> int | None:
        """Of the model, or of all outputs; None when there is none."""
        if self.model is not None:
            return self.model.size_bytes
        return sum(one.size_bytes for one in self.outputs) if self.outputs else None


@dataclass(frozen=True)
class Comparison:
    """Subjects in the order asked for, the first one the baseline. missing: keys that are not here.

    dropped: how many beyond LIMIT were asked for.
    """

    subjects: list[Subject]
    missing: list[str]
    dropped: int = 0


def executions(scope: Scope, keys: Sequence[str]) -> Comparison:
    """Executions side by side; at most eight queries.

    keys: repeats count once, the first 50 are read.
    """
    wanted, dropped = _wanted(keys)
    found = _executions(scope, wanted)
    subjects = [
        Subject(key, found[key].name or found[key].configuration.name, found[key])
        for key in wanted
        if key in found
    ]
    _fill(scope, subjects)
    return Comparison(subjects, [key for key in wanted if key not in found], dropped)


def models(scope: Scope, keys: Sequence[str]) -> Comparison:
    """Models side by side, with the executions that made them; at most nine queries. keys: as above."""
    wanted, dropped = _wanted(keys)
    ids: dict[str, uuid.UUID] = {}
    for key in wanted:
        with suppress(ValueError):
            ids[key] = uuid.UUID(key)
    rows = scope.of(Artifact).filter(kind=Artifact.Kind.MODEL).in_bulk(set(ids.values()))
    there = {key: rows[pk] for key, pk in ids.items() if pk in rows}
    runs = _executions(scope, [one.execution_id for one in there.values() if one.execution_id])
    subjects = [Subject(key, str(one), runs.get(one.execution_id or ""), one) for key, one in there.items()]
    _fill(scope, subjects)
    return Comparison(subjects, [key for key in wanted if key not in there], dropped)


def recent(scope: Scope, kind: str) -> list[Any]:
    """The newest executions or models, at most 50, for those who look for another one to compare."""
    if kind == "models":
        rows = scope.of(Artifact).filter(kind=Artifact.Kind.MODEL)
        return list(rows.order_by("-created_at", "-id")[:RECENT])
    runs = scope.of(Execution).select_related("configuration").filter(archived_at=None)
    return list(runs.order_by("-created_at", "-id")[:RECENT])


def is_lower_better(name: str) -> bool:
    """Whether a metric of this name is better when it is lower, as losses, errors and times are."""
    return _LOWER.search(name) is not None


def _wanted(keys: Sequence[str]) -> tuple[list[str], int]:
    once = [key for key in dict.fromkeys(keys) if key and storable(key)]
    return once[:LIMIT], max(0, len(once) - LIMIT)


def _executions(scope: Scope, keys: Iterable[str]) -> dict[str, Execution]:
    rows = scope.of(Execution).select_related(
        "configuration", "executable_version__executable", "worker", "created_by"
    )
    # Templates are large and not compared.
    rows = rows.defer("executable_version__spec", "executable_version__template")
    return {row.pk: row for row in rows.filter(pk__in=set(keys))}


def _fill(scope: Scope, subjects: list[Subject]) -> None:
    """Read what belongs to their executions; the same queries for 2 and for 50."""
    runs = {one.execution.pk: one.execution for one in subjects if one.execution}
    bound = {run.configuration_id for run in runs.values()}
    parameters: dict[Any, dict[str, str]] = defaultdict(dict)
    for row in scope.of(ParameterBinding).filter(configuration__in=bound).order_by("id"):
        parameters[row.configuration_id][row.key] = row.value
    inputs: dict[Any, dict[str, Artifact]] = defaultdict(dict)
    bindings = scope.of(ArtifactBinding).filter(configuration__in=bound).select_related("artifact")
    for binding in bindings.order_by("id"):
        inputs[binding.configuration_id][binding.key] = binding.artifact
    outputs: dict[Any, list[Artifact]] = defaultdict(list)
    for artifact in scope.of(Artifact).filter(execution__in=runs).order_by("kind", "name", "version"):
        outputs[artifact.execution_id].append(artifact)
    series: dict[str, list[SeriesSummary]] = defaultdict(list)
    for summary in scope.of(MetricSeries).filter(execution__in=runs).order_by("name", "id"):
        series[summary.execution_id].append(metrics.summary(summary))
    tags: dict[str, dict[str, str]] = defaultdict(dict)
    for tag in scope.of(Tag).filter(execution__in=runs).order_by("name"):
        tags[tag.execution_id][tag.name] = tag.value
    packages: dict[str, dict[str, str]] = defaultdict(dict)
    ran = scope.of(AttemptEnvironment).filter(execution__in=runs).select_related("environment")
    for attempt in ran.order_by("attempt"):
        own = attempt.environment
        packages[attempt.execution_id] = {"Python": own.interpreter, **dict(own.packages)}
    for one in subjects:
        if one.execution is None:
            continue
        key, configuration = one.execution.pk, one.execution.configuration_id
        one.parameters, one.inputs = parameters[configuration], inputs[configuration]
        one.outputs, one.tags, one.packages = outputs[key], tags[key], packages[key]
        one.series = _titled(series[key], one.model)
    _name_broken(scope, subjects)


def _titled(series: list[SeriesSummary], model: Artifact | None) -> dict[str, SeriesSummary]:
    """Series by title; of a model those that were measured of it, else all of its execution."""
    if model is not None:
        own = [one for one in series if (OUTPUT_LABEL, model.name) in one.labels]
        series = own or series
    found: dict[str, SeriesSummary] = {}
    for one in series:
        labels = ", ".join(f"{name}={value}" for name, value in one.labels if name != OUTPUT_LABEL)
        found.setdefault(f"{one.name} ({labels})" if labels else one.name, one)
    return found


def _name_broken(scope: Scope, subjects: list[Subject]) -> None:
    empty = {
        summary.id: (one, title)
        for one in subjects
        for title, summary in one.series.items()
        if summary.last is None and summary.nan_count
    }
    if empty:
        for key, kinds in metric_curves.kinds(scope, empty).items():
            one, title = empty[key]
            one.broken[title] = kinds
