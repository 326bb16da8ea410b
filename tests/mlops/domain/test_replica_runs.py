"""Servers of deployments: started, ready, crashed, replaced, stopped, by the real engine."""

import os
from pathlib import Path

import pytest

from launchpad.access import system_scope
from launchpad.errors import Conflict
from mlops.domain import deployments, placements, replicas, secrets
from mlops.engine.probes import refusal
from mlops.lifecycle import Status
from mlops.models import DeploymentChange, Replica, Revision
from tests.mlops import deploying, factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def quick(settings):
    settings.DEPLOYMENT_DRAIN_SECONDS = 0.1
    settings.DEPLOYMENT_BACKOFF_SECONDS = 0.05
    settings.DEPLOYMENT_RESTARTS = 2
    settings.PROBE_SECONDS = 0.1


def test_a_server_is_ready_with_its_model_on_its_own_port_and_stops(quick):
    group = factories.place()
    row = deploying.deployment(group)
    scope = system_scope(group)
    with deploying.host() as host:
        host.until(row, Status.RUNNING)
        (replica,) = deploying.servers(row)
        port = replica.address.rpartition(":")[2]
        assert deploying.ask(replica) == f"hello {port} model.txt"
        assert (row.serving, row.latest_running_configuration) == (1, row.configuration)
        deployments.stop(scope, row.pk)
        host.until(row, Status.STOPPED)
        assert refusal("127.0.0.1", int(port), "") == "Its port is not open."
    assert "serving hello" in deploying.log(row)
    said = DeploymentChange.unscoped.filter(deployment=row).order_by("id").values_list("target", flat=True)
    assert list(said) == ["PENDING", "RUNNING", "STOPPING", "STOPPED"]


def test_it_starts_again_after_a_stop_with_the_same_address(quick):
    group = factories.place()
    row = deploying.deployment(group)
    scope = system_scope(group)
    with deploying.host() as host:
        host.until(row, Status.RUNNING)
        deployments.stop(scope, row.pk)
        host.until(row, Status.STOPPED)
        deployments.restart(scope, row.pk)
        host.until(row, Status.RUNNING)
        assert [replica.index for replica in deploying.servers(row)] == [1]
        assert row.newest == 1


def test_an_update_takes_over_when_it_is_ready_and_the_old_one_drains(quick):
    group = factories.place()
    row = deploying.deployment(group, "old")
    scope = system_scope(group)
    with deploying.host() as host:
        host.until(row, Status.RUNNING)
        (old,) = deploying.servers(row)
        deployments.update(scope, row.pk, configuration=deploying.configuration(group, "new", servers=2).pk)
        host.until(row, Status.RUNNING, serving=2)
        assert {deploying.ask(one).split()[0] for one in deploying.servers(row)} == {"new"}
        assert len(deploying.servers(row)) == 2
        # It answers as long as somebody may still call it.
        old.refresh_from_db()
        assert old.draining_at is not None
        host.until_gone(old)
        deployments.roll_back(scope, row.pk, revision=1)
        host.until(row, Status.RUNNING, serving=3)
        assert {deploying.ask(one).split()[0] for one in deploying.servers(row)} == {"old"}
    statuses = dict(Revision.unscoped.filter(deployment=row).values_list("number", "status"))
    assert statuses[1] == Status.STOPPED and statuses[3] == Status.RUNNING


def test_a_failed_update_leaves_the_old_one_serving_and_says_so(quick):
    group = factories.place()
    row = deploying.deployment(group, "old")
    scope = system_scope(group)
    with deploying.host() as host:
        host.until(row, Status.RUNNING)
        deployments.update(scope, row.pk, configuration=deploying.configuration(group, "crash").pk)
        host.until_revision(row, 2, Status.DEAD)
        assert (row.status, row.serving, row.newest) == (Status.RUNNING, 1, 2)
        assert "Revision 1 still serves" in row.status_message
        assert deploying.ask(*deploying.servers(row)).startswith("old")
    assert "cannot load the model" in deploying.log(row, 2)
    failed = Revision.unscoped.get(deployment=row, number=2)
    assert "exit code 1" in failed.message and "started 3 times" in failed.message


def test_a_deployment_whose_server_crashes_again_and_again_is_dead_with_the_cause(quick):
    group = factories.place()
    row = deploying.deployment(group, "crash")
    with deploying.host() as host:
        host.until(row, Status.DEAD)
    assert "exit code 1. It said: “cannot load the model”. It was started 3 times." in row.status_message
    assert Replica.unscoped.get(deployment=row).restarts == 2
    assert row.completed_at is not None


def test_a_server_that_is_never_ready_says_what_it_answered(quick, settings):
    settings.DEPLOYMENT_START_SECONDS = 1.0
    settings.DEPLOYMENT_RESTARTS = 0
    group = factories.place()
    row = deploying.deployment(group, "unready")
    with deploying.host() as host:
        host.until(row, Status.DEAD)
    assert "was not ready within 1 s. It answered 503 to /ready." in row.status_message


def test_a_crashed_server_comes_up_again_and_meanwhile_nothing_is_said_to_run(quick):
    group = factories.place()
    row = deploying.deployment(group)
    with deploying.host() as host:
        host.until(row, Status.RUNNING)
        (replica,) = deploying.servers(row)
        deploying.ask(replica, "/crash")
        host.until(row, Status.PENDING)
        assert "exit code 3" in row.status_message
        host.until(row, Status.RUNNING)
        (again,) = deploying.servers(row)
        assert (again.pk, again.attempt, again.restarts) == (replica.pk, 2, 1)


def test_a_lost_worker_s_server_comes_up_elsewhere(quick):
    group = factories.place()
    row = deploying.deployment(group)
    with deploying.host() as host, deploying.host() as other:
        host.until(row, Status.RUNNING)
        (replica,) = deploying.servers(row)
        assert replicas.lost(replica, actor="launchpad", reason="Its worker is gone.", evidence={})
        assert not replicas.lost(replica, actor="launchpad", reason="Its worker is gone.", evidence={})
        other.until(row, Status.RUNNING)
        (again,) = deploying.servers(row)
        assert (again.worker_id, again.attempt, again.restarts) == (other.worker.pk, 2, 0)
        host.beat()
        # What the old worker says late changes nothing.
        replicas.failed(replica, replica.attempt, message="late")
        again.refresh_from_db()
        assert again.status == Status.RUNNING


def test_a_port_that_is_never_opened_is_told_with_what_to_do(quick, settings):
    settings.DEPLOYMENT_START_SECONDS = 0.5
    settings.DEPLOYMENT_RESTARTS = 0
    row = deploying.deployment(factories.place(), "deaf")
    with deploying.host() as host:
        host.until(row, Status.DEAD)
    assert "Its port is not open. It must listen on the port in PORT." in row.status_message


def test_a_worker_that_leaves_hands_its_servers_on(quick):
    row = deploying.deployment(factories.place())
    with deploying.host() as host, deploying.host() as other:
        host.until(row, Status.RUNNING)
        for orders, _thread in host.live.values():
            orders.leave()
        other.until_worker(row)
        (again,) = deploying.servers(row)
        assert (again.worker_id, again.attempt, again.restarts) == (other.worker.pk, 2, 0)
    reasons = DeploymentChange.unscoped.filter(deployment=row).values_list("reason", flat=True)
    assert any("worker was shut down" in reason for reason in reasons)


def test_a_model_of_onnx_is_served_without_code(quick):
    group = factories.place()
    bound = deploying.model_configuration(group)
    row = deployments.create(system_scope(group), configuration=bound.pk)
    with deploying.host() as host:
        host.until(row, Status.RUNNING)
        assert '"small"' in deploying.ask(*deploying.servers(row), "/v2/models/small")


def test_without_a_sandbox_a_server_finds_its_model_too(quick, settings):
    settings.SANDBOX, settings.ALLOW_PLAIN_MODE = "plain", True
    # The interpreter may lie where no other user gets to.
    settings.STEP_UID = os.geteuid()
    placements.runner.cache_clear()
    # As `manage.py up` makes it.
    Path(settings.LAUNCHPAD_DATA).chmod(0o711)
    try:
        row = deploying.deployment(factories.place())
        with deploying.host() as host:
            host.until_settled(row)
            assert row.status == Status.RUNNING, (row.status_message, deploying.log(row))
            assert deploying.ask(*deploying.servers(row)).endswith("model.txt")
    finally:
        placements.runner.cache_clear()


def test_a_secret_that_is_gone_ends_it_with_its_name(quick, settings):
    settings.DEPLOYMENT_RESTARTS = 0
    group = factories.place()
    scope = system_scope(group)
    secrets.create(scope, name="api-key", data={"token": "aGVsbG8="})
    wanted = "{name: TOKEN, valueFrom: {secretKeyRef: {name: api-key, key: token}}}"
    text = deploying.template("petals-secret").replace(
        "            env:\n", f"            env:\n              - {wanted}\n"
    )
    version = factories.catalog_version(group, text=text)
    model = factories.artifact(group, kind="model", name="petal-model")
    bound = factories.configuration(group, version=version, inputs={"petal-model": model})
    row = deployments.create(scope, configuration=bound.pk)
    secrets.delete(scope, "api-key")
    with deploying.host() as host:
        host.until(row, Status.DEAD)
    assert "The secret api-key" in row.status_message
    with pytest.raises(Conflict, match="api-key"):
        deployments.create(scope, configuration=bound.pk)
