"""What belongs to a whole workspace is changed by its administrators, never from a resource group."""

import importlib

import pytest

from launchpad.access import Right, Role, administered, open_scope, system_scope
from launchpad.commands import ADMINISTERING, REGISTRY
from launchpad.errors import Forbidden, NotFound
from launchpad.grants import grant
from mlops.domain import applications, docker_secrets, repositories
from mlops.models import DockerSecret, Repository, Source
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]
NOUNS = ("repositories", "applications", "docker_secrets", "resource_groups")
DOCKER = {".dockerconfigjson": '{"auths": {}}'}


def test_every_verb_of_a_workspaces_nouns_is_for_administrators():
    for noun in NOUNS[:3]:
        importlib.import_module(f"mlops.domain.{noun}")
    verbs = {verb for verb in REGISTRY if verb.split(".")[0] in NOUNS}
    assert len(verbs) >= 13
    assert verbs <= ADMINISTERING


@pytest.mark.parametrize("who", ["editor", "superuser", "system"])
def test_no_scope_of_a_group_changes_them(who, red, editor, superuser):
    made = factories.application(factories.repository(red.workspace))
    scope = (
        system_scope(red)
        if who == "system"
        else open_scope({"editor": editor, "superuser": superuser}[who], "north", "red")
    )
    docker_secrets.create(system_scope(red.workspace), name="registry", data=DOCKER)
    place = {"repository": made.repository.name, "revision": "v1", "path": "."}
    for attempt in (
        lambda: repositories.create(scope, url="https://git.example/x", username="", password=""),
        lambda: repositories.change(scope, made.repository.name, username="", password=""),
        lambda: repositories.delete(scope, made.repository.name),
        lambda: applications.create(scope, **place),
        lambda: applications.change(scope, made.name, **place),
        lambda: applications.refresh(scope, made.name),
        lambda: applications.delete(scope, made.name),
        lambda: docker_secrets.create(scope, name="other", data=DOCKER),
        lambda: docker_secrets.change(scope, "registry", data=DOCKER),
        lambda: docker_secrets.delete(scope, "registry"),
    ):
        with pytest.raises(Forbidden):
            attempt()
    assert (Repository.unscoped.count(), Source.unscoped.filter(removed_at=None).count()) == (1, 1)
    assert DockerSecret.unscoped.count() == 1


def test_an_administrator_keeps_what_is_in_groups_without_a_role_there(red, green, staff):
    grant(Role.OPERATIONS_MANAGER, staff, red.workspace)
    scope = administered(open_scope(staff, "north"), "red")
    assert (scope.resource_group, scope.user, scope.rights) == (red, staff, {Right.VIEW, Right.CHANGE})
    for slug in ("green", "none", "\0"):
        with pytest.raises(NotFound):
            administered(open_scope(staff, "north"), slug)


def test_nobody_else_gets_that_window(red, editor, manager):
    for scope in (
        open_scope(editor, "north"),
        open_scope(manager, "north"),
        open_scope(editor, "north", "red"),
    ):
        with pytest.raises(Forbidden):
            administered(scope, "red")
