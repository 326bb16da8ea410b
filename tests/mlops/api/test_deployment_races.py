"""Two calls for one deployment at the same moment: one comes first, and the other is answered accordingly."""

import pytest

from launchpad.access import system_scope
from mlops.domain import deployments, revisions
from mlops.lifecycle import Status
from mlops.models import Deployment, DeploymentChange, Revision
from tests.mlops import deployed
from tests.mlops.api.clients import caller, refused
from tests.mlops.racing import beside
from tests.places import three

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def red():
    return three()[0]


def raced(first, call):
    """The answer to a call that is made before what `first` did is committed."""
    answers = []
    assert beside(first, lambda: answers.append(call())) == []
    (answer,) = answers
    return answer


@pytest.fixture
def acts(red):
    """`acts(status)`: a deployment, and what can be done to it, in the domain and over the API."""
    client, scope = caller(red), system_scope(red)

    def make(status):
        version = deployed.version(red)
        bound, other = (deployed.configuration(red, served=version) for _ in range(2))
        key = deployed.deployment(bound, status=status).pk
        address = f"/lm/deployments/{key}"
        client("GET", address)
        return key, {
            "stop": (
                lambda: deployments.stop(scope, key),
                lambda: client("PATCH", address, {"targetStatus": "STOPPED"}),
            ),
            "update": (
                lambda: deployments.update(scope, key, configuration=other.pk),
                lambda: client("PATCH", address, {"configurationId": str(other.pk)}),
            ),
            "delete": (lambda: deployments.delete(scope, key), lambda: client("DELETE", address)),
            "put away": (lambda: deployed.put_away(Deployment.unscoped.get(pk=key)), None),
        }

    return make


def test_a_stop_that_comes_while_it_is_updated_stops_both_revisions(acts):
    key, can = acts(Status.RUNNING)
    answer = raced(can["update"][0], can["stop"][1])
    assert answer.status_code == 202, answer.content
    row = Deployment.unscoped.get(pk=key)
    assert (row.status, row.newest) == (Status.STOPPING, 2)
    deployed.gone(row)
    assert row.status == Status.STOPPED
    assert {one.status for one in Revision.unscoped.filter(deployment=row)} == {Status.STOPPED}
    assert revisions.unsettled() == []


@pytest.mark.parametrize(
    ("status", "first", "second", "says"),
    [
        (Status.RUNNING, "stop", "update", "stopping"),
        (Status.RUNNING, "stop", "stop", "stopping"),
        (Status.RUNNING, "update", "update", "already"),
        (Status.DEAD, "delete", "update", "deleting"),
        (Status.DEAD, "update", "delete", "stop it first"),
        (Status.STOPPED, "delete", "delete", "stop it first"),
    ],
)
def test_of_two_that_exclude_each_other_the_second_is_refused(acts, status, first, second, says):
    key, can = acts(status)
    before = DeploymentChange.unscoped.filter(deployment=key).count()
    refused(raced(can[first][0], can[second][1]), 412, key if says != "already" else "", says)
    assert Revision.unscoped.filter(deployment=key).count() == (2 if first == "update" else 1)
    assert DeploymentChange.unscoped.filter(deployment=key).count() == before + 1


def test_one_that_is_put_away_while_it_is_updated_either_comes_back_or_stays_away(acts):
    key, can = acts(Status.DEAD)
    answer = raced(can["put away"][0], can["update"][1])
    row = Deployment.unscoped.get(pk=key)
    if answer.status_code == 202:
        assert (row.status, row.archived_at) == (Status.PENDING, None)
    else:
        refused(answer, 404)
        assert row.status == Status.DEAD and row.archived_at is not None
