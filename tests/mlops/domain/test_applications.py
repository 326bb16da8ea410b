"""Applications: what may be asked for, what is refused, and how their state reads."""

from datetime import timedelta

import pytest
from django.utils import timezone

from launchpad.access import open_scope, system_scope
from launchpad.errors import Forbidden, Invalid, NotFound
from mlops.domain import applications, repositories
from mlops.models import Source

pytestmark = [pytest.mark.django_db, pytest.mark.database]
URL = "https://git.example/team/templates.git"


@pytest.fixture
def scope(workspace):
    scope = system_scope(workspace)
    repositories.create(scope, url=URL, username="", password="", name="templates")
    repositories.create(scope, url=f"{URL}-other", username="", password="", name="other")
    return scope


def create(scope, repository="templates", revision="main", path="train", name="app"):
    return applications.create(scope, repository=repository, revision=revision, path=path, name=name)


def test_an_application_is_due_at_once(scope, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as rings:
        made = create(scope, repository=URL, path="./train/")
    assert len(rings) == 1
    found = applications.get(scope, "app")
    assert (found.kind, found.revision, found.path, found.repository.name) == (
        "git",
        "main",
        "train",
        "templates",
    )
    assert found.due_at == made.due_at <= timezone.now()
    told = applications.status(found)
    assert (told.health, told.sync, told.message) == ("Progressing", "Unknown", "Not synced yet.")


def test_a_name_is_made_from_the_repositorys(scope):
    assert applications.NAME_MINIMUM <= len(create(scope, name="").name) <= applications.NAME_LIMIT
    assert create(scope, name="", path="more").name.startswith("templates-")


def test_the_very_same_place_is_refused_and_overlapping_ones_are_not(scope):
    create(scope)
    with pytest.raises(Invalid, match="application app is of this repository, revision and path already"):
        create(scope, path="./train", name="again")
    for place in ({"path": "."}, {"revision": "HEAD"}, {"repository": "other"}):
        create(scope, **place, name="")
    create(scope, path="elsewhere", name="moved")
    with pytest.raises(Invalid, match="already"):
        applications.change(scope, "moved", repository="templates", revision="main", path="train")
    applications.change(scope, "app", repository="templates", revision="main", path="train")


def test_a_deleted_one_makes_room_for_its_place_and_its_name(scope):
    first = create(scope)
    applications.delete(scope, "app")
    assert create(scope).pk != first.pk
    assert [one.name for one in applications.search(scope)] == ["app"]
    assert Source.unscoped.get(pk=first.pk).removed_at is not None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "ab"}, "name"),
        ({"name": "x" * 55}, "name"),
        ({"name": "Upper"}, "name"),
        ({"name": "app\n"}, "name"),
        ({"name": "app\0"}, "name"),
        ({"revision": "--upload-pack=x"}, "revision"),
        ({"revision": ""}, "revision"),
        ({"revision": "a\0"}, "revision"),
        ({"path": "../x"}, "path"),
        ({"path": "/etc"}, "path"),
        ({"path": "a\0"}, "path"),
        ({"repository": "nowhere"}, "repository"),
        ({"repository": "a\0"}, "repository"),
        ({"repository": "\udcff"}, "repository"),
        ({"repository": "https://git.example/unknown"}, "repository"),
    ],
)
def test_what_cannot_be_is_refused(scope, wrong, field):
    with pytest.raises(Invalid) as caught:
        create(scope, **wrong)
    assert list(caught.value.fields) == [field]
    assert not Source.unscoped.exists()
    create(scope)
    place = {"repository": "templates", "revision": "main", "path": "train"} | wrong
    if place.pop("name", None) is None:
        with pytest.raises(Invalid):
            applications.change(scope, "app", **place)


def test_a_name_that_is_taken_is_refused(scope):
    create(scope)
    with pytest.raises(Invalid, match="There is an application app"):
        create(scope, path="other")


def test_a_change_forgets_what_was_synced_and_is_due(scope):
    made = create(scope)
    later = timezone.now() + timedelta(hours=1)
    Source.unscoped.update(
        commit="a" * 40, message="failed", due_at=later, is_stale=False, sync_started_at=timezone.now()
    )
    changed = applications.change(scope, "app", repository="other", revision="v1", path="")
    made.refresh_from_db()
    assert (made.commit, made.message, made.is_stale, made.sync_started_at) == ("", "", True, None)
    assert made.due_at < later
    assert changed.repository.name == "other"


def test_a_refresh_makes_it_due_and_stale(scope, django_capture_on_commit_callbacks):
    made = create(scope)
    later = timezone.now() + timedelta(hours=1)
    Source.unscoped.update(due_at=later, is_stale=False)
    with django_capture_on_commit_callbacks() as rings:
        applications.refresh(scope, "app")
    assert len(rings) == 1
    made.refresh_from_db()
    assert made.is_stale
    assert made.due_at < later


@pytest.mark.parametrize("name", ["elsewhere", "bundled", "a\0", "\udcff", "", "x" * 5000])
def test_what_is_none_of_the_workspace_is_not_found(scope, green, name):
    other = system_scope(green.workspace)
    repositories.create(other, url=URL, username="", password="", name="templates")
    create(other, name="elsewhere")
    Source.unscoped.create(workspace=scope.workspace, kind=Source.Kind.BUNDLED, name="bundled")
    place = {"repository": "templates", "revision": "main", "path": "train"}
    for verb in (
        lambda: applications.get(scope, name),
        lambda: applications.change(scope, name, **place),
        lambda: applications.delete(scope, name),
        lambda: applications.refresh(scope, name),
    ):
        with pytest.raises(NotFound):
            verb()


def test_only_administrators_change_applications(scope, manager, red):
    create(scope)
    theirs = open_scope(manager, "north")
    assert applications.get(theirs, "app")
    place = {"repository": "templates", "revision": "v2", "path": "train"}
    for verb in (
        lambda: applications.create(theirs, **place),
        lambda: applications.change(theirs, "app", **place),
        lambda: applications.delete(theirs, "app"),
        lambda: applications.refresh(theirs, "app"),
    ):
        with pytest.raises(Forbidden):
            verb()


def test_the_state_reads_as_it_is(scope):
    now = timezone.now()
    made = create(scope)
    made.commit, made.synced_at, made.sync_started_at = "abcdef0" * 5, now, now - timedelta(seconds=1)
    good = {"name": "one", "kind": "WorkflowTemplate", "status": "Synced", "message": ""}
    bad, gone = good | {"status": "SyncFailed"}, good | {"status": "PruneSkipped"}

    def read(*told, **fields):
        made.resources = list(told)
        for name, value in fields.items():
            setattr(made, name, value)
        found = applications.status(made)
        return found.health, found.sync, found.message

    assert read(good) == ("Healthy", "Synced", "Synced to commit abcdef0: 1 executable.")
    assert read() == (
        "Healthy",
        "Synced",
        "Synced to commit abcdef0: 0 executables; train holds no template.",
    )
    assert read(good, good, bad, gone) == (
        "Degraded",
        "OutOfSync",
        "Synced to commit abcdef0: 2 executables, 1 not taken, 1 without a template any more.",
    )
    assert read(good, sync_started_at=now + timedelta(seconds=1))[0] == "Progressing"
    assert read(good, sync_started_at=now, message="Away.") == ("Degraded", "Unknown", "Away.")
