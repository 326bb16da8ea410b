"""Keys rotate: every sealed field of every model is under the first key afterwards; the old one can go."""

import base64

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from launchpad import rotation
from launchpad.vault import SealedField, unseal
from mlops.models import (
    DockerSecret,
    NotificationRule,
    ObjectStoreSecret,
    Repository,
    ResourceGroupSecret,
    WorkspaceSecret,
)

pytestmark = [pytest.mark.django_db, pytest.mark.database]

OLD, NEW, OTHER = (base64.urlsafe_b64encode(letter * 32).decode() for letter in (b"o", b"n", b"x"))
VALUE = {"key": "geheim \N{SNOWMAN}"}


@pytest.fixture
def sealed(settings, workspace, red):
    """One row of each model that has something sealed, under the old key."""
    settings.FIELD_KEYS = [OLD]
    now = timezone.now()
    rule = {"resource_group": red, "about": "executions", "created_at": now, "modified_at": now}
    return [
        NotificationRule.unscoped.create(
            **rule, name="a", channel="webhook", late_until=now, url=VALUE, secret=VALUE
        ),
        ObjectStoreSecret.unscoped.create(resource_group=red, name="a", kind="s3", data=VALUE),
        DockerSecret.unscoped.create(workspace=workspace, name="a", data=VALUE),
        WorkspaceSecret.unscoped.create(workspace=workspace, name="a", data=VALUE),
        ResourceGroupSecret.unscoped.create(resource_group=red, name="a", data=VALUE),
        Repository.unscoped.create(
            workspace=workspace,
            name="a",
            url="https://git.test/a",
            credentials=VALUE,
            due_at=timezone.now(),
        ),
    ]


def names(row):
    """Its sealed fields."""
    return [one.name for one in row._meta.fields if isinstance(one, SealedField)]


def value(row):
    """What the row holds, read anew, the same in each sealed field."""
    found = type(row).unscoped.get(pk=row.pk)
    first, *others = [getattr(found, name) for name in names(row)]
    assert all(other == first for other in others)
    return first


def test_every_sealed_field_is_read_with_the_new_key_alone(sealed, settings, capsys):
    holders = {
        model for model in apps.get_models() for one in model._meta.fields if isinstance(one, SealedField)
    }
    assert {type(row) for row in sealed} == holders
    settings.FIELD_KEYS = [NEW, OLD]
    call_command("rotate_field_keys")
    assert f"Secrets sealed anew: {sum(len(names(row)) for row in sealed)}." in capsys.readouterr().out
    settings.FIELD_KEYS = [NEW]
    assert [value(row) for row in sealed] == [VALUE] * len(sealed)
    settings.FIELD_KEYS = [OLD]
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("rotate_field_keys")


def test_what_no_key_reads_is_named_and_the_rest_is_done(sealed, settings):
    lost = sealed[1]
    settings.FIELD_KEYS = [OTHER]
    type(lost).unscoped.filter(pk=lost.pk).update(data=VALUE)
    settings.FIELD_KEYS = [NEW, OLD]
    with pytest.raises(CommandError, match=f"ObjectStoreSecret {lost.pk}: data") as told:
        call_command("rotate_field_keys")
    assert "geheim" not in str(told.value)
    settings.FIELD_KEYS = [NEW]
    assert value(sealed[2]) == VALUE
    settings.FIELD_KEYS = [OTHER]
    assert value(lost) == VALUE


def test_it_may_be_done_again_and_goes_through_many_rows(sealed, settings, workspace, monkeypatch):
    monkeypatch.setattr(rotation, "_AT_ONCE", 2)
    for number in range(5):
        DockerSecret.unscoped.create(workspace=workspace, name=f"many-{number}", data=VALUE)
    settings.FIELD_KEYS = [NEW, OLD]
    for _ in range(2):
        assert rotation.rotate() == rotation.Rotation(resealed=sum(len(names(row)) for row in sealed) + 5)
    settings.FIELD_KEYS = [NEW]
    assert [row.data for row in DockerSecret.unscoped.all()] == [VALUE] * 6


def test_a_value_changed_meanwhile_is_left_alone(sealed, settings, monkeypatch):
    row = sealed[2]
    DockerSecret.unscoped.filter(pk=row.pk).update(data={"key": "this one"})
    settings.FIELD_KEYS = [NEW, OLD]
    reseal, changed = rotation.reseal, []

    def changing(text):
        # Once, between the reading and the writing of this very row.
        if unseal(text) == {"key": "this one"} and not changed:
            changed.append(DockerSecret.unscoped.filter(pk=row.pk).update(data={"key": "newer"}))
        return reseal(text)

    monkeypatch.setattr(rotation, "reseal", changing)
    rotation.rotate()
    settings.FIELD_KEYS = [NEW]
    assert value(row) == {"key": "newer"}


def test_the_database_holds_no_plain_text(sealed):
    with connection.cursor() as cursor:
        for row in sealed:
            cursor.execute(f"SELECT * FROM {row._meta.db_table}")
            assert "geheim" not in repr(cursor.fetchall())
