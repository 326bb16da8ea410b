"""Names, notes and labels of executions, and taking them out of the list and back."""

import pytest

from launchpad.access import open_scope, system_scope
from launchpad.audit.models import AuditEvent
from launchpad.errors import Conflict, Forbidden, Invalid, NotFound
from mlops.domain import execution_notes, executions
from mlops.lifecycle import Status
from mlops.models import Execution, StatusChange
from tests.mlops import factories

pytestmark = pytest.mark.database


@pytest.fixture
def ended(red):
    """A completed execution in red."""
    return factories.execution(factories.configuration(red), status=Status.COMPLETED)


@pytest.fixture
def scope(red):
    return system_scope(red, actor="Ada")


def test_what_is_said_is_kept_and_told_in_the_trail(scope, ended):
    said = {"name": " Best so far ", "notes": "Ünder\nreview", "labels": [("team", "vision"), ("a/b", "")]}
    row = executions.edit(scope, ended.pk, **said)
    row.refresh_from_db()
    assert (row.name, row.notes) == ("Best so far", "Ünder\nreview")
    assert row.labels == [{"key": "a/b", "value": ""}, {"key": "team", "value": "vision"}]
    assert row.search_text == "best so far\nünder\nreview\na/b=\nteam=vision"
    event = AuditEvent.unscoped.get(verb="executions.edit")
    assert (event.actor, event.object_id, event.detail["name"]) == ("Ada", ended.pk, " Best so far ")


def test_who_comes_second_is_told_and_changes_nothing(scope, ended):
    seen = execution_notes.of(ended).version
    executions.edit(scope, ended.pk, name="first", version=seen)
    with pytest.raises(Conflict, match="Somebody else changed"):
        executions.edit(scope, ended.pk, name="second", version=seen)
    ended.refresh_from_db()
    assert ended.name == "first"


def test_a_new_status_is_not_somebody_elses_edit(scope, red):
    row = factories.execution(factories.configuration(red))
    seen = execution_notes.of(row).version
    executions.stop(scope, row.pk)
    assert executions.edit(scope, row.pk, name="kept", version=seen).name == "kept"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": "two\nlines"}, "name"),
        ({"name": "n" * 257}, "name"),
        ({"notes": "n" * 5001}, "notes"),
        ({"notes": "a\x00b"}, "notes"),
        ({"labels": [("", "x")]}, "labels"),
        ({"labels": [("a=b", "x")]}, "labels"),
        ({"labels": [("a", "x"), ("a", "y")]}, "labels"),
        ({"labels": [("a", "x\ny")]}, "labels"),
        ({"labels": [("a", "x" * 257)]}, "labels"),
        ({"labels": [(f"k{number}", "") for number in range(21)]}, "labels"),
    ],
)
def test_what_cannot_be_said_is_refused_by_field(scope, ended, said, field):
    with pytest.raises(Invalid) as refused:
        executions.edit(scope, ended.pk, **said)
    assert set(refused.value.fields) == {field}


def test_archive_and_restore_keep_everything(scope, ended):
    executions.edit(scope, ended.pk, name="kept")
    before = StatusChange.unscoped.filter(execution=ended).count()
    archived = executions.archive(scope, ended.pk)
    assert archived.archived_at is not None
    assert (archived.status, archived.name) == (Status.COMPLETED, "kept")
    with pytest.raises(Conflict, match="archived already"):
        executions.archive(scope, ended.pk)
    assert executions.restore(scope, ended.pk).archived_at is None
    with pytest.raises(Conflict, match="not archived"):
        executions.restore(scope, ended.pk)
    assert StatusChange.unscoped.filter(execution=ended).count() == before
    assert Execution.unscoped.get(pk=ended.pk).name == "kept"


def test_only_what_has_ended_is_archived(scope, red):
    row = factories.execution(factories.configuration(red), status=Status.RUNNING)
    with pytest.raises(Conflict, match="only one that has ended"):
        executions.archive(scope, row.pk)


def test_viewers_and_neighbours_change_nothing(red, blue, ended, viewer):
    watching = open_scope(viewer, "north", "red")
    elsewhere = system_scope(blue)
    for verb in (executions.edit, executions.archive, executions.restore):
        with pytest.raises(Forbidden):
            verb(watching, ended.pk)
        with pytest.raises(NotFound):
            verb(elsewhere, ended.pk)


def test_the_end_tells_how_long_it_ran(scope, red):
    row = factories.execution(factories.configuration(red))
    executions.stop(scope, row.pk)
    row.refresh_from_db()
    assert row.duration is None
