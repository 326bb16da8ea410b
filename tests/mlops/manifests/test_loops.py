"""Loops: which items they come to, and that no value becomes more than a value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.manifests import Loop, Sequence
from mlops.manifests.loops import items


def of(loop: Loop, **values: str) -> list[Any]:
    return items(loop, values.__getitem__)


def test_items_keep_their_order_and_types() -> None:
    given = ('"a"', "1", "1.5", "true", '{"k":"v","n":[1,{"m":2}]}', "[1,2]")
    assert of(Loop(items=given)) == ["a", 1, 1.5, True, {"k": "v", "n": [1, {"m": 2}]}, [1, 2]]


def test_placeholders_of_items_are_filled_in_after_decoding() -> None:
    hard = '", "x": "\\'
    assert of(Loop(items=('"<{{v}}>"', '{"k":["{{v}}"]}')), v=hard) == [f"<{hard}>", {"k": [hard]}]


def test_a_parameter_is_a_json_list() -> None:
    assert of(Loop(param="{{v}}"), v='["a", 2, {"k": "{{v}}"}]') == ["a", 2, {"k": "{{v}}"}]
    assert of(Loop(param="[]")) == []


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"count": "3"}, ["0", "1", "2"]),
        ({"count": "0"}, []),
        ({"count": "-1"}, []),
        ({"count": "2", "start": "5"}, ["5", "6"]),
        ({"start": "1", "end": "{{n}}"}, ["1", "2", "3"]),
        ({"start": "2", "end": "-1"}, ["2", "1", "0", "-1"]),
        ({"end": "1"}, ["0", "1"]),
        ({"count": "2", "start": "9", "format": "run-%03d.%%"}, ["run-009.%", "run-010.%"]),
        ({"count": "1", "start": "255", "format": "%X"}, ["FF"]),
    ],
)
def test_sequences(parts: dict[str, str], expected: list[str]) -> None:
    assert of(Loop(sequence=Sequence(**parts)), n="3") == expected


@pytest.mark.parametrize(
    ("loop", "said"),
    [
        (Loop(items=("1",) * 101), "has 101 items; at most 100"),
        (Loop(param=json.dumps([1] * 101)), "has 101 items; at most 100"),
        (Loop(sequence=Sequence(count="101")), "has 101 items; at most 100"),
        (Loop(sequence=Sequence(start="1", end="999999999999999")), "has 999,999,999,999,999 items"),
        (Loop(sequence=Sequence(count="many")), "needs whole numbers, not 'many'"),
        (Loop(sequence=Sequence(end="1e3")), "needs whole numbers, not '1e3'"),
        (Loop(sequence=Sequence(count="1", start="9999999999999999")), "needs whole numbers"),
        (Loop(sequence=Sequence(count="1", format="none")), "must hold one %d"),
        (Loop(sequence=Sequence(count="1", format="%d%d")), "must hold one %d"),
        (Loop(sequence=Sequence(count="1", format="%999d")), "must hold one %d"),
        (Loop(sequence=Sequence(count="1", format="%s")), "must hold one %d"),
        (Loop(sequence=Sequence(count="1", format="%d" + "x" * 100)), "must hold one %d"),
        (Loop(param="{}"), "must be a JSON list, but is '{}'"),
        (Loop(param="a,b"), "must be a JSON list, but is 'a,b'"),
        (Loop(param=""), "must be a JSON list"),
        (Loop(param="[NaN]"), "must be a JSON list"),
        (Loop(param="[1e999]"), "must be a JSON list"),
        (Loop(param="[" * 100_000), "must be a JSON list"),
    ],
)
def test_what_is_no_loop_says_why(loop: Loop, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        of(loop)


VALUES = st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists).map(json.dumps)


@given(st.text(max_size=60) | VALUES)
@settings(max_examples=200, deadline=None)
def test_any_value_gives_items_or_a_reason(value: str) -> None:
    try:
        found = items(Loop(param="{{v}}"), lambda name: value)
    except ValueError as error:
        assert "\n" not in str(error)
        return
    assert found == json.loads(value)
