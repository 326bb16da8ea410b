"""Backfills on their pages: the range, what would run, the start, the way and the stop."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from launchpad.access import system_scope
from mlops.domain import backfills
from mlops.domain.timings import Timing
from mlops.models import Backfill, Execution, Schedule
from tests.mlops import factories, ledgers
from tests.mlops.views.pages import body, queries

LIST = "/w/north/g/red/schedules/"


@pytest.fixture
def schedule(red):
    """At half past two by the clock of Berlin."""
    bound = factories.configuration(red)
    return factories.schedule(bound, Timing("30 2 * * *", None, "Europe/Berlin"))


@pytest.fixture
def url(schedule):
    return f"{LIST}{schedule.pk}/backfill"


def asked(**changes):
    """What the form sends: three nights of March 2026, in which the clock jumps over half past two."""
    return {
        "begin": "2026-03-28T00:00",
        "end": "2026-03-30T12:00",
        "which": "missing",
        "order": "oldest",
        "at_once": "1",
        "action": "show",
        **changes,
    }


def seen(**changes):
    """The same sent with what was shown."""
    found = asked(action="start", **changes)
    return {"seen": " ".join(found[name] for name in ("begin", "end", "which", "order")), **found}


def nights(page):
    return re.findall(r'data-local="1">(\w+ \d+ Mar 2026, \d\d:\d\d)<', page)


def test_it_begins_with_the_last_week_by_the_schedules_clock(url, editor, browse):
    shown = body(browse(editor).get(url))
    (begin, end) = re.findall(r'type="datetime-local" id="\w+" name="\w+" value="([^"]+)"', shown)
    span = datetime.fromisoformat(end) - datetime.fromisoformat(begin)
    assert abs(span - timedelta(days=7)) <= timedelta(hours=1)
    assert "Europe/Berlin" in shown and "What would run" not in shown


def test_what_is_older_than_the_ledger_may_have_run(url, editor, browse, settings):
    settings.LEDGER_DAYS = 1
    shown = body(browse(editor).post(url, asked()))
    assert shown.count("Older than the ledger; it may have run") == 3 and "Nobody looked" not in shown


def test_what_would_run_is_shown_first_and_nothing_starts(url, editor, browse, settings):
    settings.LEDGER_DAYS = 365 * 100
    shown = body(browse(editor).post(url, asked()))
    assert nights(shown) == ["Sat 28 Mar 2026, 02:30", "Sun 29 Mar 2026, 03:00", "Mon 30 Mar 2026, 02:30"]
    assert "3 of 3 due times in the range" in shown and "Start backfill of 3 runs" in shown
    assert "Nobody looked at it" in shown
    assert not Backfill.unscoped.exists() and not Execution.unscoped.exists()
    assert nights(body(browse(editor).post(url, asked(order="newest"))))[0] == "Mon 30 Mar 2026, 02:30"


def test_the_range_is_told_by_the_schedules_clock(url, editor, browse):
    """Half past two in Berlin is half past one in UTC."""
    shown = body(browse(editor).post(url, asked(begin="2026-03-28T02:00", end="2026-03-28T02:30")))
    assert nights(shown) == ["Sat 28 Mar 2026, 02:30"] and "1 of 1 due times" in shown


def test_what_is_known_of_each_is_told(red, editor, browse):
    hourly = factories.schedule(factories.configuration(red), Timing("0 * * * *"))
    done, failed, skipped = ledgers.fill(hourly, "cds")
    span = {"begin": f"{done.fire_at:%Y-%m-%dT%H:%M}", "end": f"{skipped.fire_at:%Y-%m-%dT%H:%M}"}
    address = f"{LIST}{hourly.pk}/backfill"
    shown = body(browse(editor).post(address, asked(**span)))
    assert "1 of 3 due times" in shown and "Skipped: Execution e1 still runs." in shown
    shown = body(browse(editor).post(address, asked(which="failed", **span)))
    assert "Fired, dead" in shown and f"/executions/{failed.execution_id}/" in shown
    shown = body(browse(editor).post(address, asked(which="all", **span)))
    assert "3 of 3 due times" in shown and "Fired, completed" in shown


def test_it_starts_and_has_a_page_of_its_own(schedule, url, red, editor, viewer, browse):
    response = browse(editor).post(url, seen(at_once="2"))
    (made,) = Backfill.unscoped.all()
    own = f"{LIST}backfills/{made.pk}/"
    assert (response.status_code, response["Location"]) == (303, own)
    shown = body(browse(viewer).get(own))
    assert "0 of 3 begun, 3 waiting" in shown and "2 at once" in shown and "Stop backfill" not in shown
    assert 'hx-trigger="every 3s"' in shown and len(nights(shown)) == 5
    backfills.go_on(timezone.now())
    ask = {"HX-Request": "true", "HX-Target": "backfill-progress"}
    shown = body(browse(viewer).get(own, headers=ask))
    assert shown.strip().startswith('<div class="stack" id="backfill-progress"')
    assert "2 of 3 begun, 1 waiting" in shown and '<progress max="3" value="2"' in shown
    assert all(run.pk in shown for run in Execution.unscoped.filter(schedule=schedule))
    assert "2 of 3" in body(browse(viewer).get(f"{LIST}{schedule.pk}/?tab=backfills"))


def test_it_is_stopped(schedule, url, editor, browse):
    browser = browse(editor)
    browser.post(url, seen())
    (made,) = Backfill.unscoped.all()
    own = f"{LIST}backfills/{made.pk}/"
    assert f'formaction="{own}stop"' in body(browser.get(own))
    assert browser.post(f"{own}stop")["Location"] == own
    shown = body(browser.get(own))
    assert "Stopped by editor." in shown and "3 never started" in shown and "every 3s" not in shown
    assert browser.post(f"{own}stop").status_code == 409


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"begin": "yesterday"}, "begin", "Give a day and a time"),
        ({"begin": ""}, "begin", "Give a day and a time"),
        ({"end": "0001-01-01T00:00"}, "end", "Give a day and a time"),
        ({"end": "2026-03-27T00:00"}, "end", "The end of the range is before its beginning."),
        ({"begin": "2099-01-01T00:00", "end": "2099-01-02T00:00"}, "begin", "The range lies in the future."),
        ({"begin": "1980-01-01T00:00"}, "end", "More than 1000 due times; choose a shorter range."),
        ({"which": "some"}, "which", "Choose one of: missing, failed, all."),
        ({"at_once": "0"}, "at-once", "Choose a number from 1 to 20."),
        ({"at_once": "21"}, "at-once", "Choose a number from 1 to 20."),
        ({"at_once": "9" * 4}, "at-once", "Choose a number from 1 to 20."),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(
    url, editor, browse, changes, field, said
):
    for send in (asked, seen):
        shown = body(browse(editor).post(url, send(newest="1", **changes)), 422)
        assert said in shown.split(f'id="{field}-error"')[1][:400]
        for name, value in asked(**changes).items():
            if name in ("begin", "end", "at_once"):
                assert f'name="{name}" value="{value}"' in shown
    assert not Backfill.unscoped.exists()


def test_only_what_was_shown_is_started(url, editor, browse):
    sent = seen() | {"end": "2026-03-29T12:00"}
    shown = body(browse(editor).post(url, sent), 422)
    assert "This is another range than the one shown." in shown and "Start backfill of 2 runs" in shown
    assert not Backfill.unscoped.exists()


def test_a_range_without_due_times_starts_nothing(url, editor, browse):
    empty = {"begin": "2026-03-28T03:00", "end": "2026-03-28T04:00"}
    shown = body(browse(editor).post(url, asked(**empty)))
    assert "Nothing was due in this range." in shown and "Start backfill" not in shown
    shown = body(browse(editor).post(url, seen(**empty)), 422)
    assert "nothing would run" in shown.split('id="which-error"')[1][:400]


def test_a_zone_that_is_not_known_any_more_is_said(schedule, url, editor, browse):
    Schedule.unscoped.filter(pk=schedule.pk).update(zone="Nowhere/Gone")
    shown = body(browse(editor).post(url, asked()), 422)
    assert "This machine does not know the time zone Nowhere/Gone any more." in shown


def test_one_goes_on_at_a_time(schedule, url, editor, browse):
    browser = browse(editor)
    browser.post(url, seen())
    (made,) = Backfill.unscoped.all()
    shown = body(browser.get(url))
    assert "Another backfill of this schedule goes on." in shown and f"{LIST}backfills/{made.pk}/" in shown
    body(browser.post(url, seen()), 422)
    assert Backfill.unscoped.count() == 1


def test_many_runs_are_pages_that_cost_the_same(red, viewer, browse):
    bound, end = factories.configuration(red), datetime(2026, 3, 1, tzinfo=UTC)

    def begun(hours):
        hourly = factories.schedule(bound, Timing("0 * * * *"))
        begin = end - timedelta(hours=hours)
        made = backfills.create(system_scope(red), hourly.pk, begin=begin, end=end, which="missing")
        return f"{LIST}backfills/{made.pk}/"

    few, many = begun(2), begun(70)
    browser = browse(viewer)
    browser.get(few)
    assert queries(browser, few) == queries(browser, many)
    shown = body(browser.get(many))
    assert shown.count("Waits") == 50
    further = re.search(r'rel="next" href="([^"]+)"', shown)[1].replace("&amp;", "&")
    assert body(browser.get(f"{many}{further}")).count("Waits") == 21
