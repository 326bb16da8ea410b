"""Starting again: as it was, with changes, and many at once."""

import pytest

from launchpad.access import Right, open_scope, system_scope
from launchpad.errors import Conflict, Forbidden, Invalid, NotFound
from mlops import storage
from mlops.domain import executions, preflights, sweeps, variations
from mlops.lifecycle import Status
from mlops.models import Configuration, Execution, StatusChange
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def bound(red):
    return factories.configuration(red)


@pytest.fixture
def scope(red):
    return system_scope(red)


def values(bound):
    return dict(bound.parameters.values_list("key", "value"))


class TestRestart:
    def test_runs_the_same_configuration_and_names_its_origin(self, scope, bound):
        old = factories.execution(bound, status=Status.DEAD)
        made = executions.restart(scope, old.pk)
        assert (made.configuration_id, made.origin_id, made.status) == (bound.pk, old.pk, Status.PENDING)
        assert StatusChange.unscoped.get(execution=made).reason == f"Submitted again, as {old.pk} was."

    def test_the_origin_may_be_deleted_and_the_new_one_stays(self, scope, bound):
        old = factories.execution(bound, status=Status.COMPLETED)
        made = executions.restart(scope, old.pk)
        executions.delete(scope, old.pk)
        assert executions.purge_deleted(seconds=10) == 1
        made.refresh_from_db()
        assert made.origin_id is None

    def test_refuses_viewers_and_what_lies_in_another_group(self, red, blue, bound, viewer):
        old = factories.execution(bound, status=Status.COMPLETED)
        with pytest.raises(NotFound):
            executions.restart(system_scope(blue), old.pk)
        with pytest.raises(Forbidden):
            executions.restart(open_scope(viewer, "north", "red", Right.VIEW), old.pk)
        assert Execution.unscoped.count() == 1


class TestVariations:
    def test_makes_a_configuration_named_after_the_old_one(self, scope, bound):
        old = factories.execution(bound, status=Status.COMPLETED)
        made = variations.create(
            scope, configuration=bound.pk, parameters={"EPOCHS": "5"}, artifacts={}, origin=old.pk
        )
        assert made.configuration.name == "petals, three epochs, EPOCHS 5"
        assert values(made.configuration) == {"EPOCHS": "5", "OWNER": "Ada", "MODE": "fast"}
        assert made.executable_version_id == bound.executable_version_id
        assert made.origin_id == old.pk
        assert values(bound)["EPOCHS"] == "3"

    def test_without_a_difference_the_same_configuration_runs(self, scope, bound):
        made = variations.create(scope, configuration=bound.pk, parameters={"EPOCHS": "3"}, artifacts={})
        assert made.configuration_id == bound.pk
        assert Configuration.unscoped.count() == 1

    def test_another_input_and_an_input_left_open(self, red, scope, bound):
        other = factories.artifact(red, name="petals")
        base = factories.artifact(red, kind="model", name="base")
        made = variations.create(
            scope,
            configuration=bound.pk,
            parameters={},
            artifacts={"petals": str(other.pk), "base-model": str(base.pk)},
        )
        inputs = {row.key: row.artifact_id for row in made.configuration.inputs.all()}
        assert inputs == {"petals": other.pk, "base-model": base.pk}
        assert made.configuration.name == "petals, three epochs, changed"
        again = variations.create(
            scope, configuration=made.configuration_id, parameters={}, artifacts={"base-model": ""}
        )
        assert [row.key for row in again.configuration.inputs.all()] == ["petals"]

    def test_a_wrong_value_starts_nothing_and_keeps_no_configuration(self, scope, bound):
        with pytest.raises(Invalid) as refused:
            variations.create(scope, configuration=bound.pk, parameters={"MODE": "slow"}, artifacts={})
        assert list(refused.value.fields) == ["parameters.MODE"]
        assert (Configuration.unscoped.count(), Execution.unscoped.count()) == (1, 0)

    @pytest.mark.parametrize("value", ["🌼", "ø" * 300, "a\nb", "a\tb"])
    def test_a_value_that_no_name_can_hold_is_not_in_the_name(self, value):
        assert variations.named("base", {"KEY": value}) == "base, changed"

    def test_a_name_as_long_as_names_may_be_stays(self):
        assert variations.named("W" * 256, {"KEY": "1"}) == "W" * 256


class TestSweeps:
    def test_every_combination_runs_and_is_found_together(self, scope, bound):
        plan = sweeps.plan(scope, bound.pk, {"EPOCHS": ["1", "2", "2"], "MODE": ["fast", "exact"]})
        assert [tuple(row.values()) for row in plan.rows] == [
            ("1", "fast"),
            ("1", "exact"),
            ("2", "fast"),
            ("2", "exact"),
        ]
        made = sweeps.start(scope, plan, name="grid")
        rows = list(sweeps.executions(scope, made))
        assert [(values(row.configuration)["EPOCHS"], values(row.configuration)["MODE"]) for row in rows] == [
            tuple(row.values()) for row in plan.rows
        ]
        assert made.axes == [
            {"name": "EPOCHS", "values": ["1", "2"]},
            {"name": "MODE", "values": ["fast", "exact"]},
        ]

    def test_a_row_that_equals_the_configuration_needs_no_new_one(self, scope, bound):
        sweeps.start(scope, sweeps.plan(scope, bound.pk, {"EPOCHS": ["3", "4"]}))
        assert Configuration.unscoped.count() == 2

    @pytest.mark.parametrize(
        ("grid", "said"),
        [
            ({}, "two values"),
            ({"EPOCHS": ["4"]}, "two values"),
            ({"EPOCHS": [str(n) for n in range(101)]}, "101 combinations"),
            ({"EPOCHS": [str(n) for n in range(60)], "MODE": ["fast", "exact"]}, "120 combinations"),
            ({"EPOCHS": ["1", "\x00"]}, "NUL"),
            ({"MODE": ["fast", "slow"]}, "one of: fast, exact"),
            ({"NONE": ["1", "2"]}, "no parameter NONE"),
        ],
    )
    def test_a_grid_that_cannot_run_is_refused_before_anything_starts(self, scope, bound, grid, said):
        with pytest.raises(Invalid, match=said):
            sweeps.plan(scope, bound.pk, grid)

    def test_a_hundred_are_allowed(self, scope, bound):
        assert len(sweeps.plan(scope, bound.pk, {"EPOCHS": [str(n) for n in range(100)]}).rows) == 100

    def test_one_that_is_refused_keeps_no_other(self, scope, bound):
        plan = sweeps.plan(scope, bound.pk, {"MODE": ["fast", "exact"]})
        # Between the table and the start the first one's value became impossible.
        broken = sweeps.Plan(bound, plan.axes, ({"MODE": "slow"}, {"MODE": "exact"}))
        made = sweeps.start(scope, broken, name="modes")
        assert [values(row.configuration)["MODE"] for row in sweeps.executions(scope, made)] == ["exact"]
        assert [one["values"] for one in made.refused] == [{"MODE": "slow"}]

    def test_another_group_finds_neither_configuration_nor_sweep(self, blue, scope, bound):
        made = sweeps.start(scope, sweeps.plan(scope, bound.pk, {"EPOCHS": ["3", "4"]}))
        with pytest.raises(NotFound):
            sweeps.plan(system_scope(blue), bound.pk, {"EPOCHS": ["3", "4"]})
        with pytest.raises(NotFound):
            sweeps.get(system_scope(blue), made.pk)


class TestPreflights:
    def test_all_is_well_but_nobody_works(self, scope, bound):
        found = {one.what: one for one in preflights.run(scope, bound)}
        states = {what: one.state for what, one in found.items()}
        assert states == {
            "Object store": "ok",
            "Input petals": "ok",
            "Resource plan": "ok",
            "Free slot": "warn",
        }
        assert "No worker" in found["Free slot"].says
        preflights.require(scope, bound)

    def test_a_lost_input_is_named_with_what_to_do(self, red, scope, bound):
        artifact = bound.inputs.get().artifact
        storage.open_store(red).delete_prefix(storage.parse_url(artifact.url).path)
        (lost,) = [one for one in preflights.run(scope, bound) if one.state == "bad"]
        assert lost.what == "Input petals"
        assert artifact.url in lost.says
        assert "Put them back" in lost.advice
        with pytest.raises(Conflict, match="Input petals"):
            preflights.require(scope, bound)

    def test_another_input_is_looked_at_instead(self, red, scope, bound):
        storage.open_store(red).delete_prefix(storage.parse_url(bound.inputs.get().artifact.url).path)
        other = factories.artifact(red)
        found = preflights.run(scope, bound, inputs={"petals": str(other.pk), "base-model": "no uuid"})
        assert [one.state for one in found if one.what.startswith("Input")] == ["ok"]

    def test_a_store_without_its_secret_is_told(self, scope, bound):
        artifact = bound.inputs.get().artifact
        type(artifact).unscoped.filter(pk=artifact.pk).update(url="ai://lake/data")
        (lost,) = [one for one in preflights.run(scope, bound) if one.state == "bad"]
        assert "no object store “lake”" in lost.says

    def test_a_missing_secret_is_told(self, red, scope):
        text = factories.template().replace(
            "        command: [sh, -c]",
            "        env:\n          - name: KEY\n"
            "            valueFrom: {secretKeyRef: {name: lost, key: k}}\n"
            "        command: [sh, -c]",
        )
        version = factories.catalog_version(red, text=text)
        inputs = {"petals": factories.artifact(red)}
        bound = factories.configuration(red, version=version, parameters={"OWNER": "Ada"}, inputs=inputs)
        (lost,) = [one for one in preflights.run(scope, bound) if one.state == "bad"]
        assert lost.what == "Secrets"
        assert "The secret lost" in lost.says

    def test_those_that_wait_are_counted(self, scope, bound):
        factories.execution(bound)
        assert "1 of this group waits" in preflights.run(scope, bound)[-1].says
