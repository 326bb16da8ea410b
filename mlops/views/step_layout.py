"""Where the boxes of a step graph lie: by columns of what waits for what, groups around what they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

WIDTH, HEIGHT = 184, 44
GAP_X, GAP_Y = 44, 12
PAD, TITLE = 10, 26
EDGE = 2
# An opened loop fills rows before it fills columns; its items wait for nothing.
ROWS = 10


@dataclass(frozen=True)
class Box:
    """Something to be placed: a leaf, or a group of boxes. after: keys of its neighbours that it waits for.

    is_last: it comes after all its neighbours. x, y, width, height: in pixels, once it is placed.
    """

    key: int
    after: tuple[int, ...] = ()
    inside: tuple[Box, ...] = ()
    is_group: bool = False
    is_last: bool = False
    x: int = 0
    y: int = 0
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Placed:
    """A whole picture: every box by key, groups too, and the arrows as SVG path data."""

    width: int = 0
    height: int = 0
    boxes: Mapping[int, Box] = field(default_factory=dict)
    paths: tuple[str, ...] = ()


def place(boxes: Sequence[Box]) -> Placed:
    """Place boxes and all inside them, left to right."""
    placed, width, height = _arrange(boxes)
    found: dict[int, Box] = {}
    paths: list[str] = []
    _settle(placed, EDGE, EDGE, found, paths)
    return Placed(width + 2 * EDGE, height + 2 * EDGE, found, tuple(paths))


def _arrange(boxes: Sequence[Box]) -> tuple[list[Box], int, int]:
    """Boxes with their places relative to the corner of what holds them, and its inner size."""
    sized = [_size(box) for box in boxes]
    columns = _columns(sized)
    if len(columns) == 1 and len(sized) > ROWS:
        columns = [sized[start : start + ROWS] for start in range(0, len(sized), ROWS)]
    placed: list[Box] = []
    x = tallest = 0
    for column in columns:
        y = 0
        for box in column:
            placed.append(replace(box, x=x, y=y))
            y += box.height + GAP_Y
        tallest = max(tallest, y - GAP_Y)
        x += max(box.width for box in column) + GAP_X
    return placed, max(0, x - GAP_X), max(0, tallest)


def _size(box: Box) -> Box:
    if not box.is_group:
        return box
    inside, width, height = _arrange(box.inside)
    shifted = tuple(replace(each, x=each.x + PAD, y=each.y + TITLE) for each in inside)
    return replace(
        box, inside=shifted, width=max(width, WIDTH) + 2 * PAD, height=max(height, 0) + TITLE + PAD
    )


def _columns(boxes: Sequence[Box]) -> list[list[Box]]:
    """Each box one column behind the last of those it waits for, wherever those stand in the sequence."""
    by_key = {box.key: box for box in boxes}
    depth: dict[int, int] = {}

    def of(box: Box, seen: frozenset[int]) -> int:
        if box.key not in depth:
            before = [by_key[key] for key in box.after if key in by_key and key not in seen]
            depth[box.key] = max((of(each, seen | {box.key}) + 1 for each in before), default=0)
        return depth[box.key]

    for box in boxes:
        of(box, frozenset((box.key,)))
    last = max((depth[box.key] for box in boxes if not box.is_last), default=-1) + 1
    columns: list[list[Box]] = [[] for _ in range(last + 1)]
    for box in boxes:
        columns[last if box.is_last else depth[box.key]].append(box)
    return [column for column in columns if column]


def _settle(boxes: Sequence[Box], x: int, y: int, found: dict[int, Box], paths: list[str]) -> None:
    """Turn relative places into absolute ones, and draw the arrows between neighbours."""
    here = {box.key: replace(box, x=box.x + x, y=box.y + y) for box in boxes}
    found |= here
    for box in here.values():
        paths += [part for key in box.after if key in here for part in _arrow(here[key], box)]
        _settle(box.inside, box.x, box.y, found, paths)


def _arrow(start: Box, end: Box) -> tuple[str, str]:
    x1, y1 = start.x + start.width, start.y + HEIGHT // 2
    x2, y2 = end.x - 5, end.y + HEIGHT // 2
    # Straight on past the columns between, so that it crosses as few boxes as may be.
    turn = max(x1, end.x - GAP_X)
    bend = (turn + x2) // 2
    return f"M{x1} {y1}H{turn}C{bend} {y1} {bend} {y2} {x2} {y2}", f"M{x2 - 4} {y2 - 4}l4 4-4 4"
