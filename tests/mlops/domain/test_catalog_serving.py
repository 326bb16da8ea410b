"""Templates that serve in the catalog: stored, versioned, configured, and not run as executions."""

import pytest

from launchpad.access import open_scope, system_scope
from launchpad.errors import Invalid
from mlops.domain import catalog, configurations, docker_secrets, executions
from mlops.models import Artifact, Executable, Execution, Source
from tests.mlops import factories
from tests.mlops.manifests.documents import SERVING, TRAINING

pytestmark = [pytest.mark.django_db, pytest.mark.database]

REPLICAS = SERVING.replace("minReplicas: 1", "minReplicas: {{inputs.parameters.threads}}")
CASCADE = SERVING.replace(
    "    artifacts.ai.sap.com/petalmodel.kind",
    '    executables.ai.sap.com/cascade-update-deployments: "true"\n    artifacts.ai.sap.com/petalmodel.kind',
)


@pytest.fixture
def scope(workspace):
    return system_scope(workspace)


def sync(scope, folder, *texts):
    (folder / "all.yaml").write_text("---\n".join(texts))
    return catalog.sync(scope, folder, kind=Source.Kind.FOLDER, name="folder")


def bound(red, version, **parameters):
    model = factories.artifact(red, kind=Artifact.Kind.MODEL, name="petal-model")
    return configurations.create(
        system_scope(red),
        name="serve",
        version=version,
        parameters=parameters,
        artifacts={"petalmodel": model.pk},
    )


def test_both_examples_come_in_with_their_parameters_inputs_and_outputs(scope, tmp_path):
    report = sync(scope, tmp_path, TRAINING, SERVING)
    assert report.findings == ()
    kinds = {row.slug: row.kind for row in catalog.executables(scope)}
    assert kinds == {"petal-train": Executable.Kind.WORKFLOW, "petal-serve": Executable.Kind.SERVING}
    train, serve = (catalog.describe(version) for version in report.added)
    assert [parameter.name for parameter in train.parameters] == ["DEPTH", "SEED"]
    assert [slot.name for slot in (*train.inputs, *train.outputs)] == ["petals", "petal-model"]
    assert [parameter.name for parameter in serve.parameters] == ["threads"]
    assert ([slot.name for slot in serve.inputs], serve.outputs) == (["petalmodel"], ())
    assert [visit.template.name for visit in catalog.outline(report.added[0])] == ["fit"]
    assert catalog.outline(report.added[1]) == ()


def test_a_serving_template_makes_its_scenario_alone(scope, tmp_path):
    sync(scope, tmp_path, SERVING)
    assert catalog.scenario(scope, "petal-sorting").name == "Petal sorting"


def test_the_same_twice_is_one_version_and_a_change_leaves_old_configurations_alone(scope, red, tmp_path):
    (first,) = sync(scope, tmp_path, SERVING).added
    configuration = bound(red, first)
    assert sync(scope, tmp_path, SERVING).added == ()
    (second,) = sync(scope, tmp_path, CASCADE).added
    assert (first.number, second.number) == (1, 2)
    assert catalog.describe(second).serving.cascade_update is True
    configuration.refresh_from_db()
    assert configuration.executable_version == first
    assert catalog.describe(configuration.executable_version).serving.cascade_update is False


def test_nothing_is_stored_of_a_template_with_an_error(scope, tmp_path):
    report = sync(scope, tmp_path, SERVING.replace("minReplicas: 1", "minReplicas: many"))
    assert [str(error) for error in report.errors] == [
        "all.yaml:25: spec.template.spec.predictor.minReplicas: 'many' must be a whole number from 0 to 1,000"
    ]
    assert not catalog.executables(scope).exists()


def test_an_executable_stays_what_it_is(scope, tmp_path):
    sync(scope, tmp_path, SERVING)
    (error,) = sync(scope, tmp_path, TRAINING.replace("petal-train", "petal-serve")).errors
    assert error.field == "metadata.name"
    assert error.reason == "the executable petal-serve is a serving template; choose another id"
    assert catalog.executable(scope, "petal-serve").kind == Executable.Kind.SERVING


def test_a_configuration_of_it_can_be_made_but_not_run(scope, red, editor, tmp_path):
    (version,) = sync(scope, tmp_path, SERVING).added
    configuration = bound(red, version)
    with pytest.raises(Invalid, match="petal-serve serves, it does not run to an end"):
        executions.create(open_scope(editor, "north", "red"), configuration=configuration.pk)
    assert not Execution.unscoped.exists()


def test_values_that_the_template_cannot_be_made_of_are_refused(scope, red, tmp_path):
    (version,) = sync(scope, tmp_path, REPLICAS).added
    assert bound(red, version, threads="2").pk
    with pytest.raises(Invalid) as refused:
        bound(red, version, threads="2\n  maxReplicas: 9")
    assert "The template's minReplicas is made of it" in str(refused.value.fields["parameters.threads"])
    with pytest.raises(Invalid, match="2 is below minReplicas, which is 3"):
        bound(red, version, threads="3")


@pytest.mark.parametrize("text", [TRAINING, SERVING])
def test_a_registry_secret_that_is_not_there_is_noticed(scope, tmp_path, text):
    text = text.replace("\nspec:\n", "\nspec:\n  imagePullSecrets: [{name: registry}]\n")
    report = sync(scope, tmp_path, text)
    assert [found.reason for found in report.findings] == [
        "the workspace has no Docker secret registry",
        "recorded: only container runners use it",
    ]
    assert len(report.added[0].notices) == 2
    data = {".dockerconfigjson": '{"auths": {"registry.example": {"auth": "dTpw"}}}'}
    docker_secrets.create(scope, name="registry", data=data)
    assert [found.reason for found in sync(scope, tmp_path, text).findings] == [
        "recorded: only container runners use it"
    ]
