"""The audit trail's page and file for administrators, and the history of one object for its viewers."""

import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone

from launchpad.access import Role, open_scope, system_scope
from launchpad.audit import trail
from launchpad.audit.models import AuditEvent
from launchpad.commands import record
from launchpad.errors import Forbidden
from launchpad.grants import grant
from mlops.domain import executions
from tests.mlops import factories
from tests.mlops.views.pages import body, queries

pytestmark = pytest.mark.django_db
PAGE = "/w/north/audit-trail/"
MARKUP = "<script>alert(1)</script>"


@pytest.fixture
def administrator(workspace, staff):
    grant(Role.OPERATIONS_MANAGER, staff, workspace)
    return staff


def event(place, actor="ada", verb="executions.stop", row=None, **detail):
    record(system_scope(place, actor), verb, row, detail=detail)


def verbs(shown):
    return [line.split("</td>")[0] for line in shown.split('<td class="mono">')[1:]]


def test_nobody_else_finds_it(red, cast):
    event(red)
    for who in ("editor", "viewer", "manager", "neighbour"):
        for url in (PAGE, f"{PAGE}export"):
            assert cast.client(who).get(url).status_code == 404
        with pytest.raises(Forbidden):
            trail.search(open_scope(cast.people[who], "north"), trail.Filters())


def test_all_groups_of_the_workspace_and_nothing_of_another(red, blue, green, administrator, browse):
    for place, verb in (
        (red, "one.red"),
        (blue, "one.blue"),
        (green, "one.green"),
        (red.workspace, "one.north"),
    ):
        event(place, verb=verb, actor=MARKUP)
    shown = body(browse(administrator).get(PAGE))
    assert verbs(shown) == ["one.north", "one.blue", "one.red"]
    assert MARKUP not in shown and "&lt;script&gt;" in shown


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"who": "EV"}, ["a.two"]),
        ({"verb": "a."}, ["a.two", "a.one"]),
        ({"verb": "b.three"}, ["b.three"]),
        ({"thing": "BLUE"}, ["b.three"]),
        ({"thing": "resourcegroup"}, ["b.three", "a.one"]),
        ({"group": "red"}, ["a.two", "a.one"]),
        ({"group": "nowhere"}, ["b.three", "a.two", "a.one"]),
        (
            {"who": "\0", "from": "2026-99-99", "to": "x", "before": "y", "after": "9" * 40},
            ["b.three", "a.two", "a.one"],
        ),
        ({"from": "9999-12-31", "to": "0001-01-01"}, ["b.three", "a.two", "a.one"]),
        ({"who": "nobody"}, []),
    ],
)
def test_filters_and_values_that_mean_nothing(asked, found, red, blue, administrator, browse):
    event(red, verb="a.one", row=red)
    event(red, actor="eve", verb="a.two")
    event(blue, verb="b.three", row=blue)
    shown = body(browse(administrator).get(PAGE, asked))
    assert verbs(shown) == found
    assert ("Nothing matches" in shown) is (not found)
    assert ("was left out" in shown) is (asked.get("group") == "nowhere" or "from" in asked)


def test_days_are_whole_and_utc(red, administrator):
    scope = open_scope(administrator, "north")
    for verb in ("first", "second", "third"):
        event(red, verb=verb)
    now = timezone.now()
    for days, verb in ((9, "first"), (5, "second"), (1, "third")):
        AuditEvent._base_manager.filter(verb=verb).update(at=now - timedelta(days=days))

    def found(**asked):
        return [one.verb for one in trail.search(scope, trail.Filters(**asked))]

    assert found(since=now - timedelta(days=6)) == ["third", "second"]
    assert found(until=now - timedelta(days=4)) == ["second", "first"]
    assert found(since=now - timedelta(days=6), until=now - timedelta(days=4), verb="s") == ["second"]
    assert found(since=now + timedelta(days=1)) == []
    assert found(until=now - timedelta(days=20)) == []


def test_a_text_is_looked_for_in_the_newest_only(red, administrator, monkeypatch):
    monkeypatch.setattr(trail, "WINDOW", 2)
    for number in range(4):
        event(red, verb=f"v.{number}")
    found = trail.search(open_scope(administrator, "north"), trail.Filters(verb="v."))
    assert [one.verb for one in found] == ["v.3", "v.2"]


def test_pages_lead_to_older_ones_and_back_at_the_same_cost(red, administrator, browse):
    browser = browse(administrator)
    event(red, verb="v.000")
    once = queries(browser, PAGE)
    for number in range(1, 120):
        event(red, verb=f"v.{number:03}")
    assert queries(browser, PAGE) == once <= 8
    first = browser.get(PAGE)
    assert len(first.content) < 100_000
    oldest = AuditEvent.unscoped.get(verb="v.070").pk
    assert f'href="?before={oldest}"' in body(first)
    second = verbs(body(browser.get(PAGE, {"before": oldest})))
    assert (second[0], second[-1]) == ("v.069", "v.020")
    newest = AuditEvent.unscoped.get(verb="v.069").pk
    assert verbs(body(browser.get(PAGE, {"after": newest})))[0] == "v.119"


def test_the_file_holds_what_is_shown(red, administrator, browse):
    event(red, actor="=ada()", verb="v.one", row=red, note=MARKUP)
    event(red, actor="eve", verb="v.two")
    answer = browse(administrator).get(f"{PAGE}export", {"who": "ada"})
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert [one["verb"] for one in rows] == ["v.one"]
    assert (
        rows[0]["actor"] == "'=ada()" and rows[0]["resource_group"] == "red" and MARKUP in rows[0]["detail"]
    )


def test_who_may_view_an_object_sees_its_history(red, viewer, editor, browse):
    run = factories.execution(factories.configuration(red))
    executions.stop(open_scope(editor, "north", "red"), run.pk)
    detail = body(browse(viewer).get(f"/w/north/g/red/executions/{run.pk}/"))
    assert f'href="/w/north/g/red/history/executions/{run.pk}/"' in detail
    address = f"/w/north/g/red/history/executions/{run.pk}/"
    shown = body(browse(viewer).get(address))
    assert "<b>editor</b>" in shown and "executions.stop" in shown
    fragment = browse(viewer).get(address, headers={"HX-Request": "true", "HX-Target": "history"})
    assert body(fragment).strip().startswith('<div id="history">')


def test_a_history_does_not_leave_its_group(red, blue, viewer, neighbour, browse):
    run = factories.execution(factories.configuration(red))
    assert browse(neighbour).get(f"/w/north/g/blue/history/executions/{run.pk}/").status_code == 404
    assert browse(neighbour).get(f"/w/north/g/red/history/executions/{run.pk}/").status_code == 404
    for kind, key in (("executions", "\0"), ("users", "1"), ("executions", "none")):
        assert browse(viewer).get(f"/w/north/g/red/history/{kind}/{key}/").status_code == 404
    assert browse(viewer).get(f"/w/north/history/executions/{run.pk}/").status_code == 404
    scenario = run.executable.scenario
    event(blue, actor="blues-ada", verb="scenarios.edit", row=scenario)
    event(red.workspace, actor="norths-ada", verb="scenarios.edit", row=scenario)
    for address in (
        f"/w/north/g/red/history/scenarios/{scenario.slug}/",
        f"/w/north/history/scenarios/{scenario.slug}/",
    ):
        shown = body(browse(viewer).get(address))
        assert "norths-ada" in shown and "blues-ada" not in shown
    shown = body(browse(neighbour).get(f"/w/north/g/blue/history/scenarios/{scenario.slug}/"))
    assert "blues-ada" in shown and "norths-ada" in shown


@pytest.mark.parametrize("noun", ["configurations", "datasets", "scenarios"])
def test_other_pages_lead_to_the_history_too(noun, red, viewer, browse):
    bound = factories.configuration(red)
    made = factories.artifact(red)
    keys = {
        "configurations": (bound.pk, bound.pk, "configurations"),
        "datasets": (made.pk, made.pk, "artifacts"),
        "scenarios": (bound.executable.scenario.slug, bound.executable.scenario.slug, "scenarios"),
    }
    page, key, kind = keys[noun]
    shown = body(browse(viewer).get(f"/w/north/g/red/{noun}/{page}/"))
    address = f"/w/north/g/red/history/{kind}/{key}/"
    assert f'href="{address}"' in shown
    assert browse(viewer).get(address).status_code == 200
