"""Addresses in a place."""

import pytest
from django.urls import NoReverseMatch

from launchpad.access import open_scope
from launchpad.places import place_url


def test_the_narrowest_place_that_has_the_page(editor, red):
    group, workspace = open_scope(editor, "north", "red"), open_scope(editor, "north")
    assert place_url(group, "resource_groups.enter") == "/w/north/g/red/"
    assert (
        place_url(group, "workspaces.detail")
        == place_url(workspace, "workspaces.detail")
        == "/workspaces/north/"
    )
    assert place_url(group, "workspaces.index") == place_url(None, "workspaces.index") == "/workspaces/"


def test_a_page_that_does_not_exist_in_the_place_is_an_error(editor, red):
    with pytest.raises(NoReverseMatch):
        place_url(open_scope(editor, "north"), "resource_groups.enter")
