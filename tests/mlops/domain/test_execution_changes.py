"""What changed since the last run that went well, and what runs ran in."""

import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from launchpad.access import system_scope
from mlops.domain import execution_changes, executions, metrics, run_environments
from mlops.domain.metric_limits import Point
from mlops.engine import packages
from mlops.lifecycle import Status
from mlops.models import AttemptEnvironment, Environment, Execution
from tests.mlops import carrying, factories

pytestmark = pytest.mark.database


@pytest.fixture
def group(db):
    return factories.place()


@pytest.fixture
def venv(tmp_path):
    """A virtual environment with two packages."""
    (tmp_path / "pyvenv.cfg").write_text("home = /opt/python/bin\nversion_info = 3.11.9\n")
    site = tmp_path / "lib/python3.11/site-packages"
    for name in ("numpy-2.1.0.dist-info", "Flask_Login-0.6.dist-info", "numpy", "x.pth"):
        (site / name).mkdir(parents=True)
    return tmp_path


def run(bound, *, hours=0, status=Status.COMPLETED, seconds=10):
    row = factories.execution(bound, status=status, created_at=timezone.now() - timedelta(hours=hours))
    Execution.unscoped.filter(pk=row.pk).update(completed_at=row.started_at + timedelta(seconds=seconds))
    return Execution.unscoped.get(pk=row.pk)


def told(found):
    return {(one.kind, one.name): (one.before, one.after) for one in found.changes}


def test_it_tells_parameters_inputs_code_and_environment(group, venv):
    scope = system_scope(group)
    one = factories.configuration(group)
    version = factories.catalog_version(group, version="2.0.0", command="echo other > /app/model")
    data = factories.artifact(group, files={"data.csv": b"other"})
    other = factories.configuration(
        group, version=version, parameters={"OWNER": "Ada", "EPOCHS": "9"}, inputs={"petals": data}
    )
    good = run(one, hours=1, seconds=10)
    bad = run(other, status=Status.DEAD, seconds=4)
    run_environments.record(scope, good, 1, python_env=None, mode="sandbox")
    run_environments.record(scope, bad, 1, python_env=venv, mode="plain")
    for row, value in ((good, 0.5), (bad, 0.25)):
        metrics.record(scope, row.pk, metrics=[Point("loss", value, 1, timezone.now(), ())])
    found = execution_changes.since_last_success(scope, bad)
    changes = told(found)
    assert found.last.pk == good.pk
    assert changes["Parameter", "EPOCHS"] == ("3", "9")
    assert ("Parameter", "OWNER") not in changes
    assert changes["Input", "petals"][1] == f"petals:{data.version} ({data.digest[:12]})"
    assert changes["Code", "Version"] == ("1.0.0 (number 1)", "2.0.0 (number 2)")
    assert changes["Environment", "Confined by"] == ("sandbox", "plain")
    assert changes["Package", "Flask_Login"] == ("", "0.6")
    figures = {one.name: (one.before, one.after, one.difference) for one in found.figures}
    assert figures == {"Duration": (10, 4, -6), "loss": (0.5, 0.25, -0.25)}


def test_the_last_success_is_of_the_same_executable_group_and_before_it(group):
    scope = system_scope(group)
    bound = factories.configuration(group)
    neighbours = factories.configuration(factories.place(group="blue"))
    old, good = run(bound, hours=5), run(bound, hours=4)
    run(neighbours, hours=3)
    run(bound, hours=3, status=Status.DEAD)
    bad = run(bound, hours=2, status=Status.DEAD)
    run(bound, hours=1)
    assert execution_changes.last_success(scope, bad).pk == good.pk
    assert execution_changes.last_success(scope, good).pk == old.pk
    assert execution_changes.since_last_success(scope, old) is None
    assert told(execution_changes.since_last_success(scope, bad)) == {}


def test_packages_are_read_from_their_folders(venv):
    assert packages.installed(venv) == (("Flask_Login", "0.6"), ("numpy", "2.1.0"))
    assert packages.interpreter(venv) == "CPython 3.11.9"
    assert packages.interpreter(None).split()[1] == ".".join(map(str, sys.version_info[:3]))


def test_attempts_in_the_same_environment_share_it_and_repeats_change_nothing(group, venv):
    scope = system_scope(group)
    row = run(factories.configuration(group))
    for attempt, place in ((1, venv), (1, None), (2, venv), (3, None)):
        run_environments.record(scope, row, attempt, python_env=place, mode="plain")
    assert AttemptEnvironment.unscoped.count() == 3
    assert Environment.unscoped.count() == 2
    assert run_environments.of(scope, row).attempt == 3
    assert run_environments.of(system_scope(factories.place(group="blue")), row) is None


def test_it_goes_with_its_execution(group, venv):
    scope = system_scope(group)
    row = run(factories.configuration(group))
    run_environments.record(scope, row, 1, python_env=venv, mode="plain")
    executions.delete(scope, row.pk)
    assert executions.purge_deleted(seconds=9) == 1
    assert not AttemptEnvironment.unscoped.exists()


@pytest.mark.django_db(transaction=True)
def test_a_run_records_what_it_runs_in(group):
    row = carrying.submit(group, carrying.text("entrypoint: say", carrying.sh("say", "echo hello")))
    ran = carrying.carry_out(row)
    assert ran.status == Status.COMPLETED
    recorded = run_environments.of(system_scope(group), row)
    assert (recorded.attempt, recorded.host) == (1, "here")
    assert recorded.mode in ("sandbox", "plain")
    assert recorded.environment.interpreter.startswith("CPython 3.")
