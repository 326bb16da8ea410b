"""Applications over the API: made of a repository's address or name, refreshed, and their state in full."""

import pytest
from django.utils import timezone

from mlops.api import git_documents
from mlops.domain import syncs
from mlops.models import Source
from tests.git_server import Project
from tests.mlops import factories
from tests.mlops.api.clients import caller, refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ALL = "/admin/applications"
ONE = f"{ALL}/petals"
URL = "https://git.example/team/templates.git"
PLACE = {"repositoryUrl": URL, "revision": "main", "path": "train"}
BODY = PLACE | {"applicationName": "petals"}


def add_repository(client, url=URL, name="templates"):
    """A repository that asks for no password."""
    client("POST", "/admin/repositories", {"name": name, "url": url, "username": "", "password": ""})


@pytest.fixture
def administering(administering):
    add_repository(administering)
    return administering


def test_an_application_from_first_to_last(administering):
    made = administering("POST", ALL, BODY)
    assert (made.status_code, set(made.json()), made.json()["id"]) == (200, {"id", "message"}, "petals")
    listed = administering("GET", ALL)
    git_documents.Applications.model_validate_json(listed.content)
    assert listed.json() == {"count": 1, "resources": [BODY]}
    assert administering("GET", ONE).json() == BODY
    changed = administering("PATCH", ONE, PLACE | {"path": "./", "revision": "v1"})
    assert (changed.status_code, changed.json()["id"]) == (200, "petals")
    assert administering("GET", ONE).json() == BODY | {"path": ".", "revision": "v1"}
    Source.unscoped.update(due_at="2999-01-01T00:00Z")
    refreshed = administering("POST", f"{ONE}/refresh")
    assert (refreshed.status_code, refreshed.json()["id"]) == (202, "petals")
    assert Source.unscoped.get().due_at <= timezone.now()
    gone = administering("DELETE", ONE)
    assert (gone.status_code, gone.json()["id"]) == (200, "petals")
    refused(administering("GET", ONE), 404)
    assert administering("GET", ALL).json()["count"] == 0


def test_the_repository_may_be_named_and_a_name_is_not_needed(administering):
    body = {"repositoryName": "templates", "revision": "HEAD", "path": "."}
    made = administering("POST", ALL, body).json()["id"]
    assert made.startswith("templates-")
    assert administering("GET", f"{ALL}/{made}").json()["repositoryUrl"] == URL


def test_the_state_tells_each_executable_under_both_spellings(workspace, administering, tmp_path):
    project = Project(tmp_path / "served")
    broken = factories.template(executable="petals-broken").replace("entrypoint: train", "entrypoint: no")
    commit = project.push({"a/a.yaml": factories.template(), "b/b.yaml": broken})
    administering(
        "POST",
        "/admin/repositories",
        {"name": "real", "url": f"file://{project.bare}", "username": "", "password": ""},
    )
    administering("POST", ALL, BODY | {"repositoryUrl": f"file://{project.bare}", "path": "."})
    before = administering("GET", f"{ONE}/status").json()
    assert (before["healthStatus"], before["syncStatus"]) == ("Progressing", "Unknown")
    assert "syncFinishedAt" not in before
    syncs.sync(syncs.claim_source(timezone.now(), set()), stopped=lambda: False)
    answer = administering("GET", f"{ONE}/status")
    git_documents.ApplicationStatus.model_validate_json(answer.content)
    told = answer.json()
    assert (told["healthStatus"], told["syncStatus"]) == ("Degraded", "OutOfSync")
    assert commit[:7] in told["message"]
    assert told["source"] == {"repoURL": f"file://{project.bare}", "path": ".", "revision": "main"}
    assert told["syncResourcesStatus"] == told["syncRessourcesStatus"]
    failed, synced = told["syncResourcesStatus"]
    assert (failed["name"], failed["status"]) == ("b/b.yaml", "SyncFailed")
    assert failed["message"].startswith("b/b.yaml:")
    assert (synced["name"], synced["status"]) == (factories.EXECUTABLE, "Synced")
    assert told["syncStartedAt"] <= told["syncFinishedAt"] == told["reconciledAt"]


def test_the_same_place_twice_and_a_taken_name_are_refused(administering):
    administering("POST", ALL, BODY)
    refused(administering("POST", ALL, PLACE | {"applicationName": "again"}), 400, "petals", "already")
    refused(administering("POST", ALL, BODY | {"path": "more"}), 400, "petals")
    administering("POST", ALL, BODY | {"path": "more", "applicationName": "more"})
    refused(administering("PATCH", f"{ALL}/more", PLACE), 400, "already")


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "{",
        {"revision": "main", "path": "train"},
        {"repositoryUrl": URL, "path": "train"},
        {"repositoryUrl": URL, "revision": "main"},
        BODY | {"revision": "--upload-pack=x"},
        BODY | {"revision": 5},
        BODY | {"revision": None},
        BODY | {"path": "../.."},
        BODY | {"path": "/etc"},
        BODY | {"path": "a\u0000"},
        BODY | {"applicationName": "ab"},
        BODY | {"applicationName": "x" * 55},
        BODY | {"applicationName": "Upper"},
        BODY | {"repositoryUrl": "https://git.example/unknown"},
        {"repositoryName": "unknown", "revision": "main", "path": "train"},
    ],
)
def test_what_is_no_application_is_refused(administering, body):
    refused(administering("POST", ALL, body), 400)
    assert not Source.unscoped.exists()


def test_a_change_names_the_whole_place(administering):
    administering("POST", ALL, BODY)
    for key in PLACE:
        part = {name: value for name, value in PLACE.items() if name != key}
        refused(administering("PATCH", ONE, part), 400, key)
    refused(administering("PATCH", ONE, PLACE | {"revision": "-x"}), 400)


def test_lists_are_paged(administering):
    for number in range(3):
        administering("POST", ALL, BODY | {"applicationName": f"app{number}", "path": str(number)})
    told = administering("GET", f"{ALL}?$top=1&$skip=1&$count=True").json()
    assert (told["count"], [one["applicationName"] for one in told["resources"]]) == (3, ["app1"])
    refused(administering("GET", f"{ALL}?$skip=x"), 400, "$skip")


def test_keys_of_a_group_look_only(administering, editing, viewing):
    administering("POST", ALL, BODY)
    for client in (editing, viewing):
        assert client("GET", ONE).json() == BODY
        assert client("GET", f"{ONE}/status", ai_resource_group=None).json()["syncStatus"] == "Unknown"
        assert client("GET", ALL).json()["count"] == 1
        refused(client("POST", ALL, BODY), 403)
        refused(client("PATCH", ONE, PLACE), 403)
        refused(client("DELETE", ONE), 403)
        refused(client("POST", f"{ONE}/refresh"), 403)


@pytest.mark.parametrize("name", ["other", "x" * 300, "nul%00", "%ff"])
def test_what_is_elsewhere_or_nowhere_is_not_found(administering, green, name):
    elsewhere = caller(green.workspace)
    add_repository(elsewhere)
    elsewhere("POST", ALL, BODY | {"applicationName": "other"})
    for method, path, body in (
        ("GET", "", None),
        ("GET", "/status", None),
        ("PATCH", "", PLACE),
        ("DELETE", "", None),
        ("POST", "/refresh", None),
    ):
        refused(administering(method, f"{ALL}/{name}{path}", body), 404)
