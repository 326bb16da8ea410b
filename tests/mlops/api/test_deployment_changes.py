"""Deployments over the AI API: updated, stopped and deleted as allowed, one by one or many at once."""

import pytest

from launchpad.access import system_scope
from mlops.api import deployment_documents
from mlops.domain import deployment_purge
from mlops.lifecycle import Status, TargetStatus
from mlops.models import Configuration, Deployment, Revision
from tests.mlops import deployed, factories
from tests.mlops.api.clients import MERGE, refused
from tests.mlops.api.deployment_calls import (
    DELETED,
    MODIFIED,
    MOVING,
    NOBODY,
    RESTING,
    create,
    found,
    one,
    update,
    wishes,
)

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def version(red):
    return deployed.version(red)


@pytest.fixture
def bound(red, version) -> Configuration:
    return deployed.configuration(red, served=version)


@pytest.fixture
def other(red, version) -> Configuration:
    """Another configuration of the same executable."""
    return deployed.configuration(red, name="petals, two servers", served=version, servers="2")


class TestStopping:
    @pytest.mark.parametrize("media", ["application/json", MERGE])
    @pytest.mark.parametrize(("status", "then"), [(Status.PENDING, "STOPPED"), (Status.RUNNING, "STOPPING")])
    def test_what_waits_or_runs_is_stopped(self, bound, editing, status, then, media):
        key = deployed.deployment(bound, status=status).pk
        answer = editing("PATCH", f"/lm/deployments/{key}", {"targetStatus": "STOPPED"}, media=media)
        assert (answer.status_code, answer.json()) == (202, {"id": key, "message": MODIFIED})
        told = one(editing, key)
        assert (told["status"], told["targetStatus"]) == (then, "STOPPED")
        assert told["deploymentUrl"].endswith(key)

    @pytest.mark.parametrize("status", [Status.STOPPING, *RESTING, Status.DELETING])
    def test_what_neither_waits_nor_runs_is_not_stopped(self, bound, editing, status):
        key = deployed.deployment(bound, status=status).pk
        refused(update(editing, key, targetStatus="STOPPED"), 412, key, status.lower())

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ({}, "either targetStatus or configurationId"),
            ({"ttl": "5h"}, "either targetStatus or configurationId"),
            ({"targetStatus": None, "configurationId": None}, "either targetStatus or configurationId"),
            ({"targetStatus": "STOPPED", "configurationId": "x"}, "either targetStatus or configurationId"),
            ({"targetStatus": "DELETED"}, "targetStatus"),
            ({"targetStatus": "RUNNING"}, "targetStatus"),
            ({"configurationId": 7}, "configurationId"),
            ({"configurationId": "x" * 65}, "configurationId"),
            ([], "body"),
            ("", "body"),
        ],
    )
    def test_a_change_that_is_none_is_refused(self, bound, editing, body, words):
        key = deployed.deployment(bound).pk
        refused(editing("PATCH", f"/lm/deployments/{key}", body), 400, words)
        assert one(editing, key)["status"] == "PENDING"


class TestUpdating:
    def test_the_new_configuration_takes_over_at_the_same_address(self, bound, other, editing):
        made = deployed.served(bound, ttl="5h")
        before = one(editing, made.pk)
        assert (before["status"], before["latestRunningConfigurationId"]) == ("RUNNING", str(bound.pk))
        answer = update(editing, made.pk, configurationId=str(other.pk), targetStatus=None)
        assert (answer.status_code, answer.json()) == (202, {"id": made.pk, "message": MODIFIED})
        during = one(editing, made.pk)
        assert during["deploymentUrl"] == before["deploymentUrl"]
        assert (during["status"], during["lastOperation"], during["ttl"]) == ("RUNNING", "UPDATE", "5h")
        assert during["configurationId"] == str(other.pk)
        assert during["latestRunningConfigurationId"] == str(bound.pk)
        assert during["statusDetails"] | {"message": ""} == {
            "message": "",
            "revision": 2,
            "servingRevision": 1,
        }
        assert found(editing, configurationId=other.pk) == [made.pk]
        made.refresh_from_db()
        deployed.ready(made)
        after = one(editing, made.pk)
        assert after["latestRunningConfigurationId"] == str(other.pk)
        assert after["statusDetails"]["servingRevision"] == 2

    def test_one_that_waits_is_updated(self, bound, other, editing):
        key = create(editing, bound).json()["id"]
        assert update(editing, key, configurationId=str(other.pk)).status_code == 202
        assert one(editing, key)["statusDetails"]["revision"] == 2

    def test_a_dead_one_comes_up_again(self, bound, other, editing):
        key = deployed.deployment(bound, status=Status.DEAD).pk
        assert update(editing, key, configurationId=str(other.pk)).status_code == 202
        told = one(editing, key)
        assert (told["status"], told["targetStatus"], told["lastOperation"]) == (
            "PENDING",
            "RUNNING",
            "UPDATE",
        )
        assert "completionTime" not in told

    def test_a_dead_one_is_given_the_same_configuration_again(self, bound, editing):
        key = deployed.deployment(bound, status=Status.DEAD).pk
        assert update(editing, key, configurationId=str(bound.pk)).status_code == 202
        assert one(editing, key)["status"] == "PENDING"

    @pytest.mark.parametrize("status", [Status.STOPPING, Status.STOPPED, Status.DELETING])
    def test_in_another_status_it_is_not_updated(self, bound, other, editing, status):
        key = deployed.deployment(bound, status=status).pk
        refused(update(editing, key, configurationId=str(other.pk)), 412, key, status.lower())
        assert one(editing, key)["configurationId"] == str(bound.pk)

    def test_the_executable_stays_the_same(self, red, bound, editing):
        key = deployed.deployment(bound, status=Status.RUNNING).pk
        elsewhere = deployed.configuration(red, served=deployed.version(red, executable="other-serve"))
        refused(update(editing, key, configurationId=str(elsewhere.pk)), 400, "same executable")
        refused(update(editing, key, configurationId=str(factories.configuration(red).pk)), 400)
        assert one(editing, key)["configurationId"] == str(bound.pk)

    def test_a_newer_version_of_the_executable_may_be_served(self, red, bound, editing):
        key = deployed.deployment(bound, status=Status.RUNNING).pk
        newer = deployed.configuration(red, name="newer", served=deployed.version(red, label="2.0.0"))
        assert newer.executable_version_id != bound.executable_version_id
        assert update(editing, key, configurationId=str(newer.pk)).status_code == 202

    def test_the_configuration_that_serves_is_not_served_again(self, bound, editing):
        key = deployed.deployment(bound, status=Status.RUNNING).pk
        refused(update(editing, key, configurationId=str(bound.pk)), 412, "already")

    @pytest.mark.parametrize("key", ["nowhere", "", "0b9a4f1e-7d59-4a53-9f7e-2f0a5d1c3b77"])
    def test_a_configuration_that_is_not_here_is_not_found(self, bound, blue, editing, key):
        made = deployed.deployment(bound, status=Status.RUNNING)
        refused(update(editing, made.pk, configurationId=key), 404)
        theirs = deployed.configuration(blue, served=bound.executable_version)
        refused(update(editing, made.pk, configurationId=str(theirs.pk)), 404)
        assert Revision.unscoped.filter(deployment=made).count() == 1


class TestDeleting:
    @pytest.mark.parametrize("status", RESTING)
    def test_what_rests_is_deleted(self, bound, editing, status):
        key = deployed.deployment(bound, status=status).pk
        answer = editing("DELETE", f"/lm/deployments/{key}")
        told = {"id": key, "message": DELETED, "targetStatus": "DELETED"}
        assert (answer.status_code, answer.json()) == (202, told)
        # Until the sweep it has the status it had before.
        told = one(editing, key)
        assert (told["status"], told["targetStatus"], told["lastOperation"]) == (status, "DELETED", "DELETE")
        for query in ("", "?$select=status"):
            (listed,) = editing("GET", f"/lm/deployments{query}").json()["resources"]
            assert listed["status"] == status
        deployment_purge.purge_deleted(seconds=5)
        refused(editing("GET", f"/lm/deployments/{key}"), 404)
        assert found(editing) == []

    @pytest.mark.parametrize("status", [*MOVING, Status.DELETING])
    def test_what_does_not_rest_is_not_deleted(self, bound, editing, status):
        key = deployed.deployment(bound, status=status).pk
        refused(editing("DELETE", f"/lm/deployments/{key}"), 412, key, "stop it first")


class TestMany:
    def test_each_is_changed_on_its_own(self, red, blue, bound, editing):
        waiting, running, stopped, dead = (
            deployed.deployment(bound, status=status).pk
            for status in (Status.PENDING, Status.RUNNING, Status.STOPPED, Status.DEAD)
        )
        theirs = deployed.deployment(deployed.configuration(blue)).pk
        body = wishes(
            (waiting, "STOPPED"),
            (running, "DELETED"),
            (theirs, "STOPPED"),
            (stopped, "STOPPED"),
            (NOBODY, "DELETED"),
            (dead, "DELETED"),
        )
        answer = editing("PATCH", "/lm/deployments", body, media=MERGE)
        assert answer.status_code == 202
        deployment_documents.AiDeploymentBulkModificationResponse.model_validate_json(answer.content)
        outcomes = answer.json()["deployments"]
        assert [one["id"] for one in outcomes] == [item["id"] for item in body["deployments"]]
        assert outcomes[0] == {"id": waiting, "message": MODIFIED}
        assert outcomes[5] == {"id": dead, "message": DELETED}
        codes = [one["error"]["code"] for one in outcomes[1:5]]
        assert codes == ["01010412", "01010404", "01010412", "01010404"]
        for refusal in outcomes[1:5]:
            assert set(refusal) == {"id", "error"}
            assert set(refusal["error"]) == {"code", "message", "requestId", "target"}
            assert refusal["error"]["requestId"] == answer["X-Request-ID"]
        scope = system_scope(red)
        assert scope.get(Deployment, pk=waiting).status == Status.STOPPED
        assert scope.get(Deployment, pk=running).target_status == TargetStatus.RUNNING
        assert scope.get(Deployment, pk=dead).status == Status.DELETING
        assert system_scope(blue).get(Deployment, pk=theirs).status == Status.PENDING

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ({}, "deployments: "),
            ({"deployments": []}, "deployments: "),
            ({"deployments": None}, "deployments: "),
            ({"executions": []}, "deployments: "),
            (wishes(*((f"d{n:015}", "STOPPED") for n in range(101))), "100"),
            (wishes((NOBODY, "STOPPED"), (NOBODY, "DELETED")), "twice"),
            (wishes((NOBODY, "RUNNING")), "deployments.0.targetStatus"),
            ({"deployments": [{"id": NOBODY, "configurationId": "x"}]}, "deployments.0.targetStatus"),
            ({"deployments": [{"targetStatus": "STOPPED"}]}, "deployments.0.id"),
            ({"deployments": [7]}, "deployments.0"),
        ],
    )
    def test_a_bad_body_refuses_the_whole_request(self, bound, editing, body, words):
        key = deployed.deployment(bound).pk
        if body.get("deployments"):
            body = {"deployments": [{"id": key, "targetStatus": "STOPPED"}, *body["deployments"]]}
            words = words.replace(".0", ".1")
        refused(editing("PATCH", "/lm/deployments", body, media=MERGE), 400, words)
        assert one(editing, key)["status"] == "PENDING"

    def test_a_hundred_are_changed_at_once(self, bound, editing):
        keys = [deployed.deployment(bound).pk for _ in range(100)]
        answer = editing("PATCH", "/lm/deployments", wishes(*((key, "STOPPED") for key in keys)))
        assert [one["message"] for one in answer.json()["deployments"]] == [MODIFIED] * 100
