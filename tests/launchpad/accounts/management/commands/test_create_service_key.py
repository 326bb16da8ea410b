"""Service keys from the command line."""

import json

import pytest
from django.core.management import CommandError, call_command

from launchpad.access import open_scope
from launchpad.accounts import service_keys
from launchpad.accounts.models import ServiceKey
from launchpad.audit.models import AuditEvent

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def create(capsys, *arguments):
    """The key of the JSON that the command prints, and nothing else."""
    call_command("create_service_key", *arguments)
    out, err = capsys.readouterr()
    assert err == ""
    document = json.loads(out)
    return service_keys.authenticate(document["clientid"], document["clientsecret"])


def test_a_key_of_a_resource_group(red, capsys):
    key = create(capsys, "ci", "--workspace", "north", "--resource-group", "red")
    assert (key.name, key.role) == ("ci", "mloperations_editor")
    viewing = ("--role", "mloperations_viewer")
    key = create(capsys, "ci-view", "--workspace", "north", "--resource-group", "red", *viewing)
    assert not open_scope(key.account, "north", "red").may_change
    actors = set(AuditEvent.unscoped.filter(verb="service_keys.create").values_list("actor", flat=True))
    assert actors == {"manage.py create_service_key"}


def test_a_key_of_an_administrator(red, capsys):
    key = create(capsys, "platform", "--workspace", "north", "--admin")
    assert open_scope(key.account, "north").may_change
    assert open_scope(key.account, "north", "red").may_change


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ci", "--workspace", "absent", "--admin"), "no workspace absent"),
        (("ci", "--workspace", "north", "--resource-group", "green"), "no resource group green"),
        (("C I", "--workspace", "north", "--resource-group", "red"), "lower-case letters"),
        (("ci", "--workspace", "north"), "required"),
        (("ci", "--workspace", "north", "--resource-group", "red", "--admin"), "not allowed"),
        (("ci", "--workspace", "north", "--admin", "--role", "superuser"), "invalid choice"),
    ],
)
def test_what_cannot_be_made_is_said(red, green, arguments, words):
    with pytest.raises(CommandError, match=words):
        call_command("create_service_key", *arguments)
    assert not ServiceKey.unscoped.exists()
