"""Saved views of lists: kept, shown as tabs, shared, renamed and deleted."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from launchpad.access import Role
from launchpad.grants import grant
from mlops.domain import saved_views
from mlops.lifecycle import Status
from mlops.models import Artifact, SavedView
from tests.mlops import factories

LIST = "/w/north/g/red/executions/"
VIEWS = "/w/north/g/red/views/"
QUERY = "status=DEAD&sort=duration&before=1.e1&filter=by"


@pytest.fixture(autouse=True)
def rows(red):
    """One dead and one completed execution."""
    bound = factories.configuration(red)
    at = timezone.now() - timedelta(minutes=1)
    for status in (Status.DEAD, Status.COMPLETED):
        factories.execution(bound, status=status, created_at=at)


def text(response):
    return response.content.decode()


def save(browser, name="Dead ones", **values):
    return browser.post(f"{VIEWS}create", {"noun": "executions", "name": name, "query": QUERY, **values})


def tabs(browser, query=""):
    nav = text(browser.get(f"{LIST}?{query}")).partition('aria-label="Saved views"')[2].partition("</nav>")[0]
    return re.findall(r'href="([^"]+)"( aria-current="page")?>([^<]+?) ?<', nav)


def test_a_viewer_keeps_a_view_that_is_a_tab_afterwards(viewer, editor, browse):
    response = save(browse(viewer))
    assert (response.status_code, response["Location"]) == (303, f"{LIST}?status=DEAD&sort=duration")
    query = "status=DEAD&amp;sort=duration"
    shown = tabs(browse(viewer), "status=DEAD&sort=duration")
    assert shown[-1] == (f"?{query}", ' aria-current="page"', "Dead ones")
    assert [name for _, is_current, name in shown if is_current] == ["Dead ones"]
    assert "Dead ones" not in [name for _, _, name in tabs(browse(editor))]


def test_a_view_is_known_whatever_the_order_of_its_address(viewer, browse):
    save(browse(viewer))
    assert tabs(browse(viewer), "sort=duration&status=DEAD")[-1][1]


def test_only_editors_share(red, viewer, editor, browse):
    assert save(browse(viewer), is_shared="1").status_code == 403
    assert save(browse(editor), is_shared="1").status_code == 303
    assert "Dead ones" in [name for _, _, name in tabs(browse(viewer))]
    assert "Shared by editor" in text(browse(viewer).get(VIEWS))
    assert 'name="is_shared"' not in text(browse(viewer).get(LIST))


def test_one_renames_and_deletes_ones_own(viewer, editor, browse):
    save(browse(viewer))
    view = SavedView.unscoped.get()
    assert browse(viewer).post(f"{VIEWS}rename", {"view": view.pk, "name": "Failed"}).status_code == 303
    view.refresh_from_db()
    assert view.name == "Failed"
    for verb in ("rename", "delete"):
        answer = browse(editor).post(f"{VIEWS}{verb}", {"view": view.pk, "name": "taken over"})
        assert answer.status_code == 404
    assert browse(viewer).post(f"{VIEWS}delete", {"view": view.pk}).status_code == 303
    assert not SavedView.unscoped.exists()


def test_editors_delete_what_others_share_and_viewers_do_not(red, viewer, editor, browse, django_user_model):
    other = django_user_model.objects.create_user("other")
    grant(Role.EDITOR, other, red)
    save(browse(other), is_shared="1")
    view = SavedView.unscoped.get()
    assert browse(viewer).post(f"{VIEWS}delete", {"view": view.pk}).status_code == 403
    assert browse(editor).post(f"{VIEWS}rename", {"view": view.pk, "name": "x"}).status_code == 404
    assert browse(editor).post(f"{VIEWS}delete", {"view": view.pk}).status_code == 303
    assert not SavedView.unscoped.exists()


def test_a_viewer_does_not_share_by_renaming(viewer, browse):
    save(browse(viewer))
    values = {"view": SavedView.unscoped.get().pk, "name": "Failed", "is_shared": "1"}
    assert browse(viewer).post(f"{VIEWS}rename", values).status_code == 403
    assert not SavedView.unscoped.get().is_shared


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""},
        {"name": "n" * 81},
        {"name": "a\x00b"},
        {"name": "two\nlines"},
        {"noun": "secrets"},
        {"query": "a=" + "b" * 5000},
    ],
)
def test_what_cannot_be_kept_is_refused(viewer, browse, values):
    assert save(browse(viewer), **values).status_code == 422
    assert not SavedView.unscoped.exists()


def test_a_query_is_only_a_query(viewer, browse):
    location = save(browse(viewer), query="status=DEAD\r\nSet-Cookie: x=1&//evil.example")["Location"]
    assert location.startswith(f"{LIST}?status=DEAD%0D%0ASet-Cookie")


def test_a_name_is_ones_own_once_and_thirty_are_enough(viewer, editor, browse, monkeypatch):
    assert save(browse(viewer)).status_code == 303
    assert save(browse(viewer)).status_code == 422
    assert save(browse(editor)).status_code == 303
    monkeypatch.setattr(saved_views, "COUNT_LIMIT", 1)
    assert save(browse(viewer), name="Another").status_code == 422


def test_names_are_text_and_neighbours_have_none(viewer, neighbour, browse):
    save(browse(viewer), name="<b>bold")
    for url in (LIST, VIEWS):
        assert "&lt;b&gt;bold" in text(browse(viewer).get(url)) or url == LIST
    key = SavedView.unscoped.get().pk
    assert browse(neighbour).post("/w/north/g/blue/views/delete", {"view": key}).status_code == 404
    assert browse(viewer).post(f"{VIEWS}delete", {"view": "no-key\x00"}).status_code == 404


@pytest.mark.parametrize(
    ("noun", "query"),
    [("configurations", "q=petals"), ("datasets", "view=names"), ("models", "q=petal-model")],
)
def test_other_lists_keep_views_too(red, viewer, browse, noun, query):
    bound = factories.configuration(red)
    factories.artifact(red, kind=Artifact.Kind.MODEL, name="petal-model")
    assert bound.name.startswith("petals")
    browser, place = browse(viewer), f"/w/north/g/red/{noun}/"
    shown = text(browser.get(f"{place}?{query}"))
    assert f'name="noun" value="{noun}"' in shown and f'name="query" value="{query}"' in shown
    assert save(browser, noun=noun, name="Ours", query=query)["Location"] == f"{place}?{query}"
    assert f'<a href="?{query}" aria-current="page">Ours</a>' in text(browser.get(f"{place}?{query}"))
    assert f'<a href="?{query}">Ours</a>' in text(browser.get(place))
