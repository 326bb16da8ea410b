"""What is deleted at the very moment something else comes to use it: one of the two is refused in words."""

import threading

import pytest
from django.db import connection, transaction

from launchpad.access import system_scope
from launchpad.errors import Conflict, Invalid, LaunchpadError, NotFound
from mlops.domain import aliases, artifacts, configurations, executions
from mlops.models import Artifact, ArtifactBinding, Configuration, Execution
from tests.mlops import factories
from tests.mlops.racing import beside

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def group():
    return factories.place()


def of(scope, bound, petals):
    """The acts that use something and those that delete it."""
    version = bound.executable_version
    values = {"version": version, "parameters": {"OWNER": "Ada"}, "artifacts": {"petals": petals.pk}}
    return {
        "submit": lambda: executions.create(scope, configuration=bound.pk),
        "forget": lambda: configurations.delete(scope, bound.pk),
        "bind": lambda: configurations.create(scope, name="x", **values),
        "name": lambda: aliases.move(scope, petals.pk, alias="champion", why=""),
        "bin": lambda: artifacts.delete(scope, petals.pk),
    }


@pytest.mark.parametrize(
    ("first", "second", "refused", "told"),
    [
        ("submit", "forget", Conflict, "is used by execution"),
        ("forget", "submit", NotFound, "Nothing here"),
        ("bind", "bin", Conflict, "cannot be deleted"),
        ("bin", "bind", Invalid, "petals"),
        ("name", "bin", Conflict, "cannot be deleted"),
        ("bin", "name", NotFound, "Nothing here"),
    ],
)
def test_one_of_the_two_is_refused_in_words(group, first, second, refused, told):
    scope = system_scope(group)
    bound, petals = factories.configuration(group), factories.artifact(group, name="fresh")
    acts = of(scope, bound, petals)
    (error,) = beside(acts[first], acts[second])
    assert isinstance(error, LaunchpadError) and type(error).__mro__.index(refused) < 2, error
    assert told in f"{error.message} {error.fields}"
    assert Configuration.unscoped.filter(pk=bound.pk).exists() == (first != "forget")
    assert Execution.unscoped.count() == (first == "submit")
    is_binned = Artifact.unscoped.filter(pk=petals.pk, binned_at__isnull=False).exists()
    assert is_binned == (first == "bin")
    assert ArtifactBinding.unscoped.filter(artifact=petals).exists() == (first == "bind")


def test_two_who_only_use_it_do_not_wait_for_each_other(group):
    scope = system_scope(group)
    bound, petals = factories.configuration(group), factories.artifact(group, name="fresh")
    acts = of(scope, bound, petals)
    if connection.vendor != "postgresql":
        # One transaction writes at a time anyway.
        assert beside(acts["submit"], acts["submit"]) == []
        return
    ended = threading.Event()

    def second():
        acts["submit"]()
        acts["bind"]()
        ended.set()

    def first():
        acts["submit"]()
        acts["bind"]()
        other = threading.Thread(target=lambda: (second(), connection.close()))
        other.start()
        other.join(120)
        assert ended.is_set()

    with transaction.atomic():
        first()
    assert Execution.unscoped.count() == 2
