"""Policies, fragments and answers."""

import json

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages import get_messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpResponse
from django_htmx.middleware import HtmxDetails
from ninja import NinjaAPI

from launchpad import http
from launchpad.access import Right
from launchpad.errors import Forbidden, NotFound
from mlops.views import workspaces as views

PLACE = {"workspace": "north", "resource_group": "red"}


@pytest.fixture
def ask(rf):
    """`ask(user, method, path, **headers)`: a request as the middleware leaves it."""

    def made(user, method="GET", path="/", **headers):
        request = rf.generic(method, path, headers=headers)
        request.user, request.htmx = user, HtmxDetails(request)
        request._messages = CookieStorage(request)
        return request

    return made


def echo(request, scope, **kwargs):
    """What a view gets."""
    return HttpResponse(json.dumps([scope.resource_group.slug, kwargs]))


def test_a_view_gets_its_scope_and_what_is_left_of_the_address(ask, viewer, red):
    response = http.viewer(echo)(ask(viewer), **PLACE, execution_id="e1")
    assert json.loads(response.content) == ["red", {"execution_id": "e1"}]


@pytest.mark.parametrize(
    ("policy", "methods", "right"),
    [
        (http.viewer, http.READ, Right.VIEW),
        (http.manager, http.READ, Right.VIEW),
        (http.editor, http.FORM, Right.CHANGE),
        (http.action, http.WRITE, Right.CHANGE),
        (http.participant, http.WRITE, Right.PARTICIPATE),
    ],
)
def test_each_policy_has_its_methods_and_right(policy, methods, right, ask, viewer, red):
    view = policy(echo)
    assert (view.access_policy.methods, view.access_policy.right) == (methods, right)
    for method in {"GET", "POST", "PUT", "DELETE"} - set(methods):
        response = view(ask(viewer, method), **PLACE)
        assert (response.status_code, response["Allow"]) == (405, ", ".join(methods))
    request = ask(viewer, methods[-1])
    if right is Right.CHANGE:
        with pytest.raises(Forbidden):
            view(request, **PLACE)
    else:
        assert view(request, **PLACE).status_code == 200


def test_the_check_can_be_made_without_the_view(ask, editor, neighbour, red):
    view = http.viewer(echo)
    assert view.open(ask(editor), PLACE).resource_group == red
    for user in (neighbour, AnonymousUser()):
        with pytest.raises(NotFound):
            view.open(ask(user), PLACE)


def test_staff_pages_are_not_there_for_others(ask, staff, editor):
    view = http.staff(lambda request: HttpResponse("ok"))
    assert view(ask(staff)).content == b"ok"
    with pytest.raises(NotFound):
        view(ask(editor))


def test_policies_of_ninja_operations_are_found_one_by_one():
    api = NinjaAPI(urls_namespace="policies", docs_url=None, openapi_url=None)

    @api.get("/thing")
    @http.endpoint(Right.VIEW)
    def read(request):
        """Stamped."""

    @api.post("/thing")
    def write(request):
        """Not stamped."""

    route = next(one for one in api.urls[0] if str(one.pattern) == "thing")
    (get, stamped), (post, missing) = http.policies(route.callback)
    assert (get, stamped.kind, stamped.right) == (("GET",), "endpoint", Right.VIEW)
    assert (post, missing) == (("POST",), None)


def page(client, **headers):
    """The workspaces page as asked for with these headers."""
    return client.get("/workspaces/", headers=headers)


def test_a_fragment_only_for_the_target_that_asked(browse, editor):
    client = browse(editor)
    fragment = page(client, HX_Request="true", HX_Target="workspaces").content.decode().strip()
    assert fragment.startswith('<ul class="stack snug" id="workspaces"')
    for headers in (
        {},
        {"HX_Target": "workspaces"},
        {"HX_Request": "true", "HX_Target": "elsewhere"},
        {"HX_Request": "true", "HX_Target": "workspaces", "HX_Boosted": "true"},
        {"HX_Request": "true", "HX_Target": "workspaces", "HX_History_Restore_Request": "true"},
    ):
        assert page(client, **headers).content.decode().startswith("<!doctype html>")


def test_caches_keep_page_and_fragment_apart(browse, editor):
    assert {"HX-Request", "HX-Target"} <= set(page(browse(editor))["Vary"].split(", "))


def test_a_browser_is_sent_on_with_303_and_a_message(ask, editor, red):
    request = ask(editor, "POST")
    request.scope = http.viewer(echo).open(request, PLACE)
    response = http.respond(request, "workspaces.detail", toast="Done")
    assert (response.status_code, response["Location"]) == (303, "/workspaces/north/")
    assert [str(message) for message in get_messages(request)] == ["Done"]


def test_htmx_gets_the_fragment_of_the_restarted_view_and_a_toast(ask, editor, red):
    request = ask(
        editor,
        "POST",
        HX_Request="true",
        HX_Target="workspaces",
        HX_Current_URL="http://testserver/workspaces/north/?q=zz",
    )
    request.scope = views.detail.open(request, {"workspace": "north"})
    response = http.respond(request, "workspaces.detail", toast="Done", restart=views.detail)
    body = response.content.decode()
    assert 'id="workspaces"' in body and "<html" not in body
    assert "No workspace matches “zz”" in body, "the filter of the page shown is kept"
    assert json.loads(response["HX-Trigger"]) == {"toast": {"kind": "good", "text": "Done"}}
    assert (request.method, list(get_messages(request))) == ("POST", [])


@pytest.mark.parametrize("restart", [None, views.detail])
def test_htmx_goes_to_the_page_when_it_serves_no_such_fragment(restart, ask, editor, red):
    request = ask(editor, "POST", HX_Request="true", HX_Target="elsewhere")
    request.scope = views.detail.open(request, {"workspace": "north"})
    response = http.respond(request, "workspaces.detail", toast="Done", restart=restart)
    assert (response.status_code, response["HX-Redirect"]) == (200, "/workspaces/north/")
    assert [str(message) for message in get_messages(request)] == ["Done"]
