"""Repositories over the API: 200 and a message, 409 for what is there; the password never comes back."""

import pytest

from mlops.api import git_documents
from mlops.models import Repository
from tests.mlops.api.clients import MERGE, caller, refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ALL = "/admin/repositories"
ONE = f"{ALL}/templates"
CREDENTIALS = {"username": "ada", "password": "geheim"}
BODY = {"name": "templates", "url": "https://git.example/team/templates.git", **CREDENTIALS}


def test_a_repository_from_first_to_last(administering):
    made = administering("POST", ALL, BODY)
    assert (made.status_code, set(made.json()), made.json()["id"]) == (200, {"id", "message"}, "templates")
    listed = administering("GET", ALL)
    assert git_documents.GitRepositories.model_validate_json(listed.content).count == 1
    told = {"name": "templates", "url": BODY["url"], "status": "IN-PROGRESS"}
    assert listed.json() == {"count": 1, "resources": [told]}
    assert administering("GET", ONE).json() == told
    Repository.unscoped.update(state=Repository.State.FAILED)
    assert administering("GET", ONE).json()["status"] == "ERROR"
    Repository.unscoped.update(state=Repository.State.REACHED)
    assert administering("GET", ONE).json()["status"] == "COMPLETED"
    changed = administering("PATCH", ONE, {"username": "", "password": "neu"}, media=MERGE)
    assert (changed.status_code, changed.json()["id"]) == (200, "templates")
    assert Repository.unscoped.get().credentials == {"username": "", "password": "neu"}
    gone = administering("DELETE", ONE)
    assert (gone.status_code, set(gone.json()), gone.json()["id"]) == (200, {"id", "message"}, "templates")
    refused(administering("GET", ONE), 404)
    for answer in (made, listed, changed, gone):
        assert b"geheim" not in answer.content


def test_a_name_is_not_needed(administering):
    body = {key: value for key, value in BODY.items() if key != "name"}
    assert administering("POST", ALL, body | {"unknown": 1}).json()["id"] == "templates"


def test_what_is_there_already_is_409(administering):
    administering("POST", ALL, BODY)
    refused(administering("POST", ALL, BODY | {"url": "https://git.example/other"}), 409, "templates")
    refused(administering("POST", ALL, BODY | {"name": "other"}), 409, "templates")


def test_lists_are_paged(administering):
    for number in range(3):
        administering("POST", ALL, BODY | {"name": f"r{number}", "url": f"{BODY['url']}{number}"})
    told = administering("GET", f"{ALL}?$top=1&$skip=1&$count=true").json()
    assert (told["count"], [one["name"] for one in told["resources"]]) == (3, ["r1"])
    assert administering("GET", f"{ALL}?top=2").json()["count"] == 2
    refused(administering("GET", f"{ALL}?$top=-1"), 400, "$top")


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "{",
        {"url": BODY["url"]},
        {"url": BODY["url"], "username": "ada"},
        BODY | {"url": None},
        BODY | {"url": 5},
        BODY | {"name": "Upper"},
        BODY | {"name": "x" * 52},
        BODY | {"url": "ext::sh -c x"},
        BODY | {"url": "--upload-pack=x"},
        BODY | {"url": "https://ada:geheim@git.example/x"},
        BODY | {"url": "http://git.example/x"},
        BODY | {"url": "ssh://git@git.example/x"},
        BODY | {"url": "https://git.example/\u0000"},
        BODY | {"username": "a\nb"},
        BODY | {"password": "\u0000"},
        BODY | {"password": ["geheim"]},
    ],
)
def test_what_is_no_repository_is_refused(administering, body):
    answer = administering("POST", ALL, body)
    refused(answer, 400)
    assert b"geheim" not in answer.content
    assert not Repository.unscoped.exists()


def test_one_in_use_is_refused(administering):
    administering("POST", ALL, BODY)
    place = {"repositoryName": "templates", "revision": "HEAD", "path": ".", "applicationName": "app"}
    administering("POST", "/admin/applications", place)
    refused(administering("DELETE", ONE), 400, "used by app")
    refused(administering("PATCH", ONE, {"username": "ada"}), 400, "password")


def test_keys_of_a_group_look_only(administering, editing, viewing):
    administering("POST", ALL, BODY)
    for client in (editing, viewing):
        assert client("GET", ONE).json()["name"] == "templates"
        assert client("GET", ALL, ai_resource_group=None).json()["count"] == 1
        refused(client("POST", ALL, BODY), 403)
        refused(client("PATCH", ONE, CREDENTIALS), 403)
        refused(client("DELETE", ONE), 403)


@pytest.mark.parametrize("name", ["other", "x" * 300, "nul%00", "%ff", "Upper"])
def test_what_is_elsewhere_or_nowhere_is_not_found(administering, green, name):
    caller(green.workspace)("POST", ALL, BODY | {"name": "other"})
    for method, body in (("GET", None), ("PATCH", CREDENTIALS), ("DELETE", None)):
        refused(administering(method, f"{ALL}/{name}", body), 404)
    assert administering("GET", ALL).json()["count"] == 0
