"""The overview: what needs attention, figures that lead to their lists, runs, groups and scenarios."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from launchpad.access import Role
from launchpad.grants import grant
from launchpad.resource_groups.models import ResourceGroup
from mlops.lifecycle import Status
from mlops.models import Execution, Worker
from tests.mlops import factories

WORKSPACE = "/w/north/"
GROUP = "/w/north/g/red/overview/"


def text(response):
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def tile(shown, label):
    """The address, the value and the note of a key figure."""
    value = r'<span class="value">(.*?)</span><span>(.*?)</span>'
    found = re.search(rf'<a class="tile" href="([^"]+)"><span>{label}</span>{value}', shown)
    return tuple(re.sub(r"<[^>]+>", "", part) for part in found.groups())


@pytest.fixture
def bound(red):
    """A configuration of red."""
    return factories.configuration(red)


def ran(bound, status, *, hours=1.0, took=60):
    now = timezone.now()
    run = factories.execution(bound, status=status, created_at=now - timedelta(hours=hours))
    if run.completed_at:
        ended = run.created_at + timedelta(seconds=took)
        Execution.unscoped.filter(pk=run.pk).update(completed_at=ended, status_message="Step train: <exit> 1")
    return run


class TestFigures:
    def test_each_leads_to_the_list_it_counts(self, bound, viewer, browse):
        for status, took in (
            (Status.COMPLETED, 60),
            (Status.COMPLETED, 120),
            (Status.COMPLETED, 240),
            (Status.DEAD, 5),
            (Status.RUNNING, 0),
            (Status.PENDING, 0),
        ):
            ran(bound, status, took=took)
        Worker.unscoped.create(host="a", pid=1, slots=3, started_at=timezone.now(), seen_at=timezone.now())
        shown = text(browse(viewer).get(GROUP))
        executions = "/w/north/g/red/executions/"
        assert tile(shown, "Running now") == (
            f"{executions}?status=RUNNING&amp;status=STOPPING",
            "1 of 3 slots",
            "1 pending",
        )
        assert tile(shown, "Failed, 7 days")[1:] == ("1", "of 4 that ended by themselves")
        assert tile(shown, "Failed, 7 days")[0].startswith(f"{executions}?status=DEAD")
        assert tile(shown, "Success rate, 7 days")[1:] == ("75%", "3 completed")
        assert tile(shown, "Median duration")[1:] == ("2 min 00 s", "of the newest 3 that completed")
        assert tile(shown, "Artifacts") == ("#artifacts-by-group", "1", "1 dataset, 0 models")
        for address in set(re.findall(r'href="(/w/[^"]+)"', shown)):
            answer = browse(viewer).get(address.replace("&amp;", "&"), follow=True)
            assert answer.status_code == 200, address

    def test_the_rate_is_compared_with_the_week_before(self, bound, viewer, browse):
        for status, days in ((Status.COMPLETED, 1), (Status.COMPLETED, 9), (Status.DEAD, 9)):
            ran(bound, status, hours=24 * days)
        assert tile(text(browse(viewer).get(GROUP)), "Success rate, 7 days")[1:] == ("100%", "up from 50%")

    def test_nothing_yet_is_no_number(self, red, viewer, browse):
        shown = text(browse(viewer).get(GROUP))
        assert tile(shown, "Success rate, 7 days")[1:] == ("–", "nothing ended yet")
        assert tile(shown, "Median duration")[1] == "–"
        assert "No execution was submitted in the last 24 hours" in shown


class TestAttention:
    def test_failures_waits_and_workers_come_first(self, bound, viewer, browse):
        now = timezone.now()
        for _ in range(7):
            dead = ran(bound, Status.DEAD)
        ran(bound, Status.PENDING, hours=2)
        Worker.unscoped.create(
            host="gone",
            pid=7,
            slots=1,
            started_at=now - timedelta(hours=1),
            seen_at=now - timedelta(minutes=5),
        )
        shown = text(browse(viewer).get(GROUP))
        card = shown[shown.index('id="attention"') : shown.index('aria-label="Key figures"')]
        assert "8 open" in card
        assert "Executions wait and no worker is alive" in card
        assert "A worker on gone is silent" in card
        assert '<a href="/w/north/g/red/executions/?status=PENDING">1 execution</a> in red has waited' in card
        assert "2 more</a> failed" in card
        assert card.count("Step train: &lt;exit&gt; 1") == 5
        assert f"/executions/{dead.pk}/" in card

    def test_says_when_all_is_well(self, bound, viewer, browse):
        ran(bound, Status.COMPLETED)
        ran(bound, Status.DEAD, hours=30)
        assert "Nothing: no execution failed in the last 24 hours" in text(browse(viewer).get(GROUP))


class TestGroups:
    def test_only_ones_own_are_shown(self, bound, blue, viewer, browse):
        other = ran(factories.configuration(blue, name="secret sweep"), Status.DEAD)
        shown = text(browse(viewer).get(WORKSPACE))
        assert other.pk not in shown and "secret sweep" not in shown and ">blue<" not in shown
        assert "Resource group red in north" in shown

    def test_some_are_chosen_in_the_address(self, bound, blue, superuser, browse):
        ran(bound, Status.DEAD)
        ran(factories.configuration(blue), Status.COMPLETED)
        browser = browse(superuser)
        both = text(browser.get(WORKSPACE))
        assert tile(both, "Failed, 7 days")[:2] == ("#by-group", "1")
        assert "2 resource groups in north" in both
        narrowed = text(browser.get(WORKSPACE, {"group": "blue"}))
        assert tile(narrowed, "Failed, 7 days")[1] == "0"
        assert 'hx-get="/w/north/?group=blue"' in narrowed
        odd = text(browser.get(WORKSPACE, {"group": ["blue", "nö\x00ne", "<b>"]}))
        assert "2 of the resource groups in the address are left out" in odd

    def test_a_manager_without_any_sees_the_scenarios(self, bound, manager, browse):
        ran(bound, Status.DEAD)
        shown = text(browse(manager).get(WORKSPACE))
        assert "No resource group here is open to you" in shown
        assert factories.SCENARIO in shown and "Key figures" not in shown

    def test_costs_the_same_for_one_and_for_fifty(self, bound, editor, browse):
        browser = browse(editor)
        for status in (Status.DEAD, Status.RUNNING, Status.COMPLETED):
            ran(bound, status)
        with CaptureQueriesContext(connection) as one:
            browser.get(WORKSPACE)
        for number in range(50):
            extra = ResourceGroup.unscoped.create(workspace_id="north", slug=f"zebra-{number:02}")
            grant(Role.VIEWER, editor, extra)
        with CaptureQueriesContext(connection) as many:
            response = browser.get(WORKSPACE)
        assert "These are the first 50 groups" in text(response)
        assert len(one) == len(many) <= 13
        assert len(response.content) < 100_000


class TestQuotas:
    def test_administrators_see_use_beside_limits_at_one_query(self, bound, red, blue, editor, staff, browse):
        grant(Role.EDITOR, staff, red)
        now = timezone.now()
        Worker.unscoped.create(host="one", pid=1, slots=4, started_at=now, seen_at=now)
        Worker.unscoped.create(queue="deployments", host="one", pid=2, slots=8, started_at=now, seen_at=now)
        for run in (ran(bound, Status.RUNNING), ran(factories.configuration(blue), Status.RUNNING)):
            assert run.status == Status.RUNNING
        factories.secret(red, name="token")
        administrator, other = browse(staff), browse(editor)
        for url in (WORKSPACE, GROUP):
            with CaptureQueriesContext(connection) as with_them:
                response = administrator.get(url)
            shown = text(response)
            assert 'href="/w/north/quotas/"' in shown and len(response.content) < 100_000
            assert (
                '2<small> of 4</small></span><progress max="4" value="2" aria-label="Worker slots in use">'
                in shown
            )
            assert (
                '1<small> of 5</small></span><progress max="5" value="1" aria-label="Shared secrets in use">'
                in shown
            )
            with CaptureQueriesContext(connection) as without:
                shown = text(other.get(url))
            # What runs in groups of others is counted for administrators alone.
            assert "Shared secrets" not in shown and len(without) + 1 >= len(with_them) <= 13


class TestRuns:
    def test_bars_and_the_same_as_a_table(self, bound, viewer, browse):
        now = timezone.now()
        runs = [ran(bound, status, hours=2, took=3600) for status in (Status.COMPLETED, Status.DEAD)]
        ran(bound, Status.COMPLETED, hours=30)
        shown = text(browse(viewer).get(GROUP))
        bars = re.findall(
            r'<a data-status="(\w+)" tabindex="-1" href="([^"]+)">.*?x="([\d.]+)%" width="([\d.]+)%"', shown
        )
        assert {status for status, *_ in bars} == {"COMPLETED", "DEAD"}
        assert len(bars) == 2
        for _status, url, x, width in bars:
            assert any(run.pk in url for run in runs)
            assert (round(float(x), 1), round(float(width), 1)) == (73.3, 3.3)
        table = shown[shown.index('id="runs-table"') :]
        assert all(f'href="/w/north/g/red/executions/{run.pk}/"' in table for run in runs)
        assert f"{now:%H:%M}" in shown

    def test_runs_that_overlap_lie_below_each_other_and_stay_few(self, bound, viewer, browse):
        for _ in range(110):
            ran(bound, Status.RUNNING, hours=3)
        response = browse(viewer).get(GROUP)
        shown = text(response)
        assert len(response.content) < 100_000
        assert "The newest 100 of 110" in shown
        assert shown.count('tabindex="-1" href="/w/') == 100
        assert shown.count('<svg aria-hidden="true"><line') == 4


class TestPlace:
    def test_the_way_into_a_group_leads_here(self, red, viewer, browse):
        response = browse(viewer).get("/w/north/g/red/")
        assert (response.status_code, response["Location"]) == (302, GROUP)

    def test_the_fragment_polls_itself(self, red, viewer, browse):
        browser = browse(viewer, **{"HX-Request": "true", "HX-Target": "overview"})
        part = text(browser.get(GROUP))
        assert part.startswith('<div class="stack" id="overview" hx-get="/w/north/g/red/overview/?"')
        assert 'hx-trigger="every 15s"' in part and "<header" not in part.split("<section")[0]

    def test_is_the_current_entry_on_its_own_page_only(self, red, viewer, browse):
        current = r'href="([^"]+)" data-go="\w" title="[^"]+" aria-current="page"'
        assert re.findall(current, text(browse(viewer).get(WORKSPACE))) == ["/w/north/"]
        assert re.findall(current, text(browse(viewer).get("/w/north/scenarios/"))) == ["/w/north/scenarios/"]
        assert re.findall(current, text(browse(viewer).get(GROUP))) == [GROUP]
