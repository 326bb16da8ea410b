"""@command: the right, the transaction and the audit event."""

import pytest

from launchpad import access
from launchpad.access import open_scope
from launchpad.audit.models import AuditEvent
from launchpad.commands import command
from launchpad.errors import Conflict, Forbidden
from launchpad.resource_groups.models import ResourceGroup


@command(secret=("password",))
def describe(scope, *, text, password="", fail=False):
    """A verb that writes."""
    ResourceGroup.unscoped.filter(pk=scope.resource_group.pk).update(description=text)
    if fail:
        raise Conflict("no")
    return scope.resource_group


def test_one_event_names_actor_verb_place_object_and_request(editor, red):
    token = access.request_id.set("request-1")
    describe(open_scope(editor, "north", "red"), text="hello", password="geheim")
    access.request_id.reset(token)
    event = AuditEvent.unscoped.get()
    assert (event.actor, event.user, event.verb) == ("editor", editor, "test_commands.describe")
    assert (event.workspace, event.resource_group, event.object_id) == ("north", red.pk, str(red.pk))
    assert (event.detail, event.request_id) == ({"text": "hello"}, "request-1")


def test_a_failed_verb_leaves_neither_change_nor_event(editor, red):
    with pytest.raises(Conflict):
        describe(open_scope(editor, "north", "red"), text="hello", fail=True)
    red.refresh_from_db()
    assert (red.description, AuditEvent.unscoped.count()) == ("", 0)


def test_a_viewer_may_not(viewer, red):
    with pytest.raises(Forbidden):
        describe(open_scope(viewer, "north", "red"), text="hello")
    assert AuditEvent.unscoped.count() == 0


def test_history_is_neither_rewritten_nor_removed(editor, red):
    describe(open_scope(editor, "north", "red"), text="hello")
    with pytest.raises(TypeError):
        AuditEvent.unscoped.all().update(actor="nobody")
    with pytest.raises(TypeError):
        AuditEvent.unscoped.all().delete()
    assert AuditEvent.unscoped.get().actor == "editor"


def test_history_outlives_the_person(editor, red):
    describe(open_scope(editor, "north", "red"), text="hello")
    editor.delete()
    assert AuditEvent.unscoped.get().actor == "editor"
