"""What the overview says of schedules: what is due in the next hours, and which of them do not run."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from launchpad.access import Role, system_scope
from launchpad.grants import grant
from mlops.domain import configurations, schedules
from mlops.domain.policies import Policies
from mlops.domain.timings import Timing
from mlops.lifecycle import ScheduleStatus
from mlops.models import Schedule
from mlops.views.run_lanes import timeline
from tests.mlops import factories

GROUP, WORKSPACE = "/w/north/g/red/overview/", "/w/north/"


def text(response):
    return " ".join(response.content.decode().split())


def part(page, heading):
    """The section under a heading."""
    return page.split(f'aria-labelledby="{heading}"')[1].split("</section>")[0]


def make(group, timing, *, name="nightly", bound=None, **policy):
    bound = bound or factories.configuration(group)
    return schedules.create(
        system_scope(group), name=name, configuration=bound.pk, timing=timing, policy=Policies(**policy)
    )


def once(hours):
    return Timing(once_at=timezone.now() + timedelta(hours=hours))


def give_up(schedule, *, failures=3):
    """What three failures in a row make of it."""
    Schedule.unscoped.filter(pk=schedule.pk).update(
        **{"status": ScheduleStatus.INACTIVE},
        next_run_at=None,
        missed_from=timezone.now(),
        failures=failures,
        status_message=f"Paused by itself after {failures} failures in a row.",
    )


class TestTimeline:
    def test_what_is_due_is_marked_and_listed(self, red, viewer, browse):
        soon, later = make(red, once(3)), make(red, once(7), name="later")
        runs = part(text(browse(viewer).get(GROUP)), "runs")
        url = f"/w/north/g/red/schedules/{soon.pk}/"
        mark = re.search(rf'<a class="due" tabindex="-1" href="{url}"><title>([^<]+)</title>(.*?)</a>', runs)
        assert mark[1].startswith("nightly, due ")
        # 27 of 30 hours.
        assert re.search(r'<circle cx="(9[\d.]+)%"', mark[2])[1].startswith("90.0")
        assert '<line class="now" x1="80.00%" x2="80.00%"' in runs and '<b class="wide">now</b>' in runs
        table = runs[runs.index('id="next-runs"') :]
        assert f'<a href="{url}">nightly</a></td><td>petals-train</td>' in table
        assert str(later.pk) not in runs
        assert "No execution was submitted in the last 24 hours." in runs

    def test_marks_stand_on_the_lane_of_their_executable(self):
        now = timezone.now()

        class Due:
            slug, times, goes_on = "train", (now + timedelta(hours=1),), False

        class Run:
            slug, status, created_at = "train", "COMPLETED", now - timedelta(hours=1)
            started_at, completed_at = created_at, now

        lane, other = timeline([Run], now, [Due, type("Other", (Due,), {"slug": "other"})]).lanes
        assert (lane.label, len(lane.bars), len(lane.marks)) == ("train", 1, 1)
        assert (other.label, len(other.bars), len(other.marks)) == ("other", 0, 1)

    def test_what_is_due_often_is_drawn_a_number_of_times(self, red, viewer, browse):
        bound = factories.configuration(red)
        for number in range(10):
            make(red, Timing("* * * * *"), name=f"often {number}", bound=bound)
        response = browse(viewer).get(GROUP)
        runs = part(text(response), "runs")
        assert runs.count('class="due"') == 10 * 15 and runs.count('class="rest"') == 10
        assert "and further on" in runs
        assert runs[runs.index('id="next-runs"') :].count("<tr>") == 1 + 50
        assert len(response.content) < 100_000

    def test_one_whose_zone_is_not_known_any_more_is_there_once(self, red, viewer, browse):
        make(red, Timing("*/10 * * * *"))
        Schedule.unscoped.update(zone="Gone/Away")
        assert part(text(browse(viewer).get(GROUP)), "runs").count('class="due"') == 1

    def test_nothing_is_due(self, red, viewer, browse):
        paused = make(red, once(2))
        schedules.pause(system_scope(red), paused.pk)
        runs = part(text(browse(viewer).get(GROUP)), "runs")
        assert "No execution was submitted in the last 24 hours, and none is due in the next 6." in runs

    def test_of_groups_without_a_role_nothing_is_told(self, red, blue, viewer, browse):
        theirs = make(blue, once(1))
        give_up(make(blue, once(1), pause_after=3, name="given up"))
        page = text(browse(viewer).get(WORKSPACE))
        assert str(theirs.pk) not in page and "given up" not in page
        grant(Role.VIEWER, viewer, blue)
        page = text(browse(viewer).get(WORKSPACE))
        assert f"/w/north/g/blue/schedules/{theirs.pk}/" in page and "given up" in page


class TestAttention:
    def test_one_that_paused_itself(self, red, viewer, browse):
        broken = make(red, once(9), pause_after=3)
        give_up(broken)
        listed = part(text(browse(viewer).get(GROUP)), "attention")
        assert "1 open" in listed
        assert f'<a href="/w/north/g/red/schedules/{broken.pk}/">nightly</a> paused itself' in listed
        assert "Paused by itself after 3 failures in a row. It starts nothing" in listed

    def test_those_beyond_are_counted(self, red, viewer, browse):
        bound = factories.configuration(red)
        for number in range(7):
            give_up(make(red, once(9), name=f"number {number}", bound=bound, pause_after=3))
        assert "2 more schedules paused themselves" in part(text(browse(viewer).get(GROUP)), "attention")

    @pytest.mark.parametrize("failures", [0, 2])
    def test_one_that_a_person_paused_wants_none(self, red, viewer, browse, failures):
        paused = make(red, once(9), pause_after=3)
        schedules.pause(system_scope(red), paused.pk)
        Schedule.unscoped.update(failures=failures)
        assert "no schedule paused itself" in part(text(browse(viewer).get(GROUP)), "attention")

    def test_one_whose_configuration_is_archived(self, red, viewer, browse):
        bound = factories.configuration(red)
        idle = make(red, once(3), bound=bound)
        configurations.archive(system_scope(red), bound.pk)
        page = text(browse(viewer).get(GROUP))
        listed = part(page, "attention")
        assert f'<a href="/w/north/g/red/schedules/{idle.pk}/">nightly</a> starts nothing' in listed
        assert f"{bound.name} is archived" in listed and "1 open" in listed
        assert 'class="due"' not in page
