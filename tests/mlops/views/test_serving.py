"""Pages of executables that serve, and of workflows with loops and conditions."""

import pytest

from launchpad.access import system_scope
from mlops.domain import configurations
from mlops.models import Artifact
from tests.mlops import factories
from tests.mlops.manifests.documents import SERVING, call, group, leaf, workflow

IN_GROUP = "/w/north/g/red/"
NOTED = SERVING.replace(
    "      labels: |",
    "      annotations: |\n        autoscaling.knative.dev/window: 90s\n      labels: |",
)


@pytest.fixture
def serving(red):
    """A version of the serving example with a notice."""
    return factories.catalog_version(red, text=NOTED)


@pytest.fixture
def configuration(red, serving):
    """A configuration of it."""
    model = factories.artifact(red, kind=Artifact.Kind.MODEL, name="petal-model")
    return configurations.create(
        system_scope(red),
        name="the server",
        version=serving,
        parameters={},
        artifacts={"petalmodel": model.pk},
    )


def text(response):
    return response.content.decode()


def test_the_page_says_what_it_serves(serving, viewer, browse):
    shown = text(browse(viewer).get(f"{IN_GROUP}executables/petal-serve/"))
    for part in (
        "<dd>Serving</dd>",
        "<dt>Deployable</dt><dd>Yes</dd>",
        "deployed, not run to an end",
        "python serve.py --port 9001",
        "petal-serve:1.2.0",
        "<dd>9001</dd>",
        "1 to 2",
        "/mnt/models",
        "<dt>window</dt>",
        "<dd>90s</dd>",
    ):
        assert part in shown
    assert 'id="steps"' not in shown


def test_the_page_of_a_model_for_the_built_in_server(red, viewer, browse):
    head, _, _ = SERVING.partition("        minReplicas")
    factories.catalog_version(
        red,
        text=head
        + "        model: {modelFormat: {name: onnx}, storageUri: '{{inputs.artifacts.petalmodel}}'}\n",
    )
    shown = text(browse(viewer).get(f"{IN_GROUP}executables/petal-serve/"))
    assert "<dt>Built-in server</dt><dd>onnx</dd>" in shown
    assert "1 to 2" in shown


def test_markup_in_a_template_that_serves_is_text(red, viewer, browse):
    factories.catalog_version(red, text=SERVING.replace("petal-serve:1.2.0", "<b>x</b>"))
    shown = text(browse(viewer).get(f"{IN_GROUP}executables/petal-serve/"))
    assert "&lt;b&gt;x&lt;/b&gt;" in shown
    assert "<b>x</b>" not in shown


def test_its_scenario_calls_it_serving(serving, viewer, browse):
    shown = text(browse(viewer).get(f"{IN_GROUP}scenarios/petal-sorting/"))
    assert "Serving executables" in shown and "Workflow executables" not in shown


def test_its_configuration_is_not_offered_to_be_run(configuration, editor, browse):
    browser = browse(editor)
    shown = text(browser.get(f"{IN_GROUP}configurations/{configuration.pk}/"))
    assert "Duplicate" in shown
    assert "Create execution" not in shown
    assert "Create deployment" in shown and "Not deployed so far" in shown
    assert "the server" not in text(browser.get(f"{IN_GROUP}executions/create"))
    refused = browser.post(f"{IN_GROUP}executions/create", {"configuration": str(configuration.pk)})
    assert refused.status_code == 422
    assert "petal-serve serves, it does not run to an end" in text(refused)


def test_a_configuration_that_runs_is_offered_beside_it(configuration, red, editor, browse):
    factories.configuration(red, name="the runner")
    shown = text(browse(editor).get(f"{IN_GROUP}executions/create"))
    assert "the runner" in shown
    assert "the server" not in shown


def test_steps_tell_of_loops_conditions_and_retries(red, viewer, browse):
    main = group(
        "main",
        call("each", "one", withItems=["a", "b"]),
        call("maybe", "two", when="{{steps.each.status}} == Succeeded"),
    )
    one = leaf("one", retryStrategy={"limit": 7})
    two = leaf("two", retryStrategy={"expression": "lastRetry.exitCode == 1"})
    factories.catalog_version(red, text=workflow(main, one, two))
    shown = text(browse(viewer).get(f"{IN_GROUP}executables/petal-train/"))
    assert '<td>each <span class="tag">loop</span></td>' in shown
    assert '<td>maybe <span class="tag">on condition</span></td>' in shown
    assert '<td class="p2">7</td>' in shown
    assert '<td class="p2">up to 20</td>' in shown
