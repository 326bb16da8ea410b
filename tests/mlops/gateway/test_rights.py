"""Who may ask a deployment, by token and by session; what others are told."""

import httpx
import pytest
from django.conf import settings

from launchpad.access import NOTHING_HERE, Role
from launchpad.accounts import service_keys
from launchpad.grants import grant, revoke
from mlops.lifecycle import Status
from mlops.models import Deployment
from tests.mlops.gateway import serving
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
SAME = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def row(red, model):
    return serving.deployment(red, model.address)


@pytest.fixture
def visit(web):
    """`visit(method, row, user, **headers)`: the status of a request with the user's session."""

    def visited(method, row, user, path="/", **headers):
        cookies = {"sessionid": serving.session(user)} if user is not None else {}
        with httpx.Client(base_url=web.url, timeout=30, cookies=cookies) as client:
            return client.request(method, f"{serving.PREFIX}{row.pk}{path}", headers=headers)

    return visited


def said(answer):
    """The envelope's code and message."""
    error = answer.json()["error"]
    assert error["requestId"] == answer.headers["x-request-id"]
    assert error["target"].startswith(serving.PREFIX)
    return error["code"], error["message"]


def test_a_token_of_the_group_passes_as_viewer_and_as_editor(ask, red, row):
    for role in (Role.VIEWER, Role.EDITOR):
        headers = {"Authorization": f"Bearer {serving.token(red, role)}", "AI-Resource-Group": "red"}
        assert ask("POST", row, headers=headers, content=b"x").status_code == 200


@pytest.mark.parametrize(
    "credential", [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Bearer"}]
)
def test_without_a_token_of_ours_nobody_passes(ask, row, credential):
    found = ask("GET", row, headers={"AI-Resource-Group": "red", **credential})
    assert found.status_code == 401
    assert said(found)[0] == "01010401"
    assert found.headers["www-authenticate"] == "Bearer"


def test_an_empty_token_beside_a_session_is_nobodys_and_opens_no_door_for_others(ask, visit, row, editor):
    assert visit("GET", row, editor, Authorization="Bearer").status_code == 401
    assert ask("GET", row, headers={"Authorization": "Bearer"}).status_code == 401


def test_the_header_names_the_deployments_group(ask, red, blue, row):
    headers = serving.bearer(red)
    for group in ("blue", "nowhere", ""):
        found = ask("GET", row, headers=headers | {"AI-Resource-Group": group})
        assert (found.status_code, said(found)) == (404, ("01010404", NOTHING_HERE))
    # Of another group of the same workspace, of another workspace.
    assert ask("GET", row, headers=serving.bearer(blue)).status_code == 404
    token = serving.bearer(blue)["Authorization"]
    assert ask("GET", row, headers=headers | {"Authorization": token}).status_code == 404


def test_without_the_header_the_group_is_the_default_one(ask, workspace, model):
    group = serving.factories.place("north", "default")
    row = serving.deployment(group, model.address)
    headers = serving.bearer(group)
    del headers["AI-Resource-Group"]
    assert ask("GET", row, headers=headers).status_code == 200


def test_a_token_of_another_workspace_finds_nothing(ask, green, red, row):
    headers = serving.bearer(green) | {"AI-Resource-Group": "red"}
    assert ask("GET", row, headers=headers).status_code == 404


def test_what_is_not_there_and_what_is_not_ones_own_answer_alike(ask, red, row):
    headers = serving.bearer(red)
    nothing = Deployment(pk="d000000000000000")
    assert said(ask("GET", nothing, headers=headers)) == ("01010404", NOTHING_HERE)
    assert ask("GET", nothing, headers={"Authorization": "Bearer x"}).status_code == 401
    Deployment.unscoped.filter(pk=row.pk).update(archived_at=serving.timezone.now())
    assert said(ask("GET", row, headers=headers)) == ("01010404", NOTHING_HERE)


def test_the_whole_cast_with_a_session(visit, cast, row):
    allowed = {"viewer", "editor", "superuser"}
    for who, person in cast.people.items():
        status = visit("GET", row, person).status_code
        assert status == (200 if who in allowed else 401 if who == "anonymous" else 404), who


def test_what_a_session_sends_comes_from_our_own_pages(visit, web, row, editor):
    assert visit("GET", row, editor, **{"Sec-Fetch-Site": "cross-site"}).status_code == 200
    assert visit("POST", row, editor, **SAME).status_code == 200
    assert visit("POST", row, editor, Origin=web.url).status_code == 200
    for headers in (
        {},
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": web.url},
    ):
        found = visit("DELETE", row, editor, **headers)
        assert found.status_code == 403, headers
        assert "Launchpad's own pages" in said(found)[1]


def test_who_views_as_somebody_else_only_looks(ask, browse, cast, red, blue, row):
    browser = browse(cast.people["superuser"])
    browser.post("/w/north/access/view-as", {"group": "red", "person": "viewer"})
    cookie = {"Cookie": f"sessionid={browser.cookies['sessionid'].value}", **SAME}
    assert ask("GET", row, headers=cookie).status_code == 200
    found = ask("POST", row, headers=cookie)
    assert (found.status_code, "viewing as viewer" in said(found)[1]) == (403, True)
    elsewhere = serving.deployment(blue)
    assert ask("GET", elsewhere, headers=cookie).status_code == 403


def test_an_answer_becomes_no_part_of_a_page(visit, row, editor):
    for kind in ("script", "serviceworker", "style"):
        assert visit("GET", row, editor, **SAME, **{"Sec-Fetch-Dest": kind}).status_code == 403
    assert visit("GET", row, editor, **SAME, **{"Sec-Fetch-Dest": "document"}).status_code == 200


def test_a_role_that_is_taken_and_a_key_that_is_revoked_end_within_seconds(ask, visit, red, row, editor):
    headers = serving.bearer(red)
    key = service_keys.search(serving.system_scope(red)).latest("created_at")
    assert (visit("GET", row, editor).status_code, ask("GET", row, headers=headers).status_code) == (200, 200)
    cookie = {"Cookie": f"sessionid={serving.session(editor)}"}
    assert ask("GET", row, headers=cookie).status_code == 200
    revoke(Role.EDITOR, editor, red)
    service_keys.revoke(serving.system_scope(red), key.pk)
    until(lambda: ask("GET", row, headers=cookie).status_code == 404)
    until(lambda: ask("GET", row, headers=headers).status_code == 401)
    assert settings.TOKEN_CACHE_SECONDS < 5


def test_a_role_that_is_granted_opens_the_door_soon(ask, row, outsider, red):
    cookie = {"Cookie": f"sessionid={serving.session(outsider)}"}
    assert ask("GET", row, headers=cookie).status_code == 404
    grant(Role.VIEWER, outsider, red)
    until(lambda: ask("GET", row, headers=cookie).status_code == 200)


@pytest.mark.parametrize("status", [Status.STOPPED, Status.DEAD, Status.STOPPING])
def test_a_deployment_that_does_not_run_says_so(ask, red, row, status):
    columns = {"completed_at": None if status == Status.STOPPING else serving.timezone.now()}
    Deployment.unscoped.filter(pk=row.pk).update(**{"status": status, "serving": None, **columns})
    found = ask("GET", row, headers=serving.bearer(red))
    assert found.status_code == 404
    assert f"is {status.lower()} and answers no requests" in said(found)[1]


def test_a_deployment_without_a_ready_server_says_when_to_come_again(ask, red):
    row = serving.deployment(red)
    found = ask("GET", row, headers=serving.bearer(red))
    assert found.status_code == 503
    assert int(found.headers["retry-after"]) > 0
    assert "Waiting for a worker" in said(found)[1]
