"""The bin and checks of stored bytes: what leaves, what comes back, what goes for good."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from launchpad.access import open_scope, system_scope
from launchpad.audit.models import AuditEvent
from launchpad.errors import Conflict, Forbidden, NotFound
from mlops import storage
from mlops.domain import (
    artifact_bin,
    artifact_checks,
    artifact_files,
    artifact_search,
    artifacts,
    comments,
    configurations,
    everywhere,
)
from mlops.models import Artifact, ArtifactCheck
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def here(red, editor):
    return open_scope(editor, "north", "red")


def upload(group, name="petals", body=b"a,b\n1,2\n"):
    """An artifact that came with its files."""
    scope = system_scope(group)
    scenario = factories.catalog_version(group).executable.scenario.slug
    files = [("data.csv", [body])]
    return artifacts.upload(scope, kind="dataset", name=name, files=files, scenario=scenario)


def expire(artifact, days=31):
    Artifact.unscoped.filter(pk=artifact.pk).update(binned_at=timezone.now() - timedelta(days=days))


def purge():
    return artifact_bin.purge_expired(until=time.monotonic() + 60)


def stored(group, artifact):
    return storage.open_store(group).exists(storage.parse_url(artifact.url).path)


def test_what_lies_in_the_bin_is_nowhere_else(red, here, viewer):
    gone = upload(red)
    artifacts.delete(here, gone.pk)
    with pytest.raises(NotFound):
        artifacts.get(here, gone.pk)
    with pytest.raises(NotFound):
        artifact_search.get(here, gone.pk)
    assert not artifact_search.search(here).exists()
    assert everywhere.find(viewer, "petals").artifacts == []
    version = factories.catalog_version(red)
    assert configurations.choices(here, version)["petals"] == []
    (binned,) = artifact_bin.search(here)
    assert (binned.pk, binned.binned_by) == (gone.pk, "editor")
    assert stored(red, gone)


def test_it_comes_back_with_its_number(red, here):
    gone = upload(red)
    artifacts.delete(here, gone.pk)
    assert upload(red).version == 2
    assert artifacts.restore(here, gone.pk) == gone
    assert artifacts.get(here, gone.pk).version == 1
    with pytest.raises(Conflict):
        artifacts.restore(here, gone.pk)


def test_the_newest_of_a_name_is_the_highest_outside_the_bin(red, here):
    def newest():
        return [one.version for one in artifact_search.search(here, name="others", newest_only=True)]

    first, second = upload(red, "others"), upload(red, "others")
    assert newest() == [2]
    artifacts.delete(here, second.pk)
    assert newest() == [1]
    artifacts.restore(here, second.pk)
    assert newest() == [2]
    artifacts.delete(here, first.pk)
    assert newest() == [2]
    artifacts.delete(here, second.pk)
    assert newest() == []
    third = upload(red, "others")
    assert newest() == [3]
    factories.configuration(red, inputs={"petals": third})
    expire(third)
    Artifact.unscoped.filter(pk=third.pk).update(is_newest=False)
    assert purge() == 0
    assert newest() == [3]


def test_what_is_in_use_stays_and_says_by_what(red, here):
    data = factories.artifact(red)
    factories.configuration(red, name="Needs it", inputs={"petals": data})
    with pytest.raises(Conflict, match="Needs it"):
        artifacts.delete(here, data.pk)


def test_viewers_and_neighbours_neither_delete_nor_restore(red, blue, viewer, here):
    mine, theirs = upload(red), factories.artifact(blue)
    looking = open_scope(viewer, "north", "red")
    for verb in (artifacts.delete, artifacts.restore):
        with pytest.raises(Forbidden):
            verb(looking, mine.pk)
        with pytest.raises(NotFound):
            verb(here, theirs.pk)


def test_after_its_time_it_goes_with_its_bytes_and_comments(red, here):
    gone, kept = upload(red), upload(red, "others")
    comments.add(here, kind="artifacts", key=str(gone.pk), text="Old.")
    for one in (gone, kept):
        artifacts.delete(here, one.pk)
    expire(gone)
    expire(kept, days=29)
    with pytest.raises(Conflict):
        artifacts.restore(here, gone.pk)
    assert purge() == 1
    assert [row.pk for row in artifact_bin.search(here)] == [kept.pk]
    assert (stored(red, gone), stored(red, kept)) == (False, True)
    assert AuditEvent.unscoped.filter(verb="artifacts.purge", object_id=str(gone.pk)).exists()


def test_bytes_that_another_has_too_or_that_were_there_before_stay(red, here):
    shared = upload(red)
    scenario = shared.scenario.slug
    other = artifacts.register(
        here, kind="dataset", name="inside", url=f"{shared.url}/data.csv", scenario=scenario
    )
    elsewhere = factories.artifact(red, name="by address")
    for one in (shared, other, elsewhere):
        artifacts.delete(here, one.pk)
    expire(shared)
    expire(elsewhere)
    assert purge() == 2
    assert stored(red, shared)
    assert stored(red, elsewhere)
    expire(other)
    assert purge() == 1
    assert not stored(red, other)


def test_what_has_come_into_use_meanwhile_is_put_back(red, here):
    data = upload(red)
    factories.configuration(red, inputs={"petals": data})
    expire(data)
    assert purge() == 0
    assert artifacts.get(here, data.pk) == data
    assert stored(red, data)


def test_a_store_that_fails_keeps_its_row_and_holds_up_no_other(red, here, monkeypatch):
    broken, fine = upload(red), upload(red, "fine")
    for one in (broken, fine):
        artifacts.delete(here, one.pk)
        expire(one)
    Artifact.unscoped.filter(pk=broken.pk).update(
        url="ai://gone/uploads/x", binned_at=timezone.now() - timedelta(90)
    )
    failed = set()
    assert artifact_bin.purge_expired(until=time.monotonic() + 60, failed=failed) == 1
    assert failed == {broken.pk}
    assert [row.pk for row in artifact_bin.search(here)] == [broken.pk]


def test_a_check_is_asked_for_and_tells_what_it_found(red, here, viewer):
    data = upload(red)
    with pytest.raises(Forbidden):
        artifact_checks.ask(open_scope(viewer, "north", "red"), data.pk)
    assert artifact_checks.of(here, data) is None
    artifact_checks.ask(here, data.pk)
    artifact_checks.ask(here, data.pk)
    assert artifact_checks.of(here, data).wanted_by == "editor"
    assert artifact_checks.carry_out_one()
    assert not artifact_checks.carry_out_one()
    found = artifact_checks.of(here, data)
    assert (found.state, found.wanted_at, found.checked_at is not None) == ("ok", None, True)
    path = storage.parse_url(data.url).path
    storage.open_store(red).write(f"{path}/data.csv", [b"a,b\n1,3\n"], overwrite=True)
    artifact_checks.ask(here, data.pk)
    artifact_checks.carry_out_one()
    found = artifact_checks.of(here, data)
    assert (found.state, found.odd) == ("changed", [["data.csv", "changed"]])
    artifact_files.store(here, storage.parse_url(data.url)).delete_prefix(path)
    artifact_checks.ask(here, data.pk)
    artifact_checks.carry_out_one()
    assert artifact_checks.of(here, data).state == "missing"


def test_a_check_whose_worker_died_is_done_by_another(red, here):
    data = upload(red)
    artifact_checks.ask(here, data.pk)
    ArtifactCheck.unscoped.update(claimed_at=timezone.now())
    assert not artifact_checks.carry_out_one()
    assert artifact_checks.carry_out_one(timezone.now() + artifact_checks.LEASE + timedelta(seconds=1))
    assert artifact_checks.of(here, data).state == "ok"
