"""Comments and flags: who says what where, who changes it, and what stays of it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from launchpad.access import open_scope, system_scope
from launchpad.audit.models import AuditEvent
from launchpad.errors import Conflict, Forbidden, Invalid, NotFound
from mlops.domain import comments, executions, flags
from mlops.lifecycle import Status
from mlops.models import Comment
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def run(red):
    return factories.execution(factories.configuration(red), status=Status.COMPLETED)


@pytest.fixture
def here(red, editor):
    return open_scope(editor, "north", "red")


@pytest.fixture
def looking(red, viewer):
    return open_scope(viewer, "north", "red")


def say(scope, run, text="The curve looks odd."):
    return comments.add(scope, kind="executions", key=run.pk, text=text)


def flag(scope, run, text="Wrong labels."):
    return flags.create(scope, kind="executions", key=run.pk, text=text)


def test_a_viewer_comments_on_each_kind_of_thing(red, looking, run):
    artifact = factories.artifact(red)
    for kind, key in (
        ("executions", run.pk),
        ("artifacts", str(artifact.pk)),
        ("scenarios", run.executable.scenario.slug),
    ):
        made = comments.add(looking, kind=kind, key=key, text="  One.\r\nTwo. ")
        found = comments.subject(looking, kind, key)
        assert [row.text for row in comments.about(looking, found)] == ["One.\nTwo."]
        assert comments.what(comments.get(looking, made.pk)) == found
        assert comments.address(found) == (kind, key)


@pytest.mark.parametrize(("kind", "key"), [("executions", "e" * 16), ("users", "1"), ("scenarios", "a\0b")])
def test_nothing_else_can_be_commented_on(looking, kind, key):
    with pytest.raises(NotFound):
        comments.add(looking, kind=kind, key=key, text="One.")


def test_a_neighbours_things_are_not_there(blue, looking):
    theirs = factories.execution(factories.configuration(blue), status=Status.COMPLETED)
    with pytest.raises(NotFound):
        say(looking, theirs)
    comment = say(system_scope(blue), theirs)
    with pytest.raises(NotFound):
        comments.delete(looking, comment.pk, revision=0)


def test_scenario_comments_stay_in_their_group(blue, looking, run):
    scenario = run.executable.scenario
    comments.add(looking, kind="scenarios", key=scenario.slug, text="Ours.")
    assert not comments.about(system_scope(blue), scenario).exists()


@pytest.mark.parametrize("text", ["", "  \n", "a\0b", "\ud800", "x" * 5001])
def test_text_that_cannot_be_kept_is_refused(looking, run, text):
    with pytest.raises(Invalid):
        say(looking, run, text)
    assert not Comment.unscoped.exists()


def test_the_audit_trail_does_not_repeat_what_may_be_deleted(looking, run):
    say(looking, run, "A password by mistake.")
    event = AuditEvent.unscoped.get(verb="comments.add")
    assert event.actor == "viewer"
    assert event.detail == {"kind": "executions", "key": run.pk}


def test_authors_change_their_own_for_a_day(here, looking, run):
    comment = say(looking, run)
    changed = comments.edit(looking, comment.pk, text="Better said.", revision=0)
    assert (changed.text, changed.revision, changed.edited_at is not None) == ("Better said.", 1, True)
    with pytest.raises(Forbidden):
        comments.edit(here, comment.pk, text="Not mine.", revision=1)
    Comment.unscoped.update(created_at=comment.created_at - timedelta(days=2))
    with pytest.raises(Conflict):
        comments.edit(looking, comment.pk, text="Too late.", revision=1)


def test_the_second_of_two_who_change_it_is_told(here, looking, run):
    comment = say(looking, run)
    comments.edit(looking, comment.pk, text="First.", revision=0)
    with pytest.raises(Conflict, match="meanwhile"):
        comments.edit(looking, comment.pk, text="Second.", revision=0)
    with pytest.raises(Conflict, match="meanwhile"):
        comments.delete(here, comment.pk, revision=0)
    assert Comment.unscoped.get().text == "First."


def test_a_deleted_comment_leaves_who_deleted_it(here, looking, run):
    comment = say(here, run)
    with pytest.raises(Forbidden):
        comments.delete(looking, comment.pk, revision=0)
    comments.delete(here, comment.pk, revision=0)
    (left,) = comments.about(here, run)
    assert (left.text, left.deleted_by) == ("", "editor")
    with pytest.raises(Conflict):
        comments.delete(here, comment.pk, revision=1)


def test_a_flag_is_open_until_an_editor_answers(red, here, looking, run):
    raised = flag(looking, run)
    assert flags.count(looking, run) == 1
    assert flags.counts(looking, "executions", [run.pk]) == {run.pk: 1}
    assert flags.open_in([looking.resource_group]) == {"red": 1}
    with pytest.raises(Forbidden):
        flags.close(looking, raised.pk, answer="No.")
    with pytest.raises(Invalid):
        flags.close(here, raised.pk, answer=" ")
    closed = flags.close(here, raised.pk, answer="Relabelled.")
    assert (closed.flag, closed.answer, closed.closed_by) == ("closed", "Relabelled.", "editor")
    assert (flags.count(here, run), flags.open_in([red])) == (0, {})
    with pytest.raises(Conflict):
        flags.close(here, raised.pk, answer="Again.")
    assert flags.reopen(here, raised.pk).flag == "open"
    assert [row.pk for row in flags.search(here)] == [raised.pk]


def test_a_deleted_flag_is_no_open_one(looking, run):
    raised = flag(looking, run)
    comments.delete(looking, raised.pk, revision=0)
    assert flags.open_in([looking.resource_group]) == {}


def test_open_flags_of_several_groups_in_one_query(red, blue, looking, run):
    theirs = factories.execution(factories.configuration(blue), status=Status.COMPLETED)
    flag(looking, run)
    flag(system_scope(blue), theirs)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        found = flags.open_in([red, blue])
    assert (found, len(asked)) == ({"red": 1, "blue": 1}, 1)


def test_comments_go_with_their_execution(here, run):
    say(here, run)
    executions.delete(here, run.pk)
    assert executions.purge_deleted(seconds=5) == 1
    assert not Comment.unscoped.exists()
