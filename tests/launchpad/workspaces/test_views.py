"""Choosing a workspace and a resource group."""

import re

import pytest

from launchpad.access import Role
from launchpad.grants import grant
from launchpad.resource_groups.models import ResourceGroup
from launchpad.workspaces.models import Workspace


def shown(response, pattern):
    """What the page shows in such places."""
    return re.findall(pattern, response.content.decode())


def test_only_what_is_open_is_shown(browse, editor, blue, green):
    response = browse(editor).get("/workspaces/")
    assert shown(response, r'class="choice" href="([^"]+)"') == ["/workspaces/north/"]
    assert shown(response, r'class="id" href="([^"]+)"') == ["/w/north/g/red/"]
    assert "blue" not in response.content.decode().replace("Where red and blue are", "")
    assert "south" not in response.content.decode()


def test_a_workspace_without_groups_says_who_can_grant_one(browse, manager):
    body = browse(manager).get("/workspaces/north/").content.decode()
    assert "No resource group here is open to you" in body and "An administrator can grant" in body


def test_without_any_role_the_page_says_so(browse, outsider):
    assert "No workspace is open to you" in browse(outsider).get("/workspaces/").content.decode()


def test_the_search_finds_by_id_and_description(browse, superuser, workspace, green):
    client = browse(superuser)
    assert shown(client.get("/workspaces/?q=SOUTH"), r'class="choice" href="([^"]+)"') == [
        "/workspaces/south/?q=SOUTH"
    ]
    assert shown(client.get("/workspaces/?q=red and"), r'class="choice" href="([^"]+)"') == [
        "/workspaces/north/?q=red%20and"
    ]
    assert shown(client.get("/workspaces/?q=<b>"), r"No workspace matches “([^”]+)”") == ["&lt;b&gt;"]


def test_the_switcher_offers_the_groups_of_this_workspace_with_the_role(browse, editor, blue):
    grant(Role.VIEWER, editor, blue)
    menu = re.sub(
        r"\s+", " ", browse(editor).get("/workspaces/north/").content.decode().split('class="menu-panel"')[1]
    )
    assert (
        '<a class="menu-item" href="/w/north/g/blue/">blue<span class="meta push">viewer</span></a>' in menu
    )
    assert '<a class="menu-item" href="/w/north/g/red/">red<span class="meta push">editor</span></a>' in menu


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_costs_the_same_for_one_and_for_three(count, browse, editor, red, django_assert_num_queries):
    for number in range(count - 1):
        extra = ResourceGroup.unscoped.create(workspace=red.workspace, slug=f"extra{number}")
        grant(Role.VIEWER, editor, extra)
        elsewhere = Workspace.unscoped.create(slug=f"place{number}")
        grant(Role.OPERATIONS_MANAGER, editor, elsewhere)
    client = browse(editor)
    with django_assert_num_queries(8):
        client.get("/workspaces/north/")


def test_a_disabled_entry_says_what_it_waits_for(browse, editor):
    body = browse(editor).get("/workspaces/north/").content.decode()
    assert 'aria-disabled="true" title="Choose a resource group first."' in body
    assert "Choose a workspace first." in browse(editor).get("/workspaces/").content.decode()


def test_health_asks_the_database(client, db, django_assert_num_queries):
    with django_assert_num_queries(1):
        response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")
