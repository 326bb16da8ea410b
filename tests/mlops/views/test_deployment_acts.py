"""What editors do with one deployment, or with many at once."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from launchpad.access import system_scope
from mlops.domain import deployments
from mlops.lifecycle import Status
from mlops.models import Deployment, Revision
from tests.mlops import deploying, factories, standing

HOME = "/w/north/g/red/deployments/"


@pytest.fixture
def browser(editor, browse):
    return browse(editor)


@pytest.fixture
def running(red):
    return standing.deployment(red, Status.RUNNING)


def text(response):
    return response.content.decode()


def toast(browser):
    """What the next page says."""
    return text(browser.get(HOME)).split('id="toasts"')[1].split("<template")[0]


def test_update_lists_configurations_of_its_executable_only(running, red, browser):
    other = deploying.configuration(red, "other")
    deploying.configuration(red, "foreign", executable="petals-serve-too")
    factories.configuration(red, name="runs")
    shown = text(browser.get(f"{HOME}{running.pk}/update"))
    assert "serve other" in shown and "serve foreign" not in shown and ">runs<" not in shown
    current = re.search(rf'value="{running.configuration_id}"([^>]*)>', shown)[1]
    assert " disabled" in current and '<span class="tag tag-accent">current</span>' in shown
    assert " disabled" not in re.search(rf'value="{other.pk}"([^>]*)>', shown)[1].split("hx-get")[0]
    assert "serve other" not in text(browser.get(f"{HOME}{running.pk}/update?q=hello"))
    chosen = text(browser.get(f"{HOME}{running.pk}/update?configuration={other.pk}"))
    assert '<h2 id="preview-title">serve other</h2>' in chosen


def test_an_update_is_on_its_way_and_can_be_taken_back(running, red, browser):
    other = deploying.configuration(red, "other")
    url = f"{HOME}{running.pk}/update"
    response = browser.post(url, {"configuration": other.pk, "reason": "More petals"})
    assert response.status_code == 303 and response["Location"] == f"{HOME}{running.pk}/"
    newest = Revision.unscoped.get(deployment=running, number=2)
    assert (newest.configuration_id, newest.reason) == (other.pk, "More petals")
    shown = toast(browser)
    assert "Revision 2 is on its way." in shown and f"{running.pk}/roll-back" in shown
    assert 'name="revision" value="1"><button class="btn btn-sm">Roll back</button>' in shown
    browser.post(f"{HOME}{running.pk}/roll-back", {"revision": "1"})
    newest = Revision.unscoped.get(deployment=running, number=3)
    assert newest.configuration_id == running.configuration_id


def test_nothing_chosen_is_said(running, browser):
    response = browser.post(f"{HOME}{running.pk}/update", {"reason": "why not"})
    assert response.status_code == 422
    assert "Choose a configuration first" in text(response) and 'value="why not"' in text(response)


@pytest.mark.parametrize(
    ("status", "said"), [(Status.STOPPED, "only a pending, running or dead one can be updated")]
)
def test_what_its_status_forbids_is_said_and_refused(red, browser, status, said):
    made = standing.deployment(red, status)
    other = deploying.configuration(red, "other")
    assert "only a pending, running or dead deployment" in text(browser.get(f"{HOME}{made.pk}/update"))
    response = browser.post(f"{HOME}{made.pk}/update", {"configuration": other.pk})
    assert response.status_code == 409 and said in text(response)


def test_a_failed_revision_may_be_tried_again_and_earlier_ones_gone_back_to(running, red, browser):
    other = deploying.configuration(red, "other")
    deployments.update(system_scope(red), running.pk, configuration=other.pk)
    standing.fail(running)
    shown = text(browser.get(f"{HOME}{running.pk}/update"))
    assert " disabled" not in re.search(rf'value="{other.pk}"([^>]*)>', shown)[1]
    assert "Roll back to revision 1" in shown and "Roll back to revision 2" in shown


@pytest.mark.parametrize("revision", ["9", "x", "-1", "9" * 30])
def test_a_revision_that_is_none_is_not_there(running, browser, revision):
    response = browser.post(f"{HOME}{running.pk}/roll-back", {"revision": revision})
    assert response.status_code == 404


def test_rolling_back_without_a_revision_is_refused(running, browser):
    assert browser.post(f"{HOME}{running.pk}/roll-back").status_code == 422


def test_its_end_is_moved(running, browser):
    url = f"{HOME}{running.pk}/extend"
    assert re.search(r'value="for ever" checked', text(browser.get(url)))
    response = browser.post(url, {"lasting": "limited", "number": "3", "unit": "d"})
    assert response.status_code == 303
    running.refresh_from_db()
    assert running.ttl == "3d"
    assert abs(running.expires_at - timezone.now() - timedelta(days=3)) < timedelta(minutes=5)
    shown = text(browser.get(url))
    assert 'value="limited" checked' in shown and 'name="number" value="3"' in shown
    assert '<option value="d" selected>' in shown
    assert browser.post(url, {"lasting": "limited", "number": "1", "unit": "m"}).status_code == 422
    browser.post(url, {"lasting": "for ever", "number": "3", "unit": "d"})
    running.refresh_from_db()
    assert (running.ttl, running.expires_at) == ("", None)


def test_stop_restart_and_delete_without_script(running, browser):
    assert browser.post(f"{HOME}{running.pk}/stop")["Location"] == f"{HOME}{running.pk}/"
    running.refresh_from_db()
    assert running.status == Status.STOPPING and "is stopping." in toast(browser)
    assert browser.post(f"{HOME}{running.pk}/restart").status_code == 409
    standing.end(running)
    assert running.status == Status.STOPPED
    browser.post(f"{HOME}{running.pk}/restart")
    running.refresh_from_db()
    assert running.status == Status.PENDING
    assert browser.post(f"{HOME}{running.pk}/delete").status_code == 409
    browser.post(f"{HOME}{running.pk}/stop")
    assert browser.post(f"{HOME}{running.pk}/delete")["Location"] == HOME
    running.refresh_from_db()
    assert running.status == Status.DELETING


def test_the_list_answers_where_it_asked(running, browser):
    headers = {
        "HX-Request": "true",
        "HX-Target": "deployment-table",
        "HX-Current-URL": f"http://testserver{HOME}",
    }
    response = browser.post(f"{HOME}{running.pk}/stop", headers=headers)
    assert text(response).strip().startswith('<div class="stack" id="deployment-table"')
    assert "is stopping" in response["HX-Trigger"]


@pytest.fixture
def rows(red):
    """A deployment in each status that matters, by status."""
    statuses = (Status.PENDING, Status.RUNNING, Status.STOPPED, Status.DEAD)
    return {status: standing.deployment(red, status).pk for status in statuses}


@pytest.mark.parametrize(
    ("verb", "able", "why"),
    [
        ("stop", {Status.PENDING, Status.RUNNING}, "only a pending or running one can be stopped"),
        ("delete", {Status.STOPPED, Status.DEAD}, "only a stopped or dead one can be deleted"),
    ],
)
def test_many_at_once_are_reviewed_then_done(rows, blue, browser, verb, able, why):
    theirs = standing.deployment(blue).pk
    shown = text(browser.post(f"{HOME}bulk", {"verb": verb, "id": [*rows.values(), theirs]}))
    assert "2 of the 5 selected qualify" in shown and why in shown
    assert "It does not exist any more." in shown
    assert set(re.findall(r'name="id" value="(\w+)" checked', shown)) == {rows[status] for status in able}
    before = dict(Deployment.unscoped.values_list("pk", "status"))
    assert {rows[status]: str(status) for status in rows}.items() <= before.items()
    done = text(browser.post(f"{HOME}bulk", {"verb": verb, "id": [*rows.values(), theirs], "confirmed": "1"}))
    assert "2 deployments" in done and "3 stayed as they were" in done
    after = dict(Deployment.unscoped.values_list("pk", "status"))
    assert {key for key in after if after[key] != before[key]} == {rows[status] for status in able}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"verb": "stop"}, "No deployment is selected"),
        ({"verb": "archive", "id": "x"}, "Select deployments in the list"),
        ({"verb": "stop", "id": [str(number) for number in range(101)]}, "at most 100"),
    ],
)
def test_what_cannot_be_done_to_many_is_said(red, browser, values, said):
    response = browser.post(f"{HOME}bulk", values)
    assert response.status_code == 422 and said in text(response)


def test_a_viewer_changes_nothing(running, viewer, browse):
    person = browse(viewer)
    for verb in ("update", "roll-back", "extend", "stop", "restart", "delete"):
        assert person.post(f"{HOME}{running.pk}/{verb}").status_code == 403
    assert person.post(f"{HOME}bulk", {"verb": "stop", "id": running.pk}).status_code == 403
