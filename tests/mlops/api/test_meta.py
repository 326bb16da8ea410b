"""What a client learns of the whole Launchpad: what it offers, key figures, quotas, resources."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from launchpad.access import Role, system_scope
from launchpad.accounts import bearers
from launchpad.grants import grant
from mlops.api import meta
from mlops.domain import dataset_files, docker_secrets, secrets, usage
from mlops.lifecycle import Status
from mlops.manifests.plans import PLANS
from mlops.models import Artifact, Deployment, Worker
from tests.mlops import deployed, factories
from tests.mlops.api.clients import reads, refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]
READ = [
    "/lm/meta",
    "/lm/meta/versions",
    "/lm/healthz",
    "/analytics/kpis",
    "/admin/resources/nodes",
    "/admin/resources/instanceTypes",
    "/admin/services",
    "/admin/tenantInfo",
    *(
        f"/admin/resourceQuota/{noun}"
        for noun in (
            "resourceGroups",
            "executables",
            "applications",
            "repositories",
            "dockerRegistrySecrets",
            "deployments",
        )
    ),
]


def read(caller, path, **headers):
    """The JSON of a good answer."""
    response = caller("GET", path, **headers)
    assert response.status_code == 200, response.content
    return json.loads(response.content)


@pytest.mark.parametrize("path", READ)
def test_they_need_a_token_and_no_resource_group(editing, viewing, administering, path):
    for caller in (editing, viewing, administering):
        assert read(caller, path, ai_resource_group=None) is not None
    # Clients name a group out of habit, also one that is not theirs.
    assert read(viewing, path, ai_resource_group="blue") == read(viewing, path)
    refused(viewing("GET", path, authorization=None), 401)
    refused(viewing("GET", path, authorization="Bearer forged"), 401)
    refused(viewing("POST", path, {}), 405)


def test_capabilities_say_what_is_there(viewing, editing):
    told = read(viewing, "/lm/meta")
    assert told["runtimeIdentifier"] == "launchpad"
    can = told["aiApi"]["capabilities"]
    assert can["userExecutions"] and can["userDeployments"] and can["executionSchedules"]
    assert can["bulkUpdates"] == can["logs"] == {"executions": True, "deployments": True}
    for noun in ("executions", "deployments"):
        assert viewing("GET", f"/lm/{noun}").status_code == 200
        assert editing("PATCH", f"/lm/{noun}", {noun: []}).status_code == 400
    assert viewing("GET", "/lm/executionSchedules").status_code == 200
    limits = told["extensions"]["dataset"]["limits"]
    assert limits["maxUploadFileSize"] == dataset_files.BYTES_LIMIT == 100 * 1024 * 1024


@pytest.mark.parametrize(
    ("seconds", "hours", "cron", "status"),
    [
        (60, 1 / 60, "* * * * *", 202),
        (3600, 1, "0 * * * *", 202),
        (3600, 1, "0,59 * * * *", 400),
        (5400, 1.5, "0 * * * *", 400),
    ],
)
def test_the_least_time_between_two_runs_is_told_in_hours_and_kept(
    bound, editing, settings, seconds, hours, cron, status
):
    settings.SCHEDULE_MINIMUM_SECONDS = seconds
    told = read(editing, "/lm/meta")["aiApi"]["limits"]["minimumFrequencyHour"]
    assert (told, type(told)) == (hours, type(hours))
    body = {"name": "often", "configurationId": str(bound.pk), "cron": cron}
    assert editing("POST", "/lm/executionSchedules", body).status_code == status


@pytest.fixture
def bound(red):
    return factories.configuration(red)


def test_the_versions_lead_to_the_api(viewing, settings):
    settings.PUBLIC_URL = "https://launchpad.example"
    told = read(viewing, "/lm/meta/versions")
    assert set(told) == {"versions"}
    (version,) = told["versions"]
    assert version["url"] == "https://launchpad.example/v2" and meta.CONTRACT in version["description"]


def test_health_tells_whether_anything_is_carried_out(red, viewing):
    nobody = "no worker is there; they wait until one starts."
    assert read(viewing, "/lm/healthz") == {
        "status": "NOT READY",
        "message": f"Executions: {nobody} Deployments: {nobody}",
    }
    now = timezone.now()
    Worker.unscoped.create(host="host", pid=1, slots=2, started_at=now, seen_at=now)
    assert read(viewing, "/lm/healthz") == {
        "status": "NOT READY",
        "message": f"Executions: slots of workers 2, in use 0. Deployments: {nobody}",
    }
    Worker.unscoped.create(queue="deployments", host="host", pid=2, slots=8, started_at=now, seen_at=now)
    factories.execution(factories.configuration(red), status=Status.RUNNING)
    deployed.deployment(deployed.configuration(red, servers="2"), status=Status.RUNNING)
    assert read(viewing, "/lm/healthz") == {
        "status": "READY",
        "message": "Executions: slots of workers 2, in use 1. Deployments: slots of workers 8, in use 2.",
    }


@pytest.fixture
def filled(red, blue, green):
    """In red two executions, a model and three deployments, one of them at rest and one put away.

    One execution and one deployment in blue and in green.
    """
    bound = factories.configuration(red)
    made = [factories.execution(bound), factories.execution(bound)]
    model = factories.artifact(red, kind=Artifact.Kind.MODEL, name="model")
    Artifact.unscoped.filter(pk=model.pk).update(execution=made[0])
    for group in (blue, green):
        factories.execution(factories.configuration(group))
        deployed.deployment(deployed.configuration(group), status=Status.RUNNING)
    served = deployed.configuration(red, plan="infer.s")
    deployed.deployment(served, status=Status.RUNNING)
    deployed.deployment(served, status=Status.STOPPED)
    deployed.put_away(deployed.deployment(served, status=Status.DEAD))
    return made


def test_key_figures_are_of_the_groups_one_may_view(filled, viewing, neighbouring, administering):
    told = read(viewing, "/analytics/kpis")
    assert set(told) == {"header", "rows"}
    assert told["header"] == ["ResourceGroup", "Executions", "Artifacts", "Deployments"]
    artifacts = Artifact.unscoped.filter(resource_group__slug="red").count()
    assert told["rows"] == [["red", 2, artifacts, 2]]
    assert [row[:2] for row in read(neighbouring, "/analytics/kpis")["rows"]] == [["blue", 1]]
    assert [row[:2] for row in read(administering, "/analytics/kpis")["rows"]] == [["blue", 1], ["red", 2]]


def test_key_figures_of_more_groups_for_one_account(filled, red, blue, viewing):
    account = bearers.client(viewing.token).account
    grant(Role.VIEWER, account, blue)
    assert [row[0] for row in read(viewing, "/analytics/kpis")["rows"]] == ["blue", "red"]


@pytest.mark.parametrize(
    ("select", "rows"),
    [
        ("Executions", [[3]]),
        ("Executions,ResourceGroup", [[1, "blue"], [2, "red"]]),
        ("ResourceGroup", [["blue"], ["red"]]),
        ("Scenario,Executions", [[factories.SCENARIO, 3]]),
        ("ResourceGroup,Executable,Executions", None),
        ("Deployments", [[3]]),
        ("ResourceGroup,Deployments", [["blue", 1], ["red", 2]]),
        ("Executable,Deployments,Executions", [[deployed.EXECUTABLE, 3, 0], [factories.EXECUTABLE, 0, 3]]),
        ("Executable", [[""], [deployed.EXECUTABLE], [factories.EXECUTABLE]]),
    ],
)
def test_columns_are_selected(filled, administering, select, rows):
    for name in ("$select", "select"):
        told = read(administering, f"/analytics/kpis?{name}={select.replace(',', '%2C')}")
        assert told["header"] == select.split(",")
        if rows is not None:
            assert told["rows"] == rows
    if rows is None:
        counted = {(group, executable): count for group, executable, count in told["rows"]}
        assert counted["red", factories.EXECUTABLE] == 2 and counted["blue", factories.EXECUTABLE] == 1


def test_a_group_without_anything_has_its_row(red, viewing):
    assert read(viewing, "/analytics/kpis")["rows"] == [["red", 0, 0, 0]]


@pytest.mark.parametrize("select", ["Costs", "Executions,", "Executions,Executions", "executions"])
def test_a_column_that_cannot_be_told_is_400(viewing, select):
    refused(viewing("GET", f"/analytics/kpis?$select={select}"), 400, "$select")


def test_key_figures_cost_the_same_for_many(filled, red, administering, django_assert_num_queries):
    with django_assert_num_queries(100, exact=False) as before:
        read(administering, "/analytics/kpis")
    for _ in range(3):
        factories.execution(factories.configuration(red))
    with django_assert_num_queries(100, exact=False) as after:
        read(administering, "/analytics/kpis")
    assert len(after) <= len(before)


def test_quotas_count_what_there_is(filled, red, blue, administering, green):
    docker_secrets.create(
        system_scope(red.workspace), name="hub", data={".dockerconfigjson": '{"auths": {}}'}
    )
    found = {
        noun: read(administering, f"/admin/resourceQuota/{noun}")
        for noun in ("resourceGroups", "executables")
    }
    assert found["resourceGroups"] == {"usage": {"count": 2}, "quota": {"maxCount": -1}}
    used = usage.executables(system_scope(red.workspace))
    assert used["workflow"] >= 1
    assert found["executables"] == {
        "usage": {"servingTemplateCount": used["serving"], "workflowTemplateCount": used["workflow"]},
        "quota": {"servingTemplateMaxCount": -1, "workflowTemplateMaxCount": -1},
    }
    for noun, count in (("dockerRegistrySecrets", 1), ("applications", 0), ("repositories", 0)):
        assert read(administering, f"/admin/resourceQuota/{noun}")["usage"] == {"count": count}


def test_deployments_that_use_something_are_told_by_resource_plan(filled, blue, administering, viewing):
    path = "/admin/resourceQuota/deployments"
    told = read(administering, path)
    no_limit = {"maxCount": -1, "maxReplicaPerDeployment": -1}
    assert told["quotas"] == [{"resourcePlanType": name, "deploymentQuota": no_limit} for name in PLANS]
    theirs, ours = (
        Deployment.unscoped.get(resource_group__slug=slug, status=Status.RUNNING).pk
        for slug in ("blue", "red")
    )
    items = [
        {"id": ours, "resourcePlanType": "infer.s", "configuredMaxReplicas": 3},
        {"id": theirs, "resourcePlanType": "starter", "configuredMaxReplicas": 3},
    ]
    assert told["usage"] == {"count": 2, "items": items}
    # Of other groups not even how many there are.
    assert read(viewing, path)["usage"] == {"count": 1, "items": items[:1]}
    for status in (Status.PENDING, Status.STOPPING, Status.STOPPED, Status.DEAD, Status.DELETING):
        deployed.deployment(deployed.configuration(blue), status=status)
    assert read(administering, path)["usage"]["count"] == 4
    assert set(read(administering, f"{path}?quotaOnly=true")) == {"quotas"}


def test_quotas_of_deployments_cost_the_same_for_many(filled, red, administering):
    costs = []
    for _ in range(2):
        deployed.deployment(deployed.configuration(red), status=Status.RUNNING)
        with CaptureQueriesContext(connection) as queries:
            read(administering, "/admin/resourceQuota/deployments")
        costs.append(reads(queries))
    assert costs[0] >= costs[1]


def test_quotas_of_secrets_are_those_of_the_place_that_is_named(red, administering, viewing):
    path = "/admin/resourceQuota/secrets"
    secrets.create(system_scope(red), name="of-red", data={"a": "YQ=="})
    secrets.create(system_scope(red.workspace), name="of-all", data={"a": "YQ=="}, shared=True)
    assert read(viewing, path)["usage"] == {"count": 1}
    refused(viewing("GET", path, ai_resource_group=None), 400, "AI-Resource-Group")
    refused(viewing("GET", path, ai_resource_group="blue"), 404)
    assert read(administering, path, ai_tenant_scope="true")["usage"] == {"count": 1}


def test_the_quota_alone_is_told_when_asked(viewing):
    for value in ("true", "True"):
        told = read(viewing, f"/admin/resourceQuota/resourceGroups?quotaOnly={value}")
        assert told == {"quota": {"maxCount": -1}}
    refused(viewing("GET", "/admin/resourceQuota/resourceGroups?quotaOnly=maybe"), 400, "quotaOnly")


def test_nodes_are_not_reserved_and_that_is_said(viewing, editing, administering):
    path = "/admin/resources/nodes"
    body = {"resourcePlans": [{"name": "starter", "request": 1}]}
    refused(editing("PATCH", path, body), 403)
    response = administering("PATCH", path, body)
    assert response.status_code == 200 and "Nothing was reserved" in response.json()["message"]
    assert read(viewing, path)["resourcePlans"]["starter"] == {"provisioned": 0, "requested": 0}
    for wrong in ({"name": "vast", "request": 1}, {"name": "starter", "request": -1}, {"name": "starter"}):
        refused(administering("PATCH", path, {"resourcePlans": [wrong]}), 400)
    for wrong in ({}, {"resourcePlans": None}, [], None):
        refused(administering("PATCH", path, wrong), 400)


def test_instance_types_are_the_resource_plans(viewing):
    told = read(viewing, "/admin/resources/instanceTypes")["instanceTypes"]
    assert told["starter"] == {"memory": "3Gi", "cpu": 1, "gpu": 0, "billableUnitsPerHour": 0}
    assert told["train.l"]["gpu"] == 1


def test_there_are_no_further_services(viewing):
    assert read(viewing, "/admin/services") == {"count": 0, "resources": []}
    refused(viewing("GET", "/admin/services/any"), 404)


def test_the_tenant_is_the_workspace(viewing):
    told = read(viewing, "/admin/tenantInfo")
    assert told == {"tenantId": "north", "servicePlan": "self-hosted", "status": "PROVISIONED"}
