"""What a scenario is for: said by editors of any group, by one after the other."""

import pytest

from launchpad.access import open_scope
from launchpad.audit.models import AuditEvent
from launchpad.errors import Conflict, Forbidden, Invalid, NotFound
from mlops.domain import catalog, use_cases
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]

SAID = {
    "scenario": factories.SCENARIO,
    "goal": " Fewer wilted bouquets. ",
    "owner": "Flower desk",
    "indicators": [("Returned bouquets", "below 2%"), ("", ""), ("Sorted by hand", "")],
}


@pytest.fixture
def scenario(red):
    """A scenario of the workspace."""
    return factories.catalog_version(red).executable.scenario


def test_editors_of_any_group_say_it_and_everyone_reads_the_same(scenario, editor, neighbour, manager):
    made = use_cases.describe(open_scope(editor, "north", "red"), **SAID, number=0)
    assert (made.number, made.goal, made.modified_by) == (1, "Fewer wilted bouquets.", editor)
    assert made.indicators == [
        {"name": "Returned bouquets", "target": "below 2%"},
        {"name": "Sorted by hand", "target": ""},
    ]
    use_cases.describe(open_scope(neighbour, "north", "blue"), **SAID | {"owner": "Shop"}, number=1)
    found = use_cases.get(open_scope(manager, "north"), scenario)
    assert (found.number, found.owner, found.modified_by) == (2, "Shop", neighbour)
    event = AuditEvent.unscoped.filter(verb="use_cases.describe").first()
    assert (event.actor, event.object_name, event.workspace) == ("editor", factories.SCENARIO, "north")


def test_nothing_said_yet_has_the_number_zero(scenario, viewer):
    found = use_cases.get(open_scope(viewer, "north", "red"), scenario)
    assert (found.number, found.goal, found.pk) == (0, "", None)


def test_who_comes_second_is_told_by_whom(scenario, editor, neighbour):
    use_cases.describe(open_scope(editor, "north", "red"), **SAID, number=0)
    with pytest.raises(Conflict, match="editor changed this use case meanwhile"):
        use_cases.describe(open_scope(neighbour, "north", "blue"), **SAID, number=0)
    assert use_cases.get(open_scope(editor, "north", "red"), scenario).number == 1


def test_those_who_only_look_do_not_change_it(scenario, viewer, manager):
    for scope in (open_scope(viewer, "north", "red"), open_scope(manager, "north")):
        with pytest.raises(Forbidden):
            use_cases.describe(scope, **SAID, number=0)


def test_another_workspaces_scenario_is_not_there(scenario, green, superuser):
    with pytest.raises(NotFound):
        use_cases.describe(open_scope(superuser, "south", "green"), **SAID, number=0)
    assert catalog.scenario(open_scope(superuser, "north"), factories.SCENARIO) == scenario


@pytest.mark.parametrize(
    ("given", "field", "word"),
    [
        ({"goal": "x" * 5001}, "goal", "at most 5000"),
        ({"goal": "\x00"}, "goal", "NUL"),
        ({"owner": "x" * 257}, "owner", "at most 256"),
        ({"indicators": [("", "95%")]}, "indicators", "95%"),
        ({"indicators": [("x" * 257, "")]}, "indicators", "at most 256"),
        ({"indicators": [("a", "b")] * 21}, "indicators", "at most 20"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(scenario, editor, given, field, word):
    with pytest.raises(Invalid) as refusal:
        use_cases.describe(open_scope(editor, "north", "red"), **SAID | given, number=0)
    assert word in refusal.value.fields[field]
