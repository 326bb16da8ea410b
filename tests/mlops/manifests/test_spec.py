"""The typed form keeps every value through JSON, also through a database that rewrites numbers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.manifests import Backoff, Retry, Serving, Workflow, codec

st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
FORMS: list[type[Any]] = [Workflow, Serving]


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_the_form_holds_comes_back(form: type[Any], data: st.DataObject) -> None:
    made = data.draw(st.from_type(form))
    assert codec.decode(form, json.loads(json.dumps(codec.encode(made)))) == made


def test_a_whole_number_without_its_point_is_still_seconds() -> None:
    made = codec.decode(Retry, {"backoff": {"duration_seconds": 2}})
    assert made.backoff == Backoff(2.0)
    assert type(made.backoff.duration_seconds) is float


@pytest.mark.parametrize("seconds", ["2", True, None, [2]])
def test_seconds_are_numbers(seconds: object) -> None:
    with pytest.raises(ValueError, match="duration_seconds"):
        codec.decode(Backoff, {"duration_seconds": seconds})
