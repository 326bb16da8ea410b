"""Configurations: checked against what the template declares, immutable; drafts are their author's alone."""

import uuid

import pytest

from launchpad.access import open_scope, system_scope
from launchpad.audit.models import AuditEvent
from launchpad.errors import Conflict, Forbidden, Invalid, NotFound
from mlops.domain import configuration_search, configurations, drafts
from mlops.lifecycle import Status
from mlops.models import Artifact, Configuration
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def scope(editor):
    return open_scope(editor, "north", "red")


@pytest.fixture
def version(red):
    return factories.catalog_version(red)


@pytest.fixture
def petals(red):
    return factories.artifact(red)


def create(scope, version, petals, *, name="first", parameters=None, artifacts=None):
    return configurations.create(
        scope,
        name=name,
        version=version,
        parameters={"OWNER": "Ada"} if parameters is None else parameters,
        artifacts={"petals": str(petals.pk)} if artifacts is None else artifacts,
    )


def test_defaults_are_kept_with_the_configuration(scope, version, petals, editor):
    made = create(scope, version, petals, parameters={"OWNER": "Ada", "EPOCHS": "7"})
    stored = configurations.get(scope, made.pk)
    assert {row.key: row.value for row in stored.parameters.all()} == {
        "EPOCHS": "7",
        "OWNER": "Ada",
        "MODE": "fast",
    }
    assert [(row.key, row.artifact) for row in stored.inputs.all()] == [("petals", petals)]
    assert (stored.executable_version, stored.created_by) == (version, editor)
    assert AuditEvent.unscoped.filter(verb="configurations.create", object_id=str(made.pk)).count() == 1


def test_bindings_come_in_the_templates_order_with_what_it_says(scope, version, petals, red):
    model = factories.artifact(red, kind="model", name="base")
    made = create(scope, version, petals, artifacts={"base-model": model.pk, "petals": petals.pk})
    bound = configurations.bindings(made)
    assert [(told.name, value) for told, value in bound.parameters] == [
        ("EPOCHS", "3"),
        ("OWNER", "Ada"),
        ("MODE", "fast"),
    ]
    assert bound.parameters[0][0].default == "3"
    assert {slot.name: artifact for slot, artifact in bound.artifacts} == {
        "petals": petals,
        "base-model": model,
    }


@pytest.mark.parametrize(
    ("field", "parameters", "word"),
    [
        ("parameters.OWNER", {}, "needs a value"),
        ("parameters.OWNER", {"OWNER": ""}, "needs a value"),
        ("parameters.OWNER", {"OWNER": "x" * 5001}, "5000"),
        ("parameters.OWNER", {"OWNER": "a\0b"}, "NUL"),
        ("parameters.OWNER", {"OWNER": "\ud800"}, "broken text"),
        ("parameters.MODE", {"OWNER": "Ada", "MODE": "slow"}, "fast, exact"),
        ("parameters.MODE", {"OWNER": "Ada", "MODE": ""}, "fast, exact"),
        ("parameters.EPOCS", {"OWNER": "Ada", "EPOCS": "1"}, "EPOCHS, OWNER, MODE"),
        ("parameters", {f"P{number}": "" for number in range(1001)}, "1000"),
    ],
)
def test_a_wrong_parameter_is_told_at_its_field(scope, version, petals, field, parameters, word):
    with pytest.raises(Invalid, match=word) as refused:
        create(scope, version, petals, parameters=parameters)
    assert list(refused.value.fields) == [field]
    assert not scope.of(Configuration).exists()


def test_the_longest_value_and_an_empty_default_are_accepted(scope, version, petals):
    values = {"OWNER": "x" * 5000, "EPOCHS": ""}
    made = create(scope, version, petals, parameters=values)
    assert values.items() <= dict(made.parameters.values_list("key", "value")).items()


def test_wrong_artifacts_are_told_at_their_slots(scope, version, petals, red, blue):
    model = factories.artifact(red, kind="model", name="base")
    theirs = factories.artifact(blue)
    for artifacts, field, word in (
        ({}, "artifacts.petals", "Choose a dataset"),
        ({"petals": ""}, "artifacts.petals", "Choose a dataset"),
        ({"petals": model.pk}, "artifacts.petals", "takes a dataset; base:1 is a model"),
        ({"petals": theirs.pk}, "artifacts.petals", "no such artifact"),
        ({"petals": str(uuid.uuid4())}, "artifacts.petals", "no such artifact"),
        ({"petals": "../x"}, "artifacts.petals", "no such artifact"),
        ({"petals": petals.pk, "roses": petals.pk}, "artifacts.roses", "petals, base-model"),
        ({str(number): petals.pk for number in range(1001)}, "artifacts", "1000"),
    ):
        with pytest.raises(Invalid, match=word) as refused:
            create(scope, version, petals, artifacts=artifacts)
        assert list(refused.value.fields) == [field]
    assert not scope.of(Configuration).exists()


def test_everything_wrong_is_told_at_once(scope, version, petals):
    with pytest.raises(Invalid) as refused:
        create(scope, version, petals, name="", parameters={"MODE": "slow"}, artifacts={})
    assert set(refused.value.fields) == {"name", "parameters.MODE", "parameters.OWNER", "artifacts.petals"}


def test_a_part_is_verified_as_the_whole_would_be(scope, version, petals):
    configurations.verify(scope, version, name="right", parameters={"OWNER": "Ada"})
    configurations.verify(scope, version, artifacts={"petals": petals.pk})
    for part, field in (
        ({"name": ""}, "name"),
        ({"parameters": {}}, "parameters.OWNER"),
        ({"artifacts": {}}, "artifacts.petals"),
    ):
        with pytest.raises(Invalid) as refused:
            configurations.verify(scope, version, **part)
        assert list(refused.value.fields) == [field]


def test_values_stay_text(scope, version, petals):
    odd = "'; DROP TABLE x; -- <script> {{workflow.parameters.EPOCHS}} \n\t"
    assert create(scope, version, petals, parameters={"OWNER": odd}).parameters.get(key="OWNER").value == odd


def test_a_viewer_creates_nothing(version, petals, viewer):
    with pytest.raises(Forbidden):
        create(open_scope(viewer, "north", "red"), version, petals)


def test_a_version_of_another_workspace_is_not_there(scope, green, petals):
    with pytest.raises(NotFound):
        create(scope, factories.catalog_version(green), petals)


def test_a_newer_version_changes_no_configuration(scope, version, petals, red):
    made = create(scope, version, petals)
    newer = factories.catalog_version(red, version="2.0.0")
    assert newer.number == version.number + 1
    assert configurations.get(scope, made.pk).executable_version == version


def test_search_by_name_scenario_and_executable_newest_first(scope, version, petals, red, blue):
    first, second = (
        create(scope, version, petals, name="Alpha"),
        create(scope, version, petals, name="alpha 2"),
    )
    factories.configuration(blue, name="alpha of another group")
    factories.execution(second)
    found = list(configuration_search.search(scope, "ALPHA"))
    assert found == [second, first]
    assert [(row.parameter_count, row.input_count, row.use_count) for row in found] == [(3, 1, 1), (3, 1, 0)]
    assert configuration_search.search(scope, scenario=factories.SCENARIO).count() == 2
    assert configuration_search.search(scope, executable=factories.EXECUTABLE).count() == 2
    for none in ({"q": "beta"}, {"scenario": "other"}, {"executable": "other"}, {"executable": "nul\0"}):
        assert not configuration_search.search(scope, **none).exists()
    with pytest.raises(Invalid):
        configuration_search.search(scope, "x" * 81)


def test_another_groups_configuration_is_not_there(scope, blue):
    theirs = factories.configuration(blue)
    with pytest.raises(NotFound):
        configurations.get(scope, theirs.pk)
    with pytest.raises(NotFound):
        configurations.get(scope, "nonsense")


def test_uses_newest_first(scope, red):
    bound = factories.configuration(red)
    older, newer = factories.execution(bound, status=Status.COMPLETED), factories.execution(bound)
    factories.execution(factories.configuration(red))
    assert list(configurations.uses(scope, bound)) == [newer, older]


def test_choices_offer_the_right_kind_newest_first_and_marked(scope, version, red, blue):
    old, other, new = (factories.artifact(red, name=name) for name in ("petals", "roses", "petals"))
    model = factories.artifact(red, kind="model", name="base")
    factories.artifact(blue, name="petals")
    offered = configurations.choices(scope, version)
    assert [(row, row.is_newest) for row in offered["petals"]] == [(new, True), (other, True), (old, False)]
    assert offered["base-model"] == [model]


def test_a_draft_is_kept_changed_and_discarded_by_its_author_alone(scope, editor, red, superuser):
    kept = configurations.save_draft(scope, None, {"name": "half", "parameters": {"EPOCHS": "1"}})
    configurations.save_draft(scope, str(kept.pk), {"name": "more"})
    assert configurations.draft(scope, kept.pk).data == {"name": "more"}
    assert list(configurations.drafts(scope)) == [kept]
    another = open_scope(superuser, "north", "red")
    assert not configurations.drafts(another).exists()
    for act in (
        lambda: configurations.draft(another, kept.pk),
        lambda: configurations.save_draft(another, kept.pk, {}),
        lambda: configurations.discard_draft(another, kept.pk),
    ):
        with pytest.raises(NotFound):
            act()
    configurations.discard_draft(scope, kept.pk)
    assert not configurations.drafts(scope).exists()
    assert not AuditEvent.unscoped.filter(verb__contains="draft").exists()


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ({"colour": "red"}, "colour"),
        ({"name": "a\0"}, "NUL"),
        ({"parameters": {"\0": "x"}}, "NUL"),
        ({"artifacts": [{"x": "\udc00"}]}, "broken"),
        ({"name": "x" * 7_000_000}, "6 MiB"),
    ],
)
def test_a_draft_that_cannot_be_kept_is_refused(scope, data, word):
    with pytest.raises(Invalid, match=word):
        configurations.save_draft(scope, None, data)


def test_drafts_are_for_people_and_not_without_number(scope, red, monkeypatch):
    with pytest.raises(Forbidden):
        configurations.save_draft(system_scope(red), None, {})
    monkeypatch.setattr(drafts, "LIMIT", 2)
    for _ in range(2):
        configurations.save_draft(scope, None, {"name": "backslash u0000: \\u0000"})
    with pytest.raises(Conflict, match="2 drafts"):
        configurations.save_draft(scope, None, {})


def test_an_archived_one_is_in_the_archive_until_it_is_restored(scope, red):
    bound = factories.configuration(red)
    configurations.archive(scope, bound.pk)
    archived_at = configurations.archive(scope, bound.pk).archived_at
    assert archived_at == configurations.get(scope, bound.pk).archived_at is not None
    assert list(configuration_search.search(scope)) == []
    assert list(configuration_search.search(scope, archived=True)) == [bound]
    assert list(configuration_search.find(scope)) == [bound], "clients of the API go on finding it"
    configurations.restore(scope, bound.pk)
    assert list(configuration_search.search(scope)) == [bound]
    assert configurations.get(scope, bound.pk).archived_at is None


def test_only_what_nothing_uses_is_deleted(scope, red, editor):
    used, unused = factories.configuration(red, name="used"), factories.configuration(red, name="unused")
    runs = [factories.execution(used) for _ in range(5)]
    with pytest.raises(Conflict) as refusal:
        configurations.delete(scope, used.pk)
    assert f"used is used by executions {runs[4].pk}, {runs[3].pk}, {runs[2].pk} and others." in str(
        refusal.value
    )
    configurations.delete(scope, unused.pk)
    with pytest.raises(NotFound):
        configurations.get(scope, unused.pk)
    assert Artifact.unscoped.count() == 2, "what it bound stays"
    event = AuditEvent.unscoped.get(verb="configurations.delete")
    assert (event.actor, event.object_id, event.object_name) == ("editor", str(unused.pk), "unused")


@pytest.mark.parametrize("verb", ["archive", "restore", "delete"])
def test_a_viewer_and_a_neighbour_keep_their_hands_off(verb, red, viewer, neighbour):
    bound = factories.configuration(red)
    act = getattr(configurations, verb)
    with pytest.raises(Forbidden):
        act(open_scope(viewer, "north", "red"), bound.pk)
    with pytest.raises(NotFound):
        act(open_scope(neighbour, "north", "blue"), bound.pk)


def test_an_id_is_found_by_its_beginning(scope, red):
    bound, other = factories.configuration(red), factories.configuration(red)
    for length in (8, 13, 36):
        assert list(configuration_search.search(scope, str(bound.pk)[:length])) == [bound]
    assert list(configuration_search.search(scope, str(other.pk).upper())) == [other]
    assert list(configuration_search.search(scope, "\uff11\uff12\uff13\uff14")) == []


def test_versions_are_filtered_by_their_label(scope, red):
    old = factories.configuration(red)
    factories.catalog_version(red, version="2.0.0")
    new = factories.configuration(
        red,
        version=factories.catalog_version(red, version="2.0.0"),
        parameters={"OWNER": "A"},
        inputs={"petals": factories.artifact(red)},
    )
    assert list(configuration_search.search(scope, version="1.0.0")) == [old]
    assert list(configuration_search.search(scope, version="2.0.0", executable=factories.EXECUTABLE)) == [new]
    assert list(configuration_search.search(scope, version="\x00")) == []
    assert configuration_search.sources(scope) == [
        (factories.SCENARIO, factories.EXECUTABLE, label) for label in ("1.0.0", "2.0.0")
    ]


def test_choices_are_found_by_name_and_what_is_chosen_stays_among_them(scope, version, red):
    chosen = factories.artifact(red, name="tulips")
    found = factories.artifact(red, name="Roses of spring")
    model = factories.artifact(red, kind="model", name="roses")
    for keep in ({"petals": str(chosen.pk)}, {}, {"petals": "x"}, {"petals": str(model.pk)}):
        offered = configurations.choices(scope, version, q="ROSES", keep=keep)
        wanted = [chosen, found] if keep.get("petals") == str(chosen.pk) else [found]
        assert offered["petals"] == wanted and offered["base-model"] == [model]
