"""The panel “Use the API”: on every page with a twin in the API, with what the reader may do, and small."""

import html
import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from launchpad.access import Right, open_scope, system_scope
from mlops.domain import schedule_drafts, schedules
from mlops.lifecycle import Status
from mlops.views import api_calls
from tests.mlops import factories

GROUP = "/w/north/g/red/"
MARKUP = "<b>bold</b>"


@pytest.fixture
def run(red):
    """An execution of a configuration with a name like markup."""
    return factories.execution(factories.configuration(red, name=MARKUP), status=Status.RUNNING)


def titles(response):
    """Titles of the calls shown, in order."""
    return re.findall(r"<h3>(.*?)</h3><div class=\"code\">", response.content.decode())[1:]


def calls(browser, path):
    """Titles of the calls a page shows as curl."""
    response = browser.get(path)
    assert response.status_code == 200
    assert response.content.decode().count('id="use-the-api"') == 1
    found = titles(response)
    half = len(found) // 2
    assert found[:half] == found[half + 1 :]
    return found[:half]


def test_every_page_with_a_twin_in_the_api_has_it(run, editor, browse):
    browser = browse(editor)
    data = factories.artifact(run.resource_group)
    schedule = factories.schedule(run.configuration)
    pages = [
        *("scenarios/", "scenarios/petals-tutorial/", "executables/petals-train/"),
        *("executions/", "executions/?status=DEAD", "executions/create", f"executions/{run.pk}/"),
        *(f"executions/{run.pk}/?tab={tab}" for tab in ("metrics", "logs", "artifacts", "events")),
        *("configurations/", "configurations/?q=none", f"configurations/{run.configuration_id}/"),
        "configurations/create?scenario=petals-tutorial&executable=petals-train",
        *(f"{noun}/" for noun in ("datasets", "models", "resultsets", "others")),
        *(f"{noun}/register" for noun in ("datasets", "models", "resultsets", "others")),
        f"datasets/{data.pk}/",
        *("schedules/", "schedules/?status=INACTIVE", f"schedules/{schedule.pk}/"),
        *(f"schedules/{schedule.pk}/?tab={tab}" for tab in ("ticks", "executions", "backfills")),
    ]
    for page in pages:
        assert calls(browser, GROUP + page), page


def test_pages_without_anything_yet_have_it_too(red, viewer, browse):
    browser = browse(viewer)
    for noun in (
        "scenarios",
        "executions",
        "deployments",
        "schedules",
        "configurations",
        "datasets",
        "models",
    ):
        page = f"{noun}/"
        assert calls(browser, GROUP + page), page


def test_a_page_that_cannot_do_anything_has_none(red, editor, browse):
    browser = browse(editor)
    for page in ("executions/create", "configurations/create"):
        assert "use-the-api" not in browser.get(GROUP + page).content.decode()


def test_only_those_who_may_change_are_shown_how(run, editor, viewer, browse):
    changing = ["Stop it while it is pending or running", "Delete it once it has ended"]
    page = f"{GROUP}executions/{run.pk}/"
    assert [one for one in calls(browse(editor), page) if one in changing] == changing
    assert [one for one in calls(browse(viewer), page) if one in changing] == []
    page = f"{GROUP}configurations/{run.configuration_id}/"
    assert "Run it" in calls(browse(editor), page)
    assert "Run it" not in calls(browse(viewer), page)


def test_what_the_api_does_otherwise_is_said(run, editor, browse, red):
    factories.catalog_version(red, version="2.0.0")
    browser = browse(editor)
    for page, remark in (
        ("executions/?q=bold", "Of these filters the API knows the status"),
        ("executables/petals-train/?version=1", "answers with the newest version"),
        (
            "configurations/create?scenario=petals-tutorial&executable=petals-train&version=1",
            "always binds the newest",
        ),
    ):
        assert remark in browser.get(GROUP + page).content.decode()


def test_names_are_text(run, editor, browse):
    shown = browse(editor).get(f"{GROUP}executions/create").content.decode()
    assert f"<h3>Run {MARKUP}" not in shown
    assert "<h3>Run &lt;b&gt;bold" in shown


def test_it_follows_the_filters_when_only_the_list_is_swapped(run, viewer, browse):
    for page, fragment in (
        ("executions/?status=DEAD", "execution-list"),
        ("datasets/?q=x", "artifact-table"),
    ):
        headers = {"hx-request": "true", "hx-target": fragment}
        shown = browse(viewer).get(GROUP + page, headers=headers).content.decode()
        assert shown.count('id="use-the-api"') == (1 if "id=" in shown else 0) == 1
        assert "status=DEAD" in shown or "%24search" in shown or "$search=x" in shown


def test_it_costs_no_query_and_a_full_list_stays_small(run, viewer, browse, monkeypatch):
    for _ in range(49):
        factories.execution(run.configuration)
    browser = browse(viewer)

    def measured():
        with CaptureQueriesContext(connection) as captured:
            size = len(browser.get(f"{GROUP}executions/").content)
        return len(captured), size

    queries, size = measured()
    assert size <= 100_000
    monkeypatch.setattr(api_calls, "executions", lambda *_args, **_filters: None)
    assert measured()[0] == queries


def test_it_leads_to_the_key_that_it_needs(run, editor, viewer, superuser, browse):
    page = f"{GROUP}executions/{run.pk}/"
    keys = f'<a href="{GROUP}service-keys/">service key</a>'
    assert keys in browse(editor).get(page).content.decode()
    shown = browse(viewer).get(page).content.decode()
    assert keys not in shown and "which an editor makes" in shown
    page = "/w/north/scenarios/petals-tutorial/"
    assert '<a href="/w/north/service-keys/">' in browse(superuser).get(page).content.decode()
    assert "AICORE_RESOURCE_GROUP" in browse(viewer).get(page).content.decode()


def test_a_schedule_is_paused_or_resumed_by_those_who_may_change(red, run, editor, viewer, browse):
    schedule = factories.schedule(run.configuration)
    page = f"{GROUP}schedules/{schedule.pk}/"
    reading = ["Get this schedule", "List its executions"]
    assert calls(browse(editor), page) == [*reading, "Pause it", "Delete it"]
    assert "&quot;status&quot;: &quot;INACTIVE&quot;" in browse(editor).get(page).content.decode()
    assert calls(browse(viewer), page) == reading
    schedules.pause(system_scope(red), schedule.pk)
    assert calls(browse(editor), page) == [*reading, "Resume it", "Delete it"]
    assert "&quot;status&quot;: &quot;ACTIVE&quot;" in browse(editor).get(page).content.decode()
    remark = "What was missed is not caught up when the API resumes it."
    assert remark in browse(editor).get(page).content.decode()
    assert remark not in browse(viewer).get(page).content.decode()


@pytest.mark.parametrize(
    ("query", "asked", "is_more"),
    [("status=INACTIVE", "status=INACTIVE", False), ("q=x", "top=50", True), ("failing=1", "top=50", True)],
)
def test_a_list_of_schedules_is_asked_for_by_its_filters(run, viewer, browse, query, asked, is_more):
    factories.schedule(run.configuration)
    shown = browse(viewer).get(f"{GROUP}schedules/?{query}").content.decode().partition("use-the-api")[2]
    assert asked in shown
    assert ("the API knows status and configuration" in shown) == is_more


@pytest.mark.parametrize(
    ("more", "body", "remarks"),
    [
        ({"rule": "recurring", "cron": "0 5 * * *", "zone": "UTC"}, {"cron": "0 5 * * *"}, ()),
        (
            {"rule": "recurring", "cron": "0 5 * * *", "zone": "Asia/Tokyo", "overlap": "allow"},
            {"cron": "0 5 * * *"},
            ("reads cron in UTC, not in Asia/Tokyo", "The API knows no policies"),
        ),
        (
            {"rule": "once", "once_at": "2090-07-04T22:45", "zone": "Asia/Tokyo"},
            {"cron": "45 13 4 7 *", "start": "2090-07-04T13:45:00Z", "end": "2090-07-04T13:45:00Z"},
            (),
        ),
    ],
)
def test_the_review_of_a_schedule_shows_the_call_that_makes_it(red, run, editor, browse, more, body, remarks):
    data = {"configuration": str(run.configuration_id), "name": "nightly"} | more
    draft = schedule_drafts.save(open_scope(editor, "north", "red", Right.CHANGE), None, data)
    shown = browse(editor).get(f"{GROUP}schedules/create?draft={draft.pk}&step=review").content.decode()
    made = re.search(r"--data-raw &#x27;(.*?)&#x27;", shown, re.DOTALL)
    assert json.loads(html.unescape(made[1])) == {
        "name": "nightly",
        "configurationId": str(run.configuration_id),
        **body,
    }
    for words in ("reads cron in UTC, not in Asia/Tokyo", "The API knows no policies"):
        assert (words in shown) == (words in remarks)
