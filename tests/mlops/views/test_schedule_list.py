"""The list of schedules: what a row says, filters, tabs, drafts, and what it costs."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from launchpad.access import open_scope, system_scope
from mlops.domain import schedule_drafts, schedules
from mlops.domain.timings import Timing
from mlops.models import Schedule
from tests.mlops import factories, ledgers
from tests.mlops.views.pages import body, queries

LIST = "/w/north/g/red/schedules/"


@pytest.fixture
def bound(red):
    return factories.configuration(red)


@pytest.fixture
def nightly(bound):
    """At half past two by the clock of Berlin."""
    return factories.schedule(bound, Timing("30 2 * * *", None, "Europe/Berlin"))


def row(page, schedule):
    return page.split(f'<tr id="x-{schedule.pk}">')[1].split("</tr>")[0]


def names(page):
    return set(re.findall(r'<a class="id" href="[0-9a-f-]{36}/">([^<]+)</a>', page))


def test_a_row_says_when_it_runs_and_how_it_went(nightly, editor, browse):
    *_, last = ledgers.fill(nightly, "ccdscxc")
    shown = row(body(browse(editor).get(LIST)), nightly)
    for part in ("nightly", "At 02:30 every day", "Europe/Berlin", "Active", "petals, three epochs"):
        assert part in shown
    assert f'datetime="{nightly.next_run_at:%Y-%m-%dT%H:%M}' in shown
    assert f"../executions/{last.execution_id}/" in shown and "Completed" in shown
    assert "title>7 ticks: 4 completed, 1 failed, 1 stopped, 1 skipped<" in shown
    for act in ("run-now", "pause", "edit", "delete"):
        assert f'{nightly.pk}/{act}"' in shown
    assert f"{nightly.pk}/resume" not in shown


def marks(shown):
    """Of each state: its class, which tells its colour and how thick its bands are, and its path."""
    return re.findall(r'<path class="(\w)" d="([^"]+)"', shown)


def test_marks_are_told_by_colour_and_by_shape(nightly, viewer, browse):
    ledgers.fill(nightly, "cdsxrp")
    shown = row(body(browse(viewer).get(LIST)), nightly)
    style = Path(finders.find("css/schedules.css")).read_text()
    thick = {
        state: width
        for states, width in re.findall(r"> ([^>{]+) { stroke-width: (\d+); }", style)
        for state in re.findall(r"\.(\w)", states)
    }
    shapes = {state: (thick[state], *re.findall(r"M\d+ (\d+)h", path)) for state, path in marks(shown)}
    assert list(shapes) == list("cdsxrp")
    assert len(set(shapes.values())) == 6
    assert "<title>6 ticks: 1 completed, 1 failed, 1 stopped, 1 running, 1 waiting, 1 skipped<" in shown


def test_only_the_last_thirty_ticks_are_marked(nightly, viewer, browse):
    ledgers.fill(nightly, "d" * 10 + "c" * 20 + "d" + "c" * 9)
    shown = row(body(browse(viewer).get(LIST)), nightly)
    assert "30 ticks: 29 completed, 1 failed" in shown
    assert [path for _, path in marks(shown)] == ["M0 8h20m1 0h9", "M20 8h1"]


def test_one_without_ticks_says_so(nightly, viewer, browse):
    assert "No ticks yet" in row(body(browse(viewer).get(LIST)), nightly)


def test_a_run_that_was_deleted_tells_how_it_ended(nightly, viewer, browse):
    (tick,) = ledgers.fill(nightly, "d")
    run, tick.execution = tick.execution, None
    tick.save()
    shown = row(body(browse(viewer).get(LIST)), nightly)
    assert "Dead" in shown and run.pk not in shown


def test_why_it_is_inactive_stands_in_its_row(nightly, red, editor, browse):
    schedules.pause(system_scope(red, actor="ada"), nightly.pk)
    shown = row(body(browse(editor).get(LIST)), nightly)
    assert "Inactive" in shown and "Paused by ada." in shown
    assert f'{nightly.pk}/resume"' in shown and f'{nightly.pk}/pause"' not in shown


def test_of_one_that_is_over_nothing_is_to_be_resumed(nightly, editor, browse):
    Schedule.unscoped.filter(pk=nightly.pk).update(status="INACTIVE", next_run_at=None)
    shown = row(body(browse(editor).get(LIST)), nightly)
    assert "Nothing due any more" in shown and "/resume" not in shown


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"nightly", "paused", "failing"}),
        ("?status=ACTIVE", {"nightly", "failing"}),
        ("?status=inactive", {"paused"}),
        ("?failing=1", {"failing"}),
        ("?q=NIGHT", {"nightly"}),
        ("?q=nowhere", set()),
        ("?scenario=petals-tutorial", {"nightly", "failing"}),
        ("?executable=tulips-train", {"paused"}),
        ("?scenario=petals-tutorial&version=1.0.0", {"nightly", "failing"}),
        ("?version=2.0.0", set()),
    ],
)
def test_filters_narrow(nightly, red, editor, browse, query, found):
    version = factories.catalog_version(red, scenario="tulips-tutorial", executable="tulips-train")
    other = factories.configuration(
        red, version=version, parameters={"OWNER": "Ada"}, inputs={"petals": factories.artifact(red)}
    )
    paused = factories.schedule(other, name="paused")
    schedules.pause(system_scope(red), paused.pk)
    failing = factories.schedule(nightly.configuration, name="failing")
    Schedule.unscoped.filter(pk=failing.pk).update(failures=2)
    shown = body(browse(editor).get(f"{LIST}{query}"))
    assert names(shown) == found
    assert bool(found) != ("Nothing matches" in shown)


def test_the_beginning_of_an_id_and_a_configuration_filter(nightly, red, editor, browse):
    factories.schedule(factories.configuration(red), name="other")
    for query in (f"q={str(nightly.pk)[:8]}", f"configuration={nightly.configuration_id}"):
        assert names(body(browse(editor).get(f"{LIST}?{query}"))) == {"nightly"}


@pytest.mark.parametrize("kind", ["source", "configuration"])
def test_every_filter_is_a_form_that_needs_no_script(nightly, editor, browse, kind):
    shown = body(browse(editor).get(f"{LIST}?filter={kind}&scenario=petals-tutorial"))
    assert "Apply filter" in shown and 'hx-target="#execution-list"' not in shown
    assert kind != "source" or "<option>petals-train</option>" in shown


def test_what_cannot_be_read_is_left_out_and_said(nightly, editor, browse):
    shown = body(browse(editor).get(f"{LIST}?status=RUNNING&configuration=x"))
    assert "“RUNNING” is no status of a schedule" in shown
    assert "takes a configuration&#x27;s whole ID" in shown
    assert names(shown) == {"nightly"}


def test_tabs_count(nightly, red, editor, browse):
    paused = factories.schedule(nightly.configuration, name="paused")
    schedules.pause(system_scope(red), paused.pk)
    Schedule.unscoped.filter(pk=paused.pk).update(failures=1)
    shown = body(browse(editor).get(LIST)).split('aria-label="Saved views"')[1].split("</nav>")[0]
    for label, count in (("All", 2), ("Active", 1), ("Inactive", 1), ("Failing", 1)):
        assert f'>{label} <span class="count">{count}</span>' in shown


def test_views_of_it_are_kept(nightly, viewer, browse):
    browser = browse(viewer)
    browser.post("/w/north/g/red/views/create", {"noun": "schedules", "name": "Bad", "query": "failing=1"})
    assert '?failing=1">Bad</a>' in body(browser.get(LIST))


def test_it_lives_while_one_is_active(nightly, red, editor, browse):
    table = {"HX-Request": "true", "HX-Target": "schedule-table"}
    live = body(browse(editor).get(LIST, headers=table))
    assert live.startswith('\n<div class="stack" id="schedule-table" data-live hx-get="?"')
    schedules.pause(system_scope(red), nightly.pk)
    assert "data-live" not in body(browse(editor).get(LIST))
    ledgers.fill(nightly, "r")
    assert "data-live" in body(browse(editor).get(LIST))


def test_nothing_yet_says_what_one_is_for(red, editor, viewer, browse):
    shown = body(browse(editor).get(LIST))
    assert "No schedules yet" in shown
    assert "A schedule runs an execution at set times, such as every night at 02:00." in shown
    assert f"{LIST}create" in shown and "/executions/create" in shown
    shown = body(browse(viewer).get(LIST))
    assert "No schedules yet" in shown and f"{LIST}create" not in shown


def test_a_viewer_reads_and_changes_nothing(nightly, viewer, browse):
    shown = body(browse(viewer).get(LIST))
    assert "nightly" in shown
    for part in ("run-now", "/pause", "/edit", "/delete", "confirm-delete", "Create schedule"):
        assert part not in shown


def test_drafts_of_ones_own_are_offered(red, editor, viewer, browse):
    draft = schedule_drafts.save(open_scope(editor, "north", "red"), None, {"scenario": "petals-tutorial"})
    shown = body(browse(editor).get(LIST))
    assert "Your drafts" in shown and f"create?draft={draft.pk}" in shown and "petals-tutorial" in shown
    assert "Your drafts" not in body(browse(viewer).get(LIST))
    browse(editor).post(f"{LIST}discard", {"draft": draft.pk})
    assert "Your drafts" not in body(browse(editor).get(LIST))


def test_a_page_costs_the_same_for_one_and_for_three(nightly, editor, browse):
    browser = browse(editor)
    ledgers.fill(nightly, "cds")
    browser.get(LIST)
    one = queries(browser, LIST)
    for number in range(2):
        ledgers.fill(
            factories.schedule(factories.configuration(nightly.resource_group), name=f"n{number}"), "cc"
        )
    assert queries(browser, LIST) == one <= 8


def test_fifty_of_them_are_a_page_of_a_bounded_size(bound, editor, browse):
    made = [factories.schedule(bound, name=f"number {number}") for number in range(51)]
    for one in made[1:]:
        ledgers.fill(one, "cccds" * 6)
    browser = browse(editor)
    first = browser.get(LIST)
    shown = body(first)
    assert shown.count('<tr id="x-') == 50 and "number 50" in shown and "number 0<" not in shown
    assert len(first.content) <= 100_000
    older = re.search(r'rel="next" href="([^"]+)"', shown)[1].replace("&amp;", "&")
    assert names(body(browser.get(f"{LIST}{older}"))) == {"number 0"}


def test_a_hostile_name_is_text(bound, editor, browse):
    factories.schedule(bound, name="<b>&'\"x")
    shown = body(browse(editor).get(LIST))
    assert "&lt;b&gt;&amp;&#x27;&quot;x" in shown and "<b>&'" not in shown


def test_of_another_group_nothing_is_shown(nightly, blue, editor, browse):
    factories.schedule(factories.configuration(blue), name="theirs")
    shown = body(browse(editor).get(LIST))
    assert "theirs" not in shown and "1 schedule<" in shown


def test_what_is_deleted_is_gone_from_list_and_search(nightly, red, editor, browse):
    browser = browse(editor)
    found = body(browser.get("/search?q=nightly"))
    assert f'href="{LIST}{nightly.pk}/"' in found
    assert f'href="{LIST}{nightly.pk}/"' in body(browser.get(f"/search?q={str(nightly.pk)[:8]}"))
    schedules.delete(system_scope(red), nightly.pk)
    assert "No schedules yet" in body(browser.get(LIST))
    assert f"{nightly.pk}" not in body(browser.get("/search?q=nightly"))
