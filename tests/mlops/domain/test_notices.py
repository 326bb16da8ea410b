"""Notices: written once with what they tell, for the rules that want it and for no other."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from django.utils import timezone

from launchpad.access import system_scope
from mlops.domain import (
    clock,
    enactments,
    late_notices,
    moments,
    notices,
    notification_rules,
    outcomes,
    schedule_purge,
    schedules,
    ticks,
)
from mlops.domain.policies import Policies
from mlops.domain.timings import Timing
from mlops.lifecycle import Status
from mlops.models import Execution, Notice, NotificationRule, Schedule
from tests.mlops import factories
from tests.mlops.noticing import events, rule, told
from tests.waiting import until

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def group(db):
    return factories.place()


@pytest.fixture
def bound(group):
    return factories.configuration(group)


@pytest.fixture
def make(group, bound):
    """`make(**policy)`: an hourly schedule."""

    def made(*, name="nightly", **policy):
        scope = system_scope(group, actor="ada")
        return schedules.create(
            scope,
            name=name,
            configuration=bound.pk,
            timing=Timing("0 * * * *"),
            policy=Policies(**policy),
        )

    return made


def first_due(schedule):
    schedule.refresh_from_db()
    return schedule.next_run_at


def move(run, *statuses, reason=""):
    """The execution goes through statuses as workers have it go."""
    for status in statuses:
        enactments.transition(run.pk, status, actor="tests", reason=reason)


def fire(schedule, status, reason=""):
    """Its next due time comes, runs and ends so."""
    due = first_due(schedule)
    ticks.fire_due(due)
    run = Execution.unscoped.get(schedule=schedule, due_at=due)
    move(run, Status.RUNNING)
    move(run, status, reason=reason)
    outcomes.follow(due + SECOND)
    return run


class TestExecutions:
    def test_a_death_is_told_with_its_cause_and_place(self, group, bound, settings):
        settings.PUBLIC_URL = "https://launchpad.example"
        made = rule(group)
        run = factories.execution(bound, name="try 1")
        move(run, Status.RUNNING)
        assert told(group) == []
        move(run, Status.DEAD, reason="Out of memory.")
        (notice,) = told(group)
        run.refresh_from_db()
        assert (notice.event, notice.subject, notice.state, notice.tries) == ("failed", run.pk, "waiting", 0)
        assert notice.payload["type"] == "execution.failed"
        data = notice.payload["data"]
        assert data["workspace"] == "local"
        assert data["resource_group"] == "red"
        assert data["rule"] == {"id": str(made.pk), "name": "tell us"}
        assert data["text"] == f"Execution {run.pk} of try 1 failed.\nOut of memory."
        assert data["execution"]["status"] == "DEAD"
        assert data["execution"]["message"] == "Out of memory."
        assert data["execution"]["completed_at"].endswith("Z")
        assert data["url"].startswith("https://launchpad.example/")
        found = resolve(data["url"].removeprefix("https://launchpad.example"))
        assert (found.view_name, found.kwargs["execution_id"]) == ("mlops:executions.detail", run.pk)

    def test_values_of_parameters_are_not_told(self, group):
        rule(group)
        bound = factories.configuration(group, name="other", parameters={"OWNER": "Value-Of-Owner"})
        move(factories.execution(bound), Status.DEAD)
        assert "Value-Of-Owner" not in json.dumps(told(group)[0].payload)

    def test_a_completion_after_a_death_of_the_same_configuration_is_a_recovery(self, group, bound):
        rule(group, events=["recovered"])
        other = factories.configuration(group, name="another")
        move(factories.execution(bound), Status.RUNNING, Status.COMPLETED)
        move(factories.execution(bound), Status.RUNNING, Status.DEAD)
        move(factories.execution(other), Status.RUNNING, Status.COMPLETED)
        assert told(group) == []
        back = factories.execution(bound)
        move(back, Status.RUNNING, Status.COMPLETED)
        move(factories.execution(bound), Status.RUNNING, Status.COMPLETED)
        assert [(one.event, one.subject) for one in told(group)] == [("recovered", back.pk)]

    def test_only_active_rules_of_the_group_about_it_are_told(self, group, bound):
        rule(factories.place(group="blue"))
        rule(group, events=["recovered", "late"])
        rule(group, about="schedules", events=["failed"])
        paused = rule(group)
        NotificationRule.unscoped.filter(pk=paused.pk).update(is_active=False)
        move(factories.execution(bound), Status.RUNNING, Status.DEAD)
        assert not Notice.unscoped.exists()

    def test_each_address_has_a_notice_of_its_own(self, group, bound, settings):
        settings.EMAIL_HOST = "mail.example"
        rule(group, addresses=["ada@example.com", "bob@example.com"])
        move(factories.execution(bound), Status.DEAD)
        assert {one.recipient for one in told(group)} == {"ada@example.com", "bob@example.com"}

    def test_what_is_rolled_back_is_not_told(self, group, bound):
        rule(group)
        run = factories.execution(bound)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            move(run, Status.DEAD)
            raise ZeroDivisionError
        assert told(group) == []

    def test_a_group_without_rules_pays_one_query_at_an_end_and_none_before(self, group, bound):
        run = factories.execution(bound)

        def asked(status):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                move(run, status)
            return sum("notificationrule" in query["sql"] for query in queries), len(queries)

        assert asked(Status.RUNNING)[0] == 0
        assert asked(Status.DEAD)[0] == 1

    def test_what_waits_longer_than_the_grace_is_late_once(self, group, bound):
        rule(group, events=["late"], grace=timedelta(minutes=10))
        now = timezone.now()
        waiting = factories.execution(bound, created_at=now)
        assert late_notices.tell(now + timedelta(minutes=9)) == 0
        assert late_notices.tell(now + timedelta(minutes=10, seconds=1)) == 1
        assert late_notices.tell(now + timedelta(minutes=11)) == 0
        (notice,) = told(group)
        assert (notice.event, notice.subject) == ("late", waiting.pk)
        assert "for longer than 10 minutes" in notice.payload["data"]["text"]

    def test_what_runs_in_time_or_waited_before_the_rule_is_not_late(self, group, bound):
        now = timezone.now()
        factories.execution(bound, created_at=now - HOUR)
        rule(group, events=["late"], grace=timedelta(minutes=10))
        move(factories.execution(bound, created_at=now), Status.RUNNING)
        assert late_notices.tell(now + HOUR) == 0

    def test_many_that_are_late_together_are_one_notice(self, group, bound):
        rule(group, events=["late"])
        now = timezone.now()
        for _ in range(3):
            factories.execution(bound, created_at=now)
        late_notices.tell(now + HOUR)
        (notice,) = told(group)
        assert notice.payload["data"]["count"] == 3
        assert "2 more do so too" in notice.payload["data"]["text"]


class TestSchedules:
    def test_a_failure_after_all_tries_and_the_recovery_are_told(self, group, make):
        rule(group, about="schedules", events=["failed", "recovered"])
        schedule = make(retries=1)
        due = first_due(schedule)
        fire(schedule, Status.DEAD)
        assert told(group) == []
        again = Execution.unscoped.filter(schedule=schedule).latest("created_at")
        move(again, Status.RUNNING, Status.DEAD, reason="No disk.")
        outcomes.follow(due + 2 * SECOND)
        outcomes.follow(due + 3 * SECOND)
        (failed,) = told(group)
        assert failed.payload["type"] == "schedule.failed"
        text = failed.payload["data"]["text"]
        assert "failed after 2 tries" in text
        assert "No disk." in text
        assert failed.payload["data"]["execution"]["id"] == again.pk
        assert failed.payload["data"]["schedule"]["name"] == "nightly"
        fire(schedule, Status.COMPLETED)
        fire(schedule, Status.COMPLETED)
        assert events(group) == ["failed", "recovered"]

    def test_it_says_when_it_paused_itself(self, group, make):
        rule(group, about="schedules", events=["failed"])
        schedule = make(pause_after=1)
        fire(schedule, Status.DEAD)
        (notice,) = told(group)
        assert notice.payload["data"]["title"] == "nightly failed and paused itself"
        assert "Paused by itself after 1 failure." in notice.payload["data"]["text"]

    def test_a_rule_of_one_schedule_hears_of_no_other(self, group, make):
        ours, other = make(), make(name="other")
        rule(group, about="schedules", events=["failed"], schedule=str(ours.pk))
        fire(other, Status.DEAD)
        assert told(group) == []
        move(Execution.unscoped.get(schedule=ours), Status.RUNNING, Status.DEAD)
        outcomes.follow(first_due(ours))
        assert events(group) == ["failed"]

    def test_many_skipped_together_are_one_notice_with_the_reason(self, group, make):
        rule(group, about="schedules", events=["skipped"])
        schedule = make(catch_up="none")
        due = first_due(schedule)
        ticks.fire_due(due + 3 * HOUR + timedelta(minutes=30))
        ticks.fire_due(due + 3 * HOUR + timedelta(minutes=31))
        (notice,) = told(group)
        data = notice.payload["data"]
        assert (data["count"], data["title"]) == (4, "nightly skipped 4 runs")
        assert "catching up is off" in data["text"]

    def test_one_skipped_as_another_runs_is_told(self, group, make, settings):
        rule(group, about="schedules", events=["skipped"])
        schedule = make()
        due = first_due(schedule)
        ticks.fire_due(due)
        ticks.fire_due(due + HOUR)
        (notice,) = told(group)
        assert "still waits" in notice.payload["data"]["text"]
        page = resolve(notice.payload["data"]["url"].removeprefix(settings.PUBLIC_URL))
        assert (page.view_name, page.kwargs["schedule_id"]) == ("mlops:schedules.detail", schedule.pk)
        assert notice.payload["data"]["count"] == 1

    def test_a_due_time_whose_execution_waits_is_late_once(self, group, make):
        rule(group, about="schedules", events=["late"], grace=timedelta(minutes=5))
        schedule = make()
        due = first_due(schedule)
        ticks.fire_due(due)
        assert late_notices.tell(due + timedelta(minutes=4)) == 0
        assert late_notices.tell(due + timedelta(minutes=6)) == 1
        assert late_notices.tell(due + timedelta(minutes=7)) == 0
        (notice,) = told(group)
        assert "does not run, 5 minutes later" in notice.payload["data"]["text"]

    def test_a_due_time_that_nobody_decided_is_late_and_not_again_when_it_is(self, group, make):
        rule(group, about="schedules", events=["late"], grace=timedelta(minutes=5))
        schedule = make(catch_up="last")
        due = first_due(schedule)
        assert late_notices.tell(due + timedelta(minutes=6)) == 1
        ticks.fire_due(due + timedelta(minutes=7))
        assert Execution.unscoped.filter(schedule=schedule).count() == 1
        assert events(group) == ["late"]

    def test_a_rule_of_one_schedule_is_told_of_its_lateness_alone(self, group, make):
        ours, other = make(), make(name="other")
        rule(group, about="schedules", events=["late"], schedule=str(ours.pk))
        due = first_due(ours)
        Schedule.unscoped.filter(pk=ours.pk).update(next_run_at=due + HOUR)
        ticks.fire_due(due)
        assert late_notices.tell(due + timedelta(minutes=30)) == 0
        assert first_due(other) == due + HOUR
        assert late_notices.tell(due + HOUR + timedelta(minutes=30)) == 1
        assert [notice.payload["data"]["count"] for notice in told(group)] == [1]

    def test_while_nothing_is_late_the_sweep_pays_one_query(self, group, make):
        for about in ("schedules", "executions", "schedules"):
            rule(group, about=about, events=["late"])
        make()
        with CaptureQueriesContext(connection) as queries:
            assert late_notices.tell(timezone.now()) == 0
        assert len(queries) == 1

    def test_what_is_caught_up_after_the_grace_is_late(self, group, make):
        rule(group, about="schedules", events=["late"], grace=timedelta(minutes=5))
        schedule = make(catch_up="last")
        due = first_due(schedule)
        ticks.fire_due(due + timedelta(minutes=20))
        (notice,) = told(group)
        assert "was decided 20 minutes late" in notice.payload["data"]["text"]

    def test_many_that_are_caught_up_together_are_one_notice(self, group, make):
        rule(group, about="schedules", events=["late"], grace=timedelta(minutes=5))
        for n in range(3):
            schedule = make(name=f"of {n}", catch_up="last")
        ticks.fire_due(first_due(schedule) + timedelta(minutes=20))
        (notice,) = told(group)
        assert notice.payload["data"]["count"] == 3
        assert "2 more of what is due are late too." in notice.payload["data"]["text"]

    def test_a_rule_goes_with_its_schedule(self, group, make):
        schedule = make()
        rule(group, about="schedules", events=["failed"], schedule=str(schedule.pk))
        fire(schedule, Status.DEAD)
        schedules.delete(system_scope(group), schedule.pk)
        assert schedule_purge.purge_deleted(seconds=10) == 1
        assert not NotificationRule.unscoped.exists()
        assert not Notice.unscoped.exists()


def test_the_sweep_tells_what_is_late_and_forgets_what_is_old(group, bound, settings):
    rule(group, events=["late", "failed"], grace=timedelta(seconds=10))
    NotificationRule.unscoped.update(late_until=timezone.now() - 2 * HOUR)
    factories.execution(bound, created_at=timezone.now() - HOUR)
    clock.sweep()
    assert events(group) == ["late"]
    now = moments.now()
    assert notices.purge(now + timedelta(days=settings.NOTICE_DAYS - 1)) == 0
    assert notices.purge(now + timedelta(days=settings.NOTICE_DAYS, minutes=1)) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.database
def test_two_sweeps_at_once_tell_of_what_is_late_once(group, bound):
    rule(group, events=["late"])
    now = timezone.now()
    factories.execution(bound, created_at=now)
    start = threading.Barrier(2)

    def look():
        start.wait()
        late_notices.tell(now + HOUR)
        connection.close()

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert events(group) == ["late"]


def _many_write():
    if connection.vendor != "postgresql":
        pytest.skip("one transaction writes at a time")


@pytest.mark.django_db(transaction=True)
@pytest.mark.server
def test_a_rule_that_is_deleted_meanwhile_undoes_no_end_of_an_execution(group, bound):
    """The one who deletes waits until the notices are there, and takes them along."""
    _many_write()
    kept, gone = rule(group), rule(group)
    run, deleted = factories.execution(bound), threading.Event()

    def delete():
        notification_rules.delete(system_scope(group, actor="ada"), gone.pk)
        connection.close()
        deleted.set()

    with transaction.atomic():
        move(run, Status.DEAD)
        thread = threading.Thread(target=delete)
        thread.start()
        until(lambda: deleted.is_set() or _waits_for_a_lock())
    thread.join()
    run.refresh_from_db()
    assert run.status == Status.DEAD
    assert list(NotificationRule.unscoped.values_list("pk", flat=True)) == [kept.pk]
    assert [notice.rule_id for notice in told(group)] == [kept.pk]


@pytest.mark.django_db(transaction=True)
@pytest.mark.server
def test_a_rule_that_goes_between_the_look_and_the_note_is_told_nothing(group, bound):
    _many_write()
    gone, kept = rule(group), rule(group)
    rules = [gone, kept]
    NotificationRule.unscoped.filter(pk=gone.pk).delete()
    with transaction.atomic():
        facts = {"subject": "x", "at": moments.now(), "title": "t", "text": "t", "url": "", "facts": {}}
        notices.write(rules, group, Notice.Event.FAILED, **facts)
    assert [notice.rule_id for notice in told(group)] == [kept.pk]


def _waits_for_a_lock():
    with connection.cursor() as cursor:
        # A transaction otherwise sees for ever what it saw first.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return cursor.fetchone()[0]


def test_a_schedule_that_is_deleted_is_told_of_no_more(group, make):
    rule(group, about="schedules", events=["late"])
    schedule = make()
    due = first_due(schedule)
    Schedule.unscoped.filter(pk=schedule.pk).update(deleted_at=timezone.now())
    assert late_notices.tell(due + HOUR) == 0
