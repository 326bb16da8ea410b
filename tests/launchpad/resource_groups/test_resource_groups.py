"""Resource groups: who sees, makes, labels and gives up which."""

import threading

import pytest
from django.db import connection

from launchpad import access, grants
from launchpad.access import Role, open_scope, system_scope
from launchpad.accounts import service_keys
from launchpad.audit.models import AuditEvent
from launchpad.errors import Forbidden, Invalid, NotFound
from launchpad.resource_groups import resource_groups, roles
from launchpad.resource_groups.models import ResourceGroup

pytestmark = [pytest.mark.django_db, pytest.mark.database]
KEY = "ext.ai.sap.com/team"


@pytest.fixture
def administrator(workspace, red, blue):
    """The scope of an administrator's key in north."""
    key = service_keys.create(system_scope(workspace), name="admin").key
    return open_scope(key.account, "north")


def slugs(scope):
    """Ids of the groups that the scope's holder sees."""
    return [one.slug for one in resource_groups.search(scope)]


def test_each_sees_what_it_may_view(administrator, editor, viewer, manager, superuser, green):
    assert slugs(administrator) == ["blue", "red"]
    assert slugs(open_scope(editor, "north")) == ["red"]
    assert slugs(open_scope(viewer, "north", "red")) == ["red"]
    assert slugs(open_scope(manager, "north")) == []
    assert slugs(open_scope(superuser, "north", "red")) == ["blue", "red"]
    assert slugs(system_scope(green)) == ["green"]
    assert resource_groups.get(open_scope(editor, "north"), "red").slug == "red"
    for slug in ("blue", "green", "nowhere", "a\0", "\udcff"):
        with pytest.raises(NotFound):
            resource_groups.get(open_scope(editor, "north"), slug)


def test_a_new_group_is_its_makers_and_the_administrators_and_nobody_elses(administrator, editor, manager):
    other = service_keys.create(system_scope(administrator.workspace), name="other").key
    revoked = service_keys.create(system_scope(administrator.workspace), name="revoked").key
    service_keys.revoke(system_scope(administrator.workspace), revoked.pk)
    made = resource_groups.create(
        administrator, slug="amber.1", description="New", labels=[{"key": KEY, "value": "blue"}]
    )
    assert (made.slug, made.description, made.labels) == (
        "amber.1",
        "New",
        [{"key": KEY, "value": "blue"}],
    )
    for account in (administrator.user, other.account):
        assert open_scope(account, "north", "amber.1").may_change
    for account in (editor, manager, revoked.account):
        with pytest.raises(NotFound):
            open_scope(account, "north", "amber.1")
    event = AuditEvent.unscoped.get(verb="resource_groups.create")
    assert (event.user, event.object_id) == (administrator.user, str(made.pk))


def test_a_key_of_later_is_let_in_too(administrator):
    resource_groups.create(administrator, slug="amber")
    later = service_keys.create(system_scope(administrator.workspace), name="later").key
    assert open_scope(later.account, "north", "amber").may_change


def test_an_id_is_made_up_when_none_is_given(administrator):
    made = [resource_groups.create(administrator).slug for _ in range(2)]
    assert made[0] != made[1]
    assert all(slug.startswith("rg-") for slug in made)


@pytest.mark.parametrize(
    "slug", ["ab", "-ab", "ab-", "a b", "a/b", "..", "abc\n", "a\0c", "ünï", "x" * 254, "\udcffabc"]
)
def test_an_id_that_would_not_do_is_refused(administrator, slug):
    with pytest.raises(Invalid) as caught:
        resource_groups.create(administrator, slug=slug)
    assert list(caught.value.fields) == ["id"]


def test_an_id_in_use_is_refused_also_while_it_is_deleted(administrator, green):
    with pytest.raises(Invalid, match="There is a resource group red"):
        resource_groups.create(administrator, slug="red")
    resource_groups.delete(administrator, "red")
    with pytest.raises(Invalid, match="still being deleted"):
        resource_groups.create(administrator, slug="red")
    assert resource_groups.create(administrator, slug="green").workspace_id == "north"


LABELS = [
    ([{"key": "team", "value": ""}], "key is ext.ai.sap.com/"),
    ([{"key": "ext.ai.sap.com/" + "x" * 49, "value": ""}], "key is ext.ai.sap.com/"),
    ([{"key": "ext.ai.sap.com/-x", "value": ""}], "key is ext.ai.sap.com/"),
    ([{"key": f"{KEY}\n", "value": ""}], "key is ext.ai.sap.com/"),
    ([{"key": KEY, "value": "x" * 5001}], "at most 5000"),
    ([{"key": KEY, "value": "a\0"}], "plain text"),
    ([{"key": KEY, "value": "\udcff"}], "plain text"),
    ([{"key": KEY, "value": "a"}, {"key": KEY, "value": "b"}], "given twice"),
    ([{"key": f"{KEY}{number}", "value": ""} for number in range(101)], "101 labels"),
]


@pytest.mark.parametrize(("labels", "words"), LABELS)
def test_labels_keep_their_limits(administrator, labels, words):
    for verb in (
        lambda: resource_groups.create(administrator, slug="amber", labels=labels),
        lambda: resource_groups.change(administrator, "red", labels=labels),
    ):
        with pytest.raises(Invalid, match=words) as caught:
            verb()
        assert list(caught.value.fields) == ["labels"]
    assert resource_groups.get(administrator, "red").labels == []


def test_labels_are_replaced(administrator):
    longest = {"key": "ext.ai.sap.com/" + "x" * 48, "value": "x" * 5000}
    resource_groups.change(administrator, "red", labels=[longest])
    resource_groups.change(administrator, "red", labels=[{"key": KEY, "value": ""}])
    assert resource_groups.get(administrator, "red").labels == [{"key": KEY, "value": ""}]
    resource_groups.change(administrator, "red", labels=[])
    assert resource_groups.get(administrator, "red").labels == []
    with pytest.raises(NotFound):
        resource_groups.change(administrator, "green", labels=[])


def test_a_deleted_group_is_closed_to_everyone_and_its_keys_end(administrator, editor, superuser, red, blue):
    mine = service_keys.create(system_scope(red), name="mine").key
    theirs = service_keys.create(system_scope(blue), name="theirs").key
    resource_groups.delete(administrator, "red")
    for user in (editor, superuser, administrator.user, mine.account):
        with pytest.raises(NotFound):
            open_scope(user, "north", "red")
    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (mine.revoked_at is None, theirs.revoked_at is None) == (False, True)
    assert not mine.account.is_active
    assert slugs(administrator) == ["blue"]
    assert access.resource_groups(superuser, red.workspace) == [(blue, "administrator")]
    assert [group.slug for _, groups in roles.places() for group in groups] == ["blue"]
    for verb in (resource_groups.delete, lambda *where: resource_groups.change(*where, labels=[])):
        with pytest.raises(NotFound):
            verb(administrator, "red")


def test_default_always_exists(administrator, workspace):
    ResourceGroup.unscoped.create(workspace=workspace, slug="default")
    with pytest.raises(Invalid, match="cannot be deleted"):
        resource_groups.delete(administrator, "default")


def test_only_administrators_of_the_workspace_change_groups(administrator, editor, manager, superuser, red):
    for scope in (open_scope(manager, "north"), open_scope(editor, "north", "red")):
        for verb in (
            lambda scope=scope: resource_groups.create(scope, slug="amber"),
            lambda scope=scope: resource_groups.change(scope, "red", labels=[]),
            lambda scope=scope: resource_groups.delete(scope, "red"),
        ):
            with pytest.raises(Forbidden):
                verb()
    grants.grant(Role.OPERATIONS_MANAGER, manager, red.workspace)
    assert resource_groups.create(open_scope(superuser, "north"), slug="amber")


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_gets_the_id(administrator):
    made: list[object] = []
    gate = threading.Barrier(2)

    def work() -> None:
        gate.wait()
        try:
            made.append(resource_groups.create(administrator, slug="amber").slug)
        except Invalid as error:
            made.append(error)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(one) is str for one in made) == [False, True]
