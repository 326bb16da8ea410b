"""A template that says so rolls its new version into its deployments; any other leaves them alone."""

import pytest

from launchpad.access import system_scope
from mlops.domain import cascades, deployments
from mlops.models import Deployment, DeploymentChange
from tests.mlops import deploying, factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
CASCADE = '    executables.ai.sap.com/cascade-update-deployments: "true"\n'


def synced(group, *, version: str, cascade: bool = True, more: str = ""):
    text = deploying.template().replace('version: "1"', f'version: "{version}"')
    text = text.replace("        default: hello\n", f"        default: hello\n{more}")
    if cascade:
        text = text.replace("    artifacts.ai.sap.com", f"{CASCADE}    artifacts.ai.sap.com", 1)
    return factories.catalog_version(group, text=text)


def deployed(group) -> Deployment:
    return deploying.deployment(group)


def test_a_new_version_becomes_a_revision_under_the_same_configuration_and_address():
    group = factories.place()
    row = deployed(group)
    assert cascades.roll_in() == 0
    version = synced(group, version="2", more="      - {name: EXTRA, default: more}\n")
    assert cascades.roll_in() == 1
    row.refresh_from_db()
    assert (row.newest, row.executable_version, row.last_operation) == (2, version, "CASCADE-UPDATE")
    assert row.configuration.name == "serve hello"
    assert cascades.roll_in() == 0


def test_a_roll_back_is_not_taken_back():
    group = factories.place()
    row = deployed(group)
    old = row.executable_version
    synced(group, version="2")
    assert cascades.roll_in() == 1
    deployments.roll_back(system_scope(group), row.pk, revision=1)
    assert cascades.roll_in() == 0
    row.refresh_from_db()
    assert (row.newest, row.executable_version) == (3, old)


def test_a_version_that_does_not_say_so_changes_nothing():
    group = factories.place()
    row = deployed(group)
    synced(group, version="2", cascade=False)
    assert cascades.roll_in() == 0
    row.refresh_from_db()
    assert row.newest == 1


def test_values_that_the_new_version_does_not_take_are_told_once():
    group = factories.place()
    row = deployed(group)
    synced(group, version="2", more="        enum: [hello]\n      - {name: OWNER}\n")
    assert (cascades.roll_in(), cascades.roll_in()) == (0, 0)
    row.refresh_from_db()
    assert row.newest == 1
    said = DeploymentChange.unscoped.filter(deployment=row, reason__contains="could not be rolled in")
    assert "OWNER needs a value" in said.get().reason
