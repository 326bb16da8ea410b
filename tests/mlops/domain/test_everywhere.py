"""Things found by name or id in all groups that a person may view, and in no other."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from launchpad.access import Role, system_scope
from launchpad.grants import grant
from mlops.domain import everywhere, executions
from mlops.lifecycle import Status
from mlops.models import Configuration
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def run(group):
    return factories.execution(factories.configuration(group), status=Status.COMPLETED)


def keys(rows):
    return [row.pk for row in rows]


def test_an_execution_by_the_start_of_its_id(red, viewer):
    row = run(red)
    for text in (row.pk, row.pk[:6], row.pk.upper(), f"  {row.pk[:8]} "):
        assert keys(everywhere.find(viewer, text).executions) == [row.pk]
    assert everywhere.find(viewer, "e" + "0" * 14).executions == []


def test_an_execution_by_its_name_whatever_the_case(red, viewer, editor):
    row = run(red)
    executions.edit(system_scope(red), row.pk, name="Größte Rübe", notes="", labels=[], version=None)
    assert keys(everywhere.find(viewer, "GRÖSSTE").executions) == [row.pk]


def test_configurations_and_artifacts_by_name_and_by_id(red, viewer):
    artifact = factories.artifact(red, name="tulip-photos")
    newer = factories.artifact(red, name="tulip-photos")
    bound = factories.configuration(red)
    found = everywhere.find(viewer, "LIP-pho")
    assert keys(found.artifacts) == [newer.pk]
    assert keys(everywhere.find(viewer, str(artifact.pk)[:8]).artifacts) == [artifact.pk]
    assert keys(everywhere.find(viewer, artifact.pk.hex).artifacts) == [artifact.pk]
    assert keys(everywhere.find(viewer, bound.name[1:5]).configurations) == [bound.pk]
    assert keys(everywhere.find(viewer, str(bound.pk)).configurations) == [bound.pk]


def test_scenarios_executables_and_places(red, viewer):
    factories.catalog_version(red)
    found = everywhere.find(viewer, "petals")
    assert [one.slug for one in found.scenarios] == ["petals-tutorial"]
    assert [one.slug for one in found.executables] == ["petals-train"]
    assert [one.slug for one in everywhere.find(viewer, "RED").groups] == ["red"]
    assert [one.slug for one in everywhere.find(viewer, "nor").workspaces] == ["north"]


def test_nothing_of_a_group_without_a_role_or_of_a_workspace_without_the_gate(
    red, blue, green, viewer, gateless, outsider
):
    theirs, far = run(blue), run(green)
    name = Configuration.unscoped.get(pk=theirs.configuration_id).name
    for text in (theirs.pk, far.pk, name, str(theirs.configuration_id), "blue", "south"):
        for person in (viewer, gateless, outsider):
            found = everywhere.find(person, text)
            assert (found.executions, found.configurations, found.artifacts) == ([], [], [])
            assert (found.groups, found.workspaces) == ([], [])
    assert everywhere.find(gateless, "petals").scenarios == []


def test_several_groups_the_one_at_hand_first(red, blue, viewer):
    grant(Role.VIEWER, viewer, blue)
    mine, newer = factories.artifact(red, name="roses"), factories.artifact(blue, name="roses")
    assert keys(everywhere.find(viewer, "roses").artifacts) == [newer.pk, mine.pk]
    assert keys(everywhere.find(viewer, "roses", red).artifacts) == [mine.pk, newer.pk]


@pytest.mark.parametrize(
    "text", ["", "\0", "\ud800", "%", "_", "e%", "'", "x" * 5000, "e" + "f" * 40, "-" * 9]
)
def test_any_text_may_be_looked_for(red, viewer, text):
    factories.artifact(red)
    found = everywhere.find(viewer, text)
    assert (found.executions, found.configurations, found.artifacts) == ([], [], [])


def test_a_bounded_number_of_queries(red, viewer):
    run(red)
    with CaptureQueriesContext(connection) as asked:
        everywhere.find(viewer, "e1234567")
    assert len(asked) <= 15
    for row in range(everywhere.LIMIT + 2):
        factories.artifact(red, name=f"many-{row}")
    assert len(everywhere.find(viewer, "many").artifacts) == everywhere.LIMIT
