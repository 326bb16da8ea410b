"""Where requests go: the ready servers of the revision that serves, in one query for all deployments."""

import pytest

from launchpad.access import system_scope
from mlops.domain import deployments, routing
from mlops.lifecycle import Status
from mlops.models import Deployment, Replica
from tests.mlops import factories
from tests.mlops.gateway import serving

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def addresses(route):
    return [[server.address for server in branch.servers] for branch in route.branches]


def test_a_route_has_the_ready_servers_and_limits_of_the_revision_that_serves(red):
    row = serving.deployment(red, "host:1", "host:2", at_once=3, seconds=7)
    route = routing.find(row.pk)
    assert (route.deployment, route.workspace, route.group) == (row.pk, "north", "red")
    assert (route.status, route.is_archived, route.share) == (Status.RUNNING, False, 0)
    (branch,) = route.branches
    assert (branch.revision, branch.weight) == (1, 100)
    assert branch.limits == routing.Limits(3, 7.0)
    assert addresses(route) == [["host:1", "host:2"]]
    assert route.shadow is None


@pytest.mark.parametrize(
    "column",
    [{"is_ready": False}, {"draining_at": serving.timezone.now()}, {"status": "STOPPING"}, {"address": ""}],
)
def test_a_server_that_may_get_no_requests_is_not_in_it(red, column):
    row = serving.deployment(red, "host:1", "host:2")
    Replica.unscoped.filter(address="host:1").update(**column)
    assert addresses(routing.find(row.pk)) == [["host:2"]]


def test_until_a_revision_takes_over_the_one_before_it_gets_the_requests(red):
    row = serving.deployment(red, "host:1")
    bound = serving.configuration(red, word="new", servers=2)
    deployments.update(system_scope(red), row.pk, configuration=bound.pk)
    serving.get_ready(row, "host:2")
    assert addresses(routing.find(row.pk)) == [["host:1"]]
    serving.get_ready(row, "host:3")
    route = routing.find(row.pk)
    assert [branch.revision for branch in route.branches] == [2]
    assert addresses(route) == [["host:2", "host:3"]]


def test_without_servers_there_is_a_route_that_leads_nowhere(red):
    row = serving.deployment(red)
    route = routing.find(row.pk)
    assert (route.status, route.message, route.branches) == (Status.PENDING, "Waiting for a worker", ())
    assert routing.find("d000000000000000") is None


def test_the_share_that_is_kept_counts_only_where_any_is(red):
    row = serving.deployment(red, "host:1")
    for keeps, share in ((True, 40), (False, 0)):
        deployments.keep_predictions(system_scope(red), row.pk, keeps=keeps, share=40)
        assert routing.find(row.pk).share == share


def test_all_routes_are_one_query_once_their_revisions_are_known(red, django_assert_num_queries):
    rows = []
    for number in range(3):
        group = factories.place("north", f"group-{number}")
        rows.append(serving.deployment(group, f"host:{number}"))
    keys = [row.pk for row in rows]
    routing.look_up(keys)
    with django_assert_num_queries(1):
        found = routing.look_up([*keys, "d000000000000000"])
    assert [addresses(found[key]) for key in keys] == [[[f"host:{number}"]] for number in range(3)]
    Deployment.unscoped.filter(pk=keys[0]).update(archived_at=serving.timezone.now())
    assert routing.find(keys[0]).is_archived
