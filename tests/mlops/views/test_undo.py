"""What a toast offers to take back, and that taking it back leaves things as they were."""

import re
from html import unescape

import pytest

from launchpad.access import system_scope
from mlops.domain import aliases, artifacts, executions
from mlops.lifecycle import Status
from mlops.models import Artifact, Configuration, Execution
from tests.mlops import factories

pytestmark = pytest.mark.django_db
GROUP = "/w/north/g/red/"


@pytest.fixture
def browser(editor, browse):
    return browse(editor)


def offered(browser, answer):
    """The undo form on the page that an action leads to: its address and its fields."""
    assert answer.status_code == 303
    shown = browser.get(answer["Location"]).content.decode()
    # The newest toast is the last one.
    toast = shown.split("<template")[0].split('<div class="toast"')[-1]
    url, inside = re.search(r'<form method="post" action="([^"]+)">(.*?)</form>', toast, re.DOTALL).groups()
    pairs = re.findall(r'name="([^"]+)" value="([^"]*)"', inside)
    fields = {}
    for name, value in pairs:
        if name != "csrfmiddlewaretoken":
            fields.setdefault(name, []).append(unescape(value))
    return url, fields


def take_back(browser, answer):
    url, fields = offered(browser, answer)
    undone = browser.post(url, fields)
    assert (undone.status_code, undone["Location"]) == (303, fields["undone-at"][0])


def test_labels_and_words_of_an_artifact(red, browser):
    data = factories.artifact(red, description="Petals & <stems>")
    labels = [{"key": "ext.ai.sap.com/stage", "value": "raw\nas measured"}]
    Artifact.unscoped.update(labels=labels)
    page = f"{GROUP}artifacts/{data.pk}/describe"
    seen = artifacts.get(system_scope(red), data.pk).modified_at.isoformat()
    answer = browser.post(page, {"description": "Other", "release_note": "", "seen_at": seen})
    changed = Artifact.unscoped.get()
    assert (changed.description, changed.labels) == ("Other", [])
    take_back(browser, answer)
    back = Artifact.unscoped.get()
    assert (back.description, back.labels) == ("Petals & <stems>", labels)


def test_what_somebody_changed_meanwhile_is_not_taken_back(red, browser):
    data = factories.artifact(red, description="First")
    seen = artifacts.get(system_scope(red), data.pk).modified_at.isoformat()
    said = {"description": "Second", "release_note": "", "seen_at": seen}
    url, fields = offered(browser, browser.post(f"{GROUP}artifacts/{data.pk}/describe", said))
    artifacts.describe(
        system_scope(red),
        data.pk,
        description="Third",
        release_note="",
        labels={},
        seen_at=Artifact.unscoped.get().modified_at,
    )
    assert browser.post(url, fields).status_code == 409
    assert Artifact.unscoped.get().description == "Third"


def test_moves_of_an_alias(red, browser):
    first, second = (factories.artifact(red, name="rose") for _ in range(2))
    scope = system_scope(red)

    def pointing():
        return [one.artifact.version for one in aliases.of_name(scope, first)]

    answer = browser.post(f"{GROUP}artifacts/{first.pk}/aliases/move", {"alias": "champion", "why": "New"})
    take_back(browser, answer)
    assert pointing() == []
    aliases.move(scope, first.pk, alias="champion", why="")
    answer = browser.post(f"{GROUP}artifacts/{second.pk}/aliases/move", {"alias": "champion", "why": ""})
    assert pointing() == [2]
    take_back(browser, answer)
    assert pointing() == [1]
    answer = browser.post(f"{GROUP}artifacts/{first.pk}/aliases/remove", {"alias": "champion", "why": ""})
    take_back(browser, answer)
    assert pointing() == [1]


def test_name_and_labels_of_an_execution(red, browser):
    run = factories.execution(factories.configuration(red), status=Status.COMPLETED)
    executions.edit(system_scope(red), run.pk, name="Best", notes="", labels=[("team", "vision")])
    page = f"{GROUP}executions/{run.pk}/edit"
    version = re.search(r'name="version" value="([^"]+)"', browser.get(page).content.decode())[1]
    answer = browser.post(page, {"name": "Worst", "notes": "", "labels": "", "version": version})
    assert Execution.unscoped.get().name == "Worst"
    take_back(browser, answer)
    back = Execution.unscoped.get()
    assert (back.name, back.labels) == ("Best", [{"key": "team", "value": "vision"}])


def test_archives(red, browser):
    bound = factories.configuration(red)
    run = factories.execution(bound, status=Status.COMPLETED)
    for url, model in (
        (f"{GROUP}executions/{run.pk}/", Execution),
        (f"{GROUP}configurations/{bound.pk}/", Configuration),
    ):
        answer = browser.post(f"{url}archive")
        assert model.unscoped.get().archived_at is not None
        take_back(browser, answer)
        assert model.unscoped.get().archived_at is None


def test_what_is_too_long_for_a_toast_is_not_offered_to_be_taken_back(red, browser):
    data = factories.artifact(red, description="x" * 3000)
    seen = artifacts.get(system_scope(red), data.pk).modified_at.isoformat()
    said = {"description": "Short", "release_note": "", "seen_at": seen}
    answer = browser.post(f"{GROUP}artifacts/{data.pk}/describe", said)
    shown = browser.get(answer["Location"]).content.decode()
    assert "says so from now on" in shown
    assert "undone-at" not in shown


def test_many_executions_archived_and_restored(red, browser):
    bound = factories.configuration(red)
    # As many as can be chosen, so that the toast is at its longest.
    keys = [factories.execution(bound, status=Status.DEAD).pk for _ in range(100)]
    bulk = f"{GROUP}executions/bulk"
    answer = browser.post(bulk, {"verb": "archive", "id": keys, "confirmed": "1"})
    assert answer["Location"] == f"{GROUP}executions/"
    assert not Execution.unscoped.filter(archived_at=None).exists()
    url, fields = offered(browser, answer)
    undone = browser.post(url, fields)
    assert not Execution.unscoped.exclude(archived_at=None).exists()
    # What was taken back is taken back.
    take_back(browser, undone)
    assert not Execution.unscoped.filter(archived_at=None).exists()


def test_only_those_that_were_archived_are_restored(red, browser):
    bound = factories.configuration(red)
    one, other = (factories.execution(bound, status=Status.DEAD).pk for _ in range(2))
    bulk = f"{GROUP}executions/bulk"
    browser.post(f"{GROUP}executions/{other}/archive")
    shown = browser.post(bulk, {"verb": "archive", "id": [one, other], "confirmed": "1"}).content.decode()
    assert "1 stayed as it was" in shown and "Archived 1 execution." in shown
    assert f'name="ids" value="{one}"' in shown and f'name="undone-at" value="{bulk}"' in shown
    fields = {"verb": "restore", "confirmed": "1", "ids": one, "undone-at": bulk}
    assert browser.post(bulk, fields)["Location"] == bulk
    assert browser.get(bulk)["Location"] == f"{GROUP}executions/"
    assert Execution.unscoped.get(archived_at=None).pk == one
