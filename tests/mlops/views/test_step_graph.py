"""The step graph: where its boxes lie, what is folded, what leads where."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.lifecycle import Status
from mlops.views.step_graph import StepGraph
from mlops.views.step_layout import Box, place


@dataclass
class Row:
    """What a graph reads of a step's row."""

    index: int
    name: str
    kind: str = "leaf"
    parent: int | None = None
    after: list[int] = field(default_factory=list)
    status: str = Status.UNKNOWN
    attempt: int = 1
    tries: int = 1


def graph(*rows: Row, opened=(), tab="overview", part="") -> StepGraph:
    return StepGraph(rows, opened=frozenset(opened), tab=tab, part=part)


def overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def within(inner: Box, outer: Box) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.x + inner.width <= outer.x + outer.width
        and inner.y + inner.height <= outer.y + outer.height
    )


@st.composite
def boxes(draw: st.DrawFn, depth: int = 0, numbers: list[int] | None = None) -> tuple[Box, ...]:
    numbers = numbers if numbers is not None else []
    made: list[Box] = []
    for _ in range(draw(st.integers(1, 5))):
        numbers.append(len(numbers))
        key = numbers[-1]
        after = draw(st.lists(st.sampled_from([box.key for box in made] or [0]), max_size=2, unique=True))
        inside = draw(boxes(depth + 1, numbers)) if depth < 2 and draw(st.booleans()) else ()
        made.append(Box(key, tuple(after) if made else (), inside, is_group=bool(inside)))
    return tuple(made)


@settings(deadline=None)
@given(boxes())
def test_boxes_never_overlap_and_lie_behind_what_they_wait_for(given_boxes):
    placed = place(given_boxes)
    whole = Box(-1, x=0, y=0, width=placed.width, height=placed.height)

    def check(inside, holder):
        here = [placed.boxes[box.key] for box in inside]
        for number, box in enumerate(here):
            assert within(box, holder)
            assert not any(overlap(box, other) for other in here[:number])
            for key in box.after:
                assert placed.boxes[key].x + placed.boxes[key].width < box.x
            check(box.inside, box)

    check(given_boxes, whole)


def test_boxes_that_wait_for_each_other_are_placed_all_the_same():
    placed = place([Box(0, (1,)), Box(1, (0,))])
    assert not overlap(placed.boxes[0], placed.boxes[1])


def test_an_arrow_goes_straight_past_the_columns_between():
    placed = place([Box(0), Box(1), Box(2, (0,)), Box(3, (1, 2))])
    (long,) = [path for path in placed.paths if path.startswith(f"M186 {placed.boxes[1].y + 22}H")]
    assert long.startswith(f"M186 {placed.boxes[1].y + 22}H{placed.boxes[3].x - 44}C")


def test_nothing_is_drawn_for_nothing():
    assert place([]).boxes == {}


def test_steps_one_after_the_other_are_a_row():
    assert graph(Row(0, "a"), Row(1, "b", after=[0])).is_row
    assert not graph(Row(0, "a"), Row(1, "b")).is_row
    assert not graph(Row(0, "a", kind="steps"), Row(1, "a.b", parent=0)).is_row


def loop(count: int) -> list[Row]:
    items = [Row(n, f"each({n}:x)", parent=0, status=Status.COMPLETED) for n in range(1, count + 1)]
    return [Row(0, "each", kind="loop", status=Status.RUNNING), *items]


def test_a_small_loop_shows_its_items_and_a_large_one_their_numbers():
    small = graph(*loop(8))
    assert [one.label for one in small.leaves] == [f"({n}:x)" for n in range(1, 9)]
    rows = loop(9)
    rows[1].status, rows[2].status = Status.DEAD, Status.UNKNOWN
    (folded,) = graph(*rows).leaves
    assert (folded.counts, folded.href) == ("1 failed, 7 completed, 1 not started", "?tab=overview&open=0")
    opened = graph(*rows, opened=[0], tab="logs", part="1.3")
    assert len(opened.leaves) == 9
    assert opened.groups[0].href == "?tab=logs&part=1.3"
    assert [one.step.index for one in opened.leaves if one.is_here] == [3]
    assert opened.leaves[0].href == "?tab=logs&part=1.1&open=0"


def test_a_hundred_items_stand_in_columns():
    placed = graph(*loop(100), opened=[0]).drawing
    assert placed.height < 700
    assert placed.width > placed.height


def test_groups_are_folded_when_there_is_very_much():
    rows = [
        row
        for n in range(80)
        for row in (Row(2 * n, f"g{n}", kind="dag"), Row(2 * n + 1, f"g{n}.a", parent=2 * n))
    ]
    assert len(graph(*rows).leaves) == 80
    assert not graph(*rows).groups
    assert len(graph(*rows[:100]).groups) == 50


def test_of_a_group_that_was_tried_again_the_newest_try_is_shown():
    rows = [
        Row(0, "g", kind="steps", tries=3),
        Row(1, "g.a", parent=0),
        Row(2, "g[1].a", parent=0),
        Row(3, "g[2].a", parent=0),
    ]
    shown = graph(*rows).shown
    assert [(one.step.index, one.label, one.depth) for one in shown] == [(0, "g", 0), (3, "a", 1)]
    assert [one.step.index for one in graph(Row(0, "a"), Row(1, "[1].a")).shown] == [1]


@pytest.mark.parametrize(
    ("name", "label"),
    [("workflow:onExit", "At the end"), ("a:onExit", "a · at the end"), ("x" * 99, "x" * 21 + "…")],
)
def test_titles_fit_their_boxes(name, label):
    assert graph(Row(0, name)).shown[0].title == label


def test_what_runs_at_the_end_stands_at_the_end():
    made = graph(Row(0, "workflow:onExit"), Row(1, "a"), Row(2, "b", after=[1]))
    by_name = {one.step.name: one.box.x for one in made.shown}
    assert by_name["workflow:onExit"] > by_name["b"] > by_name["a"]
