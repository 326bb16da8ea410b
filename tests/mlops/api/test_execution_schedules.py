"""Execution schedules over the AI API: made, found, read and deleted, and the executions they start."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from launchpad.access import system_scope
from launchpad.audit.models import AuditEvent
from mlops.domain import schedules, ticks
from mlops.models import Configuration, Execution, Tick
from tests.mlops import deployed, factories
from tests.mlops.api.clients import reads, refused
from tests.mlops.api.schedule_calls import ALL, UNKNOWN, change, found, make, order, read, row, told

pytestmark = [pytest.mark.django_db, pytest.mark.database]
CREATED, DELETED = "Execution Schedule created", "Execution Schedule deleted"


@pytest.fixture
def bound(red) -> Configuration:
    return factories.configuration(red)


def test_one_is_made_and_told(bound, editing):
    before = datetime.now(UTC).replace(microsecond=0)
    made = editing("POST", ALL, order(bound))
    key = made.json()["id"]
    assert (made.status_code, made.json()) == (202, {"id": key, "message": CREATED})
    assert made["Location"] == f"/v2{ALL}/{key}"
    one = read(editing, key)
    assert one == {
        "id": key,
        "name": "nightly",
        "configurationId": str(bound.pk),
        "cron": "0 3 * * *",
        "start": one["start"],
        "status": "ACTIVE",
        "createdAt": one["createdAt"],
        "modifiedAt": one["createdAt"],
    }
    # It starts now, in a whole second.
    assert told(before) <= one["start"] <= one["createdAt"].partition(".")[0] + "Z"
    assert found(editing) == [key]
    kept = row(key)
    assert (kept.zone, kept.status, kept.overlap, kept.catch_up) == ("UTC", "ACTIVE", "skip", "last")
    assert (kept.next_run_at.hour, kept.next_run_at.minute) == (3, 0)
    assert kept.created_by is not None
    event = AuditEvent.unscoped.get(verb="schedules.create")
    assert event.object_id == key and event.actor


def test_start_and_end_are_kept_in_whole_seconds(bound, editing):
    start = datetime(2090, 1, 1, 1, 30, 0, 999_999, tzinfo=UTC)
    dates = {"start": "2090-01-01T02:30:00.999999+01:00", "end": "2090-12-31T00:00:00.000Z"}
    one = read(editing, make(editing, bound, **dates))
    assert (one["start"], one["end"]) == (told(start), "2090-12-31T00:00:00Z")
    assert row(one["id"]).start == start.replace(microsecond=0)
    assert row(one["id"]).next_run_at == datetime(2090, 1, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize("start", [None, "1999-01-01T00:00:00Z"])
def test_nothing_of_the_past_is_run(bound, editing, start):
    key = make(editing, bound, start=start)
    assert row(key).next_run_at > datetime.now(UTC)
    assert not Tick.unscoped.exists()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"cron": "0 3 * * * *"}, "five fields"),
        ({"cron": "0 0 3 * * * 2030"}, "has 7"),
        ({"cron": "3 * * *"}, "has 4"),
        ({"cron": "61 3 * * *"}, "the minute, is 0 to 59"),
        ({"cron": "0 0 30 2 *"}, "never comes true"),
        ({"cron": "@daily"}, "five fields"),
        ({"cron": ""}, "five fields"),
        ({"cron": "9" * 200}, "cron: "),
        ({"cron": None}, "cron: "),
        ({"cron": ...}, "cron: "),
        ({"cron": 7}, "cron: "),
        ({"name": ...}, "name: "),
        ({"name": " "}, "Give it a name."),
        ({"name": "x" * 257}, "name: "),
        ({"name": "a\nb"}, "one line"),
        ({"configurationId": ...}, "configurationId: "),
        ({"configurationId": "x" * 65}, "configurationId: "),
        ({"start": "tomorrow"}, "start: "),
        ({"start": "2026-01-31"}, "start: "),
        ({"start": 1769817600}, "start: "),
        ({"start": "0001-01-01T00:00:00Z"}, "within the years 1900 to 9900"),
        ({"end": "9999-12-31T23:59:59Z"}, "within the years 1900 to 9900"),
        ({"end": "9999-12-31T23:59:59-10:00"}, "end: "),
        ({"end": "2020-01-01T00:00:00Z"}, "The end has passed"),
        ({"start": "2090-01-02T00:00:00Z", "end": "2090-01-01T00:00:00Z"}, "before the start"),
        (
            {"start": "2090-01-01T03:00:01Z", "end": "2090-01-02T02:59:59Z"},
            "Nothing is due between start and end",
        ),
    ],
)
def test_what_cannot_recur_is_refused_with_the_reason(bound, editing, wrong, words):
    refused(editing("POST", ALL, order(bound, **wrong)), 400, words)
    assert found(editing) == []


def test_all_that_is_wrong_is_told_at_once(bound, editing):
    error = refused(editing("POST", ALL, order(bound, name=" ", cron="x", configurationId=UNKNOWN)), 400)
    assert set(error["details"]) == {"name", "cron", "configuration"}


@pytest.mark.parametrize("body", [None, "", "{", [], "[]", "7"])
def test_a_body_that_is_none_is_refused(bound, editing, body):
    refused(editing("POST", ALL, body), 400)


def test_two_due_times_keep_the_least_distance(bound, editing, settings):
    settings.SCHEDULE_MINIMUM_SECONDS = 3600
    refused(editing("POST", ALL, order(bound, cron="0,30 * * * *")), 400, "only 30 minutes apart")
    key = make(editing, bound, cron="0 * * * *")
    refused(editing("PATCH", f"{ALL}/{key}", {"cron": "* * * * *"}), 400, "only 1 minute apart")
    assert read(editing, key)["cron"] == "0 * * * *"


def test_what_a_template_or_another_group_has_is_not_run(bound, red, blue, editing):
    theirs, serving = factories.configuration(blue), deployed.configuration(red)
    archived = factories.configuration(red)
    Configuration.unscoped.filter(pk=archived.pk).update(archived_at=F("created_at"))
    key = make(editing, bound)
    for configuration, status, words in (
        (str(theirs.pk), 404, "no such configuration"),
        (UNKNOWN, 404, "no such configuration"),
        ("no-uuid", 404, "no such configuration"),
        (str(serving.pk), 400, f"{deployed.EXECUTABLE} serves"),
        (str(archived.pk), 400, "is archived"),
    ):
        refused(editing("POST", ALL, order(bound, configurationId=configuration)), status, words)
        refused(editing("PATCH", f"{ALL}/{key}", {"configurationId": configuration}), status, words)
    assert found(editing) == [key]
    assert read(editing, key)["configurationId"] == str(bound.pk)


def test_no_zone_is_taken_over_the_api(bound, editing):
    key = make(editing, bound, timeZone="Europe/Berlin", zone="Europe/Berlin")
    change(editing, key, {"cron": "0 4 * * *", "timeZone": "Asia/Tokyo", "zone": "Nowhere/Else"})
    assert row(key).zone == "UTC"
    refused(editing("PATCH", f"{ALL}/{key}", {"timeZone": "Asia/Tokyo"}), 400, "give cron, start, end")


def test_a_list_by_every_filter(red, blue, bound, viewing):
    scope, other = system_scope(red), factories.configuration(red)
    keys = [
        str(factories.schedule(one, name=name).pk) for one, name in ((bound, "a"), (bound, "b"), (other, "c"))
    ]
    schedules.pause(scope, keys[1])
    schedules.delete(scope, factories.schedule(bound).pk)
    factories.schedule(factories.configuration(blue))
    assert found(viewing) == keys[::-1]
    assert found(viewing, status="ACTIVE") == [keys[2], keys[0]]
    assert found(viewing, status="INACTIVE") == [keys[1]]
    assert found(viewing, configurationId=bound.pk) == [keys[1], keys[0]]
    assert found(viewing, configurationId=other.pk, status="INACTIVE") == []
    assert found(viewing, configurationId="no-uuid") == found(viewing, configurationId=UNKNOWN) == []
    for query in ("$top=1&$skip=1", "top=1&skip=1"):
        part = viewing("GET", f"{ALL}?{query}").json()
        assert [one["id"] for one in part["resources"]] == [keys[1]]


@pytest.mark.parametrize("query", ["status=PENDING", "status=active", "$top=100001", "configurationId=%00"])
def test_a_filter_that_is_none_is_refused(viewing, query):
    for path in (ALL, f"{ALL}/$count"):
        if not query.startswith("$"):
            refused(viewing("GET", f"{path}?{query}"), 400, query.split("=")[0])
    refused(viewing("GET", f"{ALL}?{query}"), 400, query.split("=")[0])


def test_reading_costs_the_same_at_any_length(bound, viewing):
    costs = []
    for _ in range(2):
        key = factories.schedule(bound).pk
        factories.schedule(bound)
        for path in (ALL, f"{ALL}/{key}"):
            viewing("GET", path)
            with CaptureQueriesContext(connection) as queries:
                viewing("GET", path)
            costs.append(reads(queries))
    assert costs[:2] == costs[2:]
    assert costs[1] == 3


@pytest.mark.parametrize("status", ["ACTIVE", "INACTIVE"])
def test_one_is_deleted_in_either_status_and_its_executions_stay(bound, editing, status):
    key = make(editing, bound)
    ticks.fire_due(row(key).next_run_at)
    change(editing, key, {"status": status})
    answer = editing("DELETE", f"{ALL}/{key}")
    assert (answer.status_code, answer.json()) == (202, {"id": key, "message": DELETED})
    for method, body in (("GET", None), ("PATCH", {"status": "ACTIVE"}), ("DELETE", None)):
        refused(editing(method, f"{ALL}/{key}", body), 404, "Nothing here")
    assert found(editing) == []
    assert ticks.fire_due(datetime.now(UTC) + timedelta(days=2)) == 0
    (run,) = editing("GET", f"/lm/executions?executionScheduleId={key}").json()["resources"]
    assert (run["status"], run["executionScheduleId"]) == ("PENDING", key)


def test_executions_tell_the_schedule_that_started_them(bound, editing, viewing):
    keys = [make(editing, bound, name=name) for name in ("one", "two")]
    ticks.fire_due(row(keys[0]).next_run_at)
    by_hand = factories.execution(bound).pk
    runs = {str(run.schedule_id): run.pk for run in Execution.unscoped.exclude(schedule=None)}
    assert set(runs) == set(keys)
    for key in keys:
        query = f"executionScheduleId={key}"
        (one,) = viewing("GET", f"/lm/executions?{query}").json()["resources"]
        assert (one["id"], one["executionScheduleId"]) == (runs[key], key)
        assert viewing("GET", f"/lm/executions/$count?{query}").content == b"1"
        assert viewing("GET", f"/lm/executions/$count?{query}&status=DEAD").content == b"0"
        assert viewing("GET", f"/lm/executions/{one['id']}").json()["executionScheduleId"] == key
        (brief,) = viewing("GET", f"/lm/executions?{query}&$select=status").json()["resources"]
        assert brief["id"] == runs[key] and "executionScheduleId" not in brief
    assert "executionScheduleId" not in viewing("GET", f"/lm/executions/{by_hand}").json()
    assert viewing("GET", f"/lm/executions/$count?executionScheduleId={UNKNOWN}").content == b"0"


def test_those_of_another_group_are_not_found(bound, editing, neighbouring):
    key = factories.schedule(bound).pk
    ticks.fire_due(row(key).next_run_at)
    for one in (key, UNKNOWN, "nowhere", "nul%00", "%ff", "x" * 300):
        refused(neighbouring("GET", f"{ALL}/{one}"), 404, "Nothing here")
        refused(neighbouring("PATCH", f"{ALL}/{one}", {"status": "INACTIVE"}), 404, "Nothing here")
        refused(neighbouring("DELETE", f"{ALL}/{one}"), 404, "Nothing here")
    assert found(neighbouring) == found(neighbouring, configurationId=bound.pk) == []
    assert neighbouring("GET", f"/lm/executions/$count?executionScheduleId={key}").content == b"0"
    assert read(editing, key)["status"] == "ACTIVE"


def test_a_viewer_reads_and_changes_nothing(bound, editing, viewing):
    key = make(editing, bound)
    assert read(viewing, key) == read(editing, key)
    for method, path, body in (
        ("POST", ALL, order(bound)),
        ("PATCH", f"{ALL}/{key}", {"status": "INACTIVE"}),
        ("DELETE", f"{ALL}/{key}", None),
    ):
        refused(viewing(method, path, body), 403, "editor")
    assert found(viewing, status="ACTIVE") == [key]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", path) for path in ("", "/$count", f"/{UNKNOWN}")),
        ("POST", ""),
        *((method, f"/{UNKNOWN}") for method in ("PATCH", "DELETE")),
    ],
)
def test_a_call_names_its_group_and_has_a_token(red, editing, method, path):
    refused(editing(method, f"{ALL}{path}", {}, ai_resource_group=None), 400, "AI-Resource-Group")
    refused(editing(method, f"{ALL}{path}", {}, ai_resource_group="blue"), 404)
    refused(editing(method, f"{ALL}{path}", {}, authorization=None), 401)


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", f"/{UNKNOWN}"), ("DELETE", ""), ("PATCH", ""), ("POST", "/$count")]
)
def test_what_no_operation_has_is_not_allowed(editing, method, path):
    refused(editing(method, f"{ALL}{path}", {}), 405, method)
