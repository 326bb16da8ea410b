"""Who has which access and where it comes from, as page and file; and the requests for more."""

import csv
import io

import pytest
from django.contrib.auth.models import Group, User

from launchpad.access import Role, open_scope
from launchpad.errors import Forbidden, NotFound
from launchpad.grants import grant
from launchpad.resource_groups import access_requests, effective
from launchpad.resource_groups.models import AccessRequest
from tests.mlops.views.pages import body, queries

pytestmark = pytest.mark.django_db
PAGE, REQUESTS = "/w/north/access/", "/w/north/access-requests/"


@pytest.fixture
def administrator(workspace, staff):
    grant(Role.OPERATIONS_MANAGER, staff, workspace)
    return staff


def review(administrator, **asked):
    rows = effective.review(open_scope(administrator, "north"), **asked)
    return [(row.who, row.group, row.access, row.sources, row.problem) for row in rows]


def test_nobody_else_finds_it(cast, red):
    for who in ("editor", "viewer", "manager", "neighbour"):
        for url in (PAGE, f"{PAGE}export", REQUESTS):
            assert cast.client(who).get(url).status_code == 404
        with pytest.raises(Forbidden):
            effective.review(open_scope(cast.people[who], "north"))


def test_access_says_where_it_comes_from_and_what_is_missing(administrator, cast, red, blue, green):
    team = Group.objects.create(name="night shift")
    cast.people["viewer"].groups.add(team)
    grant(Role.EDITOR, team, red, with_gate=False)
    grant(Role.EDITOR, cast.people["outsider"], green)
    gone = User.objects.create_user("gone", is_active=False)
    grant(Role.VIEWER, gone, blue)
    missing = "operations manager of the workspace is missing"
    assert review(administrator) == [
        ("manager", "", "workspace only", "operations manager directly", ""),
        ("staff", "", "administrator", "operations manager directly", ""),
        ("gone", "blue", "none", "viewer directly; operations manager directly", "the account is not active"),
        ("neighbour", "blue", "editor", "editor directly; operations manager directly", ""),
        ("editor", "red", "editor", "editor directly; operations manager directly", ""),
        ("gateless", "red", "none", "viewer directly", missing),
        (
            "viewer",
            "red",
            "editor",
            "editor by team night shift; viewer directly; operations manager directly",
            "",
        ),
    ]
    assert [row[0] for row in review(administrator, group="blue")] == ["gone", "neighbour"]
    assert [row[:2] for row in review(administrator, who="EDIT", by_person=True)] == [("editor", "red")]


def test_what_is_told_is_what_the_gate_lets_through(administrator, cast, red, blue):
    """Told access and the access that opening a scope gives are the same for everybody."""
    told = {(who, group): given for who, group, given, _, _ in review(administrator)}
    for name, person in cast.people.items():
        if person is None or person.is_superuser:
            continue
        for slug in ("red", "blue"):
            try:
                scope = open_scope(person, "north", slug)
                given = "editor" if scope.may_change else "viewer"
            except NotFound:
                given = "none"
            assert told.get((name, slug), "none") == given, (name, slug)


def test_the_page_shows_it_and_leads_to_the_roles_for_superusers(
    administrator, superuser, editor, gateless, red, browse
):
    shown = body(browse(administrator).get(PAGE))
    assert "Superusers pass everywhere and grant roles: superuser." in shown
    assert "No use: operations manager of the workspace is missing" in shown
    assert "/admin/roles/" not in shown.split("<main")[1]
    assert 'href="/admin/resource_groups/resourcegroup/roles/?place=north"' in body(
        browse(superuser).get(PAGE)
    )


def test_the_roles_page_leads_back(superuser, red, browse):
    shown = body(browse(superuser).get("/admin/resource_groups/resourcegroup/roles/"))
    assert f'href="{PAGE}"' in shown


def test_the_file_holds_everybody(administrator, superuser, editor, red, browse):
    answer = browse(administrator).get(f"{PAGE}export")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode())))
    assert {(row["who"], row["resource_group"], row["access"]) for row in rows} == {
        ("superuser", "*", "administrator"),
        ("editor", "red", "editor"),
        ("staff", "", "administrator"),
    }


def test_pages_and_cost(administrator, red, browse):
    browser = browse(administrator)

    def add(start, end):
        for number in range(start, end):
            grant(Role.VIEWER, User.objects.create_user(f"p{number:03}"), red)

    add(0, 1)
    once = queries(browser, PAGE)
    add(1, 120)
    assert queries(browser, PAGE) == once
    first = browser.get(PAGE)
    assert len(first.content) < 100_000 and "121 rows" in body(first)
    assert 'href="?page=2"' in body(first) and "p119" not in body(first)
    assert "p119" in body(browser.get(PAGE, {"page": "2"}))
    for text in ("0", "-1", "x", "9" * 30, "\0"):
        assert browser.get(PAGE, {"page": text, "who": text, "group": text, "by": text}).status_code == 200


def test_requests_are_listed_and_declined(administrator, superuser, outsider, red, browse):
    access_requests.ask(outsider, "north", "red", message="<b>please</b>")
    shown = body(browse(administrator).get(REQUESTS))
    assert "outsider" in shown and "&lt;b&gt;please&lt;/b&gt;" in shown and "Grant a role" not in shown
    assert "Roles are granted by superuser." in shown
    assert "Grant a role" in body(browse(superuser).get(REQUESTS))
    made = AccessRequest.unscoped.get()
    assert browse(administrator).post(f"{REQUESTS}{made.pk}/decline").status_code == 303
    assert "No open requests" in body(browse(administrator).get(REQUESTS))
    assert browse(administrator).post(f"{REQUESTS}{made.pk}/decline").status_code == 404
