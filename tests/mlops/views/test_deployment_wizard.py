"""The wizard that makes a deployment: five steps, drafts, three clicks from a configuration and a model."""

import re

import pytest
from django.utils import timezone

from launchpad.access import open_scope, system_scope
from mlops import storage
from mlops.domain import configurations, deployment_drafts
from mlops.models import Configuration, ConfigurationDraft, Deployment, DeploymentDraft
from tests.mlops import deploying, factories, standing

CREATE = "/w/north/g/red/deployments/create"


@pytest.fixture
def bound(red):
    return deploying.configuration(red, servers=2)


@pytest.fixture
def browser(editor, browse):
    return browse(editor)


def text(response):
    return response.content.decode()


def current(page):
    """The heading of the step that is open."""
    return re.search(r'<h2 id="step">([^<]+)', page)[1]


def go(browser, url, **values):
    """Send a step and follow to the next one; its address and page."""
    response = browser.post(url, {"action": "next", **values})
    assert response.status_code == 303, text(response)
    return response["Location"], text(browser.get(response["Location"]))


def test_five_steps_without_script(bound, browser):
    page = text(browser.get(CREATE))
    assert current(page) == "Scenario" and "1 serving executable" in page
    url, page = go(browser, CREATE, scenario="petals-tutorial")
    assert current(page) == "Executable" and 'value="petals-serve"' in page
    url, page = go(browser, url, executable="petals-serve")
    assert current(page) == "Configuration" and "serve hello" in page
    chosen = text(browser.get(f"{url}&configuration={bound.pk}"))
    assert "<dt>WORD</dt>" in chosen and "petal-model:1" in chosen
    url, page = go(browser, url, configuration=bound.pk)
    assert current(page) == "Duration"
    url, page = go(browser, url, lasting="limited", number="5", unit="h")
    assert current(page) == "Review and deploy"
    for part in ("2 to 4", "starter", "5 hours from now", "/v2/inference/deployments/d…", "serve hello"):
        assert part in page
    assert "No worker for deployments is running." in page
    assert "Deploy serve hello" in page and "&quot;ttl&quot;: &quot;5h&quot;" in page
    response = browser.post(url, {"action": "next"})
    made = Deployment.unscoped.get()
    assert response["Location"] == f"/w/north/g/red/deployments/{made.pk}/"
    assert (made.configuration_id, made.ttl, made.created_by.username) == (bound.pk, "5h", "editor")
    assert not DeploymentDraft.unscoped.exists()


def test_three_clicks_from_a_configuration(bound, browser):
    page = text(browser.get(f"/w/north/g/red/configurations/{bound.pk}/"))
    assert f"{CREATE}?configuration={bound.pk}" in page and "Create deployment" in page
    page = text(browser.get(f"{CREATE}?configuration={bound.pk}"))
    assert current(page) == "Duration" and not DeploymentDraft.unscoped.exists()
    url, page = go(browser, f"{CREATE}?configuration={bound.pk}", lasting="for ever")
    assert current(page) == "Review and deploy"
    browser.post(url, {"action": "next"})
    assert Deployment.unscoped.get().expires_at is None


def test_three_clicks_from_a_model(bound, red, browser):
    model = configurations.bindings(bound).artifacts[0][1]
    page = text(browser.get(f"/w/north/g/red/models/{model.pk}/"))
    assert f"{CREATE}?model={model.pk}" in page and "Deploy" in page
    page = text(browser.get(f"{CREATE}?model={model.pk}"))
    assert current(page) == "Executable"
    assert re.search(r'value="petals-serve:petal-model" checked', page)
    url, page = go(browser, f"{CREATE}?model={model.pk}", executable="petals-serve:petal-model")
    assert current(page) == "Review and deploy" and "petal-model:1" in page
    browser.post(url, {"action": "next"})
    made = Deployment.unscoped.get().configuration
    assert made.name == "petal-model version 1 on petals-serve"
    assert made.pk != bound.pk


def test_a_model_that_was_bound_so_before_makes_no_second_configuration(bound, browser):
    model = configurations.bindings(bound).artifacts[0][1]
    for _ in range(2):
        url, _page = go(browser, f"{CREATE}?model={model.pk}", executable="petals-serve:petal-model")
        browser.post(url, {"action": "next"})
    assert Deployment.unscoped.values("configuration").distinct().count() == 1
    assert Configuration.unscoped.count() == 2


def test_a_server_that_needs_more_than_the_model_asks_for_it_and_comes_back(red, browser):
    needy = deploying.template().replace(
        "      - name: WORD\n        default: hello\n", "      - name: WORD\n"
    )
    version = factories.catalog_version(red, text=needy)
    model = factories.artifact(red, kind="model", name="rose")
    page = text(browser.get(f"{CREATE}?model={model.pk}"))
    assert "asks for more values first" in page
    url, page = go(browser, f"{CREATE}?model={model.pk}", executable="petals-serve:petal-model")
    assert "/configurations/create" in url and current(page) == "Parameters"
    url, page = go(browser, url, **{"parameters.WORD": "hi"})
    url, page = go(browser, url, **{"artifacts.petal-model": model.pk})
    url, page = go(browser, url)
    assert "/deployments/create" in url and current(page) == "Duration"
    url, page = go(browser, url, lasting="for ever")
    browser.post(url, {"action": "next"})
    bound = Deployment.unscoped.get().configuration
    assert bound.executable_version_id == version.pk
    assert {row.key: row.value for row in bound.parameters.all()}["WORD"] == "hi"
    assert not ConfigurationDraft.unscoped.exists() and not DeploymentDraft.unscoped.exists()


def test_a_configuration_is_created_on_the_way(bound, browser):
    url, _page = go(browser, f"{CREATE}?executable=petals-serve", action="save")
    response = browser.post(url, {"action": "configure"})
    url = response["Location"]
    assert "/configurations/create?" in url and "executable=petals-serve" in url and "deployment=" in url
    model = configurations.bindings(bound).artifacts[0][1]
    url, _page = go(browser, url, name="made here", executable="petals-serve", version="petals-serve:1")
    url, _page = go(browser, url)
    url, _page = go(browser, url, **{"artifacts.petal-model": model.pk})
    url, page = go(browser, url)
    assert current(page) == "Duration" and "made here" in page


def test_when_its_draft_is_gone_the_new_configuration_shows_itself(bound, editor, browser):
    scope = open_scope(editor, "north", "red")
    gone = deployment_drafts.save(scope, None, {"executable": "petals-serve"})
    deployment_drafts.discard(scope, gone.pk)
    assert deployment_drafts.bind(scope, gone.pk, configuration=bound.pk) is None
    assert deployment_drafts.bind(scope, "no id", configuration=bound.pk) is None


@pytest.mark.parametrize(
    ("query", "values", "said"),
    [
        ("", {}, "Choose what it is for."),
        ("scenario=petals-tutorial", {}, "Choose what serves."),
        ("executable=petals-serve", {}, "Choose a configuration, or create one here."),
    ],
)
def test_a_step_without_a_choice_is_refused(bound, browser, query, values, said):
    response = browser.post(f"{CREATE}?{query}", {"action": "next", **values})
    assert response.status_code == 422 and said in text(response)
    assert not DeploymentDraft.unscoped.exists()


@pytest.mark.parametrize(
    ("number", "unit", "said"),
    [("", "h", "Say after how many"), ("9", "m", "at least 10m"), ("x", "h", "is no duration")],
)
def test_a_duration_that_is_none_is_said_beside_it(bound, browser, number, unit, said):
    response = browser.post(
        f"{CREATE}?configuration={bound.pk}",
        {"action": "next", "lasting": "limited", "number": number, "unit": unit},
    )
    assert response.status_code == 422
    assert said in text(response) and f'value="{number}"' in text(response)


def test_what_a_check_finds_keeps_it_from_starting_unless_told(bound, browser):
    model = configurations.bindings(bound).artifacts[0][1]
    url, _page = go(browser, f"{CREATE}?configuration={bound.pk}", lasting="for ever")
    path = model.url.removeprefix("ai://default/")
    storage.open_store(bound.resource_group).delete(f"{path}/model.txt")
    response = browser.post(url, {"action": "next"})
    assert response.status_code == 422 and "Nothing was deployed" in text(response)
    assert "Input petal-model" in text(response) and not Deployment.unscoped.exists()
    browser.post(url, {"action": "next", "anyway": "1"})
    assert Deployment.unscoped.count() == 1


def test_a_free_place_is_told(bound, browser):
    standing.worker(slots=3)
    _url, page = go(browser, f"{CREATE}?configuration={bound.pk}", lasting="for ever")
    assert "3 of 3 places are free, 2 needed." in page


def test_a_step_is_not_come_to_before_what_it_stands_on(bound, editor, browser):
    scope = open_scope(editor, "north", "red")
    draft = deployment_drafts.save(scope, None, {"scenario": "petals-tutorial"})
    assert current(text(browser.get(f"{CREATE}?draft={draft.pk}&step=review"))) == "Executable"
    assert current(text(browser.get(f"{CREATE}?draft={draft.pk}&step=scenario"))) == "Scenario"


def test_a_draft_outlives_what_it_names(bound, editor, browser):
    scope = open_scope(editor, "north", "red")
    data = {"executable": "petals-serve", "configuration": str(bound.pk)}
    draft = deployment_drafts.save(scope, None, data)
    configurations.delete(system_scope(bound.resource_group), bound.pk)
    assert current(text(browser.get(f"{CREATE}?draft={draft.pk}"))) == "Configuration"


def test_another_scenario_makes_one_choose_anew(bound, editor, browser):
    scope = open_scope(editor, "north", "red")
    data = {"scenario": "petals-tutorial", "executable": "petals-serve", "configuration": str(bound.pk)}
    draft = deployment_drafts.save(scope, None, data)
    browser.post(f"{CREATE}?draft={draft.pk}&step=scenario", {"action": "next", "scenario": "other"})
    draft.refresh_from_db()
    assert (draft.data["executable"], draft.data["configuration"]) == ("", "")


def test_archived_configurations_are_not_offered(bound, browser):
    Configuration.unscoped.filter(pk=bound.pk).update(archived_at=timezone.now())
    page = text(browser.get(f"{CREATE}?executable=petals-serve"))
    assert "serve hello" not in page and "There is no configuration of it yet." in page


def test_what_runs_to_an_end_is_not_deployed(red, browser):
    run = factories.configuration(red)
    response = browser.get(f"{CREATE}?configuration={run.pk}")
    assert response.status_code == 422 and "it does not serve" in text(response)
    response = browser.get(f"{CREATE}?executable={run.executable.slug}")
    assert response.status_code == 422 and "it is executed, not deployed" in text(response)
    assert f"{CREATE}?configuration" not in text(browser.get(f"/w/north/g/red/configurations/{run.pk}/"))


def test_anothers_draft_and_another_groups_things_are_not_there(bound, blue, neighbour, browser):
    theirs = deployment_drafts.save(open_scope(neighbour, "north", "blue"), None, {})
    foreign = deploying.configuration(blue)
    for query in (f"draft={theirs.pk}", f"configuration={foreign.pk}", "model=x", "executable=none"):
        assert browser.get(f"{CREATE}?{query}").status_code == 404


def test_choices_and_preview_come_alone_when_asked_for(bound, browser):
    for target in ("configuration-choices", "configuration-preview"):
        headers = {"HX-Request": "true", "HX-Target": target}
        url = f"{CREATE}?executable=petals-serve&configuration={bound.pk}"
        if target == "configuration-preview":
            url += "&q="
        shown = text(browser.get(url, headers=headers))
        assert "<html" not in shown


def test_nothing_to_deploy_is_said(red, browser):
    factories.catalog_version(red)
    assert "Nothing here can be deployed" in text(browser.get(CREATE))
