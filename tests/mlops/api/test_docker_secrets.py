"""Docker secrets over the API: 202 and a message; what they hold never comes back."""

import pytest

from mlops.models import DockerSecret
from tests.mlops.api.clients import MERGE, caller, refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ALL = "/admin/dockerRegistrySecrets"
ONE = f"{ALL}/registry"
DATA = {".dockerconfigjson": '{"auths": {"registry.example": {"password": "geheim"}}}'}
BODY = {"name": "registry", "data": DATA}


def test_a_secret_from_first_to_last(administering):
    made = administering("POST", ALL, BODY)
    assert (made.status_code, made.json()) == (202, {"message": "secret has been created"})
    assert administering("GET", ALL).json() == {"count": 1, "resources": [{"name": "registry"}]}
    assert administering("GET", ONE).json() == {"name": "registry"}
    newer = {".dockerconfigjson": '{"auths": {}}'}
    changed = administering("PATCH", ONE, {"data": newer}, media=MERGE)
    assert (changed.status_code, set(changed.json())) == (202, {"id", "message"})
    assert changed.json()["id"] == "registry"
    assert DockerSecret.unscoped.get().data == newer
    gone = administering("DELETE", ONE)
    assert (gone.status_code, gone.json()["id"]) == (202, "registry")
    refused(administering("GET", ONE), 404)


def test_lists_are_paged(administering):
    for number in range(3):
        administering("POST", ALL, BODY | {"name": f"r{number}"})
    told = administering("GET", f"{ALL}?$top=1&$skip=1&$count=true").json()
    assert told == {"count": 3, "resources": [{"name": "r1"}]}
    assert administering("GET", f"{ALL}?skip=5").json() == {"count": 0, "resources": []}


def test_editors_of_a_group_look_only(administering, editing):
    administering("POST", ALL, BODY)
    assert editing("GET", ONE, ai_resource_group=None).json() == {"name": "registry"}
    refused(editing("POST", ALL, BODY), 403)
    refused(editing("PATCH", ONE, {"data": DATA}), 403)
    refused(editing("DELETE", ONE), 403)


def test_another_workspace_finds_nothing(administering, green):
    administering("POST", ALL, BODY)
    elsewhere = caller(green.workspace)
    assert elsewhere("GET", ALL).json()["count"] == 0
    for method, body in (("GET", None), ("PATCH", {"data": DATA}), ("DELETE", None)):
        refused(elsewhere(method, ONE, body), 404)


@pytest.mark.parametrize(
    "body",
    [
        {"name": "registry"},
        {"data": DATA},
        BODY | {"name": "Registry"},
        BODY | {"name": "a\0b"},
        BODY | {"data": {}},
        BODY | {"data": DATA | {"more": "x"}},
        BODY | {"data": {".dockerconfigjson": None}},
        BODY | {"data": {".dockerconfigjson": {"auths": {}}}},
        BODY | {"data": {".dockerconfigjson": "geheim"}},
    ],
)
def test_a_body_that_is_not_as_expected_is_400(body, administering):
    error = refused(administering("POST", ALL, body), 400)
    assert "geheim" not in str(error)
    administering("POST", ALL, BODY)
    if "data" in body and body["data"] != DATA:
        refused(administering("PATCH", ONE, {"data": body["data"]}, media=MERGE), 400)
    assert DockerSecret.unscoped.get().data == DATA


def test_a_name_that_is_taken_is_400_and_one_nobody_has_404(administering):
    administering("POST", ALL, BODY)
    refused(administering("POST", ALL, BODY), 400, "already")
    for name in ("other", "A", "%00", "%ff"):
        refused(administering("GET", f"{ALL}/{name}"), 404)
        refused(administering("DELETE", f"{ALL}/{name}"), 404)
        refused(administering("PATCH", f"{ALL}/{name}", {"data": DATA}, media=MERGE), 404)
