"""What serves a model, and the configuration that binds it."""

import pytest

from launchpad.access import system_scope
from mlops.domain import configurations, model_servers
from mlops.models import Configuration
from tests.mlops import deploying, factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def model(red):
    deploying.configuration(red)
    return factories.artifact(red, kind="model", name="rose")


def test_the_newest_version_of_what_takes_its_kind(red, model):
    factories.catalog_version(red, text=deploying.template().replace('"1"\n  ann', '"2"\n  ann'))
    factories.catalog_version(red)
    (server,) = model_servers.of(system_scope(red), model)
    assert (server.key, server.version.label, server.needs) == ("petals-serve:petal-model", "2", False)
    dataset = factories.artifact(red, name="petals")
    assert model_servers.of(system_scope(red), dataset) == []


def test_those_of_its_own_scenario_come_first(red, model):
    other = deploying.template("a-first").replace("petals-tutorial", "another-scenario")
    factories.catalog_version(red, text=other)
    found = model_servers.of(system_scope(red), model)
    assert [one.version.executable.slug for one in found] == ["petals-serve", "a-first"]


def test_the_same_binding_is_found_again_and_another_one_is_not(red, model):
    scope = system_scope(red)
    (server,) = model_servers.of(scope, model)
    made = model_servers.configuration(scope, server, model)
    assert made.name == "rose version 1 on petals-serve"
    assert model_servers.configuration(scope, server, model) == made
    configurations.create(
        scope,
        name="loud",
        version=server.version,
        parameters={"WORD": "loud"},
        artifacts={"petal-model": model.pk},
    )
    assert model_servers.configuration(scope, server, model) == made
    configurations.archive(scope, made.pk)
    assert model_servers.configuration(scope, server, model) not in (made,)
    assert Configuration.unscoped.filter(inputs__artifact=model).count() == 3
