"""Request ids, the content policy and the door."""

import re

import pytest
from django.test import Client, override_settings
from django.urls import path

from launchpad import urls
from launchpad.errors import Conflict, Invalid
from launchpad.http import public


def failing(kind):
    """A public page that fails in a certain way."""

    def view(request):
        raise kind

    return public("for the test")(view)


class Routes:
    """The real routes and a few that fail."""

    handler400, handler403, handler404, handler500 = (
        urls.handler400,
        urls.handler403,
        urls.handler404,
        urls.handler500,
    )
    urlpatterns = [
        *urls.urlpatterns,
        path("conflict", failing(Conflict("It has ended already.")), name="conflict"),
        path(
            "invalid", failing(Invalid("Too long.", fields={"name": "Use 256 characters."})), name="invalid"
        ),
        path("broken", failing(RuntimeError("secret detail")), name="broken"),
    ]


@pytest.fixture
def client(db):
    """A browser that gets the error page rather than the exception."""
    with override_settings(ROOT_URLCONF=Routes):
        yield Client(raise_request_exception=False, headers={"accept": "text/html"})


def test_a_sane_id_is_kept_and_any_other_replaced(client):
    assert client.get("/healthz", headers={"X-Request-ID": "trace-0123"})["X-Request-ID"] == "trace-0123"
    for bad in ("short", "x" * 33, "spaces in it here", "<script>alert(1)</script>"):
        given = client.get("/healthz", headers={"X-Request-ID": bad})["X-Request-ID"]
        assert re.fullmatch(r"[0-9a-f]{16}", given)


def test_pages_allow_only_what_comes_from_here(client):
    response = client.get("/sign-in")
    policy = response["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]


@pytest.mark.parametrize(("path", "status"), [("/conflict", 409), ("/invalid", 422), ("/nowhere", 404)])
def test_an_error_is_a_page_a_toast_or_json(path, status, client):
    shown = client.get(path)
    assert shown.status_code == status
    assert shown["X-Request-ID"] in shown.content.decode()
    toast = client.get(path, headers={"HX-Request": "true"})
    assert (toast.status_code, toast["HX-Retarget"], toast["HX-Reswap"]) == (status, "#toasts", "beforeend")
    assert toast.content.decode().strip().startswith('<div class="toast" data-kind="bad" role="alert">')
    told = client.get(path, headers={"accept": "application/json"})
    assert told.status_code == status
    assert told.json()["error"]["requestId"] == told["X-Request-ID"]


def test_error_pages_keep_the_theme_chosen(client):
    client.post("/preferences/theme", {"theme": "dark"})
    assert '<html lang="en" data-theme="dark">' in client.get("/nowhere").content.decode()


def test_json_names_the_fields(client):
    told = client.get("/invalid", headers={"accept": "application/json"}).json()
    assert told["error"]["fields"] == {"name": "Use 256 characters."}
    assert told["error"]["message"] == "Too long."


def test_the_unforeseen_is_logged_with_its_id_and_tells_no_detail(client, caplog):
    response = client.get("/broken")
    body = response.content.decode()
    assert response.status_code == 500
    assert response["X-Request-ID"] in body
    assert "secret detail" not in body
    assert any(response["X-Request-ID"] in record.message for record in caplog.records)


def test_missing_and_forbidden_places_look_the_same(browse, viewer, neighbour, red):
    forbidden = browse(neighbour).get("/w/north/g/red/").content.decode()
    missing = browse(neighbour).get("/w/north/g/nothing/").content.decode()
    # What differs anyway: the request's own marks, and the name that was asked for.
    own = re.compile(r"\b[0-9a-f]{16}\b|[A-Za-z0-9]{64}|\b(red|nothing)\b")
    assert own.sub("", forbidden) == own.sub("", missing)
    assert "Nothing here, or you have no role in this resource group" in forbidden


def test_unknown_people_are_asked_to_sign_in(client):
    page = client.get("/workspaces/?q=a")
    assert (page.status_code, page["Location"]) == (302, "/sign-in?next=/workspaces/%3Fq%3Da")
    told = client.get("/workspaces/", headers={"accept": "application/json"})
    assert (told.status_code, told.json()["error"]["code"]) == (401, "Unauthorized")


def test_a_lost_session_never_swaps_the_sign_in_page_into_a_region(client):
    headers = {
        "HX-Request": "true",
        "HX-Target": "rows",
        "HX-Current-URL": "http://testserver/workspaces/?q=a",
    }
    response = client.get("/w/north/", headers=headers)
    assert response["HX-Redirect"] == "/sign-in?next=%2Fworkspaces%2F%3Fq%3Da"
    assert response.content == b""


def test_a_form_without_its_token_is_refused_with_a_page(db):
    response = Client(enforce_csrf_checks=True, headers={"accept": "text/html"}).post("/sign-in", {})
    assert response.status_code == 403
    assert "This form is too old" in response.content.decode()


@pytest.mark.parametrize("shown", ["http://[", "http://[::1", "//["])
def test_a_lost_session_survives_an_unreadable_address(client, shown):
    response = client.get("/w/north/", headers={"HX-Request": "true", "HX-Current-URL": shown})
    assert response["HX-Redirect"] == "/sign-in?next=%2F"


def test_an_unknown_host_is_refused_with_a_page(browse, viewer):
    response = browse(viewer).get("/w/north/g/red/executions/", headers={"host": "evil.example"})
    assert response.status_code == 400
    assert "<h1>" in response.content.decode()


@pytest.mark.database
def test_a_session_cookie_that_no_database_could_hold_is_none(client):
    client.cookies.load({"sessionid": "abcdefgh\0ijklmnop"})
    response = client.get("/workspaces/")
    assert (response.status_code, response["Location"]) == (302, "/sign-in?next=/workspaces/")
