"""The discussion on the pages of things, and the list of flags."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from launchpad.access import open_scope, system_scope
from mlops.domain import comments, flags
from mlops.lifecycle import Status
from mlops.models import Comment
from tests.mlops import factories

pytestmark = pytest.mark.django_db
GROUP = "/w/north/g/red/"


@pytest.fixture
def run(red):
    return factories.execution(factories.configuration(red), status=Status.COMPLETED)


@pytest.fixture
def about(run):
    return f"{GROUP}comments/executions/{run.pk}/"


def text(response):
    return response.content.decode()


def test_a_viewer_comments_on_the_page_of_an_execution(run, about, viewer, browse):
    browser = browse(viewer)
    answer = browser.post(f"{about}add", {"text": "<b>See</b> https://example.org/plot"})
    assert (answer.status_code, answer["Location"]) == (303, f"{GROUP}executions/{run.pk}/?tab=discussion")
    shown = text(browser.get(answer["Location"]))
    assert "&lt;b&gt;See&lt;/b&gt; https://example.org/plot" in shown
    assert 'href="https://example.org' not in shown
    assert "Comment added." in shown


def test_htmx_gets_the_discussion_alone(about, viewer, browse):
    htmx = {"HX-Request": "true", "HX-Target": "discussion"}
    answer = browse(viewer).post(f"{about}add", {"text": "Live."}, headers=htmx)
    assert text(answer).strip().startswith('<section class="card" id="discussion"')
    assert "Live." in text(answer)


def test_what_is_refused_stays_in_the_form(about, viewer, browse):
    answer = browse(viewer).post(f"{about}add", {"text": "Long " + "x" * 5000})
    assert answer.status_code == 422
    assert "Long xxx" in text(answer)
    assert "at most 5000 are allowed" in text(answer)
    assert browse(viewer).post(f"{about}add", {}).status_code == 422


def test_every_page_of_a_thing_has_its_discussion_and_counts_open_flags(red, run, viewer, browse):
    artifact = factories.artifact(red)
    slug = run.executable.scenario.slug
    scope = open_scope(viewer, "north", "red")
    for kind, key, url in (
        ("executions", run.pk, f"{GROUP}executions/{run.pk}/?tab=discussion"),
        ("artifacts", artifact.pk, f"{GROUP}datasets/{artifact.pk}/"),
        ("scenarios", slug, f"{GROUP}scenarios/{slug}/?tab=discussion"),
    ):
        flags.create(scope, kind=kind, key=str(key), text=f"Odd {kind}.")
        shown = text(browse(viewer).get(url))
        assert f"Odd {kind}." in shown
        assert "1 open flag<" in shown
        assert "Answer and close" not in shown


def test_a_workspaces_scenario_page_shows_no_groups_comments(run, viewer, browse):
    slug = run.executable.scenario.slug
    scope = open_scope(viewer, "north", "red")
    comments.add(scope, kind="scenarios", key=slug, text="Only in red.")
    shown = text(browse(viewer).get(f"/w/north/scenarios/{slug}/?tab=discussion"))
    assert "Only in red." not in shown
    assert "Choose one above" in shown


def test_an_editor_closes_a_flag_and_takes_it_back(run, viewer, editor, browse):
    flag = flags.create(
        open_scope(viewer, "north", "red"), kind="executions", key=run.pk, text="Wrong labels."
    )
    browser = browse(editor)
    assert "Wrong labels." in text(browser.get(f"{GROUP}flags/"))
    answer = browser.post(f"{GROUP}flags/{flag.pk}/close", {"answer": "Relabelled."})
    shown = text(browser.get(answer["Location"]))
    assert "Relabelled." in shown
    assert f'action="{GROUP}flags/{flag.pk}/reopen"' in shown
    undone = browser.post(f"{GROUP}flags/{flag.pk}/reopen", {"undone-at": f"{GROUP}flags/?state=closed"})
    assert undone["Location"] == f"{GROUP}flags/?state=closed"
    assert Comment.unscoped.get().flag == "open"


def test_htmx_is_told_how_to_take_it_back(run, editor, browse):
    flag = flags.create(open_scope(editor, "north", "red"), kind="executions", key=run.pk, text="Odd.")
    htmx = {"HX-Request": "true", "HX-Target": "discussion"}
    answer = browse(editor).post(f"{GROUP}flags/{flag.pk}/close", {"answer": "Fine."}, headers=htmx)
    told = json.loads(answer["HX-Trigger"])["toast"]
    assert told["undo"] == {"url": f"{GROUP}flags/{flag.pk}/reopen", "values": []}


def test_undo_never_leads_elsewhere(run, editor, browse):
    scope = open_scope(editor, "north", "red")
    flag = flags.create(scope, kind="executions", key=run.pk, text="Odd.")
    flags.close(scope, flag.pk, answer="Fine.")
    answer = browse(editor).post(
        f"{GROUP}flags/{flag.pk}/reopen", {"undone-at": "https://elsewhere.example/"}
    )
    assert answer["Location"] == f"{GROUP}executions/{run.pk}/?tab=discussion"


def test_authors_edit_and_delete_their_own(run, viewer, editor, browse):
    comment = comments.add(open_scope(viewer, "north", "red"), kind="executions", key=run.pk, text="Mine.")
    url = f"{GROUP}comments/{comment.pk}/"
    assert browse(editor).post(f"{url}edit", {"text": "Not mine.", "revision": "0"}).status_code == 403
    for revision in ("", "x", "9" * 40, "²"):
        assert browse(viewer).post(f"{url}edit", {"text": "One", "revision": revision}).status_code == 422
    assert browse(viewer).post(f"{url}edit", {"text": "Now.", "revision": "0"}).status_code == 303
    assert browse(viewer).post(f"{url}delete", {"revision": "0"}).status_code == 409
    assert browse(viewer).post(f"{url}delete", {"revision": "1"}).status_code == 303
    shown = text(browse(editor).get(f"{GROUP}comments/executions/{run.pk}/"))
    assert "Deleted by viewer" in shown
    assert "Now." not in shown


def test_many_comments_have_pages(red, run, about, viewer, browse):
    scope = system_scope(red)
    for number in range(25):
        comments.add(scope, kind="executions", key=run.pk, text=f"Comment number {number}.")
    browser = browse(viewer)
    first = text(browser.get(about))
    assert "Comment number 24." in first
    assert "Comment number 4." not in first
    older = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "Comment number 4." in text(browser.get(older))


def test_as_many_queries_for_three_flags_as_for_one(red, run, viewer, browse):
    browser, asked = browse(viewer), []
    artifact = factories.artifact(red)
    for kind, key in (("executions", run.pk), ("artifacts", artifact.pk), ("executions", run.pk)):
        flags.create(system_scope(red), kind=kind, key=str(key), text="Odd.")
        with CaptureQueriesContext(connection) as queries:
            browser.get(f"{GROUP}flags/")
        asked.append(len(queries))
    assert asked[0] == asked[2]
    assert asked[0] <= 8


def test_an_unknown_state_is_told(viewer, red, browse):
    assert "unknown state" in text(browse(viewer).get(f"{GROUP}flags/?state=%00nonsense"))
    assert "No closed flags" in text(browse(viewer).get(f"{GROUP}flags/?state=closed"))


def test_open_flags_want_attention_on_the_overview(run, viewer, neighbour, browse):
    flags.create(open_scope(viewer, "north", "red"), kind="executions", key=run.pk, text="Odd.")
    for url in (f"{GROUP}overview/", "/w/north/"):
        shown = text(browse(viewer).get(url))
        assert f'href="{GROUP}flags/">1 open flag</a> in red' in shown
    assert "open flag<" not in text(browse(neighbour).get("/w/north/"))


def test_the_list_of_executions_marks_those_with_open_flags(run, viewer, browse):
    browser = browse(viewer)
    assert "?tab=discussion" not in text(browser.get(f"{GROUP}executions/"))
    flags.create(open_scope(viewer, "north", "red"), kind="executions", key=run.pk, text="Odd.")
    assert f'href="{run.pk}/?tab=discussion" aria-label="1 open flag on' in text(
        browser.get(f"{GROUP}executions/")
    )
