"""Values brought to another version of an executable."""

import pytest

from launchpad.access import open_scope
from mlops.domain import configuration_moves, configurations
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def bound(red):
    """A configuration of version 1.0.0 with an optional model."""
    inputs = {"base-model": factories.artifact(red, kind="model", name="base")}
    return factories.configuration(red, parameters={"MODE": "exact"}, inputs=inputs)


def fit(red, bound, text):
    version = factories.catalog_version(red, text=text)
    return configuration_moves.fit(bound, configurations.bindings(bound), version)


def changed(*changes):
    text = factories.template(version="2.0.0")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return text


def test_its_own_version_takes_everything_and_says_nothing(bound):
    move = configuration_moves.fit(bound, configurations.bindings(bound), bound.executable_version)
    assert move.parameters == {"EPOCHS": "3", "OWNER": "Ada", "MODE": "exact"}
    assert move.artifacts.keys() == {"petals", "base-model"}
    assert move.notes == ()


def test_what_fits_is_taken_along(red, bound):
    move = fit(red, bound, changed())
    assert move.parameters == {"EPOCHS": "3", "OWNER": "Ada", "MODE": "exact"}
    assert set(move.artifacts) == {"petals", "base-model"} and move.notes == ()


def test_what_does_not_is_said(red, bound):
    move = fit(
        red,
        bound,
        changed(
            (
                "name: OWNER\n        description: Who answers for the model.",
                "name: ANSWERS\n        default: Bo",
            ),
            ("enum: [fast, exact]", "enum: [fast, slow]"),
            ('default: "3"', 'default: "5"'),
            ("artifacts.ai.sap.com/petals.kind: dataset", "artifacts.ai.sap.com/petals.kind: model"),
        ),
    )
    assert move.parameters == {"EPOCHS": "3"}
    assert set(move.artifacts) == {"base-model"}
    assert move.notes == (
        "EPOCHS keeps “3”, the default so far; now it is “5”.",
        "The parameter OWNER does not exist any more; “Ada” is left out.",
        "MODE cannot be “exact” any more; it is one of: fast, slow.",
        "The parameter ANSWERS is new and has the default “Bo”.",
        "The input petals takes a model now; petals:1 is left out.",
    )


def test_inputs_that_are_gone_or_new_are_said(red, bound):
    text = changed(
        ("name: petals\n", "name: leaves\n"),
        ("artifacts.ai.sap.com/petals.kind", "artifacts.ai.sap.com/leaves.kind"),
    )
    move = fit(red, bound, text)
    assert move.notes == (
        "The input petals does not exist any more; petals:1 is left out.",
        "The input leaves needs a dataset.",
    )


def test_nothing_is_changed_by_looking(red, bound, viewer):
    before = configurations.bindings(bound)
    fit(red, bound, changed(("enum: [fast, exact]", "enum: [fast]")))
    assert configurations.bindings(configurations.get(open_scope(viewer, "north", "red"), bound.pk)) == before
