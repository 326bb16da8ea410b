"""Generic secrets over the API: the three places of the two headers, and values that never come back."""

import base64

import pytest

from mlops.api.admin_documents import GenericSecret
from mlops.models import ResourceGroupSecret, WorkspaceSecret
from tests.mlops.api.clients import MERGE, caller, refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]

VALUE = base64.b64encode(b"geheim").decode()
BODY = {"name": "some-credential", "data": {"token": VALUE}}
LABEL = {"key": "ext.ai.sap.com/team", "value": "lab"}
TENANT = {"ai_tenant_scope": "true", "ai_resource_group": None}
SHARED = {"ai_tenant_scope": "true", "ai_resource_group": "*"}
ONE = "/admin/secrets/some-credential"


def names(response):
    assert response.status_code == 200, response.content
    return [one["name"] for one in response.json()["resources"]]


def test_a_group_secret_from_first_to_last(editing):
    made = editing("POST", "/admin/secrets", BODY | {"labels": [LABEL], "unknown": 1})
    assert (made.status_code, made.json()["name"]) == (200, "some-credential")
    assert made.json()["message"]
    (told,) = editing("GET", "/admin/secrets").json()["resources"]
    GenericSecret.model_validate(told)
    assert told["labels"] == [LABEL]
    assert told["resourceGroupSecretsSyncStatus"] == {"red": True}
    assert editing("GET", ONE).json() == told
    for media in (MERGE, "application/json"):
        changed = editing("PATCH", ONE, {"data": {"other": VALUE}}, media=media)
        assert (changed.status_code, changed.json()["name"]) == (200, "some-credential")
    assert ResourceGroupSecret.unscoped.get().data == {"other": VALUE}
    assert editing("GET", ONE).json()["labels"] == [LABEL]
    gone = editing("DELETE", ONE)
    assert gone.status_code == 200
    assert set(gone.json()) == {"message"}
    refused(editing("GET", ONE), 404)


def test_no_answer_holds_a_value(editing, administering):
    answers = [
        editing("POST", "/admin/secrets", BODY),
        administering("POST", "/admin/secrets", BODY, **SHARED),
    ]
    answers += [
        editing("POST", "/admin/secrets", BODY),
        editing("GET", "/admin/secrets"),
        editing("GET", ONE),
    ]
    answers += [administering("GET", ONE, **SHARED), editing("PATCH", ONE, {"data": {"token": "geheim!"}})]
    answers += [editing("PATCH", ONE, {"data": {"token": VALUE}}), editing("DELETE", ONE)]
    said = b"".join(answer.content for answer in answers)
    assert VALUE.encode() not in said
    assert b"geheim" not in said


def test_the_three_places_are_told_apart_by_two_headers(editing, administering):
    editing("POST", "/admin/secrets", BODY | {"name": "in-group"})
    administering("POST", "/admin/secrets", BODY | {"name": "in-tenant"}, **TENANT)
    administering("POST", "/admin/secrets", BODY | {"name": "for-all"}, **SHARED)
    assert ResourceGroupSecret.unscoped.get().name == "in-group"
    kept = dict(WorkspaceSecret.unscoped.values_list("name", "is_shared"))
    assert kept == {"in-tenant": False, "for-all": True}
    assert names(editing("GET", "/admin/secrets")) == ["in-group"]
    assert names(administering("GET", "/admin/secrets", **TENANT)) == ["in-tenant"]
    assert names(administering("GET", "/admin/secrets", **SHARED)) == ["for-all"]
    # Clients with a group of their own send it along; it is the tenant all the same.
    assert names(administering("GET", "/admin/secrets", **TENANT | {"ai_resource_group": "red"})) == [
        "in-tenant"
    ]
    assert names(editing("GET", "/admin/secrets", ai_tenant_scope="False")) == ["in-group"]
    for call in (TENANT | {"ai_tenant_scope": "True"}, TENANT):
        assert names(editing("GET", "/admin/secrets", **call)) == ["in-tenant"]


@pytest.mark.parametrize(
    "headers",
    [
        {"ai_resource_group": None},
        {"ai_resource_group": "*"},
        {"ai_resource_group": None, "ai_tenant_scope": "false"},
        {"ai_tenant_scope": "maybe"},
        {"ai_tenant_scope": "*"},
    ],
)
def test_other_headers_are_refused_with_what_to_send(headers, editing):
    refused(editing("GET", "/admin/secrets", **headers), 400, "AI-Tenant-Scope")
    refused(editing("POST", "/admin/secrets", BODY, **headers), 400)


def test_the_workspaces_secrets_are_for_administrators_to_change(editing, administering):
    administering("POST", "/admin/secrets", BODY, **SHARED)
    refused(editing("POST", "/admin/secrets", BODY, **TENANT), 403)
    for method in ("PATCH", "DELETE"):
        refused(editing(method, ONE, {"data": {"k": VALUE}}, **SHARED), 403)
    assert administering("DELETE", ONE, **SHARED).status_code == 200


def test_at_most_five_are_shared(administering):
    for number in range(5):
        administering("POST", "/admin/secrets", BODY | {"name": f"s{number}"}, **SHARED)
    refused(administering("POST", "/admin/secrets", BODY, **SHARED), 400, "at most 5")
    told = administering("GET", "/admin/secrets?$top=2&$skip=1&$count=True", **SHARED).json()
    assert (told["count"], [one["name"] for one in told["resources"]]) == (5, ["s1", "s2"])
    told = administering("GET", "/admin/secrets?top=2&skip=4", **SHARED).json()
    assert (told["count"], [one["name"] for one in told["resources"]]) == (1, ["s4"])


def test_a_viewer_sees_names_and_changes_nothing(editing, viewing):
    editing("POST", "/admin/secrets", BODY)
    assert names(viewing("GET", "/admin/secrets")) == ["some-credential"]
    refused(viewing("POST", "/admin/secrets", BODY | {"name": "other"}), 403, "editor")
    refused(viewing("PATCH", ONE, {"data": {"k": VALUE}}), 403)
    refused(viewing("DELETE", ONE), 403)


def test_a_neighbour_finds_nothing(editing, neighbouring, green):
    editing("POST", "/admin/secrets", BODY)
    elsewhere = caller(green.workspace)
    for other in (neighbouring, elsewhere):
        for method, body in (("GET", None), ("PATCH", {"data": {"k": VALUE}}), ("DELETE", None)):
            refused(other(method, ONE, body, ai_resource_group="red"), 404)
    refused(neighbouring("GET", "/admin/secrets", ai_resource_group="red"), 404)
    refused(neighbouring("POST", "/admin/secrets", BODY, ai_resource_group="red"), 404)
    refused(neighbouring("GET", ONE), 404)
    assert names(elsewhere("GET", "/admin/secrets", **TENANT)) == []
    assert ResourceGroupSecret.unscoped.get().data == BODY["data"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"data": {"a": VALUE}},
        BODY | {"name": "A"},
        BODY | {"name": None},
        BODY | {"name": "a\0"},
        BODY | {"name": "some-credential" * 100},
        BODY | {"data": None},
        BODY | {"data": {}},
        BODY | {"data": [VALUE]},
        BODY | {"data": {"a": 1}},
        BODY | {"data": {"a": "not base64!"}},
        BODY | {"data": {"a/b": VALUE}},
        BODY | {"labels": [{"key": "team", "value": "x"}]},
        BODY | {"labels": [{"key": "ext.ai.sap.com/x"}]},
        BODY | {"labels": "x"},
        "{",
        b'{"name": "\xff"}',
        '{"name": "\\ud800", "data": {"a": ""}}',
        "[]",
    ],
)
def test_a_body_that_is_not_as_expected_is_400(body, editing):
    refused(editing("POST", "/admin/secrets", body), 400)
    assert not ResourceGroupSecret.unscoped.exists()


def test_a_name_that_is_taken_is_400_and_a_name_nobody_can_have_404(editing):
    editing("POST", "/admin/secrets", BODY)
    refused(editing("POST", "/admin/secrets", BODY), 400, "already")
    for name in ("A", "%00", "%ff", "x" * 300, "a%20b"):
        refused(editing("GET", f"/admin/secrets/{name}"), 404)
        refused(editing("DELETE", f"/admin/secrets/{name}"), 404)
    refused(editing("PATCH", "/admin/secrets/never-made", {"data": {"a": VALUE}}), 404)
    refused(editing("PATCH", ONE, {"labels": []}), 400, "data")
    refused(editing("PATCH", ONE, {"data": {"a": "x"}}), 400, "base64")
    refused(editing("POST", ONE, BODY), 405)
    refused(editing("POST", "/admin/secrets", "name=x", media="application/x-www-form-urlencoded"), 415)
    refused(editing("GET", "/admin/secrets?$top=-1"), 400, "$top")
