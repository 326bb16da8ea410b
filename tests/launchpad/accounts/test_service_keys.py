"""Keys of API clients: who may make which, what they open, and that their secrets are kept by nobody."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection

from launchpad.access import Right, Role, open_scope, system_scope
from launchpad.accounts import service_keys
from launchpad.accounts.models import ServiceKey
from launchpad.audit.models import AuditEvent
from launchpad.errors import Forbidden, Invalid, NotFound
from launchpad.resource_groups.models import ResourceGroup

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def rights(key, group):
    """What the key's account may do in a group of north; nothing where it may not even look."""
    try:
        return open_scope(key.account, "north", group).rights
    except NotFound:
        return frozenset()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_a_key_of_a_group_opens_that_group_alone(red, blue, role):
    key = service_keys.create(system_scope(red), name="pipeline", role=role).key
    assert (Right.CHANGE in rights(key, "red")) is (role is Role.EDITOR)
    assert Right.VIEW in rights(key, "red")
    assert rights(key, "blue") == frozenset()
    with pytest.raises(Forbidden):
        open_scope(key.account, "north", None, Right.CHANGE)


def test_an_administrators_key_opens_every_group_of_its_workspace(workspace, red, blue, green):
    key = service_keys.create(system_scope(workspace), name="admin").key
    assert key.role == Role.OPERATIONS_MANAGER
    assert all(Right.CHANGE in rights(key, group) for group in ("red", "blue"))
    assert open_scope(key.account, "north", None, Right.CHANGE).may_change
    with pytest.raises(NotFound):
        open_scope(key.account, "south", "green")


def test_a_new_group_is_opened_to_living_administrators_keys(workspace):
    scope = system_scope(workspace)
    living, revoked = (service_keys.create(scope, name=name).key for name in ("living", "revoked"))
    service_keys.revoke(scope, revoked.pk)
    group = ResourceGroup.unscoped.create(workspace=workspace, slug="new")
    service_keys.open_to_administrators(group)
    assert Right.CHANGE in rights(living, "new")
    assert rights(revoked, "new") == frozenset()


def test_people_need_the_right_of_the_place(red, editor, viewer, manager, staff):
    service_keys.create(open_scope(editor, "north", "red"), name="pipeline")
    with pytest.raises(Forbidden):
        service_keys.create(open_scope(viewer, "north", "red"), name="another")
    with pytest.raises(Forbidden):
        service_keys.create(open_scope(manager, "north"), name="another")


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a b", "a_b", "a\n", "é", "a" * 65, "\0"])
def test_a_name_that_cannot_be_used_is_refused(red, name):
    with pytest.raises(Invalid):
        service_keys.create(system_scope(red), name=name)
    assert not ServiceKey.unscoped.exists()
    assert not User.objects.filter(username__startswith="key ").exists()


@pytest.mark.parametrize("role", [Role.OPERATIONS_MANAGER, "superuser", ""])
def test_a_key_of_a_group_is_a_viewers_or_an_editors(red, role):
    with pytest.raises(Invalid):
        service_keys.create(system_scope(red), name="pipeline", role=role)


def test_names_are_unique_in_a_place_among_living_keys(red, blue, workspace):
    scope = system_scope(red)
    first = service_keys.create(scope, name="pipeline").key
    with pytest.raises(Invalid, match="pipeline"):
        service_keys.create(scope, name="pipeline")
    service_keys.create(system_scope(blue), name="pipeline")
    service_keys.create(system_scope(workspace), name="pipeline")
    service_keys.revoke(scope, first.pk)
    service_keys.create(scope, name="pipeline")


def test_a_list_shows_the_living_keys_of_its_own_place(red, blue, workspace):
    scope = system_scope(red)
    names = ["one", "two", "gone"]
    keys = {name: service_keys.create(scope, name=name).key for name in names}
    service_keys.create(system_scope(blue), name="foreign")
    service_keys.create(system_scope(workspace), name="admin")
    service_keys.revoke(scope, keys["gone"].pk)
    assert [key.name for key in service_keys.search(scope)] == ["two", "one"]
    assert [key.name for key in service_keys.search(system_scope(workspace))] == ["admin"]


def test_a_key_is_revoked_in_its_own_place_and_once(red, blue, workspace):
    key = service_keys.create(system_scope(red), name="pipeline").key
    for place in (blue, workspace):
        with pytest.raises(NotFound):
            service_keys.revoke(system_scope(place), key.pk)
    service_keys.revoke(system_scope(red), key.pk)
    with pytest.raises(NotFound):
        service_keys.revoke(system_scope(red), key.pk)


def test_the_secret_is_in_no_row(red):
    issued = service_keys.create(system_scope(red), name="pipeline")
    event = AuditEvent.unscoped.get(verb="service_keys.create")
    assert (event.object_name, event.detail) == (
        "pipeline",
        {"name": "pipeline", "role": "mloperations_editor"},
    )
    assert issued.client_secret not in json.dumps(event.detail)
    key = ServiceKey.unscoped.select_related("application").get()
    assert issued.client_secret not in key.application.client_secret
    assert issued.document("https://launchpad.example") == {
        "clientid": issued.client_id,
        "clientsecret": issued.client_secret,
        "url": "https://launchpad.example",
        "serviceurls": {"AI_API_URL": "https://launchpad.example"},
    }


def test_revoking_is_an_event(red, editor):
    key = service_keys.create(system_scope(red), name="pipeline").key
    service_keys.revoke(open_scope(editor, "north", "red"), key.pk)
    event = AuditEvent.unscoped.get(verb="service_keys.revoke")
    assert (event.actor, event.object_id) == ("editor", str(key.pk))


@pytest.mark.django_db(transaction=True)
def test_of_two_that_make_the_same_name_at_once_one_is_refused(red):
    scope, together = system_scope(red), threading.Barrier(2)

    def make(_number):
        try:
            together.wait()
            service_keys.create(scope, name="pipeline")
        except Invalid:
            return "refused"
        finally:
            connection.close()
        return "made"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(make, range(2))) == ["made", "refused"]
    assert ServiceKey.unscoped.count() == 1
