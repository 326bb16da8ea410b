"""How fast one API client may ask."""

import pytest

from launchpad.accounts import rates
from launchpad.errors import TooMany


@pytest.fixture(autouse=True)
def bucket(settings):
    """Four at once, then two a second."""
    settings.API_REQUESTS_PER_SECOND, settings.API_BURST = 2, 4
    rates.forget_all()
    yield
    rates.forget_all()


def taken(client, now, tries=10):
    """How many of so many requests at once are let through, and what the first refusal says."""
    for count in range(tries):
        try:
            rates.take(client, now=now)
        except TooMany as refusal:
            return count, refusal.seconds
    return tries, 0


def test_a_burst_then_the_rate():
    assert taken("a", 100) == (4, 1)
    assert taken("a", 100.4) == (0, 1)
    assert taken("a", 100.5) == (1, 1)
    assert taken("a", 102.5) == (4, 1)
    assert taken("a", 1000) == (4, 1)


def test_each_client_has_its_own_bucket():
    assert taken("a", 100) == (4, 1)
    assert taken("b", 100) == (4, 1)


def test_the_wait_is_told(settings):
    settings.API_REQUESTS_PER_SECOND = 0.1
    assert taken("a", 100) == (4, 10)
    assert taken("a", 107) == (0, 3)


def test_nought_lets_everyone_ask_at_any_speed(settings):
    settings.API_REQUESTS_PER_SECOND = 0
    assert taken("a", 100, 1000) == (1000, 0)


def test_a_clock_that_goes_back_gives_nothing():
    assert taken("a", 100) == (4, 1)
    assert taken("a", 90) == (0, 1)
