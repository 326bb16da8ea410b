"""Execution schedules over the AI API: changed in whole, paused and resumed, whatever made them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F

from launchpad.access import system_scope
from launchpad.audit.models import AuditEvent
from mlops.domain import outcomes, schedules, ticks
from mlops.domain.policies import Policies
from mlops.domain.timings import Timing
from mlops.lifecycle import Outcome, ScheduleStatus, Status
from mlops.models import Configuration, Execution, Schedule, Tick
from tests.mlops import factories
from tests.mlops.api.clients import MERGE, refused
from tests.mlops.api.schedule_calls import ALL, UNKNOWN, change, make, read, row, told

pytestmark = [pytest.mark.django_db, pytest.mark.database]
HOUR = timedelta(hours=1)


@pytest.fixture
def bound(red) -> Configuration:
    return factories.configuration(red)


def test_each_part_is_changed_and_the_rest_stays(bound, red, editing):
    other = factories.configuration(red)
    key = make(editing, bound, start="2090-01-01T00:00:00Z", end="2090-12-31T00:00:00Z")
    now = read(editing, key)
    for media, part in (
        ("application/json", {"cron": "30 4 * * 1-5"}),
        (MERGE, {"start": "2090-02-01T00:00:00Z"}),
        (MERGE, {"end": "2090-03-01T00:00:00Z"}),
        ("application/json", {"configurationId": str(other.pk)}),
        (MERGE, {"status": "INACTIVE"}),
        (MERGE, {"status": "ACTIVE", "cron": "0 5 * * *", "end": "2091-01-01T00:00:00Z"}),
        # What clients have for nothing changes nothing.
        (MERGE, {"status": "INACTIVE", "cron": None, "start": None, "configurationId": None, "name": None}),
    ):
        given = {name: value for name, value in part.items() if value is not None}
        after = change(editing, key, part, media=media)
        assert after == now | given | {"modifiedAt": after["modifiedAt"]}
        assert after["modifiedAt"] > now["modifiedAt"]
        now = after
    events = AuditEvent.unscoped.filter(verb="schedules.edit", object_id=key)
    assert events.count() == 7


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({}, "expected. body: give cron, start, end, configurationId or status"),
        ({"name": "nightly"}, "give cron, start, end, configurationId or status"),
        ({"cron": None, "end": None}, "give cron, start, end, configurationId or status"),
        ({"somethingElse": 7}, "give cron, start, end, configurationId or status"),
        ({"name": "daily", "cron": "0 4 * * *"}, "name of a schedule cannot be changed"),
        ({"status": "PAUSED"}, "status: "),
        ({"status": "active"}, "status: "),
        ({"status": "INACTIVE", "cron": "0 0 4 * * *"}, "five fields"),
        ({"cron": "0 4 * * *", "end": "2020-01-01T00:00:00Z"}, "has passed"),
        ({"start": "2090-01-01T00:00:00Z"}, "before the start"),
        ({"status": "INACTIVE", "configurationId": UNKNOWN}, "no such configuration"),
        ({"end": "soon"}, "end: "),
        ([], "as expected"),
    ],
)
def test_a_change_is_made_whole_or_not_at_all(bound, editing, part, words):
    key = make(editing, bound, end="2089-12-31T00:00:00Z")
    before = read(editing, key)
    answer = editing("PATCH", f"{ALL}/{key}", part)
    refused(answer, 404 if "no such" in words else 400, words)
    assert read(editing, key) == before
    assert not AuditEvent.unscoped.filter(verb="schedules.edit").exists()


def test_the_name_may_be_sent_along_as_it_is(bound, editing):
    key = make(editing, bound)
    assert change(editing, key, read(editing, key) | {"cron": "0 6 * * *"})["cron"] == "0 6 * * *"


def missed(key, by):
    """As if it had been paused so long ago."""
    Schedule.unscoped.filter(pk=key).update(missed_from=F("missed_from") - by)


def test_a_pause_starts_nothing_and_resuming_catches_up_with_nothing(bound, editing):
    key = make(editing, bound, cron="0 * * * *", start="2020-01-01T00:00:00Z")
    Schedule.unscoped.filter(pk=key).update(catch_up="all", overlap="allow")
    assert change(editing, key, {"status": "INACTIVE"})["status"] == "INACTIVE"
    assert change(editing, key, {"status": "INACTIVE"})["status"] == "INACTIVE"
    assert ticks.fire_due(datetime.now(UTC) + 10 * HOUR) == 0
    missed(key, 6 * HOUR)
    assert change(editing, key, {"status": "ACTIVE"})["status"] == "ACTIVE"
    assert change(editing, key, {"status": "ACTIVE"})["status"] == "ACTIVE"
    assert [one.outcome for one in Tick.unscoped.filter(schedule=key)] == [Outcome.SKIPPED] * 6
    assert not Execution.unscoped.exists()
    kept = row(key)
    assert kept.next_run_at > datetime.now(UTC) and kept.catch_up == "all"


def test_one_that_paused_itself_is_resumed_with_a_clean_sheet(bound, red, editing):
    scope = system_scope(red)
    made = schedules.create(
        scope,
        name="hourly",
        configuration=bound.pk,
        timing=Timing("0 * * * *"),
        policy=Policies(pause_after=1),
    )
    ticks.fire_due(made.next_run_at)
    run = Execution.unscoped.get()
    Execution.unscoped.filter(pk=run.pk).update(
        status=Status.DEAD, started_at=run.created_at, completed_at=run.created_at
    )
    outcomes.follow(made.next_run_at + timedelta(minutes=1))
    key = str(made.pk)
    assert (row(key).status, row(key).failures) == (ScheduleStatus.INACTIVE, 1)
    change(editing, key, {"status": "ACTIVE"})
    assert (row(key).status, row(key).failures, row(key).status_message) == (ScheduleStatus.ACTIVE, 0, "")


def test_one_that_is_over_is_inactive_and_resumes_with_another_end(bound, editing):
    end = datetime.now(UTC).replace(microsecond=0) + 2 * HOUR
    key = make(editing, bound, cron="0 * * * *", end=told(end))
    ticks.fire_due(end)
    assert read(editing, key)["status"] == "INACTIVE"
    Schedule.unscoped.filter(pk=key).update(start=end - 30 * HOUR, end=end - 20 * HOUR)
    refused(editing("PATCH", f"{ALL}/{key}", {"status": "ACTIVE"}), 400, "nothing is due any more")
    assert read(editing, key)["status"] == "INACTIVE"
    later = told(end + 24 * HOUR)
    assert change(editing, key, {"end": later, "status": "INACTIVE"})["status"] == "INACTIVE"
    one = change(editing, key, {"status": "ACTIVE"})
    assert (one["status"], one["end"]) == ("ACTIVE", later)


def test_one_of_another_zone_is_told_with_it_and_its_new_cron_is_of_utc(bound, editing):
    made = factories.schedule(bound, Timing("30 4 * * 1", zone="Europe/Berlin"))
    key = str(made.pk)
    one = read(editing, key)
    assert (one["cron"], one["timeZone"]) == ("30 4 * * 1", "Europe/Berlin")
    assert "start" not in one and "end" not in one
    one = change(editing, key, {"end": "2090-01-01T00:00:00Z"})
    assert (one["timeZone"], row(key).zone) == ("Europe/Berlin", "Europe/Berlin")
    one = change(editing, key, {"cron": "30 4 * * 1"})
    assert "timeZone" not in one and one["end"] == "2090-01-01T00:00:00Z"
    due = row(key).next_run_at
    assert (row(key).zone, due.hour, due.minute) == ("UTC", 4, 30)


def test_one_of_a_single_moment_is_told_as_what_is_due_at_it_alone(bound, editing):
    at = datetime(2090, 7, 4, 22, 45, 30, 500, tzinfo=UTC)
    key = str(factories.schedule(bound, Timing(once_at=at, zone="Asia/Tokyo")).pk)
    one = read(editing, key)
    assert (one["cron"], one["start"], one["end"]) == (
        "45 22 4 7 *",
        "2090-07-04T22:45:00Z",
        "2090-07-04T22:45:30Z",
    )
    assert "timeZone" not in one
    start, end = (datetime.fromisoformat(one[name]) for name in ("start", "end"))
    due = list(Timing(one["cron"], start=start, end=end).after(datetime.now(UTC)))
    assert due == [at.replace(second=0, microsecond=0)]


def test_one_of_a_single_moment_is_paused_and_becomes_one_that_recurs(bound, editing):
    at = datetime.now(UTC) + 30 * HOUR
    key = str(factories.schedule(bound, Timing(once_at=at)).pk)
    for name in ("start", "end"):
        part = {name: "2090-01-01T00:00:00Z", "status": "INACTIVE"}
        refused(editing("PATCH", f"{ALL}/{key}", part), 400, f"It runs once and has no {name}")
    assert change(editing, key, {"status": "INACTIVE"})["status"] == "INACTIVE"
    assert change(editing, key, {"status": "ACTIVE"})["status"] == "ACTIVE"
    assert row(key).once_at == at
    one = change(editing, key, {"cron": "0 5 * * *", "end": "2090-01-01T00:00:00Z"})
    assert (one["cron"], one["end"], row(key).once_at) == ("0 5 * * *", "2090-01-01T00:00:00Z", None)
    assert "start" not in one


@pytest.mark.parametrize("seen", [True, False])
def test_one_whose_zone_is_not_known_any_more_is_told_and_mended(bound, editing, viewing, seen):
    key = str(factories.schedule(bound, Timing("30 4 * * 1", zone="Europe/Berlin")).pk)
    due = datetime.now(UTC) - HOUR
    Schedule.unscoped.filter(pk=key).update(zone="Europe/Atlantis", next_run_at=due)
    if seen:
        ticks.fire_due(datetime.now(UTC))
    assert read(viewing, key)["timeZone"] == "Europe/Atlantis"
    for part in ({"status": "ACTIVE"}, {"configurationId": str(bound.pk)}):
        refused(editing("PATCH", f"{ALL}/{key}", part), 400, "does not know the time zone Europe/Atlantis")
    refused(editing("PATCH", f"{ALL}/{key}", {"end": "2090-01-01T00:00:00Z"}), 400, "no time zone")
    one = change(editing, key, {"cron": "30 4 * * 1", "status": "ACTIVE"})
    assert (one["status"], row(key).zone) == ("ACTIVE", "UTC")
    assert row(key).next_run_at > datetime.now(UTC)
    assert not Execution.unscoped.exists()
