"""Deployments over the AI API: created, found by every filter, read, updated, stopped, deleted as allowed."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from launchpad.access import system_scope
from mlops.api import deployment_documents
from mlops.domain import deployment_purge, deployments, revisions
from mlops.lifecycle import Status, TargetStatus
from mlops.models import Configuration, Deployment, Executable, Replica, Revision
from tests.mlops import deployed, factories
from tests.mlops.api.clients import MERGE, reads, refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]
MOVING = (Status.PENDING, Status.RUNNING, Status.STOPPING)
RESTING = (Status.STOPPED, Status.DEAD)
MODIFIED, DELETED = "Deployment modification scheduled", "Deployment deletion scheduled"
NOBODY = "d000000000000000"


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


def found(client, **query):
    """Keys in a list by a query, which the count with the same filters agrees with."""
    listed = client("GET", f"/lm/deployments?{urlencode(query)}")
    assert listed.status_code == 200, listed.content
    told = deployment_documents.AiDeployments.model_validate_json(listed.content)
    assert told.count == len(told.resources)
    count = client("GET", f"/lm/deployments/$count?{urlencode(query)}")
    assert (count["Content-Type"], int(count.content)) == ("text/plain", told.count)
    return [one.id for one in told.resources]


def one(client, key):
    """A deployment as it is told by its key."""
    answer = client("GET", f"/lm/deployments/{key}")
    assert answer.status_code == 200, answer.content
    deployment_documents.AiDeployment.model_validate_json(answer.content)
    return answer.json()


def create(client, bound, **more):
    return client("POST", "/lm/deployments", {"configurationId": str(bound.pk)} | more)


def update(client, key, **body):
    return client("PATCH", f"/lm/deployments/{key}", body)


class TestCreating:
    def test_it_answers_what_clients_read(self, bound, editing, red, settings):
        settings.PUBLIC_URL = "https://launchpad.example"
        made = create(editing, bound)
        told = made.json()
        assert made.status_code == 202
        assert told == {
            "id": told["id"],
            "message": "Deployment scheduled.",
            "deploymentUrl": "",
            "status": "UNKNOWN",
        }
        assert made["Location"] == f"/v2/lm/deployments/{told['id']}"
        assert "Deprecation" not in made
        read = one(editing, told["id"])
        assert read["deploymentUrl"] == f"https://launchpad.example/v2/inference/deployments/{told['id']}"
        assert (read["status"], read["targetStatus"], read["lastOperation"]) == (
            "PENDING",
            "RUNNING",
            "CREATE",
        )
        assert (read["configurationId"], read["configurationName"]) == (str(bound.pk), bound.name)
        assert (read["executableId"], read["scenarioId"]) == (deployed.EXECUTABLE, deployed.SCENARIO)
        assert read["statusDetails"] == {"message": "Waiting for a worker", "revision": 1}
        assert read["submissionTime"] == read["createdAt"]
        assert {"ttl", "startTime", "completionTime", "latestRunningConfigurationId"}.isdisjoint(read)
        assert system_scope(red).get(Deployment, pk=told["id"]).created_by is not None

    @pytest.mark.parametrize(
        ("ttl", "lasting"),
        [("5h", timedelta(hours=5)), ("10M", timedelta(minutes=10)), ("2D", timedelta(days=2))],
    )
    def test_with_a_time_to_live(self, bound, editing, red, ttl, lasting):
        made = create(editing, bound, ttl=ttl).json()
        assert made["ttl"] == one(editing, made["id"])["ttl"] == ttl.lower()
        row = system_scope(red).get(Deployment, pk=made["id"])
        assert row.expires_at - row.created_at == lasting
        (listed,) = editing("GET", "/lm/deployments").json()["resources"]
        assert listed["ttl"] == ttl.lower()

    @pytest.mark.parametrize(
        "ttl",
        [
            *(
                "9m",
                "0h",
                "4.5h",
                "4h30m",
                "5",
                "h",
                "-5h",
                "+5h",
                "5,",
                "5 h",
                " 5h",
                "5h\n",
                "٥h",
                "5ｈ",
                "",
            ),
            *("99999999999d", "1e3m", "0x10m", "5w", "x" * 65, "3651d", 5, 5.0, True, [], {}),
        ],
    )
    def test_a_time_to_live_that_is_none_is_refused(self, bound, editing, ttl):
        refused(create(editing, bound, ttl=ttl), 400)
        refused(editing("POST", f"/lm/configurations/{bound.pk}/deployments", {"ttl": ttl}), 400)
        assert found(editing) == []

    def test_none_as_its_time_to_live_is_for_ever(self, bound, editing):
        assert "ttl" not in create(editing, bound, ttl=None).json()

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ({}, "configurationId: "),
            ({"configurationId": 7}, "configurationId: "),
            ({"configurationId": None}, "configurationId: "),
            ({"ttl": "5h"}, "configurationId: "),
            ([], "The body is not as expected"),
            (None, "body"),
            ("{", "no JSON"),
            ('{"configurationId": "\\u0000"}', "NUL"),
        ],
    )
    def test_a_body_that_is_none_is_refused(self, red, editing, body, words):
        refused(editing("POST", "/lm/deployments", body), 400, words)

    @pytest.mark.parametrize(("key", "status"), [("nowhere", 404), ("", 404), ("x" * 65, 400)])
    def test_a_configuration_that_is_not_here_is_not_served(self, red, blue, editing, key, status):
        refused(editing("POST", "/lm/deployments", {"configurationId": key}), status)
        theirs = deployed.configuration(blue)
        refused(create(editing, theirs), 404, "Nothing here")
        refused(editing("POST", f"/lm/configurations/{theirs.pk}/deployments"), 404, "Nothing here")
        assert not Deployment.unscoped.exists()

    def test_a_configuration_that_runs_to_its_end_is_not_served(self, red, editing):
        bound = factories.configuration(red)
        refused(create(editing, bound), 400, "petals-train", "executions")
        refused(editing("POST", f"/lm/configurations/{bound.pk}/deployments"), 400, "petals-train")

    def test_one_that_serves_is_not_executed(self, bound, editing):
        refused(editing("POST", "/lm/executions", {"configurationId": str(bound.pk)}), 400, "deployment")

    @pytest.mark.parametrize(
        ("body", "ttl"), [(None, None), ({}, None), ({"ttl": None}, None), ({"ttl": "5h", "x": 1}, "5h")]
    )
    def test_the_older_address_serves_a_configuration(self, bound, editing, body, ttl):
        made = editing("POST", f"/lm/configurations/{bound.pk}/deployments", body)
        told = made.json()
        assert (made.status_code, told["status"], told["deploymentUrl"]) == (202, "UNKNOWN", "")
        assert told.get("ttl") == ttl
        assert made["Deprecation"].startswith("@")
        assert made["Link"] == '</v2/lm/deployments>; rel="successor-version"'
        assert made["Location"] == f"/v2/lm/deployments/{told['id']}"
        assert found(editing) == [told["id"]]

    @pytest.mark.parametrize("body", [[], 0, '"5h"', "{", "nul"])
    def test_the_older_address_refuses_a_body_that_is_none(self, bound, editing, body):
        body = json.dumps(body) if not isinstance(body, str) else body
        refused(editing("POST", f"/lm/configurations/{bound.pk}/deployments", body), 400)
        assert found(editing) == []


class TestFinding:
    def test_by_every_filter(self, red, blue, bound, other, viewing):
        roses = deployed.version(red, scenario="rose-sorting", executable="rose-serve")
        late = deployed.deployment(deployed.configuration(red, served=roses), status=Status.RUNNING).pk
        keys = [deployed.deployment(bound, status=status).pk for status in (*MOVING, *RESTING)]
        changed = deployed.deployment(other, status=Status.DEAD).pk
        deployed.deployment(deployed.configuration(blue))
        assert found(viewing) == [changed, *keys[::-1], late]
        for place, status in enumerate((*MOVING, *RESTING)):
            more = {Status.RUNNING: [late], Status.DEAD: []}.get(status, [])
            first = [changed] if status is Status.DEAD else []
            assert found(viewing, status=status) == [*first, keys[place], *more]
        for status in ("COMPLETED", "UNKNOWN"):
            assert found(viewing, status=status) == []
        assert found(viewing, configurationId=other.pk) == [changed]
        assert found(viewing, configurationId="no-uuid") == []
        assert found(viewing, scenarioId="rose-sorting") == [late]
        assert found(viewing, executableIds=f"{deployed.EXECUTABLE},rose-serve") == [
            changed,
            *keys[::-1],
            late,
        ]
        assert found(viewing, executableIds="rose-serve", status="RUNNING") == [late]
        assert found(viewing, executableIds="rose-serve", scenarioId=deployed.SCENARIO) == []
        parts = viewing("GET", "/lm/deployments?top=2&skip=1").json()
        assert [one["id"] for one in parts["resources"]] == keys[:-3:-1]

    @pytest.mark.parametrize(
        "query",
        ["status=DELETING", "status=running", "$select=id", "$top=100001", "$skip=-1", "configurationId=%00"],
    )
    def test_a_filter_that_is_none_is_refused(self, viewing, query):
        refused(viewing("GET", f"/lm/deployments?{query}"), 400, query.split("=")[0])

    @pytest.mark.parametrize("status", [Status.RUNNING, Status.STOPPED, Status.DELETING])
    def test_select_status_tells_exactly_what_clients_take(self, bound, viewing, status):
        key = deployed.deployment(bound, status=status).pk
        (listed,) = viewing("GET", "/lm/deployments?$select=status").json()["resources"]
        told = viewing("GET", f"/lm/deployments/{key}?select=status").json()
        assert listed == told
        assert set(told) == {"id", "configurationId", "status", "createdAt", "modifiedAt", "statusDetails"}
        deployment_documents.AiDeploymentStatus.model_validate_json(json.dumps(told))
        assert told["status"] == ("STOPPED" if status is Status.DELETING else status)
        refused(viewing("GET", f"/lm/deployments/{key}?$select=metrics"), 400, "$select")

    def test_one_that_was_put_away_is_not_there(self, red, bound, other, editing):
        made = deployed.deployment(bound, status=Status.DEAD)
        left = deployed.deployment(bound, status=Status.DEAD).pk
        deployed.put_away(made)
        assert found(editing) == found(editing, status="DEAD") == [left]
        address = f"/lm/deployments/{made.pk}"
        for path in (address, f"{address}?$select=status", f"{address}/logs"):
            refused(editing("GET", path), 404, "Nothing here")
        refused(update(editing, made.pk, targetStatus="STOPPED"), 404)
        refused(update(editing, made.pk, configurationId=str(other.pk)), 404)
        refused(editing("DELETE", address), 404)
        wish = {"deployments": [{"id": made.pk, "targetStatus": "DELETED"}]}
        (outcome,) = editing("PATCH", "/lm/deployments", wish).json()["deployments"]
        assert outcome["error"]["code"] == "01010404"
        # Its history stays with those who look in the pages.
        assert system_scope(red).get(Deployment, pk=made.pk).status == Status.DEAD

    def test_a_dead_one_is_there_for_seven_days(self, bound, viewing):
        now = timezone.now()
        ages = (timedelta(days=6, hours=23), timedelta(days=7, minutes=1))
        fresh, old = (deployed.deployment(bound, status=Status.DEAD, created_at=now - age).pk for age in ages)
        stopped = deployed.deployment(bound, status=Status.STOPPED, created_at=now - ages[1]).pk
        assert revisions.expire(now) == 1
        assert revisions.expire(now) == 0
        assert found(viewing) == [fresh, stopped]
        refused(viewing("GET", f"/lm/deployments/{old}"), 404)

    def test_after_its_time_to_live_it_is_stopped_and_not_there(self, bound, editing):
        key = create(editing, bound, ttl="10m").json()["id"]
        deployed.ready(deployments.get(system_scope(bound.resource_group), key))
        revisions.expire(timezone.now() + timedelta(minutes=11))
        told = one(editing, key)
        assert (told["status"], told["targetStatus"]) == ("STOPPING", "STOPPED")
        made = deployments.get(system_scope(bound.resource_group), key)
        Deployment.unscoped.filter(pk=key).update(expires_at=timezone.now())
        deployed.gone(made)
        assert made.status == Status.STOPPED
        refused(editing("GET", f"/lm/deployments/{key}"), 404)

    def test_details_tell_servers_and_plan_as_they_are(self, red, version, editing):
        bound = deployed.configuration(red, served=version, servers="2", plan="infer.s")
        key = create(editing, bound).json()["id"]

        def details():
            told = one(editing, key)["details"]
            assert editing("GET", "/lm/deployments").json()["resources"][0]["details"] == told
            replicas = told["scaling"]["backendDetails"]["predictor"]
            assert replicas.keys() == {"minReplicas", "maxReplicas", "runningReplicas"}
            return (*replicas.values(), told["resources"]["backendDetails"]["predictor"])

        assert details() == (2, 3, 0, {"resourcePlan": "infer.s"})
        made = deployments.get(system_scope(red), key)
        first = Replica.unscoped.filter(deployment=made).first()
        Replica.unscoped.filter(pk=first.pk).update(status=Status.RUNNING, is_ready=True)
        # Ready, but nothing has taken over.
        assert details()[2] == 0
        deployed.ready(made)
        assert details()[2] == 2
        Replica.unscoped.filter(pk=first.pk).update(is_ready=False)
        assert details()[2] == 1
        Replica.unscoped.filter(pk=first.pk).update(is_ready=True, draining_at=timezone.now())
        assert details()[2] == 1
        fixed = deployed.version(red, executable="fixed-serve", plan="basic")
        key = deployed.deployment(deployed.configuration(red, served=fixed), status=Status.RUNNING).pk
        assert details() == (1, 3, 1, {"resourcePlan": "basic"})

    def test_while_it_is_updated_the_servers_of_the_serving_revision_count(self, red, bound, other, editing):
        made = deployed.served(bound)
        assert update(editing, made.pk, configurationId=str(other.pk)).status_code == 202
        replicas = one(editing, made.pk)["details"]["scaling"]["backendDetails"]["predictor"]
        assert replicas == {"minReplicas": 2, "maxReplicas": 3, "runningReplicas": 1}

    def test_a_template_that_is_rolled_in_brings_its_plan(self, red, editing):
        bound = deployed.configuration(
            red, served=deployed.version(red, executable="fixed-serve", plan="basic")
        )
        key = deployed.deployment(bound, status=Status.RUNNING).pk
        text = deployed.text(executable="fixed-serve", label="2", plan="{{inputs.parameters.size}}")
        more = "parameters:\n      - {name: size, type: string, default: infer.l}"
        newer = factories.catalog_version(red, text=text.replace("parameters:", more, 1))
        deployments.cascade(system_scope(red), key, version=newer, reason="The template changed.")
        told = one(editing, key)
        assert told["details"]["resources"]["backendDetails"]["predictor"] == {"resourcePlan": "infer.l"}
        assert (told["lastOperation"], told["configurationId"]) == ("CASCADE-UPDATE", str(bound.pk))

    def test_reading_one_costs_few_queries(self, bound, viewing):
        key = deployed.deployment(bound, status=Status.RUNNING).pk
        costs = {}
        for query in ("", "?$select=status"):
            viewing("GET", f"/lm/deployments/{key}{query}")
            with CaptureQueriesContext(connection) as queries:
                viewing("GET", f"/lm/deployments/{key}{query}")
            costs[query] = reads(queries)
        # The plan is the value of a parameter: that is one more than for a template that names it.
        assert costs == {"": 4, "?$select=status": 3}

    def test_a_list_costs_the_same_at_any_length(self, bound, other, viewing):
        asked = []
        for _ in range(2):
            for made in (bound, other):
                deployed.deployment(made, status=Status.RUNNING)
            with CaptureQueriesContext(connection) as queries:
                viewing("GET", f"/lm/deployments?executableIds={deployed.EXECUTABLE}")
            asked.append(reads(queries))
        assert asked[0] >= asked[1]

    def test_those_of_another_group_are_not_found(self, bound, other, neighbouring):
        key = deployed.deployment(bound, status=Status.RUNNING).pk
        for name in (key, "nowhere", "nul%00", "%ff", "x" * 300):
            address = f"/lm/deployments/{name}"
            for path in (address, f"{address}?$select=status", f"{address}/logs"):
                refused(neighbouring("GET", path), 404, "Nothing here")
            refused(neighbouring("PATCH", address, {"targetStatus": "STOPPED"}), 404)
            refused(neighbouring("PATCH", address, {"configurationId": str(other.pk)}), 404)
            refused(neighbouring("DELETE", address), 404)
        assert found(neighbouring) == []
        assert found(neighbouring, configurationId=bound.pk) == []
        refused(create(neighbouring, bound), 404)


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


def wishes(*pairs):
    return {"deployments": [{"id": key, "targetStatus": target} for key, target in pairs]}


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


class TestRights:
    def test_a_viewer_changes_nothing(self, bound, viewing):
        key = deployed.deployment(bound).pk
        for method, path, body in (
            ("POST", "", {"configurationId": str(bound.pk)}),
            ("PATCH", "", wishes((key, "STOPPED"))),
            ("PATCH", f"/{key}", {"targetStatus": "STOPPED"}),
            ("DELETE", f"/{key}", None),
        ):
            refused(viewing(method, f"/lm/deployments{path}", body), 403, "editor")
        refused(viewing("POST", f"/lm/configurations/{bound.pk}/deployments"), 403, "editor")
        assert one(viewing, key)["status"] == "PENDING"

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            *(("GET", path) for path in ("", "/$count", f"/{NOBODY}", f"/{NOBODY}/logs")),
            *(("PATCH", path) for path in ("", f"/{NOBODY}")),
            ("POST", ""),
            ("DELETE", f"/{NOBODY}"),
        ],
    )
    def test_a_call_names_its_group_and_has_a_token(self, red, editing, method, path):
        address = f"/lm/deployments{path}"
        refused(editing(method, address, {}, ai_resource_group=None), 400, "AI-Resource-Group")
        refused(editing(method, address, {}, ai_resource_group="blue"), 404)
        refused(editing(method, address, {}, authorization=None), 401)

    @pytest.mark.parametrize(
        ("method", "path"), [("PUT", ""), ("DELETE", ""), ("POST", "/x"), ("PATCH", "/$count")]
    )
    def test_what_no_operation_has_is_not_allowed(self, red, editing, method, path):
        refused(editing(method, f"/lm/deployments{path}", {}), 405)


def test_capabilities_are_true(red, bound, viewing, editing):
    told = viewing("GET", "/lm/meta").json()["aiApi"]
    can, limits = told["capabilities"], told["limits"]
    assert can["userDeployments"] and can["timeToLiveDeployments"] and not can["staticDeployments"]
    assert can["logs"]["deployments"] and can["bulkUpdates"]["deployments"]
    assert limits["deployments"] == {"maxRunningCount": -1}
    least = limits["timeToLiveDeployments"]
    assert least == {"minimum": "10m", "maximum": -1}
    assert create(editing, bound, ttl=least["minimum"]).status_code == 202


def test_a_serving_executable_is_deployable(red, bound, viewing):
    path = f"/lm/scenarios/{deployed.SCENARIO}/executables/{deployed.EXECUTABLE}"
    assert viewing("GET", path).json()["deployable"] is True
    assert system_scope(red.workspace).get(Executable, slug=deployed.EXECUTABLE).kind == "serving"
