"""The limit of requests a second, whatever order requests come to it in."""

import pytest

from mlops.gateway.lanes import Line
from mlops.gateway.refusals import Refused

RATE = 5


@pytest.fixture
def line(settings):
    settings.GATEWAY_REQUESTS_PER_SECOND = RATE
    return Line("d0123456789abcde", None, 100.0)


def taken(line, times):
    """How many of the requests that began then are passed on."""
    count = 0
    for began in times:
        try:
            line.take_turn(began)
        except Refused:
            continue
        count += 1
    return count


def test_a_request_that_began_before_others_takes_one_turn_only(line):
    assert taken(line, [99.0, 100.0, 98.5, 99.9, 99.0, 100.0, 99.0]) == RATE


def test_turns_come_back_with_time_and_never_twice(line):
    assert taken(line, [100.0] * 9) == RATE
    assert taken(line, [100.4, 100.0, 100.4, 100.4]) == 2
    assert taken(line, [200.0] * 9) == RATE
