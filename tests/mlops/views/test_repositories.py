"""Pages of repositories: state and reason, credentials that are never shown, what may not be deleted."""

import re

import pytest
from django.utils import timezone

from launchpad.access import Role, open_scope
from launchpad.errors import NotFound
from launchpad.grants import grant
from mlops.domain import repositories
from mlops.models import Repository
from tests.mlops import factories
from tests.mlops.views.pages import body, queries

pytestmark = pytest.mark.django_db
PAGE = "/w/north/repositories/"
NEW = {"url": "https://git.example/team/t.git", "name": "team", "username": "ada", "password": "s3cret-word"}
MARKUP = "<script>alert(1)</script>"


@pytest.fixture
def administrator(workspace, staff):
    grant(Role.OPERATIONS_MANAGER, staff, workspace)
    return staff


@pytest.mark.parametrize("who", ["editor", "viewer", "manager", "neighbour", "outsider"])
def test_nobody_else_finds_the_page_or_its_entry(who, cast, administrator):
    browser = cast.client(who)
    for url in (PAGE, f"{PAGE}create"):
        assert browser.get(url).status_code == 404
    assert browser.post(f"{PAGE}create", NEW).status_code == 404
    assert not Repository.unscoped.exists()
    assert "/repositories/" not in browser.get("/w/north/").content.decode()


def test_an_administrator_finds_it_in_the_navigation(administrator, browse):
    assert 'href="/w/north/repositories/"' in body(browse(administrator).get("/w/north/"))


def test_an_empty_page_says_what_comes_first(administrator, browse):
    shown = body(browse(administrator).get(PAGE))
    assert "No repositories yet" in shown and f'href="{PAGE}create"' in shown


def test_a_repository_is_added_and_its_secret_never_shown(administrator, browse):
    browser = browse(administrator)
    answer = browser.post(f"{PAGE}create", NEW)
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
    made = repositories.get(open_scope(administrator, "north"), "team")
    assert made.credentials == {"username": "ada", "password": "s3cret-word"}
    shown = body(browser.get(PAGE)) + body(browser.get(f"{PAGE}team/credentials"))
    assert "https://git.example/team/t.git" in shown and "Not reached yet" in shown
    assert "s3cret-word" not in shown


def test_a_refusal_stands_beside_its_field_and_keeps_no_secret(administrator, browse):
    answer = browse(administrator).post(f"{PAGE}create", NEW | {"url": f"gopher://{MARKUP}"})
    shown = body(answer, 422)
    assert 'id="id_url_error"' in shown and MARKUP not in shown
    assert "s3cret-word" not in shown
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("value", ["\0", "x" * 5000])
def test_values_that_no_database_holds_are_refused(value, administrator, browse):
    answer = browse(administrator).post(f"{PAGE}create", NEW | {"name": value})
    assert answer.status_code == 422
    assert browse(administrator).get(PAGE, {"q": value}).status_code == 200
    assert not Repository.unscoped.exists()


def test_a_taken_name_is_said_in_the_form(administrator, browse, workspace):
    factories.repository(workspace, name="team")
    shown = body(browse(administrator).post(f"{PAGE}create", NEW), 422)
    assert "There is a repository team here already." in shown
    assert 'value="https://git.example/team/t.git"' in shown


def test_why_it_could_not_be_reached_is_shown_as_text(administrator, browse, workspace):
    made = factories.repository(workspace, name="team")
    Repository.unscoped.filter(pk=made.pk).update(
        state=Repository.State.FAILED, message=f"The server said {MARKUP}", fetched_at=timezone.now()
    )
    shown = body(browse(administrator).get(PAGE))
    assert "Could not be reached" in shown and "&lt;script&gt;" in shown and MARKUP not in shown


def test_credentials_are_replaced(administrator, browse, workspace):
    factories.repository(workspace, name="team")
    sent = {"username": "eve", "password": "new"}
    assert browse(administrator).post(f"{PAGE}team/credentials", sent).status_code == 303
    found = repositories.get(open_scope(administrator, "north"), "team")
    assert found.credentials == {"username": "eve", "password": "new"}


def test_the_second_of_two_who_replace_them_is_told(administrator, browse, workspace):
    factories.repository(workspace, name="team")
    browser = browse(administrator)
    page = f"{PAGE}team/credentials"
    seen = re.search(r'name="seen" value="([^"]+)"', body(browser.get(page))).group(1)
    sent = {"username": "eve", "password": "new", "seen": seen}
    assert browser.post(page, sent).status_code == 303
    shown = body(browser.post(page, sent | {"username": "bob", "password": "s3cret-word"}), 422)
    assert "Somebody else replaced the credentials of team meanwhile." in shown and "s3cret-word" not in shown
    assert "This form is out of date" in body(browser.post(page, sent | {"seen": "yesterday"}), 422)
    found = repositories.get(open_scope(administrator, "north"), "team")
    assert found.credentials == {"username": "eve", "password": "new"}
    # A sync in between is no change of theirs.
    seen = re.search(r'name="seen" value="([^"]+)"', body(browser.get(page))).group(1)
    Repository.unscoped.update(state=Repository.State.REACHED, fetched_at=timezone.now())
    assert browser.post(page, sent | {"seen": seen}).status_code == 303


def test_one_in_use_is_not_deleted_and_the_page_says_by_what(administrator, browse, workspace):
    made = factories.repository(workspace, name="team")
    factories.application(made, name="team-app")
    browser = browse(administrator)
    shown = body(browser.get(f"{PAGE}team/delete"))
    assert "It is used by team-app." in shown and ">Delete repository</button>" not in shown
    assert browser.post(f"{PAGE}team/delete").status_code == 422
    assert repositories.search(open_scope(administrator, "north")).exists()


def test_one_that_is_free_goes_after_a_question(administrator, browse, workspace):
    factories.repository(workspace, name="team")
    browser = browse(administrator)
    assert "versions that came from it stay" in body(browser.get(f"{PAGE}team/delete"))
    assert browser.post(f"{PAGE}team/delete").status_code == 303
    with pytest.raises(NotFound):
        repositories.get(open_scope(administrator, "north"), "team")


def test_the_list_costs_the_same_with_one_and_three_and_filters(administrator, browse, workspace):
    browser = browse(administrator)
    factories.repository(workspace, name="one")
    once = queries(browser, PAGE)
    for name in ("two", "three"):
        factories.repository(workspace, name=name)
    assert queries(browser, PAGE) == once <= 8
    assert 'title="three"' not in body(browser.get(PAGE, {"q": "TWO"}))


def test_a_long_list_has_pages(administrator, browse, workspace):
    for number in range(51):
        factories.repository(workspace, name=f"r{number:02}")
    browser = browse(administrator)
    first = body(browser.get(PAGE))
    assert 'title="r49"' in first and 'title="r50"' not in first and 'href="?after=r49"' in first
    second = body(browser.get(PAGE, {"after": "r49"}))
    assert 'title="r50"' in second and 'title="r49"' not in second
