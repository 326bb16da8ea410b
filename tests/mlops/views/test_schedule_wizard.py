"""The wizard that makes a schedule, the page that edits one, and the next runs while one types."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from launchpad.access import open_scope, system_scope
from mlops.domain import configurations, schedule_drafts, schedules
from mlops.domain.policies import Policies
from mlops.domain.timings import Timing
from mlops.lifecycle import ScheduleStatus
from mlops.models import ConfigurationDraft, Schedule, ScheduleDraft
from tests.mlops import deploying, factories

CREATE = "/w/north/g/red/schedules/create"
PREVIEW = "/w/north/g/red/schedules/preview"
TYPED = {
    "name": "nightly training",
    "rule": "recurring",
    "cron": "30 2 * * mon-fri",
    "zone": "Europe/Berlin",
    "overlap": "allow",
    "catch_up": "all",
    "catch_up_limit": "7",
    "retries": "2",
    "retry_pause": "90",
    "retry_unit": "s",
    "time_limit": "2",
    "limit_unit": "h",
    "pause_after": "3",
}


@pytest.fixture
def bound(red):
    return factories.configuration(red)


@pytest.fixture
def browser(editor, browse):
    return browse(editor)


def text(response):
    return response.content.decode()


def current(page):
    """The heading of the step that is open."""
    return re.search(r'<h2 id="step">([^<]+)', page)[1]


def go(browser, url, **values):
    """Send a step and follow to the next one; its address and page."""
    response = browser.post(url, {"action": "next", **values})
    assert response.status_code == 303, text(response)
    return response["Location"], text(browser.get(response["Location"]))


class TestWizard:
    def test_five_steps_without_script(self, bound, browser):
        page = text(browser.get(CREATE))
        assert current(page) == "Scenario" and "1 executable" in page
        url, page = go(browser, CREATE, scenario=factories.SCENARIO)
        assert current(page) == "Executable" and f'value="{factories.EXECUTABLE}"' in page
        url, page = go(browser, url, executable=factories.EXECUTABLE)
        assert current(page) == "Configuration" and bound.name in page
        url, page = go(browser, url, configuration=bound.pk)
        assert current(page) == "Schedule" and f'value="{bound.name}"' in page
        assert "A time that does not exist, because the clock jumps forward" in page
        url, page = go(browser, url, **TYPED)
        assert current(page) == "Review and create"
        assert "At 02:30 on Monday through Friday." in page and "by the clock of Europe/Berlin" in page
        for sentence in (
            "What comes due starts, whatever still runs.",
            "What was missed is started, the newest 7 at most.",
            "A failed run is tried up to 2 times more, 90 seconds after its end.",
            "A run is stopped after 2 hours.",
            "After 3 failures in a row the schedule pauses itself.",
        ):
            assert sentence in page
        response = browser.post(url, {"action": "next"})
        made = Schedule.unscoped.get()
        assert response["Location"] == f"/w/north/g/red/schedules/{made.pk}/"
        assert (made.name, made.cron, made.zone) == ("nightly training", "30 2 * * MON-FRI", "Europe/Berlin")
        assert (made.configuration_id, made.status) == (bound.pk, ScheduleStatus.ACTIVE)
        assert schedules.policy(made) == Policies(
            "allow", "all", 7, 2, timedelta(seconds=90), timedelta(hours=2), 3
        )
        assert not ScheduleDraft.unscoped.exists()

    def test_a_single_run_in_a_zone(self, bound, browser):
        url, page = go(
            browser,
            f"{CREATE}?configuration={bound.pk}",
            name="once",
            rule="once",
            once_at="2031-10-26T02:30",
            zone="Europe/Berlin",
        )
        assert current(page) == "Review and create"
        assert "26 Oct 2031, 02:30 comes twice" in page
        browser.post(url, {"action": "next"})
        made = Schedule.unscoped.get()
        assert (made.cron, made.once_at) == ("", datetime(2031, 10, 26, 0, 30, tzinfo=UTC))

    def test_begins_at_a_configuration_or_an_execution(self, bound, browser):
        run = factories.execution(bound)
        for address in (f"configurations/{bound.pk}", f"executions/{run.pk}"):
            assert f"{CREATE}?configuration={bound.pk}" in text(browser.get(f"/w/north/g/red/{address}/"))
        page = text(browser.get(f"{CREATE}?configuration={bound.pk}"))
        assert current(page) == "Schedule" and not ScheduleDraft.unscoped.exists()

    def test_the_zone_is_that_of_the_browser_where_it_is_known(self, bound, browser):
        at_once = f"{CREATE}?configuration={bound.pk}"
        assert 'name="zone" value="UTC"' in text(browser.get(at_once))
        browser.cookies["zone"] = "Asia/Tokyo"
        page = text(browser.get(at_once))
        assert 'name="zone" value="Asia/Tokyo"' in page and '<option value="Europe/Berlin">' in page

    def test_a_choice_fills_the_five_fields(self, bound, browser):
        url = f"{CREATE}?configuration={bound.pk}"
        for chosen, cron in (
            ({"every": "hour", "at": "06:15"}, "15 * * * *"),
            ({"every": "day", "at": "06:15"}, "15 6 * * *"),
            ({"every": "weekdays", "at": "06:15"}, "15 6 * * MON-FRI"),
            ({"every": "week", "at": "06:15", "weekday": "SUN"}, "15 6 * * SUN"),
            ({"every": "month", "at": "06:15", "day": "L"}, "15 6 L * *"),
        ):
            url, page = go(browser, url, action="fill", name="kept", **chosen)
            assert current(page) == "Schedule"
            assert f'value="{cron}"' in page and 'value="kept"' in page
            assert "by the clock of UTC" in page
        response = browser.post(url, {"action": "fill", "at": "late"})
        assert response.status_code == 422 and "Write a time, such as 06:30." in text(response)

    def test_a_draft_is_kept_at_every_step_and_discarded(self, bound, editor, browser):
        url, _page = go(browser, f"{CREATE}?configuration={bound.pk}", action="look", cron="0 5 * * *")
        scope = open_scope(editor, "north", "red")
        draft = schedule_drafts.every(scope).get()
        assert draft.data["cron"] == "0 5 * * *"
        assert current(text(browser.get(f"{CREATE}?draft={draft.pk}"))) == "Review and create"
        url, page = go(browser, url, action="back")
        assert current(page) == "Configuration"
        discard = "/w/north/g/red/schedules/discard"
        assert browser.post(discard, {"draft": draft.pk}).status_code == 303
        assert not ScheduleDraft.unscoped.exists()
        assert browser.post(discard, {"draft": draft.pk}).status_code == 404

    def test_a_configuration_is_created_on_the_way(self, bound, browser):
        url, _page = go(browser, f"{CREATE}?executable={factories.EXECUTABLE}", action="save")
        url = browser.post(url, {"action": "configure"})["Location"]
        assert "/configurations/create?" in url and "schedule=" in url
        url, page = go(
            browser,
            url,
            name="made here",
            executable=factories.EXECUTABLE,
            version=f"{factories.EXECUTABLE}:1",
        )
        url, page = go(browser, url, **{"parameters.OWNER": "me"})
        data = configurations.bindings(bound).artifacts
        url, page = go(browser, url, **{f"artifacts.{slot.name}": one.pk for slot, one in data})
        url, page = go(browser, url)
        assert "/schedules/create" in url and current(page) == "Schedule" and "made here" in page
        assert not ConfigurationDraft.unscoped.exists()

    def test_when_its_draft_is_gone_nothing_is_bound(self, bound, editor):
        scope = open_scope(editor, "north", "red")
        gone = schedule_drafts.save(scope, None, {"executable": factories.EXECUTABLE})
        schedule_drafts.discard(scope, gone.pk)
        assert schedule_drafts.bind(scope, gone.pk, configuration=bound.pk) is None
        assert schedule_drafts.bind(scope, "no id", configuration=bound.pk) is None

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ("", "Choose what it is for."),
            (f"scenario={factories.SCENARIO}", "Choose what runs."),
            (f"executable={factories.EXECUTABLE}", "Choose a configuration, or create one here."),
        ],
    )
    def test_nothing_chosen_is_told_at_the_step(self, bound, browser, query, said):
        response = browser.post(f"{CREATE}?{query}", {"action": "next"})
        assert response.status_code == 422 and said in text(response)
        assert not ScheduleDraft.unscoped.exists()

    @pytest.mark.parametrize(
        ("values", "field", "said"),
        [
            ({"name": " "}, "name", "Give it a name."),
            ({"cron": "0 6 * *"}, "cron", "This one has 4."),
            ({"cron": "0 0 31 2 *"}, "cron", "This never comes true"),
            ({"zone": "Mars/Base"}, "zone", "There is no time zone Mars/Base."),
            ({"start": "2031-02-01T06:00", "end": "2031-01-01T06:00"}, "end", "The end is before the start."),
            ({"end": "2001-01-01T06:00"}, "end", "The end has passed"),
            ({"start": "tomorrow"}, "start", "Write a date and a time without a zone"),
            ({"start": "2031-02-01T06:00+02:00"}, "start", "Write a date and a time without a zone"),
            ({"start": "0001-01-01T00:00"}, "start", "Write a date and a time without a zone"),
            ({"rule": "once"}, "once_at", "Choose a date and a time."),
            ({"rule": "once", "once_at": "2001-01-01T06:00"}, "once_at", "This time has passed"),
            ({"retries": "many"}, "retries", "Write a whole number, or leave it empty."),
            ({"retries": "11"}, "retries", "Choose a number from 0 to 10."),
            ({"catch_up_limit": "101"}, "catch_up_limit", "Choose a number from 1 to 100."),
            ({"retry_pause": "25", "retry_unit": "h"}, "retry_pause", "Wait at most one day"),
            ({"time_limit": "721"}, "time_limit", "from one second to 30 days"),
            ({"pause_after": "0"}, "pause_after", "Choose a number from 1 to 100."),
            ({"overlap": "fight"}, "overlap", "Choose one of: skip, allow, replace."),
        ],
    )
    def test_what_cannot_be_kept_is_told_at_its_field(self, bound, browser, values, field, said):
        response = browser.post(f"{CREATE}?configuration={bound.pk}", {"action": "next", **TYPED, **values})
        page = text(response)
        assert response.status_code == 422 and current(page) == "Schedule" and said in page
        if field != "overlap":
            assert f'id="{field}-error"' in page
        assert not ScheduleDraft.unscoped.exists()

    def test_what_became_wrong_since_the_review_is_shown_where_it_is_changed(self, bound, red, browser):
        url, _page = go(browser, f"{CREATE}?configuration={bound.pk}", **TYPED)
        configurations.archive(system_scope(red), bound.pk)
        response = browser.post(url, {"action": "next"})
        assert response.status_code == 422 and current(text(response)) == "Configuration"
        assert "is archived. Restore it" in text(response)
        assert not Schedule.unscoped.exists()

    def test_an_archived_configuration_is_told_where_another_is_chosen(self, bound, red, browser):
        configurations.archive(system_scope(red), bound.pk)
        response = browser.post(f"{CREATE}?configuration={bound.pk}", {"action": "next", **TYPED})
        page = text(response)
        assert response.status_code == 422 and current(page) == "Configuration"
        assert "is archived. Restore it" in page
        other = factories.configuration(red, name="another one")
        url = f"{CREATE}?draft={ScheduleDraft.unscoped.get().pk}&step=configuration"
        url, page = go(browser, url, configuration=other.pk)
        assert current(page) == "Schedule" and 'value="30 2 * * mon-fri"' in page

    def test_what_serves_is_not_scheduled(self, red, browser):
        serving = deploying.configuration(red)
        response = browser.get(f"{CREATE}?configuration={serving.pk}")
        assert response.status_code == 422 and "serves: it is deployed" in text(response)

    def test_viewers_cannot_enter(self, bound, viewer, browse):
        assert browse(viewer).get(CREATE).status_code == 403


class TestPreview:
    def ask(self, browser, target="schedule-preview", **values):
        return browser.get(PREVIEW, values, headers={"HX-Request": "true", "HX-Target": target})

    def test_ten_runs_while_typing(self, viewer, browse, red):
        page = text(self.ask(browse(viewer), cron="0 6 * * *", zone="Europe/Berlin"))
        assert page.strip().startswith("<section") and 'id="schedule-preview"' in page
        assert "At 06:00 every day." in page and page.count("data-local") == 10
        assert "Yours, UTC" in page

    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ({"cron": "61 * * * *"}, "The first field, the minute, is 0 to 59"),
            ({"cron": "0 6 * * *", "zone": "Nowhere"}, "There is no time zone Nowhere."),
            ({"cron": ""}, "Write a cron expression"),
            ({"cron": "* * * * *"}, "It runs more often than every 5 minutes."),
            ({"rule": "once"}, "Choose a date and a time."),
            ({"cron": "0 6 * * *", "end": "2001-01-01T00:00"}, "The end has passed"),
            (
                {"cron": "0 6 * * *", "start": "2031-03-30T02:30", "zone": "Europe/Berlin"},
                "30 Mar 2031, 02:30 does not exist",
            ),
            ({"cron": "<b>" * 60, "start": "\x00", "zone": "\x00" * 90}, "There is no time zone"),
        ],
    )
    def test_says_what_is_wrong_or_may_not_be_meant(self, viewer, browse, red, values, said):
        response = self.ask(browse(viewer), **values)
        assert response.status_code == 200 and said in text(response)
        assert "<b><b>" not in text(response)

    def test_filling_answers_the_field_and_tells_the_preview(self, viewer, browse, red):
        response = self.ask(browse(viewer), "cron-field", fill="1", every="weekdays", at="07:05")
        assert 'id="cron-field"' in text(response) and 'value="5 7 * * MON-FRI"' in text(response)
        assert response["HX-Trigger-After-Settle"] == "cron-filled"

    def test_a_page_of_its_own_without_script(self, viewer, browse, red):
        page = text(browse(viewer).get(PREVIEW, {"cron": "0 6 * * *"}))
        assert "<h1>Next runs</h1>" in page and "At 06:00 every day." in page

    def test_asks_the_database_for_rights_and_time_only(
        self, viewer, browse, red, django_assert_max_num_queries
    ):
        browser = browse(viewer)
        with django_assert_max_num_queries(5):
            self.ask(browser, cron="0 6 * * *")


class TestEdit:
    @pytest.fixture
    def schedule(self, red, bound):
        return schedules.create(
            system_scope(red),
            name="nightly",
            configuration=bound.pk,
            timing=Timing(
                "0 6 * * *", zone="Europe/Berlin", end=datetime(2031, 10, 26, 1, 30, 5, 7, tzinfo=UTC)
            ),
            policy=Policies(retries=1, retry_pause=timedelta(seconds=90)),
        )

    def form(self, browser, schedule):
        """The address and the fields of the page as a browser would send them."""
        url = f"/w/north/g/red/schedules/{schedule.pk}/edit"
        page = text(browser.get(url))
        named = re.findall(r'<input class="input[^>]* name="(\w+)" value="([^"]*)"', page)
        named += re.findall(r'name="(\w+)" value="([^"]*)" checked', page)
        for name, options in re.findall(r'<select[^>]* name="(\w+)"[^>]*>(.*?)</select>', page):
            named.append((name, re.search(r'value="([^"]*)" selected', options)[1]))
        named += re.findall(r'type="hidden" name="(version)" value="([^"]*)"', page)
        return url, dict(named)

    def test_a_form_sent_as_it_is_changes_nothing(self, schedule, browser):
        url, values = self.form(browser, schedule)
        assert values["end"] == "2031-10-26T02:30:05"
        response = browser.post(url, values | {"action": "save"})
        assert response.status_code == 303
        after = Schedule.unscoped.get()
        kept = ("cron", "zone", "start", "end", "retries", "retry_pause", "next_run_at", "configuration_id")
        for name in kept:
            assert getattr(after, name) == getattr(schedule, name), name

    def test_everything_but_the_name(self, schedule, red, browser):
        other = factories.configuration(red, name="another one")
        url, values = self.form(browser, schedule)
        changed = {
            "configuration": other.pk,
            "cron": "0 7 * * *",
            "end": "",
            "retries": "",
            "overlap": "allow",
        }
        response = browser.post(url, values | changed | {"action": "save", "name": "renamed"})
        assert response.status_code == 303
        after = Schedule.unscoped.get()
        assert (after.name, after.cron, after.end, after.retries) == ("nightly", "0 7 * * *", None, 0)
        assert (after.configuration_id, after.overlap) == (other.pk, "allow")

    def test_somebody_else_was_faster(self, schedule, red, browser):
        url, values = self.form(browser, schedule)
        schedules.edit(system_scope(red), schedule.pk, policy=Policies(retries=3))
        response = browser.post(url, values | {"action": "save", "cron": "0 7 * * *"})
        assert response.status_code == 409 and "Somebody else changed nightly meanwhile" in text(response)
        assert Schedule.unscoped.get().cron == "0 6 * * *"
        assert browser.post(url, values | {"action": "save", "version": "x"}).status_code == 409

    def test_wrong_fields_keep_what_was_typed(self, schedule, browser):
        url, values = self.form(browser, schedule)
        response = browser.post(url, values | {"action": "save", "cron": "99 * * * *", "retries": "4"})
        page = text(response)
        assert response.status_code == 422 and "The first field, the minute" in page
        assert 'name="retries" value="4"' in page and 'id="cron-error"' in page

    def test_without_script_fields_are_filled_and_runs_shown(self, schedule, browser):
        url, values = self.form(browser, schedule)
        page = text(browser.post(url, values | {"action": "fill", "every": "hour", "at": "00:45"}))
        assert 'value="45 * * * *"' in page and "At minute 45 of every hour" in page
        assert Schedule.unscoped.get().cron == "0 6 * * *"

    def test_a_paused_one_says_that_it_stays_so(self, schedule, red, browser):
        schedules.pause(system_scope(red), schedule.pk)
        url, values = self.form(browser, schedule)
        assert "The schedule stays paused." in text(browser.get(url))
        browser.post(url, values | {"action": "save", "cron": "0 7 * * *"})
        after = Schedule.unscoped.get()
        assert (after.status, after.cron) == (ScheduleStatus.INACTIVE, "0 7 * * *")

    def test_a_zone_that_is_not_known_any_more_is_replaced(self, schedule, browser):
        Schedule.unscoped.update(zone="Gone/Away")
        url, values = self.form(browser, schedule)
        assert values["zone"] == "Gone/Away" and "There is no time zone Gone/Away." in text(browser.get(url))
        browser.post(url, values | {"action": "save", "zone": "Asia/Tokyo"})
        assert Schedule.unscoped.get().zone == "Asia/Tokyo"

    def test_one_that_is_over_becomes_active_with_a_new_time(self, schedule, browser):
        Schedule.unscoped.update(
            cron="", end=None, once_at=timezone.now(), next_run_at=None, **{"status": ScheduleStatus.INACTIVE}
        )
        url, values = self.form(browser, schedule)
        assert "Nothing is due any more; with a new rule" in text(browser.get(url))
        browser.post(url, values | {"action": "save", "once_at": "2031-01-01T00:00"})
        after = Schedule.unscoped.get()
        assert after.status == ScheduleStatus.ACTIVE
        assert after.once_at == datetime(2030, 12, 31, 23, tzinfo=UTC)
