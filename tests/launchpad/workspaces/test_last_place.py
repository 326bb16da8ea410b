"""Where Launchpad opens: the place entered last, if it is still open; and asking for one that is not."""

import pytest
from django.contrib.auth.models import Group

from launchpad import access
from launchpad.access import Role, open_scope, system_scope
from launchpad.audit.models import AuditEvent
from launchpad.errors import Forbidden, NotFound
from launchpad.grants import grant, revoke
from launchpad.resource_groups import access_requests, roles, visits
from launchpad.resource_groups.models import AccessRequest, ResourceGroup, Visit

pytestmark = pytest.mark.django_db
ASK = "/access-requests/ask"
WANTED = {"workspace": "north", "resource_group": "red", "message": "For the <b>audit</b>\n\0"}


def test_who_never_was_anywhere_chooses_first(red, editor, browse):
    assert browse(editor).get("/")["Location"] == "/workspaces/"


def test_the_place_entered_last_opens_again_for_each_person(red, blue, editor, viewer, browse):
    grant(Role.VIEWER, editor, blue)
    browser = browse(editor)
    for slug in ("red", "blue"):
        assert browser.get(f"/w/north/g/{slug}/").status_code == 302
    assert browser.get("/")["Location"] == "/w/north/g/blue/overview/"
    assert browse(viewer).get("/")["Location"] == "/workspaces/"
    assert Visit.unscoped.count() == 1


def test_a_group_that_closed_leads_to_its_workspace_and_a_closed_workspace_to_the_choice(red, editor, browse):
    browser = browse(editor)
    browser.get("/w/north/g/red/")
    revoke(Role.EDITOR, editor, red)
    assert browser.get("/")["Location"] == "/w/north/"
    revoke(Role.OPERATIONS_MANAGER, editor, red.workspace)
    assert browser.get("/")["Location"] == "/workspaces/"


def test_a_place_entered_by_a_direct_link_opens_again(red, blue, green, editor, viewer, browse):
    grant(Role.VIEWER, editor, blue)
    grant(Role.OPERATIONS_MANAGER, editor, green.workspace)
    browser = browse(editor)
    browser.get("/w/north/g/red/executions/")
    assert browser.get("/")["Location"] == "/w/north/g/red/overview/"
    browser.get("/w/north/g/blue/models/")
    assert browser.get("/")["Location"] == "/w/north/g/blue/overview/"
    browser.get("/w/south/scenarios/")
    assert browser.get("/")["Location"] == "/w/south/"
    # What is no page of a place, or only a part of one, says nothing about where one is.
    part = {"HX-Request": "true", "HX-Target": "workspaces"}
    for url, headers in (
        ("/workspaces/north/", {}),
        ("/w/north/g/red/executions/e000000000000000/", {}),
        ("/w/north/g/red/executions/", {**part, "HX-Target": "execution-table"}),
        ("/workspaces/", part),
    ):
        browser.get(url, headers=headers)
        assert browser.get("/")["Location"] == "/w/south/"
    # Another person at the same browser is not led there, nor is anybody by a cookie that was made up.
    browser.force_login(viewer)
    assert browser.get("/")["Location"] == "/workspaces/"
    browser.cookies["place"] = f"{viewer.pk} north red"
    assert browser.get("/")["Location"] == "/workspaces/"


def test_a_page_of_the_workspace_leaves_the_group_one_was_in(red, editor, browse):
    browser = browse(editor)
    browser.get("/w/north/g/red/executions/")
    browser.get("/w/north/scenarios/")
    assert browser.get("/")["Location"] == "/w/north/g/red/overview/"
    revoke(Role.EDITOR, editor, red)
    assert browser.get("/")["Location"] == "/w/north/"


def test_the_cookie_is_written_once_and_costs_no_query(red, editor, browse):
    browser = browse(editor)
    assert "place" in browser.get("/w/north/g/red/scenarios/").cookies
    again = browser.get("/w/north/g/red/scenarios/")
    assert again.status_code == 200 and "place" not in again.cookies
    assert not Visit.unscoped.exists()


def test_a_visit_does_not_keep_a_group(red, editor):
    visits.remember(open_scope(editor, "north", "red"))
    red.delete()
    assert Visit.unscoped.get().resource_group is None
    assert access.all_resource_groups(editor).count() == 0


def test_the_page_without_a_role_says_who_grants_one_and_offers_to_ask(red, outsider, superuser, browse):
    shown = browse(outsider).get("/w/north/g/red/executions/").content.decode()
    assert "Roles are granted by superuser." in shown
    assert f'action="{ASK}"' in shown and 'value="red"' in shown


def test_the_page_is_the_same_for_a_group_that_does_not_exist(red, outsider, superuser, browse):
    def page(group):
        answer = browse(outsider).get(f"/w/north/g/{group}/executions/", headers={"x-request-id": "a" * 16})
        assert answer.status_code == 404
        text = answer.content.decode().split('<main class="signin"')[1]
        return text.split("csrfmiddlewaretoken")[0] + text.split('name="workspace"')[1].replace(
            group, "GROUP"
        )

    assert page("red") == page("nil")


def test_a_missing_object_in_ones_own_group_offers_no_request(red, editor, browse):
    shown = browse(editor).get("/w/north/g/red/executions/e000000000000000/")
    assert shown.status_code == 404 and ASK not in shown.content.decode()


def test_a_request_is_noted_once_and_audited(red, outsider, browse):
    browser = browse(outsider)
    for _ in range(2):
        answer = browser.post(ASK, WANTED, follow=True)
        assert "its administrators see your request now" in answer.content.decode()
    made = AccessRequest.unscoped.get()
    assert (made.user, made.resource_group, made.message) == (outsider, red, "For the <b>audit</b>")
    event = AuditEvent.unscoped.filter(verb="access_requests.create").earliest("pk")
    assert (event.actor, event.resource_group) == ("outsider", red.pk)


def test_the_answer_tells_nothing_of_what_exists(red, outsider, viewer, browse):
    told = set()
    for place in (WANTED, WANTED | {"resource_group": "nil"}, WANTED | {"workspace": "\0"}, {}):
        answer = browse(outsider).post(ASK, place)
        told.add((answer.status_code, answer["Location"]))
    assert told == {(303, "/workspaces/")}
    assert AccessRequest.unscoped.count() == 1
    browse(viewer).post(ASK, WANTED)
    assert not AccessRequest.unscoped.filter(user=viewer).exists()


def test_one_person_asks_for_so_many_at_once(workspace, outsider, monkeypatch):
    monkeypatch.setattr(access_requests, "OPEN_LIMIT", 2)
    for slug in ("one", "two", "three"):
        ResourceGroup.unscoped.create(workspace=workspace, slug=slug)
        access_requests.ask(outsider, "north", slug)
    assert AccessRequest.unscoped.count() == 2


def test_a_role_granted_closes_the_request_also_through_a_team(red, outsider, gateless, superuser):
    team = Group.objects.create(name="auditors")
    gateless.groups.add(team)
    for person in (outsider, gateless):
        access_requests.ask(person, "north", "red")
    scope = open_scope(superuser, "north", "red")
    roles.grant(scope, role=Role.VIEWER, user="outsider")
    roles.grant(scope, role=Role.VIEWER, team="auditors")
    assert set(AccessRequest.unscoped.values_list("outcome", flat=True)) == {"granted"}


def test_only_administrators_of_the_workspace_see_and_close_them(red, green, outsider, editor, superuser):
    access_requests.ask(outsider, "north", "red")
    made = AccessRequest.unscoped.get()
    for scope in (open_scope(editor, "north"), open_scope(editor, "north", "red")):
        with pytest.raises(Forbidden):
            access_requests.search(scope)
        with pytest.raises(Forbidden):
            access_requests.decline(scope, made.pk)
    with pytest.raises(NotFound):
        access_requests.decline(system_scope(green.workspace), made.pk)
    access_requests.decline(open_scope(superuser, "north"), made.pk)
    assert AccessRequest.unscoped.get().outcome == "declined"
    access_requests.ask(outsider, "north", "red")
    assert AccessRequest.unscoped.filter(closed_at=None).count() == 1
