"""The page of a schedule, its ledger, and what editors do with it: run, pause, resume, delete."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from launchpad.access import system_scope
from mlops.domain import schedule_runs, schedules
from mlops.domain.policies import Policies
from mlops.domain.timings import FIRST_YEAR, LAST_YEAR, Timing
from mlops.lifecycle import Outcome, ScheduleStatus, Status
from mlops.models import Execution, Schedule, Tick
from tests.mlops import factories, ledgers
from tests.mlops.views.pages import body, queries

LIST = "/w/north/g/red/schedules/"
HTMX = {"HX-Request": "true", "HX-Target": "schedule-table"}


@pytest.fixture
def bound(red):
    return factories.configuration(red)


@pytest.fixture
def nightly(bound):
    """At half past two by the clock of Berlin."""
    return factories.schedule(bound, Timing("30 2 * * *", None, "Europe/Berlin"))


@pytest.fixture
def url(nightly):
    return f"{LIST}{nightly.pk}/"


@pytest.fixture
def paused(nightly, red):
    """The same, paused five hours of due times ago."""
    schedules.edit(system_scope(red), nightly.pk, timing=Timing("0 * * * *"))
    schedules.pause(system_scope(red, actor="ada"), nightly.pk)
    ledgers.missed(nightly, 5)
    return nightly


def now(schedule):
    schedule.refresh_from_db()
    return schedule.status


def test_facts_are_told_in_words(red, bound, viewer, browse):
    made = schedules.create(
        system_scope(red),
        name="nightly",
        configuration=bound.pk,
        timing=Timing("30 2 * * *", None, "Europe/Berlin"),
        policy=Policies(overlap="replace", retries=2, time_limit=timedelta(hours=2), pause_after=3),
    )
    shown = body(browse(viewer).get(f"{LIST}{made.pk}/"))
    for part in (
        *("At 02:30 every day", "30 2 * * *", "Europe/Berlin", "petals-train", "petals, three epochs"),
        *("What still runs is stopped", "tried up to 2 times more", "stopped after 2 hours"),
        *("After 3 failures in a row the schedule pauses itself", "Next runs", "Nothing was due yet"),
    ):
        assert part in shown
    assert "A time that does not exist, because the clock jumps forward, fires at the moment" in shown
    assert shown.count("02:30 CE") == 10


def test_a_single_run_says_when(bound, viewer, browse):
    at = timezone.now().replace(microsecond=0) + timedelta(days=1)
    made = factories.schedule(bound, Timing(once_at=at, zone="Europe/Berlin"))
    shown = body(browse(viewer).get(f"{LIST}{made.pk}/"))
    assert "Once, " in shown and "does not exist" not in shown and "<dt>Cron</dt>" not in shown


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_the_farthest_times_are_shown_by_any_readers_clock(bound, viewer, browse, zone):
    far, near = datetime(LAST_YEAR, 12, 31, 23, 59, tzinfo=UTC), datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
    client = browse(viewer)
    client.cookies["zone"] = zone
    for timing in (
        Timing(once_at=far),
        Timing("59 23 31 12 *", start=far),
        Timing("0 0 29 2 *", start=far),
        Timing("0 0 29 2 *", start=near, end=far),
    ):
        made = factories.schedule(bound, timing)
        assert client.get(f"{LIST}{made.pk}/").status_code == 200
    assert "Once, 31 Dec 9900, 23:59" in body(client.get(LIST))


def test_a_zone_that_is_not_known_any_more_breaks_nothing(nightly, url, viewer, browse):
    Schedule.unscoped.filter(pk=nightly.pk).update(zone="Nowhere/Gone")
    shown = body(browse(viewer).get(url))
    assert "This machine does not know the time zone Nowhere/Gone." in shown
    assert "Nowhere/Gone" in body(browse(viewer).get(LIST))
    assert "Nowhere/Gone" in body(browse(viewer).get(f"{url}?tab=ticks"))


def test_what_could_not_be_decided_is_said_with_what_to_do(nightly, url, viewer, browse):
    client = browse(viewer)
    assert "could not be decided" not in body(client.get(url))
    Schedule.unscoped.filter(pk=nightly.pk).update(trouble="RuntimeError: no <such> plan")
    shown = body(client.get(url))
    assert "What is due could not be decided: RuntimeError: no &lt;such&gt; plan" in shown
    assert "Pausing or changing the schedule skips what is due" in shown
    assert "Could not be decided" in body(client.get(LIST))


def test_that_nobody_looks_at_the_clock_is_said_once_it_is_late(nightly, url, viewer, browse, settings):
    settings.SCHEDULE_TOLERANCE_SECONDS = 3600
    client, said = browse(viewer), "Due, but nobody decided it"
    for minutes, is_late in ((30, False), (90, True)):
        due = timezone.now() - timedelta(minutes=minutes)
        Schedule.unscoped.filter(pk=nightly.pk).update(next_run_at=due)
        assert (said in body(client.get(url)), said in body(client.get(LIST))) == (is_late, is_late)


def test_the_ledger_tells_what_became_of_each_due_time(nightly, url, viewer, browse):
    *_, failed, skipped, running = ledgers.fill(nightly, "cdsr")
    Tick.unscoped.filter(pk=failed.pk).update(tries=3, timed_out=True, reason="Stopped at its time limit.")
    start = timezone.now() - timedelta(days=9)
    Tick.unscoped.create(
        schedule=nightly,
        fire_at=start,
        until=start + timedelta(days=1),
        count=1440,
        decided_at=start,
        outcome=Outcome.SKIPPED,
        reason="The schedule was paused; catching up is off.",
    )
    shown = body(browse(viewer).get(f"{url}?tab=ticks"))
    rows = re.findall(r"<tr>(.*?)</tr>", shown.split('class="table ticks"')[1], re.DOTALL)[1:]
    assert len(rows) == 5
    assert "Running" in rows[0] and f"/executions/{running.execution_id}/" in rows[0]
    assert "Skipped" in rows[1] and skipped.reason in rows[1] and "/executions/" not in rows[1]
    assert "3 tries" in rows[2] and "Stopped at its time limit." in rows[2] and "Dead" in rows[2]
    assert "Fired" in rows[3] and "Completed" in rows[3]
    assert "1,440 due times" in rows[4] and "The schedule was paused; catching up is off." in rows[4]


def test_due_times_are_those_of_the_schedules_clock(nightly, url, viewer, browse):
    (tick,) = ledgers.fill(nightly, "c")
    due = tick.fire_at.replace(year=2026, month=7, day=1, hour=0)
    Tick.unscoped.filter(pk=tick.pk).update(fire_at=due)
    shown = body(browse(viewer).get(f"{url}?tab=ticks"))
    assert f'title="{due:%Y-%m-%d} 00:00:00 UTC" data-local="1">Wed 1 Jul 2026, 02:00<' in shown


@pytest.mark.parametrize(("outcome", "found"), [("fired", 3), ("skipped", 2), ("by_hand", 0), ("wrong", 5)])
def test_the_ledger_is_narrowed_by_outcome(nightly, url, viewer, browse, outcome, found):
    ledgers.fill(nightly, "cscsd")
    shown = body(browse(viewer).get(f"{url}?tab=ticks&outcome={outcome}"))
    assert len(re.findall(r"<tr>\s*<td>", shown)) == found
    assert (found == 0) == ("The ledger has no such ticks" in shown)


def test_the_ledger_has_pages_that_cost_the_same(nightly, url, viewer, browse):
    browser = browse(viewer)
    ledgers.fill(nightly, "c")
    browser.get(f"{url}?tab=ticks")
    one = queries(browser, f"{url}?tab=ticks")
    Tick.unscoped.all().delete()
    ledgers.fill(nightly, "c" * 60)
    assert queries(browser, f"{url}?tab=ticks") == one
    shown = body(browser.get(f"{url}?tab=ticks"))
    older = re.search(r'rel="next" href="([^"]+)"', shown)[1].replace("&amp;", "&")
    assert len(re.findall(r"<tr>\s*<td>", shown)) == 50
    shown = body(browser.get(f"{url}{older}"))
    assert len(re.findall(r"<tr>\s*<td>", shown)) == 10 and 'rel="prev"' in shown


@pytest.mark.parametrize(
    ("fragment", "tab"),
    [
        ("schedule-head", ""),
        ("schedule-upcoming", ""),
        ("schedule-recent", ""),
        ("schedule-ticks", "ticks"),
        ("schedule-executions", "executions"),
        ("schedule-backfills", "backfills"),
    ],
)
def test_regions_come_by_themselves_while_it_is_active(nightly, url, red, viewer, browse, fragment, tab):
    ask = {"HX-Request": "true", "HX-Target": fragment}
    address = f"{url}?tab={tab}"
    found = body(browse(viewer).get(address, headers=ask))
    tag = re.match(r"\s*<\w+ [^>]*>", found)[0]
    assert f'id="{fragment}"' in tag and 'hx-trigger="every' in tag
    schedules.pause(system_scope(red), nightly.pk)
    assert "hx-trigger" not in body(browse(viewer).get(address, headers=ask))
    ledgers.fill(nightly, "r")
    assert "hx-trigger" in body(browse(viewer).get(address, headers=ask))


def test_a_viewer_sees_no_buttons(nightly, url, viewer, browse):
    for tab in ("overview", "ticks", "executions", "backfills"):
        shown = body(browse(viewer).get(f"{url}?tab={tab}"))
        for act in ("run-now", "pause", "resume", "edit", "delete", "backfill"):
            assert f'{url}{act}"' not in shown


def test_its_executions_are_a_filter_of_their_list(nightly, url, bound, viewer, browse):
    tick, _ = ledgers.fill(nightly, "cs")
    other = factories.execution(bound)
    shown = body(browse(viewer).get(f"{url}?tab=executions"))
    assert f"/executions/{tick.execution_id}/" in shown and other.pk not in shown
    assert f"/executions/?schedule={nightly.pk}" in shown
    shown = body(browse(viewer).get(f"/w/north/g/red/executions/?schedule={nightly.pk}"))
    assert tick.execution_id in shown and other.pk not in shown
    assert "<span>Schedule <b>nightly</b></span>" in shown
    shown = body(browse(viewer).get("/w/north/g/red/executions/?schedule=x"))
    assert "takes a schedule&#x27;s whole ID" in shown and other.pk in shown


def test_an_execution_names_the_schedule_that_started_it(nightly, red, viewer, browse):
    (tick,) = ledgers.fill(nightly, "c")
    address = f"/w/north/g/red/executions/{tick.execution_id}/"
    shown = body(browse(viewer).get(address))
    assert re.search(
        rf'Started by</dt><dd>schedule <a href="{LIST}{nightly.pk}/">nightly</a>, due <time', shown
    )
    schedules.delete(system_scope(red), nightly.pk)
    shown = body(browse(viewer).get(address))
    assert "Started by</dt><dd>a schedule that was deleted, due" in shown and f"{nightly.pk}" not in shown


def test_it_runs_now_besides_its_due_times(nightly, url, editor, browse):
    browser = browse(editor)
    response = browser.post(f"{url}run-now")
    (run,) = Execution.unscoped.filter(schedule=nightly)
    assert (response.status_code, response["Location"]) == (303, url)
    shown = body(browser.get(url))
    assert f"Execution {run.pk[:8]} was started by hand." in shown and "Started by editor." in shown
    assert "By hand" in shown


def test_why_it_does_not_run_now_is_said(nightly, url, editor, browse):
    browser = browse(editor)
    browser.post(f"{url}run-now")
    response = browser.post(f"{url}run-now")
    assert response.status_code == 409 and "still waits" in body(response, 409)
    assert Execution.unscoped.filter(schedule=nightly).count() == 1


def test_a_pause_is_taken_back_from_its_toast(nightly, url, editor, browse):
    browser = browse(editor)
    browser.post(f"{url}pause")
    assert now(nightly) == ScheduleStatus.INACTIVE
    shown = body(browser.get(url))
    assert "nightly is paused. What runs goes on." in shown and "Paused by editor." in shown
    toast = shown.split('<div class="toast"')[1].split("</div>")[0]
    assert f'action="{url}resume"' in toast and ">Resume</button>" in toast
    browser.post(f"{url}resume", {"undone-at": url})
    assert now(nightly) == ScheduleStatus.ACTIVE
    assert "Nothing was missed." in body(browser.get(url))


def test_from_the_list_one_stays_in_the_list(nightly, url, editor, browse):
    response = browse(editor).post(f"{url}pause", headers=HTMX)
    shown = body(response)
    assert shown.strip().startswith('<div class="stack" id="schedule-table"') and "Inactive" in shown
    assert "is paused" in response["HX-Trigger"] and "resume" in response["HX-Trigger"]


def test_resuming_asks_what_becomes_of_what_was_missed(paused, url, editor, browse):
    browser = browse(editor)
    asked = browser.post(f"{url}resume")
    assert (asked.status_code, asked["Location"]) == (303, f"{url}resume")
    assert now(paused) == ScheduleStatus.INACTIVE
    shown = body(browser.get(f"{url}resume"))
    assert "5 due times passed while it was paused" in shown
    assert re.findall(r'<span class="meta">(starts [^<]+)</span>', shown) == [
        *("starts nothing", "starts 1 run now", "starts 1 run now"),
    ]
    assert "one is started now at most" in shown


def test_with_overlaps_all_of_them_can_be_started(paused, url, red, editor, browse):
    Schedule.unscoped.filter(pk=paused.pk).update(overlap="allow")
    browser = browse(editor)
    assert "starts 5 runs now" in body(browser.get(f"{url}resume"))
    response = browser.post(f"{url}resume", {"catch_up": "all", "limit": "3"})
    assert (response.status_code, response["Location"]) == (303, url)
    assert now(paused) == ScheduleStatus.ACTIVE
    assert schedule_runs.every(system_scope(red), paused).count() == 3
    assert "The ledger tells what became of 5 missed due times." in body(browser.get(url))


@pytest.mark.parametrize("limit", ["0", "101", "many", "-1", "9" * 4, ""])
def test_a_number_that_cannot_be_is_said_at_its_field(paused, url, editor, browse, limit):
    response = browse(editor).post(f"{url}resume", {"catch_up": "all", "limit": limit})
    shown = body(response, 422)
    assert 'id="limit-error"' in shown and "Choose a number from 1 to 100." in shown
    assert f'name="limit" value="{limit}"' in shown and now(paused) == ScheduleStatus.INACTIVE


def test_a_choice_that_is_none_is_refused(paused, url, editor, browse):
    shown = body(browse(editor).post(f"{url}resume", {"catch_up": "some"}), 422)
    assert "Choose one of: none, last, all." in shown and now(paused) == ScheduleStatus.INACTIVE


def test_an_active_one_is_not_resumed(nightly, url, editor, browse):
    assert "nightly is active already." in body(browse(editor).get(f"{url}resume"))
    assert browse(editor).post(f"{url}resume").status_code == 409


def test_deleting_asks_and_its_executions_stay(nightly, url, editor, browse):
    tick, running = ledgers.fill(nightly, "cr")
    browser = browse(editor)
    shown = body(browser.get(f"{url}delete"))
    assert "Delete this schedule?" in shown and "Its executions stay" in shown
    assert "Also stop its executions that wait or run now" in shown
    response = browser.post(f"{url}delete")
    assert (response.status_code, response["Location"]) == (303, LIST)
    assert browser.get(url).status_code == 404
    assert Execution.unscoped.get(pk=tick.execution_id).status == Status.COMPLETED
    assert Execution.unscoped.get(pk=running.execution_id).status == Status.RUNNING


def test_what_runs_is_stopped_with_it_if_that_is_wished(nightly, url, editor, browse):
    ended, running, waiting = ledgers.fill(nightly, "crp")
    browse(editor).post(f"{url}delete", {"stop_running": "1"})
    found = [Execution.unscoped.get(pk=one.execution_id).status for one in (ended, running, waiting)]
    assert found == [Status.COMPLETED, Status.STOPPING, Status.STOPPED]


def test_from_the_dialog_of_the_list_the_row_is_gone(nightly, url, editor, browse):
    response = browse(editor).post(f"{url}delete", {"stop_running": "1"}, headers=HTMX)
    shown = body(response)
    assert f"{nightly.pk}" not in shown and "No schedule is left." in shown


def test_who_changed_it_is_told(nightly, url, editor, viewer, browse):
    browse(editor).post(f"{url}pause")
    shown = body(browse(viewer).get(f"/w/north/g/red/history/schedules/{nightly.pk}/"))
    assert "editor" in shown and "ause" in shown


def test_a_hostile_name_is_text_everywhere(bound, editor, browse):
    made = factories.schedule(bound, name="<i>&'x")
    browser = browse(editor)
    for path in ("", "?tab=ticks", "?tab=executions", "?tab=backfills", "resume", "delete", "backfill"):
        shown = body(browser.get(f"{LIST}{made.pk}/{path}"))
        assert "&lt;i&gt;" in shown and "<i>&'" not in shown
