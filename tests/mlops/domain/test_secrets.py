"""Generic secrets: kept sealed, never told again, handed to runs of the places they are for."""

import base64
import re
import threading

import pytest
from django.db import connection

from launchpad.access import Role, open_scope, system_scope
from launchpad.audit.models import AuditEvent
from launchpad.errors import Conflict, Forbidden, Invalid, NotFound
from launchpad.grants import grant
from mlops.domain import secrets
from mlops.models import ResourceGroupSecret, WorkspaceSecret
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]

PLAIN = "s3cr3t-\N{SNOWMAN}"
LABEL = {"key": "ext.ai.sap.com/team", "value": "lab"}


def b64(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


@pytest.fixture
def scope(editor, red):
    return open_scope(editor, "north", "red")


@pytest.fixture
def whole(workspace):
    """The workspace, as an administrator's key opens it."""
    return system_scope(workspace)


def create(scope, name="api-key", *, data=None, **more):
    return secrets.create(scope, name=name, data={"token": b64(PLAIN)} if data is None else data, **more)


def stored(table):
    """Everything the database holds in a table, as text."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        return repr(cursor.fetchall())


def test_a_secret_is_kept_sealed_and_its_name_and_labels_open(scope):
    made = create(scope, labels=[LABEL])
    assert made.labels == [LABEL]
    found = secrets.get(scope, "api-key")
    assert (found.pk, found.name, found.labels) == (made.pk, "api-key", [LABEL])
    assert [one.name for one in secrets.search(scope)] == ["api-key"]
    table = stored("mlops_resourcegroupsecret")
    assert "api-key" in table
    assert PLAIN not in table
    assert b64(PLAIN) not in table
    assert "token" not in table


def test_no_value_reaches_the_audit_trail_the_log_or_a_repr(scope, caplog):
    made = create(scope)
    secrets.change(scope, "api-key", data={"token": b64("other " + PLAIN)})
    secrets.delete(scope, "api-key")
    events = AuditEvent.unscoped.order_by("pk")
    assert [(one.verb, one.object_name) for one in events] == [
        ("secrets.create", "api-key"),
        ("secrets.change", "api-key"),
        ("secrets.delete", "api-key"),
    ]
    said = "".join(f"{one.detail}{one.object_id}" for one in events) + caplog.text + repr(made)
    assert not re.search(f"{re.escape(PLAIN)}|{re.escape(b64(PLAIN))}|token", said)
    assert all(one.object_id == str(made.pk) for one in events)


def test_reading_the_list_unseals_nothing(scope, settings):
    create(scope)
    settings.FIELD_KEYS = [base64.urlsafe_b64encode(b"x" * 32).decode()]
    assert [one.name for one in secrets.search(scope)] == ["api-key"]
    secrets.change(scope, "api-key", data={"token": b64("new")})
    assert secrets.delete(scope, "api-key").name == "api-key"
    assert not secrets.search(scope).exists()


@pytest.mark.parametrize("name", ["a", "a.b-c", "-.-", "x" * 252, "0"])
def test_names_of_the_contract_are_accepted(name, scope):
    assert create(scope, name).name == name


@pytest.mark.parametrize("name", ["", "A", "a_b", "a b", "x" * 253, "a\n", "a\0", "ü", "\ud800"])
def test_other_names_are_refused(name, scope):
    with pytest.raises(Invalid, match="lower-case letters"):
        create(scope, name)
    for act in (secrets.get, secrets.delete, lambda place, name: secrets.change(place, name, data={})):
        with pytest.raises(NotFound):
            act(scope, name)


@pytest.mark.parametrize("text", [b64("a" * 60), b64(b"\0\xff"), "", "YWJj\nZGVm\r\n"])
def test_base64_is_accepted_as_encoders_write_it(text, scope, red):
    create(scope, data={"k": text})
    run = factories.execution(factories.configuration(red))
    assert secrets.for_run(run, ["api-key"]) == {"api-key": {"k": base64.b64decode(text)}}


@pytest.mark.parametrize("text", ["s3cr3t!", "YQ", "YQ=", "Y Q==", "ü", "\ud800", "YQ==YQ==x", "-_-_"])
def test_what_is_not_base64_is_refused_without_being_shown(text, scope):
    with pytest.raises(Invalid, match="not base64") as refused:
        create(scope, data={"k": text})
    assert text not in refused.value.message
    create(scope)
    with pytest.raises(Invalid, match="not base64"):
        secrets.change(scope, "api-key", data={"k": text})


@pytest.mark.parametrize("key", ["", "a b", "a/b", "..", ".", "a\0", "ü", "k" * 254])
def test_keys_that_could_not_be_files_are_refused(key, scope):
    with pytest.raises(Invalid, match="A key is"):
        create(scope, data={key: b64("x")})


def test_a_secret_has_values_of_at_most_a_mebibyte(scope):
    with pytest.raises(Invalid, match="at least one value"):
        create(scope, data={})
    half = b64(b"x" * (secrets.BYTES_LIMIT // 2))
    create(scope, data={"a": half, "b": half})
    with pytest.raises(Invalid, match="at most 1048576"):
        create(scope, "larger", data={"a": half, "b": half, "c": b64("x")})


@pytest.mark.parametrize(
    "labels",
    [
        [{"key": "team", "value": "x"}],
        [{"key": "ext.ai.sap.com/", "value": "x"}],
        [{"key": "ext.ai.sap.com/-a", "value": "x"}],
        [{"key": "ext.ai.sap.com/a-", "value": "x"}],
        [{"key": "ext.ai.sap.com/a\n", "value": "x"}],
        [{"key": "extXai.sap.com/a", "value": "x"}],
        [{"key": "ext.ai.sap.com/" + "a" * 49, "value": "x"}],
        [{"key": "ext.ai.sap.com/" + "a" * 40_000 + "!", "value": "x"}],
        [LABEL, LABEL],
        [{"key": "ext.ai.sap.com/a", "value": "x" * 5001}],
        [{"key": "ext.ai.sap.com/a", "value": "\0"}],
        [{"key": f"ext.ai.sap.com/a{number}", "value": ""} for number in range(101)],
    ],
)
def test_labels_keep_to_the_contract(labels, scope):
    with pytest.raises(Invalid):
        create(scope, labels=labels)
    create(scope, labels=[{"key": "ext.ai.sap.com/" + "a" * 48, "value": "x" * 5000}])
    with pytest.raises(Invalid):
        secrets.change(scope, "api-key", data={"k": ""}, labels=labels)


def test_a_name_is_taken_once_in_its_place(scope, whole, blue):
    create(scope)
    with pytest.raises(Invalid, match="is a secret api-key here already"):
        create(scope)
    create(system_scope(blue))
    create(whole)
    create(whole, shared=True)
    with pytest.raises(Invalid, match="already"):
        create(whole, shared=True)


def test_a_change_replaces_the_values_and_keeps_labels_not_given(scope, red):
    create(scope, data={"a": b64("1"), "b": b64("2")}, labels=[LABEL])
    assert secrets.change(scope, "api-key", data={"c": b64("3")}).labels == [LABEL]
    assert ResourceGroupSecret.unscoped.get().data == {"c": b64("3")}
    assert secrets.change(scope, "api-key", data={"c": b64("3")}, labels=[]).labels == []
    found = secrets.get(scope, "api-key")
    assert found.labels == []
    assert found.modified_at > found.created_at


def test_a_viewer_sees_names_and_changes_nothing(scope, viewer, red):
    create(scope)
    looking = open_scope(viewer, "north", "red")
    assert secrets.get(looking, "api-key").name == "api-key"
    for act in (
        lambda: create(looking, "other"),
        lambda: secrets.change(looking, "api-key", data={"k": ""}),
        lambda: secrets.delete(looking, "api-key"),
    ):
        with pytest.raises(Forbidden):
            act()


def test_nobody_finds_a_neighbours_secret(scope, blue, green, whole):
    for place in (system_scope(blue), system_scope(green), system_scope(green.workspace)):
        create(place)
    create(system_scope(green.workspace), shared=True)
    for place in (scope, whole):
        assert not secrets.search(place).exists()
        for act in (secrets.get, secrets.delete):
            with pytest.raises(NotFound):
                act(place, "api-key")
        with pytest.raises(NotFound):
            secrets.change(place, "api-key", data={"k": ""})
    assert not secrets.search(whole, shared=True).exists()


def test_a_workspace_shares_at_most_five(whole, scope):
    for number in range(5):
        create(whole, f"s{number}", shared=True)
    with pytest.raises(Invalid, match="at most 5"):
        create(whole, "s5", shared=True)
    create(whole, "s5")
    secrets.delete(whole, "s0", shared=True)
    create(whole, "s5", shared=True)
    with pytest.raises(TypeError):
        create(scope, shared=True)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_not_share_six(whole):
    for number in range(4):
        create(whole, f"s{number}", shared=True)
    start, refused = threading.Barrier(2, timeout=120), []

    def share(name):
        start.wait()
        try:
            create(whole, name, shared=True)
        except Invalid as error:
            refused.append(error)
        finally:
            connection.close()

    both = [threading.Thread(target=share, args=(name,)) for name in ("x", "y")]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(refused) == 1
    assert WorkspaceSecret.unscoped.count() == 5


def test_a_run_gets_its_groups_secrets_before_the_shared_ones(scope, whole, red, blue):
    create(scope, "own", data={"k": b64("own")})
    create(scope, "both", data={"k": b64("group's")})
    create(whole, "both", data={"k": b64("shared"), "more": b64("hidden too")}, shared=True)
    create(whole, "common", data={"k": b64("common")}, shared=True)
    create(whole, "tenant", data={"k": b64("for no run")})
    create(system_scope(blue), "theirs", data={"k": b64("blue's")})
    create(system_scope(blue), "common", data={"k": b64("blue's")})
    run = factories.execution(factories.configuration(red))
    names = ["own", "both", "common", "tenant", "theirs", "never-made", "\0", "\ud800", "own"]
    assert secrets.for_run(run, names) == {
        "own": {"k": b"own"},
        "both": {"k": b"group's"},
        "common": {"k": b"common"},
    }
    assert secrets.for_run(run, []) == {}


def test_a_secret_whose_key_is_gone_is_told_without_its_value(scope, red, settings):
    create(scope)
    run = factories.execution(factories.configuration(red))
    settings.FIELD_KEYS = [base64.urlsafe_b64encode(b"x" * 32).decode()]
    with pytest.raises(Conflict, match="its key is gone"):
        secrets.for_run(run, ["api-key"])


def test_where_a_shared_secret_serves(whole, scope, red, blue, manager, viewer):
    create(scope, "both")
    create(whole, "both", shared=True)
    create(whole, "alone", shared=True)
    create(whole, "tenant")
    shared = list(secrets.search(whole, shared=True))
    by_name = {one.name: secrets.served(whole, shared)[one.pk] for one in shared}
    assert by_name == {"alone": {"blue": True, "red": True}, "both": {"blue": True, "red": False}}
    assert list(secrets.served(whole, list(secrets.search(whole))).values()) == [{}]
    assert list(secrets.served(scope, list(secrets.search(scope))).values()) == [{"red": True}]
    # Whoever only passes the workspace's gate learns of no group that they have no role in.
    seen = secrets.served(open_scope(viewer, "north"), shared)
    assert list(seen.values()) == [{"red": True}, {"red": False}]
    assert list(secrets.served(open_scope(manager, "north"), shared).values()) == [{}, {}]
    grant(Role.VIEWER, manager, blue)
    assert list(secrets.served(open_scope(manager, "north"), shared).values()) == [{"blue": True}] * 2
