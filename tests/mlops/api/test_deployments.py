"""Deployments over the AI API: created, found by every filter and read, by those who may."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from launchpad.access import system_scope
from mlops.api import deployment_documents
from mlops.domain import deployments, revisions
from mlops.lifecycle import Status
from mlops.models import Configuration, Deployment, Executable, Replica
from tests.mlops import deployed, factories
from tests.mlops.api.clients import reads, refused
from tests.mlops.api.deployment_calls import (
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
