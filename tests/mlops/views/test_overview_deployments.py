"""What the overview says of deployments: figures, what failed, and bars for each group."""

import pytest

from launchpad.access import Role, system_scope
from launchpad.grants import grant
from mlops.domain import deployments
from mlops.lifecycle import Status
from tests.mlops import deploying, standing

GROUP, WORKSPACE = "/w/north/g/red/overview/", "/w/north/"


def text(response):
    return response.content.decode()


def part(page, heading):
    """The section under a heading."""
    return page.split(f'aria-labelledby="{heading}"')[1].split("</section>")[0]


def tile(page, label):
    return page.split(f"<span>{label}</span>")[1].split("</a>")[0]


def test_figures_count_and_lead_to_their_lists(red, viewer, browse):
    standing.deployment(red, Status.RUNNING, ttl="2h")
    standing.deployment(red)
    standing.deployment(red, Status.DEAD)
    page = text(browse(viewer).get(GROUP))
    assert '<span class="value">2</span><span>1 pending, 1 dead</span>' in tile(page, "Deployments")
    assert '<span class="value">1</span><span>deployment ends within a day</span>' in tile(
        page, "Near their end"
    )
    assert "/w/north/g/red/deployments/?ending=1" in page


def test_dead_ones_and_failed_updates_want_attention(red, viewer, browse):
    dead = standing.deployment(red, Status.DEAD)
    updated = standing.deployment(red, Status.RUNNING)
    other = deploying.configuration(red, "other")
    deployments.update(system_scope(red), updated.pk, configuration=other.pk)
    standing.fail(updated)
    standing.deployment(red, Status.RUNNING)
    listed = part(text(browse(viewer).get(GROUP)), "attention")
    assert "2 open" in listed
    assert f"/deployments/{dead.pk}/" in listed and "is dead: Revision 1 failed" in listed
    assert f"/deployments/{updated.pk}/" in listed and "could not be updated: Revision 2 failed" in listed


def test_those_put_away_want_none(red, viewer, browse):
    dead = standing.deployment(red, Status.DEAD)
    type(dead).unscoped.filter(pk=dead.pk).update(archived_at=dead.created_at)
    page = text(browse(viewer).get(GROUP))
    assert "no deployment is dead" in part(page, "attention")
    assert "No resource group has deployments" in part(page, "deployments-by-group")


@pytest.fixture
def both(red, blue, viewer):
    """A viewer of red and of blue, with deployments in both and in neither's neighbour."""
    grant(Role.VIEWER, viewer, blue)
    standing.deployment(red, Status.RUNNING)
    standing.deployment(blue, Status.DEAD)
    return viewer


def test_each_group_has_its_bar(both, browse, django_assert_max_num_queries):
    browser = browse(both)
    browser.get(WORKSPACE)
    with django_assert_max_num_queries(13):
        page = text(browser.get(WORKSPACE))
    bars = part(page, "deployments-by-group")
    assert "<title>1 running</title>" in bars and "<title>1 dead</title>" in bars
    assert "/w/north/g/blue/deployments/?status=DEAD" in bars
    assert 'href="#deployments-by-group"' in page


def test_of_groups_without_a_role_nothing_is_told(red, blue, viewer, browse):
    theirs = standing.deployment(blue, Status.DEAD)
    page = text(browse(viewer).get(WORKSPACE))
    assert theirs.pk not in page and "0 pending, 0 dead" in page
