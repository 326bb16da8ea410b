"""What a deployment can be told in which status, and what follows."""

from datetime import timedelta

import pytest
from django.utils import timezone

from launchpad.access import system_scope
from launchpad.errors import Conflict, Invalid, NotFound
from mlops.domain import deployments, replicas, revisions, times_to_live
from mlops.lifecycle import DEPLOYMENT, REPLICA, REVISION, Status
from mlops.models import Deployment, DeploymentChange, Replica, Revision
from tests.mlops import deploying, factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def group():
    return factories.place()


@pytest.fixture
def scope(group):
    return system_scope(group)


def ready(row: Deployment) -> Deployment:
    """As a worker would tell of every server that waits."""
    waiting = Replica.unscoped.filter(deployment=row, status="PENDING")
    waiting.update(status="RUNNING", is_ready=True, address="127.0.0.1:1")
    revisions.settle(row.pk)
    row.refresh_from_db()
    return row


def gone(row: Deployment) -> Deployment:
    """As a worker would tell of every server that is to stop."""
    for replica in Replica.unscoped.filter(deployment=row, status="STOPPING"):
        replicas.stopped(replica, replica.attempt, message="Stopped.")
    row.refresh_from_db()
    return row


@pytest.mark.parametrize("table", [DEPLOYMENT, REVISION, REPLICA])
def test_whatever_moves_comes_to_rest(table):
    for source in table:
        reached = {source}
        while more := {to for status in reached for to in table[status]} - reached:
            reached |= more
        assert reached & {Status.STOPPED, Status.DEAD, Status.DELETING}


@pytest.mark.parametrize(
    ("text", "minutes"), [("10m", 10), ("90M", 90), ("5h", 300), ("2D", 2880), ("3650d", 5_256_000)]
)
def test_a_time_to_live_is_a_number_and_a_unit(text, minutes):
    assert times_to_live.parse(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "text", ["9m", "0h", "4.5h", "4h30m", "5", "5,", "-5h", "5 h", "3651d", "999999999d", "h", "٥h", "5h\n"]
)
def test_anything_else_is_refused_with_a_word_on_it(text):
    with pytest.raises(Invalid) as refused:
        times_to_live.parse(text)
    assert "ttl" in refused.value.fields


def test_a_configuration_that_runs_to_an_end_is_not_deployed(group, scope):
    with pytest.raises(Invalid, match="runs to an end"):
        deployments.create(scope, configuration=factories.configuration(group).pk)
    assert not Deployment.unscoped.exists()


def test_a_configuration_of_another_group_does_not_exist_here(scope):
    theirs = deploying.configuration(factories.place("local", "blue"))
    with pytest.raises(NotFound):
        deployments.create(scope, configuration=theirs.pk)


def test_a_stop_before_any_worker_took_it_is_a_stop_at_once(group, scope):
    row = deploying.deployment(group)
    assert deployments.stop(scope, row.pk).status == Status.STOPPED
    assert replicas.waits() is False
    with pytest.raises(Conflict, match="is stopped"):
        deployments.stop(scope, row.pk)


def test_it_stays_stopping_until_every_server_is_gone(group, scope):
    row = ready(deploying.deployment(group, servers=2))
    assert deployments.stop(scope, row.pk).status == Status.STOPPING
    first, second = Replica.unscoped.filter(deployment=row).order_by("index")
    replicas.stopped(first, first.attempt, message="Stopped.")
    row.refresh_from_db()
    assert row.status == Status.STOPPING
    replicas.failed(second, second.attempt, message="It crashed while it was told to stop.")
    row.refresh_from_db()
    assert (row.status, row.serving) == (Status.STOPPED, None)


def test_only_the_same_executable_and_another_configuration_is_rolled_in(group, scope):
    row = ready(deploying.deployment(group))
    with pytest.raises(Invalid, match="same executable"):
        other = deploying.configuration(group, executable="petals-serve-too")
        deployments.update(scope, row.pk, configuration=other.pk)
    with pytest.raises(Conflict, match="already"):
        deployments.update(scope, row.pk, configuration=row.configuration_id)
    deployments.stop(scope, row.pk)
    with pytest.raises(Conflict, match="stopping"):
        deployments.update(scope, row.pk, configuration=deploying.configuration(group, "new").pk)


def test_an_update_of_what_is_not_ready_yet_replaces_it(group, scope):
    row = deploying.deployment(group, "old")
    deployments.update(scope, row.pk, configuration=deploying.configuration(group, "new").pk)
    statuses = Revision.unscoped.filter(deployment=row).values_list("number", "status")
    assert dict(statuses) == {1: "STOPPED", 2: "PENDING"}
    assert ready(row).serving == 2


def test_two_updates_in_a_row_leave_the_first_one_serving_until_the_last_is_ready(group, scope):
    row = ready(deploying.deployment(group, "one"))
    for word in ("two", "three"):
        deployments.update(scope, row.pk, configuration=deploying.configuration(group, word).pk)
    statuses = Revision.unscoped.filter(deployment=row).values_list("number", "status")
    assert dict(statuses) == {1: "RUNNING", 2: "STOPPED", 3: "PENDING"}
    row.refresh_from_db()
    assert (row.status, row.serving, row.newest) == (Status.RUNNING, 1, 3)


def test_a_dead_one_is_updated_and_comes_back_under_its_address(group, scope, settings):
    settings.DEPLOYMENT_RESTARTS = 0
    row = deploying.deployment(group, "old")
    replica = Replica.unscoped.get(deployment=row)
    Replica.unscoped.filter(pk=replica.pk).update(status="RUNNING")
    replicas.failed(replica, replica.attempt, message="No such model.")
    row.refresh_from_db()
    assert (row.status, row.status_message) == (Status.DEAD, "Revision 1 failed: No such model.")
    deployments.update(scope, row.pk, configuration=deploying.configuration(group, "new").pk)
    assert ready(row).status == Status.RUNNING
    assert (row.serving, row.completed_at) == (2, None)


@pytest.mark.parametrize("before", ["dead", "stopped with a dead server"])
def test_servers_that_died_before_it_was_started_again_do_not_speak_for_it(group, scope, settings, before):
    settings.DEPLOYMENT_RESTARTS = 0
    row = deploying.deployment(group, servers=1 if before == "dead" else 2)
    if before != "dead":
        ready(row)
    first = Replica.unscoped.filter(deployment=row).order_by("index").first()
    Replica.unscoped.filter(pk=first.pk).update(status="RUNNING")
    replicas.failed(first, first.attempt, message="It fell.")
    if before != "dead":
        deployments.stop(scope, row.pk)
        gone(row)
    row.refresh_from_db()
    assert row.status == (Status.DEAD if before == "dead" else Status.STOPPED)

    deployments.restart(scope, row.pk)
    revisions.settle(row.pk)
    row.refresh_from_db()
    assert (row.status, row.status_message) == (Status.PENDING, f"Started again by {scope.actor}.")
    assert ready(row).status == Status.RUNNING

    deployments.stop(scope, row.pk)
    gone(row)
    deployments.restart(scope, row.pk)
    last = Replica.unscoped.filter(deployment=row).order_by("-index").first()
    Replica.unscoped.filter(pk=last.pk).update(status="RUNNING")
    replicas.failed(last, last.attempt, message="It fell again.")
    row.refresh_from_db()
    assert (row.status, row.status_message) == (Status.DEAD, "Revision 1 failed: It fell again.")


def test_a_roll_back_makes_a_revision_of_the_earlier_configuration(group, scope):
    row = ready(deploying.deployment(group, "old"))
    first = row.configuration_id
    deployments.update(scope, row.pk, configuration=deploying.configuration(group, "new").pk)
    ready(row)
    deployments.roll_back(scope, row.pk, revision=1)
    assert ready(row).configuration_id == first
    assert Revision.unscoped.get(deployment=row, number=3).reason == "Rolled back to revision 1."
    with pytest.raises(NotFound):
        deployments.roll_back(scope, row.pk, revision=9)
    with pytest.raises(Conflict, match="newest already"):
        deployments.roll_back(scope, row.pk, revision=3)


def test_the_end_of_its_time_stops_it_and_puts_it_away_with_its_history(group, scope):
    row = ready(deploying.deployment(group, ttl="1h"))
    assert revisions.expire(timezone.now()) == 0
    assert revisions.expire(timezone.now() + timedelta(minutes=61)) == 1
    row.refresh_from_db()
    assert row.status == Status.STOPPING
    Deployment.unscoped.filter(pk=row.pk).update(expires_at=timezone.now())
    gone(row)
    assert row.status == Status.STOPPED and row.archived_at is not None
    assert "time to live is over" in row.status_message
    assert deployments.history(scope, row).count() == 4


def test_its_life_is_extended_or_made_endless(group, scope):
    row = ready(deploying.deployment(group, ttl="10m"))
    before = row.expires_at
    assert deployments.extend(scope, row.pk, ttl="5h").expires_at > before
    assert deployments.extend(scope, row.pk, ttl="").expires_at is None
    with pytest.raises(Invalid):
        deployments.extend(scope, row.pk, ttl="1m")
    said = DeploymentChange.unscoped.filter(deployment=row).values_list("reason", flat=True)
    assert any("for ever" in reason for reason in said)


def test_a_warning_comes_near_the_end_only(group):
    row = ready(deploying.deployment(group, ttl="5h"))
    assert deployments.soon(row) is None
    row.expires_at = timezone.now() + timedelta(minutes=20)
    assert timedelta(minutes=19) < deployments.soon(row) <= timedelta(minutes=20)


def test_what_is_put_away_comes_back_with_a_new_time_to_live(group, scope):
    row = ready(deploying.deployment(group, ttl="1h"))
    deployments.stop(scope, row.pk)
    gone(row)
    Deployment.unscoped.filter(pk=row.pk).update(archived_at=timezone.now())
    again = deployments.restart(scope, row.pk)
    assert (again.status, again.archived_at) == (Status.PENDING, None)
    assert again.expires_at > timezone.now() + timedelta(minutes=59)


def test_only_what_is_at_rest_is_deleted(group, scope):
    row = ready(deploying.deployment(group))
    with pytest.raises(Conflict, match="stop it first"):
        deployments.delete(scope, row.pk)
    deployments.stop(scope, row.pk)
    gone(row)
    assert deployments.delete(scope, row.pk).status == Status.DELETING


def test_several_are_told_at_once_and_each_is_answered(group, scope):
    running, resting = ready(deploying.deployment(group)), deploying.deployment(group)
    deployments.stop(scope, resting.pk)
    outcomes = deployments.modify(
        scope, [(running.pk, "STOPPED"), (resting.pk, "STOPPED"), ("d000000000000000", "DELETED")]
    )
    assert [error is None for _key, error in outcomes] == [True, False, False]


def test_one_of_two_servers_that_is_lost_leaves_it_running(group):
    row = ready(deploying.deployment(group, servers=2))
    first = Replica.unscoped.filter(deployment=row).order_by("index").first()
    replicas.failed(first, first.attempt, message="It crashed.")
    row.refresh_from_db()
    assert row.status == Status.RUNNING


def test_a_late_word_of_a_worker_that_was_called_lost_does_not_end_what_waits(group, settings):
    settings.DEPLOYMENT_RESTARTS = 0
    row = ready(deploying.deployment(group))
    replica = Replica.unscoped.get(deployment=row)
    assert replicas.lost(replica, actor="launchpad", reason="Its worker is gone.", evidence={})
    replicas.failed(replica, replica.attempt, message="It fell.")
    row.refresh_from_db()
    replica.refresh_from_db()
    assert (row.status, replica.status) == (Status.PENDING, Status.PENDING)


def test_a_late_word_of_a_draining_server_brings_nothing_back(group, scope, settings):
    settings.DEPLOYMENT_DRAIN_SECONDS = 0
    row = ready(deploying.deployment(group, "old"))
    old = Replica.unscoped.get(deployment=row)
    deployments.update(scope, row.pk, configuration=deploying.configuration(group, "new").pk)
    ready(row)
    revisions.settle(row.pk)
    old.refresh_from_db()
    assert old.status == Status.STOPPING
    replicas.tell_ready(old, old.attempt, address="127.0.0.1:1")
    old.refresh_from_db()
    assert not old.is_ready
    gone(row)
    assert Revision.unscoped.get(deployment=row, number=1).status == Status.STOPPED


def test_a_draining_server_that_crashes_does_not_come_up_again(group, scope):
    row = ready(deploying.deployment(group, "old"))
    old = Replica.unscoped.get(deployment=row)
    deployments.update(scope, row.pk, configuration=deploying.configuration(group, "new").pk)
    ready(row)
    old.refresh_from_db()
    assert old.draining_at is not None
    replicas.failed(old, old.attempt, message="It crashed.")
    old.refresh_from_db()
    assert old.status == Status.STOPPED
