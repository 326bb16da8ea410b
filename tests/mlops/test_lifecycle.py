"""The life cycle's tables: every status reaches an end, ends are final, and buttons read the same sets."""

import pytest

from mlops import lifecycle
from mlops.lifecycle import EXECUTION, STEP, Status


def reachable(table, start):
    """Every status that can follow `start`, at any distance."""
    found, open_ = set(), [start]
    while open_:
        for target in table.get(open_.pop(), ()):
            if target not in found:
                found.add(target)
                open_.append(target)
    return found


@pytest.mark.parametrize("status", [status for status in EXECUTION if status not in lifecycle.FINAL])
def test_every_status_of_an_execution_reaches_an_end(status):
    assert status is Status.DELETING or reachable(EXECUTION, status) & lifecycle.FINAL


@pytest.mark.parametrize("status", sorted(lifecycle.FINAL))
def test_final_is_final(status):
    assert EXECUTION[status] == {Status.DELETING}
    assert STEP[status] == frozenset()


def test_stop_and_delete_are_for_those_that_the_table_lets_move():
    assert lifecycle.sources(EXECUTION, Status.STOPPING) == lifecycle.STOPPABLE
    assert lifecycle.sources(EXECUTION, Status.DELETING) | {Status.UNKNOWN} == lifecycle.EXECUTION_DELETABLE


def test_stopped_is_reached_through_stopping_only():
    assert lifecycle.sources(EXECUTION, Status.STOPPED) == {Status.STOPPING}


def test_a_stored_execution_is_never_unknown():
    assert Status.UNKNOWN not in EXECUTION
    assert Status.UNKNOWN not in lifecycle.STORED
