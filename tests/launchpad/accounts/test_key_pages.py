"""Pages of service keys: who sees which, a secret that is shown once, and revoking after a question."""

import base64
import json
import re
from html import unescape

import pytest
from django.test import Client

from launchpad.access import Role, open_scope, system_scope
from launchpad.accounts import bearers, service_keys
from launchpad.accounts.models import ServiceKey
from launchpad.grants import grant

pytestmark = pytest.mark.django_db
KEYS = "/w/north/g/red/service-keys/"
ADMINISTRATORS = "/w/north/service-keys/"


@pytest.fixture
def key(red, editor):
    return service_keys.create(open_scope(editor, "north", "red"), name="nightly").key


@pytest.fixture
def administrator(workspace, staff):
    grant(Role.OPERATIONS_MANAGER, staff, workspace)
    return staff


def body(response, status=200):
    assert response.status_code == status, response.content
    return response.content.decode()


def made(response):
    """The key's document as the page shows it."""
    text = re.search(r'<code id="key-json">(.*?)</code>', body(response), re.S).group(1)
    return json.loads(unescape(text))


def test_editors_and_viewers_see_names_and_uses(key, browse, editor, viewer):
    for person in (editor, viewer):
        shown = body(browse(person).get(KEYS))
        assert "nightly" in shown and "Editor" in shown and "never" in shown
        assert key.application.client_id not in shown
        assert ("Revoke nightly" in shown) is (person is editor)
        assert ("service-keys/create" in shown) is (person is editor)


def test_an_empty_page_says_what_keys_are_for(red, browse, editor, viewer):
    assert "No service keys yet" in body(browse(editor).get(KEYS))
    shown = body(browse(viewer).get(KEYS))
    assert "Editors of this resource group can create one." in shown
    assert "service-keys/create" not in shown


def test_one_and_three_keys_cost_the_same(red, browse, editor, django_assert_num_queries):
    browser = browse(editor)

    def count():
        with django_assert_num_queries(100, exact=False) as seen:
            body(browser.get(KEYS))
        return len(seen)

    service_keys.create(open_scope(editor, "north", "red"), name="first")
    browser.get(KEYS)
    once = count()
    for name in ("second", "third"):
        service_keys.create(open_scope(editor, "north", "red"), name=name)
    assert count() == once


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_a_new_key_is_shown_once_and_works(red, browse, editor, role, settings):
    settings.PUBLIC_URL = "https://launchpad.example"
    browser = browse(editor)
    assert browser.get(f"{KEYS}create")["Cache-Control"] == "no-store"
    response = browser.post(f"{KEYS}create", {"name": "nightly", "role": role.value})
    assert response["Cache-Control"] == "no-store"
    document = made(response)
    assert document["url"] == document["serviceurls"]["AI_API_URL"] == "https://launchpad.example"
    key = service_keys.authenticate(document["clientid"], document["clientsecret"])
    assert (key.name, key.role, key.created_by) == ("nightly", role, editor)
    packed = re.search(r'href="data:application/json;base64,([^"]*)" download="nightly.json"', body(response))
    assert json.loads(base64.b64decode(packed.group(1))) == document
    for page in (KEYS, f"{KEYS}create", f"{KEYS}{key.pk}/revoke"):
        assert document["clientsecret"] not in body(browser.get(page))


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"name": "", "role": "mloperations_editor"}, "Give it a name."),
        ({"name": "Nightly Run", "role": "mloperations_editor"}, "lower-case letters"),
        ({"name": "nightly", "role": "mloperations_editor"}, "There is a key nightly here already."),
        ({"name": "other", "role": "operations_manager"}, "Choose one of the roles."),
        ({"name": "other"}, "Choose a role."),
    ],
)
def test_what_cannot_be_made_is_said_beside_the_field(key, browse, editor, sent, words):
    shown = body(browse(editor).post(f"{KEYS}create", sent), 422)
    assert words in unescape(shown)
    assert ServiceKey.unscoped.count() == 1


def test_revoking_asks_first(key, browse, editor):
    token = bearers.issue(key).token
    browser = browse(editor)
    assert "Revoke nightly?" in body(browser.get(f"{KEYS}{key.pk}/revoke"))
    assert ServiceKey.unscoped.get(pk=key.pk).revoked_at is None
    response = browser.post(f"{KEYS}{key.pk}/revoke")
    assert (response.status_code, response["Location"]) == (303, KEYS)
    bearers.forget_all()
    assert bearers.client(token) is None
    shown = body(browser.get(KEYS))
    assert "Key nightly was revoked. Its tokens are refused within 5 s." in shown
    assert "No service keys yet" in shown
    assert browser.post(f"{KEYS}{key.pk}/revoke").status_code == 404


def test_a_viewer_neither_makes_nor_revokes(key, browse, viewer):
    browser = browse(viewer)
    for address in (f"{KEYS}create", f"{KEYS}{key.pk}/revoke"):
        assert browser.get(address).status_code == 403
        assert browser.post(address, {"name": "mine", "role": "mloperations_viewer"}).status_code == 403
    assert [one.name for one in ServiceKey.unscoped.all()] == ["nightly"]


def test_keys_of_the_workspace_are_for_its_administrators(red, key, browse, administrator, manager, editor):
    for person in (manager, editor):
        assert browse(person).get(ADMINISTRATORS).status_code == 403
        assert browse(person).post(f"{ADMINISTRATORS}create", {"name": "mine"}).status_code == 403
    browser = browse(administrator)
    shown = body(browser.get(ADMINISTRATORS))
    assert "nightly" not in shown
    assert "every resource group of it" in shown
    document = made(browser.post(f"{ADMINISTRATORS}create", {"name": "platform"}))
    made_key = service_keys.authenticate(document["clientid"], document["clientsecret"])
    assert open_scope(made_key.account, "north", "red").may_change
    assert "Administrator" in body(browser.get(ADMINISTRATORS))
    assert browser.get(f"{ADMINISTRATORS}{key.pk}/revoke").status_code == 404


def test_administrators_find_their_keys_in_the_navigation(red, browse, administrator, manager):
    assert f'href="{ADMINISTRATORS}"' in body(browse(administrator).get("/w/north/scenarios/"))
    assert f'href="{ADMINISTRATORS}"' not in body(browse(manager).get("/w/north/scenarios/"))


def test_a_form_from_elsewhere_is_refused(red, editor):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(editor)
    assert browser.post(f"{KEYS}create", {"name": "mine", "role": "mloperations_editor"}).status_code == 403
    assert not ServiceKey.unscoped.exists()


def test_a_key_of_a_group_that_names_no_creator_is_shown(red, browse, editor):
    service_keys.create(system_scope(red), name="made-by-command")
    assert "made-by-command" in body(browse(editor).get(KEYS))
