"""Rows of ledgers go when they are too old to be kept; runs and what has not ended stay."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mlops.domain import clock, schedule_purge
from mlops.lifecycle import Outcome
from mlops.models import Execution, Tick
from tests.mlops import factories, ledgers

pytestmark = [pytest.mark.django_db, pytest.mark.database]

MINUTE = timedelta(minutes=1)


@pytest.fixture
def schedule(db, settings):
    settings.LEDGER_DAYS = 10
    return factories.schedule(factories.configuration(factories.place()))


def age(rows, days):
    """As if they had been due and decided so long ago."""
    for row in rows:
        row.fire_at -= timedelta(days=days)
        row.decided_at -= timedelta(days=days)
        row.save()


def test_what_is_too_old_goes_and_its_run_stays(schedule):
    old = ledgers.fill(schedule, "cdsr")
    age(old, 10)
    kept = ledgers.fill(schedule, "cd")
    again = Tick.unscoped.create(
        schedule=schedule,
        fire_at=kept[0].fire_at - timedelta(days=30),
        decided_at=kept[0].decided_at,
        outcome=Outcome.BACKFILLED,
    )
    before = set(Execution.unscoped.values_list("pk", flat=True))
    assert schedule_purge.purge_ledgers(timezone.now(), seconds=60) == 3
    left = set(Tick.unscoped.values_list("pk", flat=True))
    assert left.isdisjoint(row.pk for row in old[:3])
    # One still runs, two are young, and one is old but was decided anew.
    assert left >= {old[3].pk, *(row.pk for row in kept), again.pk}
    assert set(Execution.unscoped.values_list("pk", flat=True)) == before


def test_many_go_in_batches_that_end_in_time(schedule):
    now = timezone.now()
    first = now - timedelta(days=20)
    Tick.unscoped.bulk_create(
        Tick(
            schedule=schedule,
            fire_at=first + place * MINUTE,
            decided_at=first + place * MINUTE,
            outcome=Outcome.SKIPPED,
        )
        for place in range(5_003)
    )
    assert schedule_purge.purge_ledgers(now, seconds=0) == 5_000
    assert min(Tick.unscoped.values_list("fire_at", flat=True)) == first + 5_000 * MINUTE
    assert schedule_purge.purge_ledgers(now, seconds=60) == 3
    assert schedule_purge.purge_ledgers(now, seconds=60) == 0


def test_the_sweep_does_it(schedule, monkeypatch):
    monkeypatch.setattr(clock, "_purging", clock._Turn(60))
    old = ledgers.fill(schedule, "cd")
    age(old, 11)
    clock.sweep()
    assert not Tick.unscoped.filter(pk__in=[row.pk for row in old]).exists()
