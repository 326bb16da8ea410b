"""Lineage drawn left to right: what an execution was made from, itself, and what it makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from launchpad.access import Scope
from launchpad.places import place_url
from mlops.views.nouns import BY_KIND

WIDTH, HEIGHT = 210, 46
ROW, GAP, EDGE = 76, 52, 10
LETTERS = 24


@dataclass(frozen=True)
class Node:
    """A box. x, y: its upper left corner in pixels. url "": it does not exist yet."""

    title: str
    sub: str
    icon: str
    url: str = ""
    status: str = ""
    here: bool = False
    x: int = 0
    y: int = 0

    @property
    def shown(self) -> str:
        """The title, cut to what the box can hold."""
        return self.title if len(self.title) <= LETTERS else f"{self.title[: LETTERS - 1]}…"

    @property
    def bar_y(self) -> int:
        """Top of the status bar."""
        return self.y + 10

    @property
    def icon_x(self) -> int:
        """Left of the icon."""
        return self.x + 12

    @property
    def icon_y(self) -> int:
        """Top of the icon."""
        return self.y + 15

    @property
    def text_x(self) -> int:
        """Start of both lines."""
        return self.x + 38


@dataclass(frozen=True)
class Drawing:
    """A drawing in pixels. paths: SVG path data of arrows. columns: the same as lists, left to right."""

    width: int
    height: int
    nodes: tuple[Node, ...]
    paths: tuple[str, ...]
    columns: tuple[tuple[Node, ...], ...]


def draw(columns: Sequence[Sequence[Node]]) -> Drawing:
    """Place columns of boxes side by side, each centred, and join every neighbour to every neighbour.

    columns: left to right, each top to bottom; empty ones are left out. Arrows point to the right.
    """
    filled = [column for column in columns if column]
    tallest = max((len(column) for column in filled), default=0)
    placed = []
    for index, column in enumerate(filled):
        top = EDGE + (tallest - len(column)) * ROW // 2
        x = EDGE + index * (WIDTH + GAP)
        placed.append(tuple(replace(node, x=x, y=top + row * ROW) for row, node in enumerate(column)))
    paths = [
        path
        for left, right in pairwise(placed)
        for start in left
        for end in right
        for path in arrow(start, end)
    ]
    return Drawing(
        width=2 * EDGE + len(placed) * (WIDTH + GAP) - GAP,
        height=2 * EDGE + (tallest - 1) * ROW + HEIGHT,
        nodes=tuple(node for column in placed for node in column),
        paths=tuple(paths),
        columns=tuple(placed),
    )


def arrow(start: Node, end: Node) -> tuple[str, str]:
    """A line from one box to another to its right, and its head."""
    x1, y1 = start.x + WIDTH, start.y + HEIGHT // 2
    x2, y2 = end.x - 5, end.y + HEIGHT // 2
    bend = (x1 + x2) // 2
    return (
        f"M{x1} {y1}C{bend} {y1} {bend} {y2} {x2} {y2}",
        f"M{x2 - 4} {y2 - 4}l4 4-4 4",
    )


def of_execution(scope: Scope, execution: Any, bindings, outputs, expected) -> Drawing:
    """Inputs and configuration, the execution, its outputs; what is only declared so far is "expected"."""
    sources = [_artifact(scope, artifact) for _slot, artifact in bindings.artifacts]
    configuration = Node(
        execution.configuration.name,
        "configuration",
        "configuration",
        place_url(scope, "mlops:configurations.detail", execution.configuration_id),
    )
    itself = Node(
        execution.pk,
        f"{execution.status.lower()} · this execution",
        "execution",
        place_url(scope, "mlops:executions.detail", execution.pk),
        status=execution.status,
        here=True,
    )
    made = [_artifact(scope, artifact) for artifact in outputs]
    waiting = "not made" if execution.completed_at else "expected"
    made += [
        Node(slot.registered_name, f"{BY_KIND[slot.kind].one}, {waiting}", BY_KIND[slot.kind].icon)
        for slot in expected
    ]
    return draw([[*sources, configuration], [itself], made])


def _artifact(scope: Scope, artifact: Any) -> Node:
    return Node(
        artifact.name,
        f"{BY_KIND[artifact.kind].one} · version {artifact.version}",
        BY_KIND[artifact.kind].icon,
        place_url(scope, BY_KIND[artifact.kind].detail, artifact.pk),
    )
