"""Counts, failures and runs of the groups one may view, in bounded queries."""

from datetime import timedelta

import pytest
from django.utils import timezone

from launchpad.access import Role, open_scope, system_scope
from launchpad.grants import grant
from launchpad.resource_groups.models import ResourceGroup
from mlops.domain import overview, workers_alive
from mlops.domain.overview import Count
from mlops.lifecycle import Status
from mlops.models import Execution, Worker
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def now():
    """This moment."""
    return timezone.now()


def ran(bound, status, now, *, days=0.0, **fields):
    """An execution submitted so long ago."""
    run = factories.execution(bound, status=status, created_at=now - timedelta(days=days))
    if fields:
        Execution.unscoped.filter(pk=run.pk).update(**fields)
    return run


def told(scope, now):
    return overview.figures(overview.groups(scope), now)


class TestGroups:
    def test_are_those_that_one_may_view(self, red, blue, green, editor, manager, staff):
        assert overview.groups(open_scope(editor, "north")) == [red]
        assert overview.groups(open_scope(editor, "north", "red")) == [red]
        assert overview.groups(open_scope(manager, "north")) == []
        grant(Role.OPERATIONS_MANAGER, staff, red.workspace)
        assert overview.groups(open_scope(staff, "north")) == []
        grant(Role.VIEWER, editor, blue)
        assert overview.groups(open_scope(editor, "north")) == [blue, red]

    def test_nobody_in_person_sees_none(self, red):
        assert overview.groups(system_scope(red.workspace)) == []


class TestFigures:
    def test_counts_of_this_week_the_one_before_and_now(self, red, viewer, now):
        bound = factories.configuration(red)
        for status, days in (
            (Status.COMPLETED, 1),
            (Status.COMPLETED, 6),
            (Status.COMPLETED, 8),
            (Status.COMPLETED, 15),
            (Status.DEAD, 2),
            (Status.DEAD, 9),
            (Status.STOPPED, 3),
            (Status.RUNNING, 40),
            (Status.STOPPING, 0),
            (Status.PENDING, 0),
        ):
            ran(bound, status, now, days=days)
        (one,) = told(open_scope(viewer, "north", "red"), now)
        found = {name: count.value for name, count in one.counts.items()}
        assert {name: found[name] for name in ("completed", "dead", "stopped")} == {
            "completed": 2,
            "dead": 1,
            "stopped": 1,
        }
        assert (found["completed_before"], found["dead_before"]) == (1, 1)
        assert (found["running"], found["stopping"], found["pending"]) == (1, 1, 1)
        assert one.running == Count(2)
        assert (found["dataset"], found["model"]) == (1, 0)

    def test_a_neighbours_rows_are_not_counted(self, red, blue, viewer, now):
        ran(factories.configuration(blue), Status.DEAD, now)
        (one,) = told(open_scope(viewer, "north"), now)
        assert not any(one.counts.values())
        assert overview.failures([one], now) == [] and overview.runs([one], now) == []

    def test_waiting_for_long_begins_after_ten_minutes_and_not_between_tries(self, red, viewer, now):
        bound = factories.configuration(red)
        first = ran(bound, Status.PENDING, now, days=1)
        ran(bound, Status.PENDING, now, days=0.5)
        ran(bound, Status.PENDING, now, days=2, attempt=1)
        ran(bound, Status.PENDING, now)
        (one,) = told(open_scope(viewer, "north", "red"), now)
        assert one.counts["waiting"] == Count(2)
        assert one.waiting_since == first.created_at

    def test_counting_stops(self, red, viewer, now, monkeypatch):
        monkeypatch.setattr(overview, "_COUNTED", 2)
        monkeypatch.setattr(overview, "_COUNTED_AT_LEAST", 2)
        bound = factories.configuration(red)
        for _ in range(4):
            ran(bound, Status.COMPLETED, now)
        (one,) = told(open_scope(viewer, "north", "red"), now)
        assert str(one.counts["completed"]) == "2+"
        assert str(one.counts["completed"] + one.counts["completed"]) == "4+"

    def test_one_query_for_many_groups(self, red, superuser, now, django_assert_num_queries):
        for number in range(overview.GROUPS_LIMIT):
            ResourceGroup.unscoped.create(workspace=red.workspace, slug=f"group-{number:02}")
        chosen = overview.groups(open_scope(superuser, "north"))[: overview.GROUPS_LIMIT]
        with django_assert_num_queries(1):
            found = overview.figures(chosen, now)
        assert [one.group for one in found] == chosen
        with django_assert_num_queries(1):
            overview.runs(found, now)


class TestFailures:
    def test_the_last_ones_by_when_they_ended(self, red, blue, superuser, now):
        bound, other = factories.configuration(red), factories.configuration(blue)
        ends = (1, 30, 3, 2, 5, 4, 6)
        runs = [
            ran(
                bound if hours % 2 else other,
                Status.DEAD,
                now,
                days=9,
                completed_at=now - timedelta(hours=hours),
            )
            for hours in ends
        ]
        found = overview.failures(told(open_scope(superuser, "north"), now), now)
        last = sorted(zip(ends, runs, strict=True), key=lambda pair: pair[0])[: overview.FAILURES_SHOWN]
        assert [run.id for run in found] == [run.pk for _, run in last]
        assert {run.resource_group_id for run in found} == {red.pk, blue.pk}
        assert found[0].slug == factories.EXECUTABLE

    def test_no_query_where_none_failed(self, red, viewer, now, django_assert_num_queries):
        found = told(open_scope(viewer, "north", "red"), now)
        with django_assert_num_queries(0):
            assert overview.failures(found, now) == []


class TestRuns:
    def test_the_newest_of_each_group_and_what_still_runs(self, red, blue, superuser, now, monkeypatch):
        monkeypatch.setattr(overview, "_RUNS", 20)
        bound, other = factories.configuration(red), factories.configuration(blue)
        old = ran(other, Status.RUNNING, now, days=30)
        ran(other, Status.COMPLETED, now, days=8)
        many = [ran(bound, Status.COMPLETED, now, days=number / 100) for number in range(15)]
        found = overview.runs(told(open_scope(superuser, "north"), now), now)
        assert [run.id for run in found] == [*(run.pk for run in many[:10]), old.pk]


class TestWorkers:
    def worker(self, now, *, host="a", seen=0, started=3600, **fields):
        return Worker.unscoped.create(
            host=host,
            pid=1,
            slots=2,
            started_at=now - timedelta(seconds=started),
            seen_at=now - timedelta(seconds=seen),
            **fields,
        )

    def test_silent_ones_are_told_unless_replaced_or_signed_off(self, db, now, settings):
        lease = settings.LEASE_SECONDS
        self.worker(now)
        self.worker(now, host="b", seen=lease + 60)
        self.worker(now, host="c", seen=lease + 60, ended_at=now)
        self.worker(now, host="d", seen=lease + 60)
        self.worker(now, host="d", started=lease)
        self.worker(now, host="e", seen=2 * 24 * 3600)
        found = [(one.host, one.is_living) for one in workers_alive.signs()]
        assert sorted(found) == [("a", True), ("b", False), ("d", True)]
