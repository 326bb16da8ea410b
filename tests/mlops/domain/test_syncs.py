"""Syncs of git: from a push to a version, through everything that may go wrong on the way."""

import logging
import threading
from datetime import timedelta

import psutil
import pytest
from django.db import connection
from django.utils import timezone

from launchpad.access import system_scope
from launchpad.audit.models import AuditEvent
from mlops import storage
from mlops.domain import applications, artifact_checks, artifact_chores, catalog, repositories, syncs
from mlops.domain.syncs import Syncs
from mlops.models import ExecutableVersion, Repository, Source
from tests.git_server import PASSWORD, USERNAME, GitServer, Project
from tests.mlops import factories
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def scope(workspace, settings):
    settings.GIT_TIMEOUT_SECONDS = 30
    return system_scope(workspace)


@pytest.fixture
def project(tmp_path) -> Project:
    """A repository with one good template and its code."""
    made = Project(tmp_path / "served")
    made.push({"train/train.yaml": factories.template(), "train/train.py": "print('trained')\n"})
    return made


@pytest.fixture
def server(project):
    """It, served with a password."""
    serving = GitServer(project.bare.parent)
    yield serving
    serving.close()


@pytest.fixture
def repository(scope, server, project) -> Repository:
    """It in the workspace, with the right credentials."""
    return repositories.create(
        scope, url=server.url(project), username=USERNAME, password=PASSWORD, name="templates"
    )


@pytest.fixture
def running():
    """Syncs of a worker process of their own, ended with the test."""
    made = Syncs()
    yield made
    made.shut_down()
    until(lambda: made.is_idle)


def application(scope, *, revision="HEAD", path=".", name="app", repository="templates") -> Source:
    """An application that is due."""
    return applications.create(scope, repository=repository, revision=revision, path=path, name=name)


def sync(scope, name="app") -> applications.Status:
    """Its state after a sync here and now; it is due again whatever its time."""
    Source.unscoped.filter(name=name).update(due_at=timezone.now() - timedelta(days=1))
    source = syncs.claim_source(timezone.now(), set())
    assert source is not None and source.name == name
    syncs.sync(source, stopped=lambda: False)
    return applications.status(applications.get(scope, name))


def told(status: applications.Status) -> list[tuple[str, str]]:
    """Name and state of each executable."""
    return [(one["name"], one["status"]) for one in status.resources]


def versions() -> list[tuple[str, int, str]]:
    """Every version's executable, number and commit."""
    rows = ExecutableVersion.unscoped.order_by("executable__slug", "number")
    return list(rows.values_list("executable__slug", "number", "commit"))


def test_a_push_becomes_a_version_and_the_same_again_none(scope, repository, project):
    first = project.push({"notes.txt": ""})
    application(scope)
    status = sync(scope)
    assert (status.health, status.sync) == ("Healthy", "Synced")
    assert first[:7] in status.message
    assert status.resources == [
        {
            "name": factories.EXECUTABLE,
            "kind": "WorkflowTemplate",
            "status": "Synced",
            "message": "New version 1.0.0 (number 1).",
        }
    ]
    assert versions() == [(factories.EXECUTABLE, 1, first)]
    version = catalog.version(scope, factories.EXECUTABLE)
    assert (version.file, version.source.name) == ("train/train.yaml", "app")
    assert storage.open_source_trees(scope.workspace).exists(f"{version.source_tree.digest}.tar")

    project.push({"notes.txt": "beside the tree"})
    assert "Version 1.0.0 (number 1)." in sync(scope).resources[0]["message"]
    second = project.push({"train/train.py": "print('better')\n"})
    sync(scope)
    assert versions() == [(factories.EXECUTABLE, 1, first), (factories.EXECUTABLE, 2, second)]


def test_an_unchanged_commit_costs_one_question_and_no_event(scope, repository, server, project):
    application(scope)
    sync(scope)
    events = AuditEvent.unscoped.count()
    server.requests.clear()
    status = sync(scope)
    assert status.sync == "Synced"
    assert [path for path, _ in server.requests if "info/refs" not in path] == [
        f"/{project.name}/git-upload-pack"
    ]
    assert AuditEvent.unscoped.count() == events
    assert status.ended_at > status.begun_at


def test_revisions_follow_or_stay(scope, repository, project):
    released = project.push({"train/train.py": "released\n"}, tag="v1")
    for revision, name in (("main", "app-main"), ("v1", "app-tag"), (released[:8], "app-commit")):
        application(scope, revision=revision, name=name)
        assert sync(scope, name).source.commit == released
    later = project.push({"train/train.py": "later\n"})
    assert [sync(scope, name).source.commit for name in ("app-main", "app-tag", "app-commit")] == [
        later,
        released,
        released,
    ]


def test_a_broken_push_keeps_what_worked_and_names_file_line_and_field(scope, repository, project):
    good = project.push({"other/other.yaml": factories.template(executable="petals-other")})
    application(scope)
    sync(scope)
    text = factories.template().replace("entrypoint: train", "entrypoint: nowhere")
    line = text[: text.index("entrypoint")].count("\n") + 1
    project.push(
        {
            "train/train.yaml": text,
            "other/other.yaml": factories.template(executable="petals-other", version="2.0.0"),
            "broken.yaml": "kind: [\n",
        }
    )
    status = sync(scope)
    assert (status.health, status.sync) == ("Degraded", "OutOfSync")
    assert "1 executable, 2 not taken" in status.message
    by_name = {one["name"]: one for one in status.resources}
    assert by_name["petals-other"]["message"] == "New version 2.0.0 (number 2)."
    failed = by_name[factories.EXECUTABLE]
    assert (failed["status"], failed["kind"]) == ("SyncFailed", "WorkflowTemplate")
    assert failed["message"].startswith(f"train/train.yaml:{line}: spec.entrypoint: ")
    assert by_name["broken.yaml"]["status"] == "SyncFailed"
    assert by_name["broken.yaml"]["message"].startswith("broken.yaml:")
    assert (factories.EXECUTABLE, 1, good) in versions()
    project.push({"train/train.yaml": factories.template(), "broken.yaml": None})
    assert sync(scope).health == "Healthy"
    assert len(versions()) == 3


def test_a_template_that_vanished_keeps_its_versions_and_is_told(scope, repository, project):
    application(scope)
    sync(scope)
    before = versions()
    project.push({"train/train.yaml": None, "README.md": "Nothing here"})
    status = sync(scope)
    assert told(status) == [(factories.EXECUTABLE, "PruneSkipped")]
    assert "versions stay" in status.resources[0]["message"]
    assert "1 without a template any more" in status.message
    assert versions() == before


@pytest.mark.parametrize(
    ("revision", "path", "words"),
    [
        ("nowhere", ".", "no branch, tag or commit nowhere"),
        ("main", "nowhere", "no folder nowhere"),
        ("main", "train/train.yaml", "is not a folder"),
    ],
)
def test_a_place_that_is_not_there_is_told_and_the_repository_was_reached(
    scope, repository, revision, path, words
):
    application(scope, revision=revision, path=path)
    status = sync(scope)
    assert (status.health, status.sync) == ("Degraded", "Unknown")
    assert words in status.message
    repository.refresh_from_db()
    assert (repository.state, repository.message) == (Repository.State.REACHED, "")
    assert repository.fetched_at is not None


def test_wrong_credentials_are_told_and_the_right_ones_mend_it(scope, repository, project):
    application(scope)
    sync(scope)
    repositories.change(scope, "templates", username=USERNAME, password="wrong-one")
    project.push({"train/train.py": "better\n"})
    status = sync(scope)
    assert "refused the user name and password" in status.message
    assert told(status) == [(factories.EXECUTABLE, "Synced")]
    repository.refresh_from_db()
    assert repository.state == Repository.State.FAILED
    assert "refused" in repository.message
    assert len(versions()) == 1
    repositories.change(scope, "templates", username=USERNAME, password=PASSWORD)
    assert sync(scope).health == "Healthy"
    repository.refresh_from_db()
    assert (repository.state, repository.message) == (Repository.State.REACHED, "")
    assert len(versions()) == 2


def test_the_password_is_in_no_log_no_row_and_no_argument(scope, repository, server, caplog, settings):
    caplog.set_level(logging.DEBUG)
    seen: set[str] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            for child in psutil.Process().children(recursive=True):
                try:
                    seen.update(child.cmdline())
                except psutil.Error:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    application(scope)
    sync(scope)
    server.password = "another"
    sync(scope)
    ended.set()
    watcher.join()
    assert any("ls-remote" in word for word in seen)
    assert not [word for word in seen if PASSWORD in word]
    assert PASSWORD not in caplog.text
    source = Source.unscoped.values().get()
    assert PASSWORD not in str(source)
    assert PASSWORD not in str(Repository.unscoped.values("url", "message", "name").get())
    kept = [path for path in (settings.LAUNCHPAD_DATA / "git").rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if PASSWORD.encode() in path.read_bytes()]


def test_a_secret_that_no_key_opens_is_told(scope, repository, settings):
    application(scope)
    settings.FIELD_KEYS = ["MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="]
    assert "FIELD_KEYS" in sync(scope).message


def test_two_applications_of_one_id_are_explained_and_the_first_keeps_it(scope, repository, project):
    project.push({"train/train.py": "of dev\n"}, branch="dev")
    application(scope, revision="main", name="first")
    application(scope, revision="dev", name="second")
    project.push({"train/train.py": "of main\n"})
    sync(scope, "first")
    status = sync(scope, "second")
    assert told(status) == [(factories.EXECUTABLE, "SyncFailed")]
    message = status.resources[0]["message"]
    assert message.startswith("train/train.yaml:1: metadata.name: ")
    for word in ("belongs to the application first", repository.url, "main", "another id"):
        assert word in message
    assert len(versions()) == 1
    assert sync(scope, "first").health == "Healthy"
    # The id is free once its owner is gone, and the other one takes it without a new commit.
    applications.delete(scope, "first")
    assert Source.unscoped.get(name="second").due_at <= timezone.now()
    assert told(sync(scope, "second")) == [(factories.EXECUTABLE, "Synced")]
    assert len(versions()) == 2


def test_an_id_is_free_too_when_its_owner_provides_it_no_more(scope, repository, project):
    project.push({"train/train.py": "of dev\n"}, branch="dev")
    application(scope, revision="main", name="first")
    application(scope, revision="dev", name="second")
    project.push({"train/train.py": "of main\n"})
    sync(scope, "first")
    sync(scope, "second")
    project.push({"train/train.yaml": factories.template(executable="petals-new")})
    Source.unscoped.update(due_at=timezone.now() + timedelta(hours=1))
    assert sorted(told(sync(scope, "first"))) == [
        ("petals-new", "Synced"),
        (factories.EXECUTABLE, "PruneSkipped"),
    ]
    assert Source.unscoped.get(name="second").due_at <= timezone.now()
    assert told(sync(scope, "second")) == [(factories.EXECUTABLE, "Synced")]
    applications.refresh(scope, "first")
    assert told(sync(scope, "first")) == [("petals-new", "Synced")]


def test_overlapping_places_of_the_same_content_are_no_clash(scope, repository):
    application(scope, name="first")
    application(scope, path="train", name="second")
    sync(scope, "first")
    status = sync(scope, "second")
    assert status.health == "Healthy"
    assert "The very same comes from first." in status.resources[0]["message"]
    assert len(versions()) == 1


def test_an_id_of_another_scenario_is_told(scope, repository, red):
    factories.catalog_version(red, scenario="roses-tutorial")
    application(scope)
    status = sync(scope)
    assert told(status) == [(factories.EXECUTABLE, "SyncFailed")]
    assert "taken in the scenario roses-tutorial" in status.resources[0]["message"]


def test_a_deleted_application_is_synced_no_more_and_its_versions_stay(scope, repository, project):
    application(scope)
    sync(scope)
    applications.delete(scope, "app")
    assert syncs.claim_source(timezone.now() + timedelta(days=1), set()) is None
    assert len(versions()) == 1
    assert catalog.version(scope, factories.EXECUTABLE).source.name == "app"


def test_what_is_changed_or_removed_while_it_is_synced_records_nothing(scope, repository):
    application(scope)
    source = syncs.claim_source(timezone.now(), set())
    applications.change(scope, "app", repository="templates", revision="main", path="train")
    syncs.sync(source, stopped=lambda: False)
    assert versions() == []
    row = Source.unscoped.get()
    assert (row.message, row.synced_at, row.sync_started_at) == ("", None, None)
    assert row.due_at <= timezone.now()
    source = syncs.claim_source(timezone.now(), set())
    applications.delete(scope, "app")
    syncs.sync(source, stopped=lambda: False)
    assert versions() == []


def test_of_those_that_saw_the_same_due_one_a_single_one_gets_it(scope, repository):
    application(scope)
    seen = Source.unscoped.get()
    now = timezone.now()
    assert [syncs.take_source(seen, now) for _ in range(3)] == [True, False, False]
    applications.refresh(scope, "app")
    seen = Source.unscoped.get()
    applications.delete(scope, "app")
    assert syncs.take_source(seen, now) is False


def test_a_due_one_is_claimed_once_by_many_processes(scope, repository):
    application(scope)
    claimed: list[Source | None] = []
    gate = threading.Barrier(4)

    def work() -> None:
        gate.wait()
        claimed.append(syncs.claim_source(timezone.now(), set()))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([one for one in claimed if one is not None]) == 1


def test_a_refresh_during_a_sync_is_taken_up_after_it(scope, repository, settings):
    application(scope)
    source = syncs.claim_source(timezone.now(), set())
    applications.refresh(scope, "app")
    assert syncs.claim_source(timezone.now(), set()) is None
    syncs.sync(source, stopped=lambda: False)
    assert syncs.claim_source(timezone.now(), set()) is not None


def test_a_sync_that_died_is_taken_up_after_its_lease(scope, repository, settings):
    settings.GIT_TIMEOUT_SECONDS = 10
    application(scope)
    now = timezone.now()
    assert syncs.claim_source(now, set())
    assert syncs.claim_source(now + timedelta(seconds=79), set()) is None
    assert syncs.claim_source(now + timedelta(seconds=81), set())


def test_it_is_due_again_after_the_interval(scope, repository, settings):
    settings.GIT_SYNC_SECONDS = 180
    application(scope)
    sync(scope)
    source = Source.unscoped.get()
    assert timedelta(seconds=175) < source.due_at - timezone.now() <= timedelta(seconds=180)
    assert syncs.claim_source(timezone.now(), set()) is None
    repository.refresh_from_db()
    assert repository.due_at > timezone.now() + timedelta(seconds=175)


def test_a_worker_carries_out_what_is_due_beside_its_task(scope, repository, project, running):
    for number in range(3):
        project.push({f"more{number}/t.yaml": factories.template(executable=f"petals-more-{number}")})
        application(scope, path=f"more{number}", name=f"app-{number}")
    running.run_due()
    until(lambda: len(versions()) == 3)
    until(lambda: running.is_idle)
    repository.refresh_from_db()
    assert repository.state == Repository.State.REACHED


def test_a_repository_without_applications_is_asked_too(scope, repository, server, running):
    running.run_due()
    until(lambda: Repository.unscoped.get().state == Repository.State.REACHED)
    until(lambda: running.is_idle)
    server.password = "another"
    repositories.change(scope, "templates", username=USERNAME, password="still-wrong")
    running.run_due()
    until(lambda: Repository.unscoped.get().state == Repository.State.FAILED)
    assert "refused" in Repository.unscoped.get().message


def test_an_answer_from_before_the_credentials_were_replaced_is_worth_nothing(scope, repository):
    asked = syncs.claim_repository(timezone.now(), set())
    repositories.change(scope, "templates", username=USERNAME, password="wrong-one")
    syncs.probe(asked, stopped=lambda: False)
    repository.refresh_from_db()
    assert (repository.state, repository.message) == (Repository.State.UNKNOWN, "")
    assert repository.due_at <= timezone.now()


def test_a_server_that_hangs_holds_up_nobody_else(scope, repository, project, tmp_path, running, settings):
    settings.GIT_TIMEOUT_SECONDS, settings.GIT_SYNCS_AT_ONCE = 6, 2
    slow = GitServer(project.bare.parent, public=True)
    try:
        slow.hang = True
        repositories.create(scope, url=slow.url(project), username="", password="", name="slow")
        for number in range(3):
            application(scope, repository="slow", path=f"p{number}", name=f"slow-{number}")
        application(scope, name="good")
        Source.unscoped.filter(name="good").update(due_at=timezone.now())
        running.run_due()
        until(lambda: len(versions()) == 1)
        messages = Source.unscoped.filter(name__startswith="slow").values_list("message", flat=True)
        until(lambda: all("did not answer within 6 s" in message for message in messages.all()))
        until(lambda: running.is_idle)
        # One question answered for all of them.
        assert len([path for path, _ in slow.requests if "info/refs" in path]) == 1
        assert Repository.unscoped.get(name="slow").state == Repository.State.FAILED
    finally:
        slow.close()


@pytest.mark.parametrize("work", [syncs, artifact_chores])
def test_an_error_of_our_own_frees_its_place_though_a_ring_came_meanwhile(work, monkeypatch, settings):
    """Otherwise nothing would begin any more until the process ends."""
    settings.GIT_SYNCS_AT_ONCE = 1
    made = Syncs() if work is syncs else artifact_chores.Chores()
    seen: list[type] = []
    monkeypatch.setattr(threading, "excepthook", lambda told: seen.append(told.exc_type))

    def fail(*_args):
        made.run_due()
        raise ZeroDivisionError

    monkeypatch.setattr(syncs, "_claim", lambda *_args: None)
    monkeypatch.setattr(syncs, "forget_removed", fail)
    monkeypatch.setattr(artifact_checks, "carry_out_one", fail)
    made.run_due()
    until(lambda: seen and made.is_idle)
    assert set(seen) == {ZeroDivisionError}


def test_a_worker_that_ends_gives_back_what_it_had(scope, repository, server):
    server.hang = True
    application(scope)
    ending = Syncs()
    ending.run_due()
    until(lambda: server.requests)
    ending.shut_down()
    assert ending.is_idle
    row = Source.unscoped.get()
    assert (row.sync_started_at, row.message) == (None, "")
    assert syncs.claim_source(timezone.now(), set()) is not None
    ending.run_due()
    assert ending.is_idle


def test_what_is_kept_of_a_deleted_repository_is_removed(scope, repository, settings):
    application(scope)
    sync(scope)
    kept = settings.LAUNCHPAD_DATA / "git" / str(repository.pk)
    syncs.forget_removed()
    assert kept.is_dir()
    applications.delete(scope, "app")
    repositories.delete(scope, "templates")
    syncs.forget_removed()
    assert not kept.exists()


def test_folders_and_bundles_are_no_applications(scope, red):
    factories.catalog_version(red)
    Source.unscoped.update(due_at=timezone.now() - timedelta(days=1))
    assert syncs.claim_source(timezone.now(), set()) is None
