"""The lineage of a thing over several hops, drawn left to right, and the same as a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from launchpad.access import Scope
from launchpad.places import place_url
from mlops.domain import lineage
from mlops.views.lineage import EDGE, GAP, HEIGHT, ROW, WIDTH, Drawing, Node, arrow
from mlops.views.nouns import BY_KIND

# Room above the boxes for arrows that pass over some of them.
LIFT = 48


@dataclass(frozen=True)
class Relation:
    """One thing with what it came from and what came from it."""

    node: Node
    sources: list[Node]
    results: list[Node]


class Lineage:
    """The lineage of an artifact, execution or deployment; read when a template first asks for it."""

    limit = lineage.NODES

    def __init__(self, scope: Scope, thing: Any) -> None:
        self._scope = scope
        self._thing = thing

    @cached_property
    def _graph(self) -> lineage.Graph:
        return lineage.walk(self._scope, self._thing)

    @property
    def is_cut(self) -> bool:
        """Whether there is more than is shown."""
        return self._graph.is_cut

    @property
    def is_alone(self) -> bool:
        """Whether nothing went into it and nothing came of it."""
        return not self._graph.arrows

    @cached_property
    def _placed(self) -> dict[lineage.Key, Node]:
        """A box for each thing, where it stands."""
        columns: dict[int, list[lineage.Key]] = {}
        for key in sorted(self._graph.things, key=self._order):
            columns.setdefault(self._graph.columns[key], []).append(key)
        tallest = max(len(keys) for keys in columns.values())
        placed = {}
        for place, column in enumerate(sorted(columns)):
            keys = columns[column]
            top = LIFT + (tallest - len(keys)) * ROW // 2
            for row, key in enumerate(keys):
                x = EDGE + place * (WIDTH + GAP)
                placed[key] = replace(self._node(key), x=x, y=top + row * ROW)
        return placed

    def _order(self, key: lineage.Key) -> tuple[Any, ...]:
        thing = self._graph.things[key]
        return thing.created_at, str(key)

    def _node(self, key: lineage.Key) -> Node:
        thing, here = self._graph.things[key], key == self._graph.start
        if key[0] == "execution":
            sub = f"{thing.status.lower()} · {thing.configuration.name}"
            url = place_url(self._scope, "mlops:executions.detail", thing.pk)
            return Node(thing.name or thing.pk, _cut(sub), "execution", url, thing.status, here)
        if key[0] == "deployment":
            sub = f"{thing.status.lower()} · {thing.configuration.name}"
            url = place_url(self._scope, "mlops:deployments.detail", thing.pk)
            return Node(thing.executable.slug, _cut(sub), "deployment", url, thing.status, here)
        noun = BY_KIND[thing.kind]
        url = place_url(self._scope, noun.detail, thing.pk)
        return Node(thing.name, f"{noun.one} · version {thing.version}", noun.icon, url, here=here)

    @cached_property
    def drawing(self) -> Drawing:
        """Boxes and arrows, in pixels."""
        nodes = self._placed
        paths = [
            path
            for one, other in sorted(self._graph.arrows, key=str)
            for path in _over(nodes[one], nodes[other])
        ]
        return Drawing(
            width=max(node.x for node in nodes.values()) + WIDTH + EDGE,
            height=max(node.y for node in nodes.values()) + HEIGHT + EDGE,
            nodes=tuple(nodes.values()),
            paths=tuple(paths),
            columns=(),
        )

    @property
    def relations(self) -> list[Relation]:
        """Everything with its sources and results, inputs first."""
        sources: Mapping[lineage.Key, list[Node]] = {key: [] for key in self._placed}
        results: Mapping[lineage.Key, list[Node]] = {key: [] for key in self._placed}
        for one, other in sorted(self._graph.arrows, key=str):
            sources[other].append(self._placed[one])
            results[one].append(self._placed[other])
        return [Relation(node, sources[key], results[key]) for key, node in self._placed.items()]


def _over(start: Node, end: Node) -> tuple[str, ...]:
    """An arrow; one that passes over columns in between goes above their boxes."""
    straight = arrow(start, end)
    if end.x - start.x <= WIDTH + GAP:
        return straight
    x1, y1, x2, y2 = start.x + WIDTH, start.y + HEIGHT // 2, end.x - 5, end.y + HEIGHT // 2
    high = min(y1, y2) - LIFT - HEIGHT // 2
    return (f"M{x1} {y1}C{x1 + GAP} {high} {x2 - GAP} {high} {x2} {y2}", *straight[1:])


def _cut(text: str) -> str:
    return text if len(text) <= 26 else f"{text[:25]}…"
