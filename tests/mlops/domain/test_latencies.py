"""Histograms of times: bounds, sums and the quantiles they tell."""

import random

import pytest

from mlops.domain import latencies


def test_bounds_are_eight_a_decade_from_a_quarter_of_a_millisecond_beyond_100_seconds():
    bounds = latencies.BOUNDS
    assert bounds[0] == 0.00025
    assert bounds[-2] < 100 < bounds[-1]
    assert [bounds[at + 8] / bounds[at] for at in range(0, 30)] == pytest.approx([10.0] * 30)


@pytest.mark.parametrize("seconds", [0.0, 0.0001, 0.00025, 0.0003, 0.5, 99.0, 1000.0])
def test_a_time_is_counted_below_the_first_bound_that_it_does_not_exceed(seconds):
    place = latencies.index(seconds)
    assert place == len(latencies.BOUNDS) or seconds <= latencies.BOUNDS[place]
    assert place == 0 or seconds > latencies.BOUNDS[place - 1]


def test_quantiles_are_off_by_a_third_at_most():
    random.seed(5)
    times = sorted(random.lognormvariate(-4, 1.5) for _ in range(5_000))
    counts = {}
    for one in times:
        latencies.add(counts, one)
    for share in (0.01, 0.5, 0.95, 0.99):
        exact = times[round(share * len(times)) - 1]
        assert latencies.quantile(counts, share) == pytest.approx(exact, rel=0.34)


def test_the_ends():
    assert latencies.quantile({}, 0.5) is None
    assert latencies.quantile({len(latencies.BOUNDS): 3}, 0.5) == latencies.BOUNDS[-1]
    assert latencies.quantile({0: 1}, 1.0) == pytest.approx(latencies.BOUNDS[0])
    assert latencies.quantile({8: 4}, 0.0) == pytest.approx(latencies.BOUNDS[7])
