"""What is sealed is read with any of the keys, and with no other."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchpad.vault import Unreadable, reseal, seal, unseal

OLD, NEW, OTHER = (base64.urlsafe_b64encode(letter * 32).decode() for letter in (b"o", b"n", b"x"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
    max_leaves=10,
)


@given(JSON)
def test_any_json_value_comes_back(value):
    assert unseal(seal(value)) == value


def test_the_text_tells_nothing_and_differs_each_time():
    assert "geheim" not in seal("geheim")
    assert seal("geheim") != seal("geheim")


def test_the_first_key_seals_and_all_open(settings):
    settings.FIELD_KEYS = [OLD]
    before = seal("geheim")
    settings.FIELD_KEYS = [NEW, OLD]
    assert unseal(before) == "geheim"
    after = seal("geheim")
    moved = reseal(before)
    settings.FIELD_KEYS = [NEW]
    assert unseal(after) == unseal(moved) == "geheim"
    with pytest.raises(Unreadable):
        unseal(before)


@pytest.mark.parametrize("text", ["", "x", "gAAAAA", "größe"])
def test_what_was_never_sealed_is_not_read(text):
    for act in (unseal, reseal):
        with pytest.raises(Unreadable):
            act(text)
