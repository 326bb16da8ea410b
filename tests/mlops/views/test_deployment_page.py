"""The page of one deployment: its tabs, what it warns of, what it costs."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from launchpad.access import open_scope, system_scope
from mlops.domain import deployments, replicas, revisions
from mlops.lifecycle import Status
from mlops.models import ArtifactAlias, Deployment, Replica, ReplicaLogChunk, Worker
from tests.mlops import deploying, factories, standing, trying
from tests.mlops.views.pages import body, queries

pytestmark = [pytest.mark.django_db, pytest.mark.database]
LIST = "/w/north/g/red/deployments/"
TABS = ("overview", "traffic", "logs", "revisions", "servers", "predictions", "lineage", "events")


@pytest.fixture
def deployment(red):
    """A deployment of digits that is served."""
    return trying.served(trying.configuration(red, name="serve-v1"))


@pytest.fixture
def browser(viewer, browse):
    """A viewer's."""
    return browse(viewer)


def page(browser, deployment, tab="overview", fragment="", **query):
    headers = {"hx-request": "true", "hx-target": fragment} if fragment else {}
    return body(browser.get(f"{LIST}{deployment.pk}/", {"tab": tab, **query}, headers=headers))


def update(red, deployment, name, **asked):
    """Another configuration of the same executable on its way."""
    bound = trying.configuration(red, name=name)
    deployments.update(system_scope(red), deployment.pk, configuration=bound.pk, **asked)
    deployment.refresh_from_db()
    return bound


def fail(deployment, message="The server ended with exit code 3."):
    """The newest revision's server has been started for the last time."""
    for row in Replica.unscoped.filter(deployment=deployment, revision__number=deployment.newest):
        Replica.unscoped.filter(pk=row.pk).update(status=Status.RUNNING, attempt=1, restarts=99)
        row.refresh_from_db()
        replicas.failed(row, 1, message=message)
    deployment.refresh_from_db()


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_shows_itself_at_a_bounded_cost(red, deployment, browser, tab):
    update(red, deployment, "serve-v2")
    trying.answer_at(deployment, "127.0.0.1:9")
    address = f"{LIST}{deployment.pk}/?tab={tab}"
    shown = body(browser.get(address))
    assert f'?tab={tab}" aria-current="page"' in shown
    assert "<h1>digits-serve</h1>" in shown
    assert queries(browser, address) <= 16


def test_the_head_says_where_it_answers_and_how_it_fares(deployment, browser):
    shown = page(browser, deployment, fragment="deployment-head")
    assert shown.lstrip().startswith('<div class="stack" id="deployment-head" hx-get=')
    assert f"/v2/inference/deployments/{deployment.pk}/v1/predict</code>" in shown
    assert "Running" in shown and "Healthy, checked <span data-elapsed=" in shown
    assert "data-stale" not in shown
    Worker.unscoped.update(seen_at=timezone.now() - timedelta(minutes=2))
    shown = page(browser, deployment, fragment="deployment-head")
    assert (
        "data-stale" in shown and "Its worker was not heard of for <span" in shown and "Healthy" not in shown
    )


def test_details_name_the_model_with_its_aliases(red, deployment, browser):
    model = deployment.configuration.inputs.get().artifact
    ArtifactAlias.unscoped.create(
        resource_group=red, kind=model.kind, name=model.name, alias="champion", artifact=model
    )
    shown = page(browser, deployment)
    assert 'tag-accent">champion<' in shown and "version 1" in shown
    assert "1 of 1 ready, scales to 3" in shown
    assert "Launchpad's own, onnx" in shown
    assert "unlimited" in shown


def test_calls_to_copy_are_complete_and_name_no_token(deployment, browser):
    shown = page(browser, deployment)
    address = f"/v2/inference/deployments/{deployment.pk}/v1/predict"
    for key in ("curl", "python", "javascript"):
        call = re.search(rf'<code id="call-text-{key}">(.*?)</code>', shown, re.DOTALL)[1]
        assert address in call and "AI-Resource-Group" in call and "red" in call
        assert "LAUNCHPAD_TOKEN" in call and "rows" in call
    assert re.search(r"0, 0, 0, 0, 0, 0", shown)


def test_own_code_is_called_where_its_authors_chose(red, browser):
    made = trying.served(trying.configuration(red, served="", executable="own-serve"))
    shown = page(browser, made)
    assert "and the path that its code chooses" in shown
    assert "Your server&#x27;s code chooses the path" in shown
    tutorial = trying.configuration(red, served="", executable="text-clf-infer-tutorial")
    shown = page(browser, trying.served(tutorial))
    assert "/v2/predict</code>" in shown
    assert '<textarea class="input" id="trial-text"' in shown


def test_a_failed_update_names_what_still_serves(red, deployment, browser):
    update(red, deployment, "serve-v2")
    fail(deployment)
    assert (deployment.status, deployment.serving) == (Status.RUNNING, 1)
    shown = page(browser, deployment, fragment="deployment-banners")
    assert 'data-kind="bad"' in shown
    assert "The update to serve-v2 (revision 2) failed" in shown
    assert "The server ended with exit code 3." in shown
    assert "serve-v1 (revision 1) still serves." in shown
    assert "?tab=logs&amp;part=2" in shown
    facts = page(browser, deployment, fragment="deployment-facts")
    assert "Wished for" in facts and "serve-v1" in facts


def test_a_dead_one_says_why_and_what_to_do(red, deployment, browser):
    fail(deployment, "Out of memory.")
    assert deployment.status == Status.DEAD
    shown = page(browser, deployment, fragment="deployment-banners")
    assert "Revision 1 failed and no other serves" in shown and "Out of memory." in shown
    assert "Look into the log, then start it again" in shown


def test_a_dead_one_that_once_ran_otherwise_names_that(red, deployment, editor, browse):
    update(red, deployment, "serve-v2")
    trying.answer_at(deployment, "127.0.0.1:9")
    Replica.unscoped.filter(deployment=deployment, revision__number=1).update(status=Status.STOPPED)
    fail(deployment)
    assert deployment.status == Status.DEAD
    shown = page(browse(editor), deployment, fragment="deployment-banners")
    assert "or return to serve-v1 (revision 1), which ran before" in shown


def test_no_ready_server_is_told_with_its_cause(deployment, browser):
    Replica.unscoped.filter(deployment=deployment).update(restarts=2)
    row = Replica.unscoped.get(deployment=deployment)
    replicas.tell_unready(row, 1, message="GET /ready answers 503.")
    deployment.refresh_from_db()
    assert deployment.status == Status.PENDING
    shown = page(browser, deployment, fragment="deployment-banners")
    assert "No server is ready" in shown and "GET /ready answers 503." in shown
    assert "Started again 2 times so far." in shown
    assert "No server is ready" in page(browser, deployment, fragment="deployment-head")


def test_what_starts_says_what_it_waits_for(red, deployment, browser):
    update(red, deployment, "serve-v2")
    shown = page(browser, deployment, fragment="deployment-banners")
    assert "Revision 2 is starting; revision 1 serves meanwhile" in shown
    assert "Waiting for a worker" in shown
    fresh = page(browser, deploying.deployment(red), fragment="deployment-banners")
    assert "It is starting" in fresh and "Waiting for a worker" in fresh


def test_the_end_of_its_time_is_told_before_and_after(red, deployment, browser):
    scope = system_scope(red)
    deployments.extend(scope, deployment.pk, ttl="5h")
    assert "Ends in" not in page(browser, deployment, fragment="deployment-banners")
    Deployment.unscoped.update(expires_at=timezone.now() + timedelta(minutes=20, seconds=30))
    shown = page(browser, deployment, fragment="deployment-banners")
    assert re.search(r"Ends in 20 min \d\d s", shown)
    revisions.expire(timezone.now() + timedelta(hours=1))
    Replica.unscoped.update(status=Status.STOPPED, ended_at=timezone.now())
    Deployment.unscoped.update(expires_at=timezone.now())
    revisions.settle(deployment.pk)
    shown = page(browser, deployment, fragment="deployment-banners")
    assert "This deployment is put away" in shown
    assert "hx-get" not in shown


def test_revisions_say_what_differs_between_two(red, deployment, browser):
    update(red, deployment, "serve-v2", reason="A better <model>.")
    shown = page(browser, deployment, "revisions")
    assert "A better &lt;model&gt;." in shown and "From revision 1 to 2" in shown
    assert re.search(r"≠ Configuration</th>.*?serve-v1.*?serve-v2", shown, re.DOTALL)
    assert re.search(r"≠ Input digits-model</th>.*?digits-model:1.*?digits-model:2", shown, re.DOTALL)
    assert "Compare the files of the two models" in shown
    update(red, deployment, "serve-v3")
    shown = page(browser, deployment, "revisions", **{"from": "3", "to": "1"})
    assert "From revision 1 to 3" in shown
    assert "From revision 2 to 3" in page(browser, deployment, "revisions", **{"from": "x", "to": "99"})


def test_servers_are_listed_with_how_many_there_were(deployment, browser):
    shown = page(browser, deployment, "servers")
    assert "worker-1" in shown and "178.3 MiB" in shown and "127.0.0.1:9" in shown
    assert "1 of 1 ready; at least 1, at most 3" in shown
    assert "Servers in the last 24 hours" in shown and "Values as a table" in shown


def test_a_gone_server_is_below_those_that_live(deployment, browser):
    row = Replica.unscoped.get(deployment=deployment)
    replicas.failed(row, 1, message="Killed.")
    Replica.unscoped.update(status=Status.STOPPED)
    shown = page(browser, deployment, "servers")
    assert "Killed." in shown and "ended" in shown


def lines(deployment, revision, server, *texts, seq=0):
    ReplicaLogChunk.unscoped.create(
        deployment=deployment,
        attempt=revision,
        step=server,
        seq=seq,
        first_line=1,
        line_count=len(texts),
        at=timezone.now(),
        text="\n".join(texts),
        offsets=[0] * len(texts),
    )


def test_the_log_is_of_all_servers_of_a_revision_or_of_one(red, browser):
    deployment = deploying.deployment(red)
    pair = deploying.configuration(red, servers=2)
    deployments.update(system_scope(deployment), deployment.pk, configuration=pair.pk)
    lines(deployment, 1, 0, "first", "ERROR second")
    lines(deployment, 2, 0, "third")
    lines(deployment, 2, 1, "fourth")
    shown = page(browser, deployment, "logs")
    assert "server 1, revision 1" in shown and "server 2, revision 2" in shown
    assert 'data-word="revision" data-several' in shown and "4 lines" in shown
    of_revision = page(browser, deployment, "logs", part="2")
    assert "third" in of_revision and "fourth" in of_revision and "first" not in of_revision
    of_server = page(browser, deployment, "logs", part="2.1")
    assert "fourth" in of_server and "third" not in of_server
    found = page(browser, deployment, "logs", find="SECOND")
    assert "<mark>second</mark>" in found and "1 line found" in found
    hit = browser.get(f"{LIST}{deployment.pk}/log/seek?level=ERROR")
    assert hit.status_code == 303 and "at=1.0.2#L1-0-2" in hit.headers["location"]


def test_the_log_is_a_file(deployment, browser):
    lines(deployment, 1, 0, "first")
    lines(deployment, 2, 0, "second")
    whole = browser.get(f"{LIST}{deployment.pk}/log")
    text = b"".join(whole.streaming_content).decode()
    assert "[server 1] first" in text and "revision 2 [server 1] second" in text
    part = browser.get(f"{LIST}{deployment.pk}/log?part=2")
    assert f"{deployment.pk}-2.log" in part.headers["content-disposition"]
    assert b"first" not in b"".join(part.streaming_content)


def test_the_stream_gives_what_is_new_and_ends_with_the_deployment(deployment, browser):
    lines(deployment, 1, 0, "first")
    stream = f"{LIST}{deployment.pk}/stream"
    text = body(browser.get(stream))
    assert '"text":"first"' in text and "event: state" in text and "event: end" not in text
    place = re.search(r"id: (\S+)", text)[1]
    again = body(browser.get(stream, headers={"last-event-id": place}))
    assert "first" not in again
    version = re.search(r'"version": "(\w+)"', text)[1]
    assert f'data-version="{version}"' in page(browser, deployment)
    Replica.unscoped.filter(deployment=deployment).update(message="Something else")
    assert version not in body(browser.get(stream))
    fail(deployment)
    assert "event: end" in body(browser.get(stream, headers={"last-event-id": place}))


def test_a_page_at_rest_is_loaded_again_once_somebody_starts_it(red, browser):
    deployment = standing.deployment(red, Status.STOPPED)

    def asked():
        headers = {"hx-request": "true", "hx-target": "deployment-rest"}
        return browser.get(f"{LIST}{deployment.pk}/", headers=headers)

    assert 'hx-trigger="every 10s"' in body(asked())
    assert "HX-Refresh" not in asked().headers
    deployments.restart(system_scope(red), deployment.pk)
    assert asked().headers["HX-Refresh"] == "true"


def test_events_say_who_and_why(deployment, browser):
    shown = page(browser, deployment, "events")
    assert "Deployed." in shown and "Revision 1 is ready and gets the requests." in shown
    assert '<span class="tag">revision 1</span>' in shown


def test_the_lineage_leads_from_the_data_to_the_deployment(red, browser):
    run = factories.execution(factories.configuration(red), status=Status.COMPLETED)
    bound = trying.configuration(red)
    model = bound.inputs.get().artifact
    type(model).unscoped.filter(pk=model.pk).update(execution=run)
    made = trying.served(bound)
    shown = page(browser, made, "lineage")
    for part in ("petals", run.pk, "digits-model", "digits-serve"):
        assert part in shown
    shown = body(browser.get(f"/w/north/g/red/executions/{run.pk}/?tab=lineage"))
    assert f"/deployments/{made.pk}/" in shown


def test_its_history_of_changes_is_there_for_everyone(red, editor, browser):
    made = deployments.create(open_scope(editor, "north", "red"), configuration=trying.configuration(red).pk)
    assert f"/history/deployments/{made.pk}/" in page(browser, made)
    assert "editor" in body(browser.get(f"/w/north/g/red/history/deployments/{made.pk}/"))


def verbs(shown):
    """The last parts of the addresses that buttons and links of editors lead to."""
    return set(re.findall(r'"[^"]*/deployments/\w+/(update|stop|restart|extend|delete|roll-back)"', shown))


def test_editors_get_the_verbs_that_its_status_allows(deployment, browser, editor, browse):
    own = browse(editor)
    assert verbs(page(browser, deployment)) == set()
    head = "deployment-head"
    assert verbs(page(own, deployment, fragment=head)) == {"update", "stop", "extend"}
    deployments.stop(system_scope(deployment), deployment.pk)
    assert verbs(page(own, deployment, fragment=head)) == set()
    Replica.unscoped.update(status=Status.STOPPED)
    revisions.settle(deployment.pk)
    assert verbs(page(own, deployment, fragment=head)) == {"restart", "delete"}
    assert 'id="confirm-delete"' in page(own, deployment)


def test_a_failed_update_is_rolled_back_from_its_banner(red, deployment, editor, browse):
    update(red, deployment, "serve-v2")
    fail(deployment)
    own = browse(editor)
    shown = page(own, deployment, fragment="deployment-banners")
    button = re.search(r'formaction="([^"]+/roll-back)" name="revision" value="(\d+)"', shown)
    answer = own.post(button[1], {"revision": button[2]})
    assert answer.status_code == 303
    deployment.refresh_from_db()
    assert (deployment.newest, deployment.configuration.name) == (3, "serve-v1")
    shown = page(own, deployment, "revisions")
    assert "Rolled back to revision 1." in shown
    assert 'aria-label="Roll back to revision 1"' in shown
    # A revision that failed is nothing to return to, the newest is wished for already.
    assert 'aria-label="Roll back to revision 2"' not in shown
    assert 'aria-label="Roll back to revision 3"' not in shown


def test_what_ends_soon_is_extended_and_what_rests_started_from_its_banner(deployment, editor, browse):
    own = browse(editor)
    Deployment.unscoped.update(expires_at=timezone.now() + timedelta(minutes=5), ttl="5h")
    assert verbs(page(own, deployment, fragment="deployment-banners")) == {"extend"}
    deployments.stop(system_scope(deployment), deployment.pk)
    Replica.unscoped.update(status=Status.STOPPED)
    revisions.settle(deployment.pk)
    shown = page(own, deployment, fragment="deployment-banners")
    assert verbs(shown) == {"restart"} and "Stopped" in shown
