"""Servers are added when requests pile up and ended after a quiet while, within what the template says."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mlops.domain import revisions, scaling
from mlops.lifecycle import LIVE
from mlops.models import Deployment, Replica, Revision, TrafficBucket
from tests.mlops import deploying, factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def row() -> Deployment:
    """A deployment of one to four servers, whose first is ready as a worker would tell."""
    made = deploying.deployment(factories.place())
    Replica.unscoped.filter(deployment=made).update(status="RUNNING", is_ready=True, address="127.0.0.1:1")
    revisions.settle(made.pk)
    made.refresh_from_db()
    assert made.status == "RUNNING"
    return made


def busy(row: Deployment, now, *, ago: float, **columns: int) -> None:
    at = now - timedelta(seconds=ago)
    columns = {"requests": 1} | columns
    process = f"web{TrafficBucket.unscoped.count()}"
    TrafficBucket.unscoped.create(deployment=row, revision=1, at=at, process=process, **columns)


def count(row: Deployment) -> int:
    return Replica.unscoped.filter(deployment=row, status__in=LIVE, draining_at=None).count()


def test_what_all_web_processes_hold_open_adds_servers_up_to_the_most(row):
    now = timezone.now()
    busy(row, now, ago=5, busy=90)
    assert scaling.scale(now) == 0
    same = TrafficBucket.unscoped.get()
    TrafficBucket.unscoped.create(
        deployment=row, revision=1, at=same.at, process="other", requests=1, busy=120
    )
    assert scaling.scale(now) == 1
    assert count(row) == 3
    busy(row, now, ago=1, busy=9000)
    assert scaling.scale(now) == 1
    assert count(row) == 4
    assert scaling.scale(now) == 0


def test_servers_end_only_after_a_quiet_while_and_never_below_the_least(row):
    now = timezone.now()
    revisions.grow(Revision.unscoped.get(deployment=row), 2)
    busy(row, now, ago=40, busy=150)
    busy(row, now, ago=5, busy=0)
    scaling.scale(now)
    assert count(row) == 2
    scaling.scale(now + timedelta(seconds=61))
    assert count(row) == 1
    assert Replica.unscoped.filter(deployment=row, is_ready=True, draining_at=None).count() == 1
