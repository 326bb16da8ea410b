"""Drafts of schedules: one draft makes one schedule."""

import pytest

from launchpad.access import Right, open_scope
from launchpad.errors import Invalid, NotFound
from mlops.domain import schedule_drafts
from mlops.domain.policies import Policies
from mlops.domain.timings import Timing
from mlops.models import Schedule, ScheduleDraft
from tests.mlops import factories
from tests.mlops.racing import beside

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def bound(red):
    return factories.configuration(red)


@pytest.fixture
def scope(editor):
    return open_scope(editor, "north", "red", Right.CHANGE)


@pytest.fixture
def submit(scope, bound):
    """`submit(draft)`: make the schedule that it is a draft of."""

    def made(draft, cron="0 5 * * *"):
        return schedule_drafts.submit(
            scope, draft.pk, name="nightly", configuration=bound.pk, timing=Timing(cron), policy=Policies()
        )

    return made


def test_what_is_sent_twice_makes_one_schedule(scope, submit):
    draft = schedule_drafts.save(scope, None, {"name": "nightly"})
    (refused,) = beside(lambda: submit(draft), lambda: submit(draft))
    assert isinstance(refused, NotFound)
    assert Schedule.unscoped.count() == 1 and not ScheduleDraft.unscoped.exists()


def test_a_draft_that_makes_none_stays(scope, submit):
    draft = schedule_drafts.save(scope, None, {"name": "nightly"})
    with pytest.raises(Invalid):
        submit(draft, cron="61 * * * *")
    assert schedule_drafts.get(scope, draft.pk) and not Schedule.unscoped.exists()
