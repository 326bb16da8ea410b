"""Lineage: what a thing was made from and what was made from it, over several hops at a bounded cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from launchpad.access import Scope
from mlops.models import Artifact, ArtifactBinding, Deployment, Execution

NODES = 200
HOPS = 24
Key = tuple[str, Any]
Thing = Artifact | Execution | Deployment


@dataclass
class Graph:
    """Artifacts, executions and deployments by key, and arrows in the direction of making.

    columns: by key, inputs left. start: the key of the thing asked about, in column 0. is_cut:
    there is more than was read.
    """

    start: Key
    things: dict[Key, Any] = field(default_factory=dict)
    arrows: set[tuple[Key, Key]] = field(default_factory=set)
    columns: dict[Key, int] = field(default_factory=dict)
    is_cut: bool = False


def key(thing: Thing) -> Key:
    """How a thing is known in a graph."""
    return type(thing)._meta.model_name or "", thing.pk


def walk(scope: Scope, thing: Thing, *, nodes: int = NODES, hops: int = HOPS) -> Graph:
    """The graph around a thing of the group, both ways; at most three queries a hop.

    At most `nodes` things, half of them each way when both have more, and `hops` each way. Executions and
    deployments that are being deleted are left out; of a deployment the newest configuration counts.
    """
    graph = Graph(key(thing), {key(thing): thing})
    walk = _Walk(scope, graph)
    walk.go(walk.before, 1 + nodes // 2, hops)
    walk.go(walk.after, nodes, hops)
    walk.join()
    graph.columns = _columns(graph, walk.left)
    return graph


class _Walk:
    """Widens a graph step by step."""

    def __init__(self, scope: Scope, graph: Graph) -> None:
        self._scope = scope
        self._graph = graph
        self._limit = 0
        self.left: set[Key] = set()

    def go(self, step: Any, limit: int, hops: int) -> None:
        """Take a step again and again, from what the one before found."""
        self._limit = limit
        front = [self._graph.things[self._graph.start]]
        known = set(self._graph.things)
        for _ in range(hops):
            front = step(front)
            if not front:
                break
        else:
            self._graph.is_cut = True
        if step == self.before:
            self.left = set(self._graph.things) - known

    def before(self, front: list[Any]) -> list[Any]:
        """What went into executions, and the executions that made artifacts."""
        runs, artifacts = _parted(front)
        makers = {one.execution_id: one for one in artifacts if one.execution_id}
        made_by = [(one.execution_id, one) for one in artifacts if one.execution_id]
        found = self._executions(pk__in=list(makers)) if makers else []
        new = self._take(found, [(("execution", maker), key(one)) for maker, one in made_by])
        configurations = {run.configuration_id for run in runs}
        if configurations:
            bound = self._bindings(configuration__in=configurations)
            inputs = self._artifacts(pk__in={artifact for _, artifact in bound})
            pairs = [
                (("artifact", artifact), key(run))
                for run in runs
                for configuration, artifact in bound
                if configuration == run.configuration_id
            ]
            new += self._take(inputs, pairs)
        return new

    def after(self, front: list[Any]) -> list[Any]:
        """What executions made, and the executions and deployments that read artifacts."""
        runs, artifacts = _parted(front)
        new: list[Any] = []
        if makers := [run.pk for run in runs if isinstance(run, Execution)]:
            outputs = self._artifacts(execution__in=makers)
            new += self._take(outputs, [(("execution", one.execution_id), key(one)) for one in outputs])
        if artifacts:
            bound = self._bindings(artifact__in=[one.pk for one in artifacts])
            readers = {configuration for configuration, _ in bound}
            found = self._executions(configuration__in=readers)
            # Most artifacts that are read are data: without readers there is nothing to ask for.
            found += self._deployments(configuration__in=readers) if readers else []
            pairs = [
                (("artifact", artifact), key(run))
                for run in found
                for configuration, artifact in bound
                if configuration == run.configuration_id
            ]
            new += self._take(found, pairs)
        return new

    def join(self) -> None:
        """Add arrows between things that were found on different ways."""
        runs, artifacts = _parted(list(self._graph.things.values()))
        of = {run.configuration_id for run in runs}
        bound = self._bindings(configuration__in=of, artifact__in=[one.pk for one in artifacts]) if of else []
        for run in runs:
            reads = [artifact for configuration, artifact in bound if configuration == run.configuration_id]
            self._graph.arrows |= {(("artifact", artifact), key(run)) for artifact in reads}
        for one in artifacts:
            if ("execution", one.execution_id) in self._graph.things:
                self._graph.arrows.add((("execution", one.execution_id), key(one)))

    def _bindings(self, **wanted: Any) -> list[tuple[Any, Any]]:
        rows = self._scope.of(ArtifactBinding).filter(**wanted).order_by("pk")
        return self._bounded(rows.values_list("configuration_id", "artifact_id"))

    def _artifacts(self, **wanted: Any) -> list[Any]:
        return self._bounded(self._scope.of(Artifact).filter(**wanted).order_by("name", "version", "pk"))

    def _deployments(self, **wanted: Any) -> list[Any]:
        rows = self._scope.of(Deployment).filter(**wanted).exclude(status="DELETING")
        return self._bounded(rows.select_related("configuration", "executable").order_by())

    def _executions(self, **wanted: Any) -> list[Any]:
        rows = self._scope.of(Execution).filter(**wanted).exclude(status="DELETING")
        # Sorting all of a busy configuration would cost what reading it does; which ones are cut is told.
        return self._bounded(rows.select_related("configuration").order_by())

    def _bounded(self, rows: Any) -> list[Any]:
        found = list(rows[: NODES + 1])
        if len(found) > NODES:
            self._graph.is_cut = True
        return found[:NODES]

    def _take(self, found: Iterable[Any], arrows: Iterable[tuple[Key, Key]]) -> list[Any]:
        """Put things into the graph as far as there is room, and the arrows between those in it."""
        new = []
        for thing in found:
            if key(thing) in self._graph.things:
                continue
            if len(self._graph.things) >= self._limit:
                self._graph.is_cut = True
                break
            self._graph.things[key(thing)] = thing
            new.append(thing)
        things = self._graph.things
        self._graph.arrows |= {(one, other) for one, other in arrows if one in things and other in things}
        return new


def _parted(front: list[Any]) -> tuple[list[Any], list[Any]]:
    """Executions and deployments, and artifacts."""
    runs = [one for one in front if isinstance(one, Execution | Deployment)]
    return runs, [one for one in front if isinstance(one, Artifact)]


def _columns(graph: Graph, left: set[Key]) -> dict[Key, int]:
    """Each thing's column: inputs to the left of what reads them, also where one is read twice."""
    columns = dict.fromkeys(graph.things, 0)
    # Nothing is made from itself, so that this ends; the bound is for rows that say so nevertheless.
    for _ in range(len(graph.things)):
        is_moved = False
        for one, other in graph.arrows:
            if columns[one] >= columns[other]:
                is_moved = True
                if one in left:
                    columns[one] = columns[other] - 1
                else:
                    columns[other] = columns[one] + 1
        if not is_moved:
            break
    return columns
