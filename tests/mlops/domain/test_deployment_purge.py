"""Deletions of deployments are finished: all that goes along goes, and nothing that still ends."""

import pytest

from launchpad.access import system_scope
from mlops.domain import deployment_purge, deployments
from mlops.domain.deployment_purge import OF_DEPLOYMENTS
from mlops.lifecycle import Status
from mlops.models import Configuration, Deployment, Replica
from tests.mlops import standing

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def counts():
    return {model.__name__: model.unscoped.count() for model in (Deployment, *OF_DEPLOYMENTS)}


def test_all_that_goes_along_goes_and_others_stay(red, editor):
    kept = standing.deployment(red, Status.DEAD)
    standing.along(kept, editor)
    before = counts()
    gone = standing.deployment(red, Status.DELETING)
    standing.along(gone, editor)
    assert all(count > before[name] for name, count in counts().items())
    assert deployment_purge.purge_deleted(seconds=30) == 1
    assert counts() == before
    assert Deployment.unscoped.get() == kept
    assert Configuration.unscoped.count() == 2


def test_what_is_not_deleted_stays(red):
    for status in (Status.PENDING, Status.RUNNING, Status.STOPPED, Status.DEAD):
        standing.deployment(red, status)
    assert deployment_purge.purge_deleted(seconds=30) == 0
    assert Deployment.unscoped.count() == 4


def test_one_whose_server_still_ends_waits_for_it(red):
    made = standing.deployment(red, Status.RUNNING)
    (server,) = Replica.unscoped.filter(deployment=made)
    deployments.stop(system_scope(red), made.pk)
    standing.end(made)
    deployments.delete(system_scope(red), made.pk)
    # As if its worker had not told yet that the process is gone.
    Replica.unscoped.filter(pk=server.pk).update(**{"status": Status.STOPPING})
    assert deployment_purge.purge_deleted(seconds=30) == 0
    Replica.unscoped.filter(pk=server.pk).update(**{"status": Status.STOPPED})
    assert deployment_purge.purge_deleted(seconds=30) == 1


def test_it_ends_when_its_time_is_over_and_goes_on_the_next_time(red):
    standing.deployment(red, Status.DELETING)
    assert deployment_purge.purge_deleted(seconds=0) == 0
    assert deployment_purge.purge_deleted(seconds=30) == 1
