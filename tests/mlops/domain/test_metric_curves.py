"""Curves of several executions on one axis: thinned, with every spike and every gap."""

import math
from datetime import timedelta

import pytest
from django.utils import timezone

from launchpad.access import system_scope
from mlops.domain import metric_curves, metrics
from mlops.domain.metric_limits import Point
from mlops.lifecycle import Status
from mlops.models import Execution
from tests.mlops import factories

pytestmark = pytest.mark.database
BUCKETS = 10


@pytest.fixture
def scope(red):
    return system_scope(red)


@pytest.fixture
def report(red, scope):
    """`report(values, first=, every=)`: an execution's series of one value a step; its summary."""
    bound = factories.configuration(red)

    def reported(values, *, first=0, every=1, started=None):
        begun = started or timezone.now()
        row = factories.execution(bound, status=Status.COMPLETED, created_at=begun, took=timedelta(minutes=5))
        points = [
            Point("loss", value, step=first + at * every, recorded_at=row.started_at + timedelta(seconds=at))
            for at, value in enumerate(values)
        ]
        metrics.record(scope, row.pk, metrics=points)
        return metrics.series(scope, row)[0]

    return reported


def drawn(scope, series, x="step"):
    curves, left_out = metric_curves.read(scope, series, x=x, buckets=BUCKETS)
    assert left_out == 0
    return [curves[one.id].pairs for one in series]


@pytest.mark.parametrize("x", ["step", "time"])
def test_long_curves_keep_their_extremes_where_they_are(scope, report, x):
    spiked = report([1.0] * 49 + [99.0] + [1.0] * 50)
    flat = report([5.0] * 200)
    first, second = drawn(scope, [spiked, flat], x)
    assert len(first) <= 2 * BUCKETS
    (at,) = [place for place, value in first if value == 99.0]
    assert 39 <= at <= 59
    assert {value for _, value in second} == {5.0}
    assert [place for place, _ in second] == sorted(place for place, _ in second)
    assert 180 <= second[-1][0] <= 200


@pytest.mark.parametrize("x", ["step", "time"])
def test_what_is_not_finite_is_a_gap(scope, report, x):
    broken = report([1.0] * 50 + [math.nan] + [1.0] * 50)
    (pairs,) = drawn(scope, [broken], x)
    assert [value for _, value in pairs].count(None) == 1
    assert {value for _, value in pairs} == {1.0, None}


@pytest.mark.parametrize(("first", "every"), [(50, 1), (0, 10**12), (2**62, 2**50)])
def test_steps_of_any_size_lie_on_the_axis(scope, report, first, every):
    long = report([float(at) for at in range(100)], first=first, every=every)
    (pairs,) = drawn(scope, [long])
    assert 2 <= len(pairs) <= 2 * BUCKETS
    assert [value for _, value in pairs] == sorted(value for _, value in pairs)
    assert {0.0, 99.0} <= {value for _, value in pairs}
    assert all(first <= place <= first + 100 * every for place, _ in pairs)


def test_what_was_reported_since_is_drawn(scope, report):
    long = report([1.0] * 100)
    assert {value for pairs in drawn(scope, [long]) for _, value in pairs} == {1.0}
    row = Execution.unscoped.get()
    metrics.record(scope, row.pk, metrics=[Point("loss", 7.0, step=100, recorded_at=timezone.now())])
    assert 7.0 in {value for pairs in drawn(scope, metrics.series(scope, row)) for _, value in pairs}
