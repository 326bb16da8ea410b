"""Setting up: what was interrupted is done whole the next time, what is there is kept."""

import json

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from launchpad.resource_groups.models import ResourceGroup
from mlops import storage

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_interrupted_setup_is_done_whole_the_next_time(settings, tmp_path):
    settings.LAUNCHPAD_DATA, settings.STATIC_ROOT = tmp_path, tmp_path / "static"
    in_the_way = tmp_path / "passwords.json"
    in_the_way.mkdir()
    with pytest.raises(IsADirectoryError):
        call_command("setup")
    assert not ResourceGroup.unscoped.exists()
    in_the_way.rmdir()
    call_command("setup")
    people = set(User.objects.values_list("username", flat=True))
    assert people == set(json.loads(in_the_way.read_text())) == {"admin", "editor", "viewer"}
    for group in ResourceGroup.unscoped.all():
        assert storage.open_store(group).exists("data")
    before = in_the_way.read_text()
    call_command("setup")
    assert in_the_way.read_text() == before
