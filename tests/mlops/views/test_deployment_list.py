"""The list of deployments: what a row says, filters, tabs, drafts, and what it costs."""

from datetime import timedelta

import pytest
from django.utils import timezone

from launchpad.access import open_scope, system_scope
from mlops.domain import deployment_drafts, deployments
from mlops.lifecycle import Status
from mlops.models import Deployment
from tests.mlops import deploying, factories, standing

LIST = "/w/north/g/red/deployments/"


@pytest.fixture
def bound(red):
    """A configuration that asks for two servers."""
    return deploying.configuration(red, servers=2)


def text(response):
    return response.content.decode()


def row(page, key):
    return page.split(f'<tr id="x-{key}">')[1].split("</tr>")[0]


def keys(page):
    return {part[:16] for part in page.split('<tr id="x-')[1:]}


def test_a_row_says_what_serves_and_how_it_fares(bound, red, editor, browse):
    made = standing.deployment(red, Status.RUNNING, bound=bound, ttl="2d")
    shown = row(text(browse(editor).get(LIST)), made.pk)
    for part in ("serve hello", made.pk[:8], "2 of 2 ready", "petals-serve", "petals-tutorial", "Running"):
        assert part in shown
    assert "<time" in shown.split("petals-tutorial")[1]
    for act, is_offered in (("update", 1), ("extend", 1), ("stop", 1), ("restart", 0), ("delete", 0)):
        assert (f'{made.pk}/{act}"' in shown) == bool(is_offered)


def test_servers_that_are_missing_are_counted(bound, red, editor, browse):
    made = standing.deployment(red, bound=bound)
    shown = row(text(browse(editor).get(LIST)), made.pk)
    assert "0 of 2 ready" in shown
    assert "to running" in shown


def test_a_revision_on_its_way_is_told_while_the_old_one_serves(bound, red, editor, browse):
    made = standing.deployment(red, Status.RUNNING, bound=bound)
    other = deploying.configuration(red, "other")
    deployments.update(system_scope(red), made.pk, configuration=other.pk)
    shown = row(text(browse(editor).get(LIST)), made.pk)
    assert "2 of 2 ready" in shown and "revision 2 on its way" in shown
    standing.fail(made)
    shown = row(text(browse(editor).get(LIST)), made.pk)
    assert "2 of 2 ready" in shown and "revision 2 failed" in shown


def test_what_ends_soon_is_warned_of(red, editor, browse):
    made = standing.deployment(red, Status.RUNNING, ttl="5h")
    Deployment.unscoped.filter(pk=made.pk).update(expires_at=timezone.now() + timedelta(minutes=9))
    assert "left</span>" in row(text(browse(editor).get(LIST)), made.pk)
    Deployment.unscoped.filter(pk=made.pk).update(expires_at=timezone.now() + timedelta(hours=4))
    assert "left</span>" not in row(text(browse(editor).get(LIST)), made.pk)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=RUNNING", {"live"}),
        ("status=DEAD&status=STOPPED", {"dead"}),
        ("q=serve+HELLO", {"live"}),
        ("q=nowhere", set()),
        ("scenario=petals-tutorial", {"live", "dead"}),
        ("executable=petals-serve-too", {"dead"}),
        ("executable=petals-serve&version=1", {"live"}),
        ("version=2", set()),
        ("by=editor", set()),
        ("ending=1", {"live"}),
        ("archived=1", {"away"}),
    ],
)
def test_filters_narrow(red, editor, browse, query, found):
    dead = deploying.configuration(red, "bye", executable="petals-serve-too")
    rows = {
        "live": standing.deployment(red, Status.RUNNING, ttl="1h"),
        "dead": standing.deployment(red, Status.DEAD, bound=dead),
        "away": standing.deployment(red, Status.STOPPED, bound=dead),
    }
    Deployment.unscoped.filter(pk=rows["away"].pk).update(archived_at=timezone.now())
    shown = text(browse(editor).get(f"{LIST}?{query}"))
    assert keys(shown) == {rows[name].pk for name in found}
    assert bool(found) != ("Nothing matches" in shown)


def test_the_beginning_of_an_id_and_a_configuration_filter(bound, red, editor, browse):
    made = standing.deployment(red, bound=bound)
    standing.deployment(red)
    for query in (f"q={made.pk[:6]}", f"configuration={bound.pk}"):
        assert keys(text(browse(editor).get(f"{LIST}?{query}"))) == {made.pk}


def test_what_cannot_be_read_is_left_out_and_said(red, editor, browse):
    standing.deployment(red)
    shown = text(browse(editor).get(f"{LIST}?status=COMPLETED&configuration=x&sort=colour"))
    assert "“COMPLETED” is no status of a deployment" in shown
    assert "takes a configuration&#x27;s whole ID" in shown
    assert "can be sorted by created, status" in shown


@pytest.mark.parametrize("kind", ["status", "source", "configuration", "by", "ending", "archived"])
def test_every_filter_is_a_form_that_needs_no_script(red, editor, browse, kind):
    standing.deployment(red)
    shown = text(browse(editor).get(f"{LIST}?filter={kind}&scenario=petals-tutorial"))
    assert "Apply filter" in shown and 'hx-target="#execution-list"' not in shown
    assert kind != "source" or "<option>petals-serve</option>" in shown


def test_tabs_count(red, editor, browse):
    standing.deployment(red, Status.RUNNING)
    standing.deployment(red, Status.DEAD)
    shown = text(browse(editor).get(LIST)).split('aria-label="Saved views"')[1].split("</nav>")[0]
    for label, count in (("All", 2), ("Active", 1), ("Near their end", 0), ("Mine", 0), ("Dead", 1)):
        assert f'>{label} <span class="count">{count}</span>' in shown


def test_it_lives_while_something_moves(red, editor, browse):
    made = standing.deployment(red, Status.DEAD)
    assert "data-live" not in text(browse(editor).get(LIST))
    deployments.restart(system_scope(red), made.pk)
    response = browse(editor).get(LIST, headers={"HX-Request": "true", "HX-Target": "deployment-table"})
    assert text(response).startswith('\n<div class="stack" id="deployment-table" data-live hx-get="?"')


def test_nothing_yet_says_how_to_deploy(red, editor, viewer, browse):
    shown = text(browse(editor).get(LIST))
    assert "No deployments yet" in shown
    assert "/models/" in shown and "/configurations/" in shown and f"{LIST}create" in shown
    assert f"{LIST}create" not in text(browse(viewer).get(LIST))


def test_a_viewer_selects_and_changes_nothing(red, viewer, browse):
    made = standing.deployment(red, Status.RUNNING)
    shown = text(browse(viewer).get(LIST))
    assert made.pk in shown and 'name="id"' not in shown and "bulkbar" not in shown


def test_drafts_of_ones_own_are_offered(red, editor, browse):
    draft = deployment_drafts.save(open_scope(editor, "north", "red"), None, {"scenario": "petals-tutorial"})
    shown = text(browse(editor).get(LIST))
    assert "Your drafts" in shown and f"create?draft={draft.pk}" in shown
    browse(editor).post(f"{LIST}discard", {"draft": draft.pk})
    assert "Your drafts" not in text(browse(editor).get(LIST))


def test_a_file_has_what_the_filters_leave(red, editor, browse):
    made = standing.deployment(red, Status.RUNNING)
    standing.deployment(red, Status.DEAD)
    lines = b"".join(browse(editor).get(f"{LIST}export?status=RUNNING")).decode().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("id,status,target_status")
    assert lines[1].startswith(f"{made.pk},RUNNING,RUNNING,") and ",1,1," in lines[1]


def test_a_page_costs_the_same_for_one_and_for_fifty(
    red, editor, browse, bound, django_assert_max_num_queries
):
    browser = browse(editor)
    standing.deployment(red, Status.RUNNING, bound=bound, ttl="2d")
    browser.get(LIST)
    with django_assert_max_num_queries(8) as one:
        browser.get(LIST)
    for _ in range(50):
        standing.deployment(red, bound=bound, ttl="2d")
    with django_assert_max_num_queries(8) as many:
        response = browser.get(LIST)
    assert len(one) == len(many)
    assert len(response.content) <= 100_000
    assert text(response).count('<tr id="x-') == 50


def test_of_another_group_nothing_is_shown(red, blue, editor, browse):
    theirs = standing.deployment(blue)
    standing.deployment(red)
    shown = text(browse(editor).get(LIST))
    assert theirs.pk not in shown and "1 deployment<" in shown


def test_of_an_execution_nothing_is_offered(red, editor, browse):
    factories.execution(factories.configuration(red))
    assert "No deployments yet" in text(browse(editor).get(LIST))


def test_the_same_list_over_the_api_follows_the_filters(red, editor, browse):
    standing.deployment(red)
    shown = text(browse(editor).get(f"{LIST}?status=PENDING&q=serve"))
    assert "List those that are pending" in shown and "the API knows the status" in shown
