"""View as: a group through the role of somebody else, to look only, and no way to gain by it."""

import time

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from launchpad.access import Right, Role, open_scope
from launchpad.audit.models import AuditEvent
from launchpad.commands import command
from launchpad.errors import Forbidden, Invalid, NotFound
from launchpad.grants import grant, revoke
from launchpad.resource_groups import view_as
from launchpad.resource_groups.models import Visit
from launchpad.resource_groups.view_as import open_as
from mlops.domain import boards
from mlops.lifecycle import Status
from mlops.models import Board, Execution
from tests.mlops import factories
from tests.mlops.views.pages import body, queries

pytestmark = pytest.mark.django_db
BEGIN, END, ACCESS = "/w/north/access/view-as", "/view-as/end", "/w/north/access/"
RUNS = "/w/north/g/red/executions/"
REFUSED = "You are viewing as viewer, so nothing can be changed."


@command()
def describe(scope, *, text):
    """A verb that writes."""
    return scope.group


@pytest.fixture
def administrator(red, staff):
    """Staff who administer the workspace and may change red."""
    grant(Role.EDITOR, staff, red)
    return staff


@pytest.fixture
def looking(administrator, viewer, browse):
    """A browser of the administrator, who views red as the viewer."""
    browser = browse(administrator)
    answer = browser.post(BEGIN, {"group": "red", "person": "viewer"})
    assert (answer.status_code, answer["Location"]) == (303, "/w/north/g/red/overview/")
    return browser


def verbs():
    return [(one.actor, one.verb, one.detail) for one in AuditEvent.unscoped.order_by("id")]


def test_pages_are_shown_with_the_role_of_the_other_under_a_bar(looking, administrator, browse):
    own = body(browse(administrator).get(RUNS))
    shown = body(looking.get(RUNS))
    assert "executions/create" in own and "executions/create" not in shown
    assert "<b>viewer</b>, viewer: nothing can be changed" in shown and f'action="{END}"' in shown
    assert "/w/north/secrets/" in own and "/w/north/secrets/" not in shown
    assert looking.get("/w/north/g/red/executions/create").status_code == 403
    missing = body(looking.get(f"{RUNS}e000000000000000/"), 404)
    assert f'action="{END}"' in missing


def test_an_editor_may_be_looked_through_too_and_still_nothing_is_changed(administrator, editor, browse):
    browser = browse(administrator)
    browser.post(BEGIN, {"group": "red", "person": "editor"})
    assert "executions/create" in body(browser.get(RUNS))
    run = factories.execution(factories.configuration(open_scope(editor, "north", "red").group))
    for url in (
        f"{RUNS}{run.pk}/stop",
        "/w/north/g/red/configurations/discard",
        "/w/north/g/red/boards/create",
    ):
        assert "nothing can be changed" in body(browser.post(url), 403)
    toast = browser.post(f"{RUNS}{run.pk}/stop", headers={"HX-Request": "true"})
    assert toast["HX-Retarget"] == "#toasts" and "nothing can be changed" in body(toast, 403)
    assert Execution.unscoped.get().status == Status.PENDING and not Board.unscoped.exists()


def test_every_write_anywhere_is_refused(looking, red):
    for url in (
        "/w/north/resource-groups/create",
        "/w/north/g/red/service-keys/create",
        "/workspaces/create",
        "/workspaces/north/change",
        "/admin/auth/user/add/",
        "/admin/workspaces/workspace/north/change/",
        "/access-requests/ask",
        BEGIN,
        "/sign-in",
    ):
        assert REFUSED in body(looking.post(url, {"group": "red", "person": "editor"}), 403)
    for method in ("put", "patch", "delete"):
        assert getattr(looking, method)(RUNS).status_code == 403
    assert [verb for _, verb, _ in verbs()] == ["view_as.begin"]


def test_the_kernel_refuses_too(administrator, viewer, editor, red):
    for person in (viewer, editor):
        scope = open_as(administrator, person, "north", "red")
        with pytest.raises(Forbidden, match="viewing as"):
            describe(scope, text="")
        with pytest.raises(Forbidden, match="viewing as"):
            view_as.begin(scope, person="x", minutes=1)


def test_only_the_pages_of_that_group_are_shown(looking, administrator, blue):
    grant(Role.EDITOR, administrator, blue)
    for url in ("/", "/workspaces/", "/w/north/", "/w/north/secrets/", ACCESS, "/w/north/g/blue/executions/"):
        shown = body(looking.get(url), 409)
        assert "You are viewing as viewer" in shown and f'action="{END}"' in shown
        assert 'href="/w/north/g/red/overview/">Back to red</a>' in shown
    for url in ("/admin/", "/admin/auth/user/", "/search?q=red", "/styleguide"):
        assert looking.get(url).status_code == 409


def test_search_finds_nothing_of_other_groups(looking, administrator, viewer, blue, browse):
    for person in (administrator, viewer):
        grant(Role.EDITOR, person, blue)
    run = factories.execution(factories.configuration(blue))
    for url in (f"/w/north/g/red/search?q={run.pk}", "/w/north/g/red/search?q=blue", RUNS):
        assert "g/blue/" in body(browse(administrator).get(url)) and "g/blue/" not in body(looking.get(url))


def test_what_is_personal_stays_ones_own(looking, administrator, viewer, red):
    for person, name in ((viewer, "theirs-alone"), (administrator, "mine-alone")):
        Board.unscoped.create(resource_group=red, name=name, kind="executions", author=person)
    shown = body(looking.get("/w/north/g/red/boards/"))
    assert "mine-alone" in shown and "theirs-alone" not in shown
    assert boards.search(open_as(administrator, viewer, "north", "red")).get().name == "mine-alone"


@pytest.mark.parametrize(
    "name", ["superuser", "editor", "outsider", "gateless", "manager", "nobody", "a\0b", ""]
)
def test_of_whom_it_is_refused(name, red, staff, superuser, editor, outsider, gateless, manager, browse):
    """Of a superuser, of who may do more, of who sees nothing there, and of nobody."""
    grant(Role.VIEWER, staff, red)
    answer = browse(staff).post(BEGIN, {"group": "red", "person": name})
    assert answer.status_code == (403 if name in ("superuser", "editor") else 422)
    assert verbs() == [] and "You are viewing" not in body(browse(staff).get(RUNS))


def test_of_oneself_it_is_refused(administrator):
    with pytest.raises(Invalid):
        view_as.check(open_scope(administrator, "north"), group="red", person="staff")


@pytest.mark.parametrize("who", ["editor", "viewer", "manager", "neighbour", "outsider", "staff"])
def test_nobody_else_may_begin_it(who, cast):
    browser = cast.client(who)
    assert browser.post(BEGIN, {"group": "red", "person": "viewer"}).status_code == 404
    assert verbs() == []


def test_not_in_a_group_that_one_may_not_view_oneself(administrator, blue, neighbour, browse):
    for group in ("blue", "nil", ""):
        answer = browse(administrator).post(BEGIN, {"group": group, "person": "neighbour"})
        assert "Choose a resource group that you may view yourself." in body(answer, 422)
    with pytest.raises(NotFound):
        open_as(administrator, neighbour, "north", "blue")


def test_a_team_counts_as_its_members(administrator, outsider, red, browse):
    team = Group.objects.create(name="night shift")
    outsider.groups.add(team)
    grant(Role.VIEWER, team, red)
    assert browse(administrator).post(BEGIN, {"group": "red", "person": "outsider"}).status_code == 303


def test_what_changes_meanwhile_counts_at_once(looking, administrator, viewer, red):
    """Rights of both are asked for each page."""
    revoke(Role.VIEWER, viewer, red)
    assert looking.get(RUNS).status_code == 404
    grant(Role.VIEWER, viewer, red)
    assert looking.get(RUNS).status_code == 200
    viewer.is_superuser = True
    viewer.save()
    assert looking.get(RUNS).status_code == 403
    viewer.is_superuser, viewer.is_active = False, False
    viewer.save()
    assert looking.get(RUNS).status_code == 404
    viewer.is_active = True
    viewer.save()
    revoke(Role.EDITOR, administrator, red)
    assert looking.get(RUNS).status_code == 404
    grant(Role.EDITOR, administrator, red)
    administrator.is_staff = False
    administrator.save()
    assert looking.get(RUNS).status_code == 404
    assert looking.post(END).status_code == 303


def test_a_right_taken_from_who_looks_is_not_lent_by_the_other(administrator, editor, red, browse):
    browser = browse(administrator)
    browser.post(BEGIN, {"group": "red", "person": "editor"})
    revoke(Role.EDITOR, administrator, red)
    grant(Role.VIEWER, administrator, red)
    assert browser.get(f"{RUNS}create").status_code == 403 and browser.get(RUNS).status_code == 403


def test_beginning_and_end_are_in_the_trail_of_the_group(looking, red):
    answer = looking.post(END, {"next": RUNS})
    assert (answer.status_code, answer["Location"]) == (303, RUNS)
    assert verbs() == [
        ("staff", "view_as.begin", {"person": "viewer", "minutes": 30}),
        ("staff", "view_as.end", {"person": "viewer", "why": "ended"}),
    ]
    assert set(AuditEvent.unscoped.values_list("workspace", "resource_group")) == {("north", red.pk)}
    shown = body(looking.get(RUNS))
    assert "executions/create" in shown and "You no longer view as viewer" in shown
    assert looking.post(END, {"next": "https://evil.example/"})["Location"] == "/workspaces/"
    assert len(verbs()) == 2


def test_it_ends_with_the_session(looking, administrator):
    looking.post("/sign-out")
    assert verbs()[-1][1:] == ("view_as.end", {"person": "viewer", "why": "signed out"})
    looking.force_login(administrator)
    assert "executions/create" in body(looking.get(RUNS))


def test_another_person_at_the_same_browser_does_not_inherit_it(looking, editor):
    looking.force_login(editor)
    shown = body(looking.get(RUNS))
    assert "executions/create" in shown and "nothing can be changed" not in shown


def over(browser):
    session = browser.session
    session["viewing"] = {**session["viewing"], "until": time.time() - 1}
    session.save()


def test_after_half_an_hour_it_ends_by_itself(looking):
    assert 29 * 60 < looking.session["viewing"]["until"] - time.time() <= 30 * 60
    over(looking)
    shown = body(looking.get(RUNS))
    assert "executions/create" in shown and "nothing can be changed" not in shown
    assert verbs()[-1][1:] == ("view_as.end", {"person": "viewer", "why": "its time was over"})


def test_a_button_of_a_page_shown_before_its_time_was_over_does_nothing(looking, red):
    run = factories.execution(factories.configuration(red))
    over(looking)
    assert "Viewing as somebody else has ended" in body(looking.post(f"{RUNS}{run.pk}/stop"), 403)
    assert Execution.unscoped.get().status == Status.PENDING


def test_a_part_that_is_polled_when_its_time_is_over_shows_the_page_anew(looking):
    over(looking)
    answer = looking.get(RUNS, headers={"HX-Request": "true", "HX-Target": "execution-table"})
    assert answer["HX-Refresh"] == "true"


def test_forms_of_the_other_view_are_refused_when_it_begins_and_when_it_ends(administrator, viewer):
    """Another tab still shows buttons of before; its token is worth nothing any more."""
    browser = Client(enforce_csrf_checks=True, headers={"accept": "text/html"})
    browser.force_login(administrator)
    browser.get(ACCESS)
    before = browser.cookies["csrftoken"].value
    browser.post(BEGIN, {"group": "red", "person": "viewer", "csrfmiddlewaretoken": before})
    browser.get(RUNS)
    meanwhile = browser.cookies["csrftoken"].value
    assert browser.post(END, {"csrfmiddlewaretoken": before}).status_code == 403
    assert browser.post(END, {"csrfmiddlewaretoken": meanwhile}).status_code == 303
    stale = {"group": "red", "person": "viewer", "csrfmiddlewaretoken": meanwhile}
    assert browser.post(BEGIN, stale).status_code == 403
    assert [verb for _, verb, _ in verbs()] == ["view_as.begin", "view_as.end"]


def test_looking_is_no_visit(looking):
    assert looking.get("/w/north/g/red/").status_code == 302
    assert not Visit.unscoped.exists()


def test_a_page_costs_three_queries_more_at_most(looking, administrator, browse):
    assert queries(looking, RUNS) <= queries(browse(administrator), RUNS) + 3


def test_the_access_page_offers_it_where_it_would_work(administrator, cast, browse):
    shown = body(browse(administrator).get(ACCESS))
    for name in ("viewer", "editor"):
        assert f'aria-label="View as {name} in red"' in shown
    assert "View red as staff" not in shown and "View red as gateless" not in shown
    assert "View blue as" not in shown


@pytest.mark.parametrize("right", list(Right))
def test_a_window_through_somebody_else_never_holds_more_than_ones_own(
    right, red, staff, viewer, editor, superuser
):
    grant(Role.VIEWER, staff, red)
    for user in (staff, superuser, viewer):
        for person in (viewer, editor, superuser):
            try:
                scope = open_as(user, person, "north", "red", right)
            except (Forbidden, NotFound):
                continue
            assert scope.rights <= open_scope(user, "north", "red").rights
            assert scope.rights <= open_scope(person, "north", "red").rights
            assert user.is_staff and not person.is_superuser and scope.user == user
