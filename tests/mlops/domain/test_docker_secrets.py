"""Docker secrets: a workspace's, sealed, changed by those who change the workspace."""

import base64
import json

import pytest

from launchpad.access import open_scope, system_scope
from launchpad.audit.models import AuditEvent
from launchpad.errors import Forbidden, Invalid, NotFound
from mlops.domain import docker_secrets
from mlops.models import DockerSecret

pytestmark = [pytest.mark.django_db, pytest.mark.database]

CONFIG = json.dumps({"auths": {"registry.example": {"username": "ada", "password": "geheim"}}})
DATA = {".dockerconfigjson": CONFIG}


@pytest.fixture
def scope(workspace):
    return system_scope(workspace)


def create(scope, name="registry", data=DATA):
    return docker_secrets.create(scope, name=name, data=data)


def test_it_is_kept_changed_and_forgotten(scope):
    made = create(scope)
    assert DockerSecret.unscoped.get().data == DATA
    assert [one.name for one in docker_secrets.search(scope)] == ["registry"]
    encoded = {".dockerconfigjson": base64.b64encode(CONFIG.encode()).decode()}
    docker_secrets.change(scope, "registry", data=encoded)
    assert DockerSecret.unscoped.get().data == encoded
    assert docker_secrets.get(scope, "registry").pk == made.pk
    docker_secrets.delete(scope, "registry")
    with pytest.raises(NotFound):
        docker_secrets.get(scope, "registry")
    told = repr([(one.verb, one.detail) for one in AuditEvent.unscoped.all()])
    assert "docker_secrets.change" in told
    assert "geheim" not in told
    assert "auths" not in told


@pytest.mark.parametrize("name", ["a1", "my_registry", "a.b-c", "0" * 63, "a_-b"])
def test_names_of_the_contract_are_accepted(name, scope):
    assert create(scope, name).name == name


@pytest.mark.parametrize(
    "name", ["", "a", "A1", "a__b", "_a", "a_", "a-", "x" * 64, "a1\n", "a\0b", "\ud800"]
)
def test_other_names_are_refused(name, scope):
    with pytest.raises(Invalid, match="Docker secret's name"):
        create(scope, name)
    for act in (docker_secrets.get, docker_secrets.delete):
        with pytest.raises(NotFound):
            act(scope, name)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"config": CONFIG},
        {**DATA, "more": "x"},
        {".dockerconfigjson": ""},
        {".dockerconfigjson": "geheim"},
        {".dockerconfigjson": "[]"},
        {".dockerconfigjson": '{"auths": []}'},
        {".dockerconfigjson": "[" * 100_000},
        {".dockerconfigjson": "\ud800"},
        {".dockerconfigjson": json.dumps({"auths": {"x": "y" * docker_secrets.BYTES_LIMIT}})},
    ],
)
def test_anything_but_one_docker_configuration_is_refused(data, scope):
    with pytest.raises(Invalid) as refused:
        create(scope, data=data)
    assert "geheim" not in refused.value.message
    create(scope)
    with pytest.raises(Invalid):
        docker_secrets.change(scope, "registry", data=data)
    assert DockerSecret.unscoped.get().data == DATA


def test_a_name_is_taken_once(scope, green):
    create(scope)
    with pytest.raises(Invalid, match="already"):
        create(scope)
    create(system_scope(green.workspace))


def test_editors_of_a_group_change_none_and_see_names(scope, editor):
    create(scope)
    looking = open_scope(editor, "north")
    assert docker_secrets.get(looking, "registry").name == "registry"
    for act in (
        lambda: create(looking, "other"),
        lambda: docker_secrets.change(looking, "registry", data=DATA),
        lambda: docker_secrets.delete(looking, "registry"),
    ):
        with pytest.raises(Forbidden):
            act()


def test_another_workspace_has_its_own(scope, green):
    create(system_scope(green.workspace))
    assert not docker_secrets.search(scope).exists()
    with pytest.raises(NotFound):
        docker_secrets.change(scope, "registry", data=DATA)
