"""Two texts side by side."""

import time

from mlops.views import text_diff
from mlops.views.text_diff import Row, diff


def lines(*numbers):
    return "\n".join(str(number) for number in numbers)


def test_equal_texts_fold_to_nothing_differing():
    found = diff("a\nb\n", "a\nb")
    assert found.is_same and not found.is_cut


def test_lines_are_paired_and_numbered_on_both_sides():
    found = diff("a\nold\nz\nq", "a\nnew\nmore\nz")
    assert found.rows == (
        Row("same", 1, "a", 1, "a"),
        Row("changed", 2, "old", 2, "new"),
        Row("added", right=3, right_text="more"),
        Row("same", 3, "z", 4, "z"),
        Row("removed", left=4, left_text="q"),
    )
    assert (found.added, found.removed) == (2, 2)


def test_what_is_equal_is_folded_but_for_what_lies_near():
    found = diff(lines(*range(40)), lines(*range(20), "x", *range(20, 40)))
    kinds = [row.kind for row in found.rows]
    assert kinds == ["fold", "same", "same", "same", "added", "same", "same", "same", "fold"]
    assert [row.folded for row in found.rows if row.kind == "fold"] == [17, 17]
    between = diff(lines("a", *range(30), "b"), lines("c", *range(30), "d"))
    assert [row.folded for row in between.rows if row.kind == "fold"] == [24]
    assert between.rows[4].folded == 24 and between.rows[5].left == 29


def test_an_empty_side():
    assert [row.kind for row in diff("", "a\nb").rows] == ["added", "added"]
    assert [row.kind for row in diff("a", "").rows] == ["removed"]
    assert diff("", "").rows == ()


def test_large_texts_take_no_long_and_are_cut():
    one = lines(*(f"{number % 7} {number}" for number in range(50_000)))
    other = lines(*(f"{number % 5} {number}" for number in range(50_000, 0, -1)))
    began = time.process_time()
    found = diff(one, other)
    # To compare each line with each would take hours.
    assert time.process_time() - began < 60
    assert found.is_cut and len(found.rows) == text_diff.ROWS_LIMIT
    assert (found.added, found.removed) == (50_000, 50_000)


def test_long_lines_are_cut():
    (row,) = diff("x" * 10_000, "y").rows
    assert len(row.left_text) == text_diff.LINE_LIMIT + 1
