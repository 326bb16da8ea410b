"""Policies in words say what will really be done."""

from datetime import timedelta

import pytest

from mlops.domain.policies import Policies
from mlops.views import schedule_words


@pytest.mark.parametrize(
    ("overlap", "said"),
    [
        ("allow", "What was missed is started, the newest 7 at most."),
        ("skip", "Of what was missed one run is started; while it is not over, the others are skipped."),
        ("replace", "Of what was missed only the newest is started: it takes the place of the others."),
    ],
)
def test_of_all_that_was_missed_as_many_are_told_as_may_run_together(overlap, said):
    policy = Policies(overlap=overlap, catch_up="all", catch_up_limit=7)
    assert schedule_words.policies(policy)[1] == said


def test_a_length_of_time_is_told_in_its_largest_whole_unit():
    assert schedule_words.span(timedelta(hours=2)) == "2 hours"
    assert schedule_words.span(timedelta(seconds=90)) == "90 seconds"
