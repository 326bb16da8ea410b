"""Counts of requests: written over and over by their process, read as series, removed when they are old."""

from datetime import UTC, datetime, timedelta

import pytest

from launchpad.access import system_scope
from mlops.domain import latencies, predictions, traffic
from mlops.models import Prediction, TrafficBucket
from tests.mlops import factories
from tests.mlops.gateway import serving

pytestmark = [pytest.mark.django_db, pytest.mark.database]
NOW = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)


@pytest.fixture
def row(red):
    return serving.deployment(red)


def count(row, at, *, ok=0, failed=0, revision=1, seconds=0.01, busy=1):
    latency = {str(latencies.index(seconds)): ok + failed} if ok + failed else {}
    total = ok + failed
    return traffic.Count(row.pk, revision, at, total, ok, 0, 0, failed, busy, seconds * total, latency)


def ago(seconds):
    return NOW.replace(second=0) - timedelta(seconds=seconds)


def test_the_newest_counts_of_a_span_and_process_stand(row):
    for process, ok in (("one", 1), ("one", 5), ("two", 2)):
        traffic.flush(process, [count(row, ago(10), ok=ok)])
    assert sorted(TrafficBucket.unscoped.values_list("process", "requests")) == [("one", 5), ("two", 2)]


def test_a_series_has_a_point_for_every_span_and_tells_revisions_apart(red, row):
    traffic.flush("one", [count(row, ago(20), ok=8, failed=2, seconds=0.1), count(row, ago(10), ok=4)])
    traffic.flush("two", [count(row, ago(10), ok=6, revision=2, seconds=2.0, busy=3)])
    found = traffic.series(system_scope(red), row, seconds=60, now=NOW)
    assert found.step_seconds == 10
    assert [point.at for point in found.points] == [ago(seconds) for seconds in (50, 40, 30, 20, 10, 0)]
    assert [point.requests for point in found.points] == [0, 0, 0, 10, 10, 0]
    before, last = found.points[3:5]
    assert (before.rate, before.errors, before.busy) == (1.0, 0.2, 1)
    assert before.p50 == pytest.approx(0.1, rel=0.34)
    assert (last.p50, last.p99) == (pytest.approx(2.0, rel=0.34), pytest.approx(2.0, rel=0.34))
    assert list(found.by_revision) == [2, 1]
    assert [point.requests for point in found.by_revision[2]] == [0, 0, 0, 0, 6, 0]
    assert (found.whole.requests, found.whole.errors, found.whole.busy) == (20, 0.1, 3)
    assert found.points[0].p50 is None


def test_a_long_window_has_wider_spans_and_loses_nothing(red, row, django_assert_num_queries):
    hours = 24
    counts = [count(row, ago(seconds), ok=1) for seconds in range(0, hours * 3600, 600)]
    traffic.flush("one", counts)
    with django_assert_num_queries(1):
        found = traffic.series(system_scope(red), row, seconds=hours * 3600, now=NOW)
    assert found.step_seconds == 240
    assert len(found.points) == traffic.POINTS
    assert sum(point.requests for point in found.points) == len(counts)


def test_without_traffic_there_are_points_all_the_same(red, row):
    found = traffic.series(system_scope(red), row, seconds=30, now=NOW)
    assert [point.requests for point in found.points] == [0, 0, 0]
    assert (found.by_revision, found.whole.p99) == ({}, None)


def test_old_counts_go(row, settings):
    settings.TRAFFIC_DAYS = 2
    day = 24 * 3600
    traffic.flush("one", [count(row, ago(seconds), ok=1) for seconds in (0, day, 2 * day + 10, 9 * day)])
    assert traffic.purge(NOW) == 2
    assert traffic.purge(NOW) == 0
    assert TrafficBucket.unscoped.count() == 2


def kept(row, at):
    return predictions.Kept(row.pk, 1, at, "GET", "/", 200, 1.0, "", "", False, "ada")


def test_old_predictions_go_and_the_oldest_beyond_the_most(red, settings):
    settings.PREDICTION_ROWS = 3
    first, second = serving.deployment(red), serving.deployment(factories.place("north", "blue"))
    for row in (first, second):
        type(row).unscoped.filter(pk=row.pk).update(keeps_predictions=True, prediction_days=10)
    predictions.flush([kept(first, ago(seconds)) for seconds in range(5)])
    predictions.flush([kept(second, ago(days * 24 * 3600)) for days in (1, 9, 11)])
    assert predictions.purge(NOW) == 3
    assert predictions.purge(NOW) == 0
    left = predictions.newest(system_scope(red), first).values_list("at", flat=True)
    assert list(left) == [ago(0), ago(1), ago(2)]
    assert Prediction.unscoped.filter(deployment=second).count() == 2
