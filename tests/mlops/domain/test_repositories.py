"""Repositories: kept sealed, checked before git hears of them, and not deleted under an application."""

import json

import pytest
from django.db import connection

from launchpad.access import open_scope, system_scope
from launchpad.audit.models import AuditEvent
from launchpad.errors import Forbidden, Invalid, NotFound, Taken
from mlops.domain import applications, repositories
from mlops.models import Repository, Source

pytestmark = [pytest.mark.django_db, pytest.mark.database]
URL = "https://git.example/team/templates.git"
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----\n"
SECRET = "s3cret-word"


@pytest.fixture
def scope(workspace):
    return system_scope(workspace)


def create(scope, url=URL, name="templates", username="ada", password=SECRET):
    return repositories.create(scope, url=url, username=username, password=password, name=name)


def test_a_repository_is_kept_sealed_and_asked_at_once(scope, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as rings:
        made = create(scope)
    assert len(rings) == 1
    found = repositories.get(scope, "templates")
    assert (found.url, found.state, found.due_at == made.due_at) == (URL, Repository.State.UNKNOWN, True)
    assert found.credentials == {"username": "ada", "password": SECRET}
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM mlops_repository")
        assert SECRET not in cursor.fetchone()[0]
    events = json.dumps(list(AuditEvent.unscoped.values_list("verb", "detail", "object_name")))
    assert "repositories.create" in events
    assert SECRET not in events


def test_a_list_unseals_nothing(scope, settings):
    create(scope)
    settings.FIELD_KEYS = ["MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="]
    assert [one.name for one in repositories.search(scope)] == ["templates"]
    assert repositories.get(scope, "templates").url == URL


def test_a_name_is_made_from_the_address(scope):
    assert create(scope, name="").name == "templates"
    assert create(scope, url="https://git.example/other/Templates/", name="").name.startswith("templates-")
    assert create(scope, url="git@git.example:team/My_Work.git", name="", password=KEY).name == "my-work"
    long = create(scope, url=f"https://git.example/{'x' * 200}", name="").name
    assert len(long) <= repositories.NAME_LIMIT
    assert create(scope, url="https://git.example/__", name="").name == "repository"


def test_the_same_name_or_address_is_taken(scope, green):
    create(scope)
    with pytest.raises(Taken, match="There is a repository templates"):
        create(scope, url="https://git.example/other")
    with pytest.raises(Taken, match="repository templates has this address"):
        create(scope, url=URL + "/", name="other")
    assert create(system_scope(green.workspace)).name == "templates"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "Upper"}, "name"),
        ({"name": "x" * 52}, "name"),
        ({"name": "a\n"}, "name"),
        ({"name": "a\0"}, "name"),
        ({"url": "ext::sh -c x"}, "url"),
        ({"url": "-x"}, "url"),
        ({"url": "http://git.example/x"}, "url"),
        ({"url": f"https://ada:{SECRET}@git.example/x"}, "url"),
        ({"username": "a:b"}, "username"),
        ({"username": "a\nb"}, "username"),
        ({"username": "a\0"}, "username"),
        ({"username": "\udcff"}, "username"),
        ({"username": "x" * 257}, "username"),
        ({"password": "a\nb"}, "password"),
        ({"password": "a\0"}, "password"),
        ({"password": "\udcff"}, "password"),
        ({"password": "x" * 20_000}, "password"),
        ({"url": "ssh://git@git.example/x"}, "password"),
        ({"url": "ssh://git.example/x", "password": KEY, "username": "-oProxyCommand=x"}, "username"),
    ],
)
def test_what_cannot_be_sent_is_refused_without_showing_it(scope, wrong, field):
    with pytest.raises(Invalid) as caught:
        create(scope, **wrong)
    assert list(caught.value.fields) == [field]
    assert SECRET not in caught.value.message
    assert not Repository.unscoped.exists()


def test_files_need_a_setting(scope, settings, tmp_path):
    settings.GIT_ALLOW_FILE = False
    with pytest.raises(Invalid, match="folders of the server"):
        create(scope, url=f"file://{tmp_path}")
    settings.GIT_ALLOW_FILE = True
    create(scope, url=f"file://{tmp_path}")


def test_new_credentials_are_tried_at_once_on_everything(scope, django_capture_on_commit_callbacks):
    made = create(scope)
    app = applications.create(scope, repository="templates", revision="HEAD", path=".", name="app")
    Repository.unscoped.update(state=Repository.State.FAILED, message="refused", due_at="2999-01-01T00:00Z")
    Source.unscoped.update(due_at="2999-01-01T00:00Z")
    with django_capture_on_commit_callbacks() as rings:
        repositories.change(scope, "templates", username="", password="other")
    assert len(rings) == 1
    made.refresh_from_db()
    app.refresh_from_db()
    assert (made.state, made.message) == (Repository.State.UNKNOWN, "")
    assert made.due_at.year == app.due_at.year != 2999
    assert made.credentials == {"username": "", "password": "other"}
    with pytest.raises(Invalid, match="colon"):
        repositories.change(scope, "templates", username="a:b", password="")
    with pytest.raises(NotFound):
        repositories.change(scope, "other", username="", password="")


def test_a_repository_in_use_stays_and_says_by_whom(scope):
    create(scope)
    applications.create(scope, repository=URL, revision="HEAD", path=".", name="one")
    applications.create(scope, repository="templates", revision="HEAD", path="two", name="two")
    with pytest.raises(Invalid, match=r"used by one, two\. Delete these applications"):
        repositories.delete(scope, "templates")
    applications.delete(scope, "one")
    with pytest.raises(Invalid, match=r"used by two\. Delete this application"):
        repositories.delete(scope, "templates")
    applications.delete(scope, "two")
    repositories.delete(scope, "templates")
    assert not repositories.search(scope).exists()
    assert Source.unscoped.filter(repository=None).count() == 2
    with pytest.raises(NotFound):
        repositories.delete(scope, "templates")


@pytest.mark.parametrize("name", ["other", "a\0", "\udcff", "x" * 5000, ""])
def test_what_is_elsewhere_or_no_name_is_not_found(scope, green, name):
    create(system_scope(green.workspace), name="other")
    with pytest.raises(NotFound):
        repositories.get(scope, name)


def test_only_administrators_change_repositories(manager, staff, workspace, red):
    scope = open_scope(manager, "north")
    for verb in (
        lambda: create(scope),
        lambda: repositories.change(scope, "templates", username="", password=""),
        lambda: repositories.delete(scope, "templates"),
    ):
        with pytest.raises(Forbidden):
            verb()
