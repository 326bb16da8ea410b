"""The benchmarks' filling keeps step with the models, so that a new column does not cost a measurement."""

import pytest
from django.core.management import call_command
from django.db import connection

from launchpad.access import system_scope
from launchpad.resource_groups.models import ResourceGroup
from mlops.domain import deployment_plans, deployment_search, moments, schedules, ticks
from mlops.domain.timings import Timing
from mlops.lifecycle import ScheduleStatus, Status
from mlops.models import Artifact, Configuration, Deployment, Executable, Execution, Tick
from tests.bench import fill_deployments, fill_schedules
from tests.bench.fill import ACTIVE, OTHER_GROUPS, fill

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.server]


def test_a_filled_database_holds_what_the_figures_speak_of(settings, tmp_path):
    settings.LAUNCHPAD_DATA, settings.STATIC_ROOT = tmp_path, tmp_path / "static"
    call_command("setup")
    own = connection.settings_dict
    database = f"postgres://{own['USER']}@{own['HOST']}:{own['PORT'] or 5432}/{own['NAME']}"
    fill(database, 1_000)
    rows = Execution.unscoped.all()
    assert rows.count() == 1_000
    assert rows.filter(resource_group__slug="tutorial").count() == 900
    assert {status: rows.filter(status=status).count() for status in ACTIVE} == ACTIVE
    models = Artifact.unscoped.filter(kind=Artifact.Kind.MODEL)
    assert 200 < models.count() < 400
    assert not models.exclude(execution__status=Status.COMPLETED).exists()
    datasets = Artifact.unscoped.filter(kind=Artifact.Kind.DATASET, name__startswith="survey")
    assert datasets.count() == 300
    assert datasets.filter(resource_group__slug="tutorial").count() == 270
    assert sorted(datasets.filter(name="survey 1").values_list("version", flat=True)) == list(range(1, 11))
    assert datasets.filter(is_newest=True).count() == 30
    assert datasets.get(name="survey 1", is_newest=True).version == 10
    assert models.filter(is_newest=True).count() <= 4
    trials = Configuration.unscoped.filter(name__startswith="trial")
    assert trials.count() == 100
    assert trials.filter(parameters__key="RATE").count() == 100
    assert not rows.filter(configuration__in=trials).exists()
    fill_deployments.fill(database, 300, OTHER_GROUPS)
    place = ResourceGroup.unscoped.get(slug="tutorial")
    found = deployment_search.find(system_scope(place))
    assert Deployment.unscoped.count() == 300
    assert Deployment.unscoped.filter(resource_group=place).count() == 270
    assert 40 <= found.count() <= 60
    assert found.filter(status=Status.RUNNING).count() == 18
    told = list(deployment_search.brief(found))
    assert {*deployment_plans.told(system_scope(place), told).values()} == {"starter"}
    assert ({one.most for one in told}, sum(one.running for one in told)) == ({3}, 18)
    bound = Configuration.unscoped.filter(executable__kind=Executable.Kind.WORKFLOW, resource_group=place)
    scope = system_scope(place)
    model = schedules.create(
        scope, name="model", configuration=bound.earliest("created_at").pk, timing=Timing("0 0 1 1 *")
    )
    fill_schedules.fill(database, str(model.pk), 200)
    assert schedules.every(scope).filter(status=ScheduleStatus.ACTIVE).count() == 201
    assert scope.of(Tick).count() == 200 * fill_schedules.TICKS_EACH
    assert ticks.fire_due(moments.now()) == 0
    made = schedules.every(scope).exclude(pk=model.pk)
    assert all(ticks.timing(row).next(moments.now()) is not None for row in made[:50])
