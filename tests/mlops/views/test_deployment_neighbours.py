"""Where else deployments are told of: configurations, executables, scenarios, models, search, navigation."""

import pytest

from launchpad.access import system_scope
from launchpad.errors import Conflict
from mlops.domain import artifacts, configurations, deployments
from mlops.lifecycle import Status
from tests.mlops import deploying, standing

HOME = "/w/north/g/red/"


@pytest.fixture
def running(red):
    return standing.deployment(red, Status.RUNNING)


@pytest.fixture
def browser(editor, browse):
    return browse(editor)


def text(response):
    return response.content.decode()


def test_a_configuration_tells_where_it_is_served_also_before_an_update(running, red, browser):
    first = running.configuration
    other = deploying.configuration(red, "other")
    deployments.update(system_scope(red), running.pk, configuration=other.pk)
    for bound, said in ((first, "has another one"), (other, "has it")):
        page = text(browser.get(f"{HOME}configurations/{bound.pk}/"))
        assert f"/deployments/{running.pk}/" in page and said in page
        assert "It is used by deployments, so it can only be archived." in page


def test_what_is_deployed_is_not_deleted(running, red, browser):
    bound = running.configuration
    with pytest.raises(Conflict, match=f"is used by deployment {running.pk}. Archive it instead"):
        configurations.delete(system_scope(red), bound.pk)
    model = configurations.bindings(bound).artifacts[0][1]
    with pytest.raises(Conflict, match="1 deployment"):
        artifacts.delete(system_scope(red), model.pk)
    response = browser.post(f"{HOME}configurations/{bound.pk}/delete")
    assert response.status_code == 409


def test_a_model_tells_which_deployments_serve_it(running, browser):
    model = configurations.bindings(running.configuration).artifacts[0][1]
    page = text(browser.get(f"{HOME}models/{model.pk}/?tab=uses"))
    assert f"/deployments/{running.pk}/" in page
    assert "and 1 deployment" in page or "1 deployment." in page


def test_an_executable_counts_and_deploys(running, browser, viewer, browse):
    page = text(browser.get(f"{HOME}executables/petals-serve/"))
    assert "deployments/create?executable=petals-serve" in page
    assert "deployments/?executable=petals-serve" in page and "Deployments</th>" in page
    assert "Executions</th>" not in page
    assert "deployments/create" not in text(browse(viewer).get(f"{HOME}executables/petals-serve/"))


def test_a_scenario_leads_to_its_deployments(running, browser):
    page = text(browser.get(f"{HOME}scenarios/petals-tutorial/"))
    assert "deployments/?scenario=petals-tutorial" in page
    assert "deployments/?executable=petals-serve" in page


def test_search_finds_by_the_beginning_of_its_id_and_by_configuration(running, blue, browser):
    theirs = standing.deployment(blue)
    for q in (running.pk[:5], "serve hel"):
        page = text(browser.get(f"{HOME}search?q={q}"))
        assert f"/deployments/{running.pk}/" in page and theirs.pk not in page


def test_the_list_and_the_command_are_found(browser):
    page = text(browser.get(f"{HOME}search?q=deploy"))
    assert f"{HOME}deployments/create" in page and f'href="{HOME}deployments/"' in page


def test_the_navigation_leads_there(red, viewer, browse):
    page = text(browse(viewer).get(f"{HOME}deployments/"))
    entry = page.split(f'href="{HOME}deployments/"')[1].split(">")[0]
    assert 'aria-current="page"' in entry and 'data-go="P"' in entry


def test_a_configurations_uses_are_counted(running, browser):
    row = text(browser.get(f"{HOME}configurations/")).split(f'id="c-{running.configuration_id}"')[1]
    assert '<td class="num p1">1</td>' in row.split("</tr>")[0]
